//! The way between a server and its database, which can be interrupted. The tests of
//! `trueup-server` use it as well.

use std::io::Result;
use std::net::SocketAddr;
use std::path::PathBuf;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream, UnixStream};
use tokio::sync::watch::{self, Receiver, Sender};
use tokio::task::JoinHandle;

/// Listens on a port and passes on to a socket. Everything ends when this is dropped.
pub struct Proxy {
    pub address: SocketAddr,
    traffic: Sender<Traffic>,
    accepting: JoinHandle<()>,
}

/// Which way bytes go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    ToDatabase,
    ToServer,
}

/// What passes. Connections are told apart by how often traffic had stopped when they were made.
#[derive(Clone, Copy, Debug, Default)]
struct Traffic {
    stops: u64,
    stopped: [bool; 2],
    /// Those made before so many stops are closed.
    cut: u64,
    /// Those made before so many stops stay open, and nothing passes on them any more.
    silent: u64,
}

impl Traffic {
    fn passes(&self, way: Way, made: u64) -> bool {
        let [to_database, to_server] = self.stopped;
        let is_stopped = if way == Way::ToDatabase { to_database } else { to_server };
        !is_stopped && made >= self.silent
    }
}

impl Proxy {
    /// Opens a way to the socket.
    pub async fn open(socket: PathBuf) -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let (traffic, seen) = watch::channel(Traffic::default());
        let accepting = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let made = seen.borrow().stops;
                tokio::spawn(join(stream, socket.clone(), made, seen.clone()));
            }
        });
        Ok(Self { address, traffic, accepting })
    }

    /// Nothing passes these ways any more. Connections stay open and can be made, and what is sent on
    /// them waits.
    pub fn stop(&self, ways: &[Way]) {
        self.traffic.send_modify(|it| {
            // Of what has been silent since an earlier stop nothing can be learnt any more.
            it.cut = it.cut.max(it.silent);
            it.stops += 1;
            it.stopped = [Way::ToDatabase, Way::ToServer].map(|way| ways.contains(&way));
        });
    }

    /// What waited arrives, late, and everything passes.
    pub fn go_on(&self) {
        self.traffic.send_modify(|it| it.stopped = [false; 2]);
    }

    /// Closes every connection, whatever waited on it; new ones can be made.
    pub fn cut(&self) {
        self.traffic.send_modify(|it| {
            (it.stops, it.cut) = (it.stops + 1, it.stops + 1);
            it.stopped = [false; 2];
        });
    }

    /// Connections stay open and silent for ever, as when a router forgot them; new ones can be made.
    pub fn forget(&self) {
        self.traffic.send_modify(|it| {
            (it.stops, it.silent) = (it.stops + 1, it.stops + 1);
            it.stopped = [false; 2];
        });
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.accepting.abort();
        self.cut();
    }
}

async fn join(server: TcpStream, socket: PathBuf, made: u64, mut traffic: Receiver<Traffic>) {
    let Ok(database) = UnixStream::connect(socket).await else { return };
    let _ = server.set_nodelay(true);
    // What is cut is reset, and not closed in order.
    let _ = server.set_zero_linger();
    let seen = traffic.clone();
    let (mut from_server, mut to_server) = server.into_split();
    let (mut from_database, mut to_database) = database.into_split();
    let passing = async {
        tokio::join!(
            pass(&mut from_server, &mut to_database, Way::ToDatabase, made, seen.clone()),
            pass(&mut from_database, &mut to_server, Way::ToServer, made, seen),
        )
    };
    tokio::select! {
        _ = passing => {}
        _ = traffic.wait_for(|it| made < it.cut) => {}
    }
}

/// Passes on what comes, and the end of it: that, too, arrives late or never.
async fn pass<R, W>(from: &mut R, to: &mut W, way: Way, made: u64, mut traffic: Receiver<Traffic>)
where
    R: tokio::io::AsyncRead + Unpin,
    W: tokio::io::AsyncWrite + Unpin,
{
    let mut bytes = vec![0; 16 * 1024];
    loop {
        let count = from.read(&mut bytes).await.unwrap_or(0);
        if traffic.wait_for(|it| it.passes(way, made)).await.is_err() {
            return;
        }
        let sent = match bytes.get(..count) {
            Some([]) | None => {
                to.shutdown().await.and(Err(std::io::ErrorKind::UnexpectedEof.into()))
            }
            Some(some) => to.write_all(some).await,
        };
        if sent.is_err() {
            return;
        }
    }
}
