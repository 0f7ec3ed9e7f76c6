//! Three servers over one database, and how they are reached.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use serde_json::Value;
use tokio::time::timeout;

use super::witness::Witness;
use crate::Failure;
use crate::http::Connection;
use crate::process::Process;
use crate::proxy::Proxy;
use crate::trueup::Setup;

/// How many servers there are.
pub const SERVERS: usize = 3;
pub const ACCOUNTS: u64 = 8;

/// Where everybody goes; cheap to clone.
#[derive(Clone, Default)]
pub struct Street(Arc<Inner>);

#[derive(Default)]
struct Inner {
    addresses: Mutex<[Option<SocketAddr>; SERVERS]>,
    is_closing: AtomicBool,
    witness: Witness,
}

impl Street {
    pub fn witness(&self) -> &Witness {
        &self.0.witness
    }

    pub fn address(&self, at: usize) -> Option<SocketAddr> {
        let addresses = self.0.addresses.lock().unwrap_or_else(PoisonError::into_inner);
        addresses.get(at).copied().flatten()
    }

    fn moved(&self, at: usize, address: SocketAddr) {
        let mut addresses = self.0.addresses.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(place) = addresses.get_mut(at) {
            *place = Some(address);
        }
    }

    /// Asks everybody to end what they are at.
    pub fn close(&self) {
        self.0.is_closing.store(true, Ordering::Relaxed);
    }

    pub fn is_closing(&self) -> bool {
        self.0.is_closing.load(Ordering::Relaxed)
    }
}

/// One server with its own way to the database.
pub struct Replica {
    pub at: usize,
    pub proxy: Proxy,
    setup: Setup,
    process: Option<Process>,
}

impl Replica {
    pub async fn start(
        at: usize,
        proxy: Proxy,
        setup: Setup,
        street: &Street,
    ) -> Result<Self, Failure> {
        let mut replica = Self { at, proxy, setup, process: None };
        replica.restart(street).await?;
        Ok(replica)
    }

    pub fn kill(&mut self) {
        // It is killed when it is dropped.
        self.process = None;
    }

    pub async fn restart(&mut self, street: &Street) -> Result<(), Failure> {
        let setup = self.setup.clone();
        // Its way to the database is here, and must not wait for it.
        let process = tokio::task::spawn_blocking(move || setup.start()).await??;
        street.moved(self.at, process.address);
        self.process = Some(process);
        Ok(())
    }

    pub fn process(&self) -> Result<&Process, Failure> {
        self.process.as_ref().ok_or_else(|| "the server is not running".into())
    }
}

/// A connection to one of the servers, wherever that is now.
#[derive(Default)]
pub struct Line {
    open: Option<(SocketAddr, Connection)>,
}

impl Line {
    /// The answer, when one comes in time.
    pub async fn call(
        &mut self,
        to: Option<SocketAddr>,
        request: &str,
        patience: Duration,
    ) -> Option<(u16, Value)> {
        let address = to?;
        let open = self.open.take().filter(|(there, _)| *there == address);
        let call = async {
            let mut connection = match open {
                Some((_, connection)) => connection,
                None => Connection::open(address).await?,
            };
            let reply = connection.call(request).await?;
            let told = (reply.status, serde_json::from_slice(reply.body).unwrap_or_default());
            Ok::<_, std::io::Error>((told, connection))
        };
        // Where no answer came, the next one on the same connection would be this one.
        let (told, connection) = timeout(patience, call).await.ok()?.ok()?;
        self.open = Some((address, connection));
        Some(told)
    }
}
