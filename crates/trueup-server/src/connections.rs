//! The connections of the listener: how many there may be, and how each of them ends.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, HttpBody};
use axum::http::{Request, Response};
use bytes::Bytes;
use hyper::body::{Frame, Incoming, SizeHint};
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tower::Service as _;

use crate::running::{Run, Running};
use crate::shutdown::Shutdown;

/// A client that has not sent a whole request head after this long is cut off; so is an idle one.
const HEAD_TIMEOUT: Duration = Duration::from_secs(75);
/// While the server stops, a connection that nothing is asked on is kept for this long: enough for
/// the end of an answer to leave, or for the rest of a head to arrive. So is the rest of a body.
pub(crate) const LINGER: Duration = Duration::from_secs(1);
/// When the system has no room for another connection, the next try comes after this.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Takes connections, at most `most` at a time, until the server is asked to stop.
pub(crate) async fn accept(
    listener: &TcpListener,
    router: &Router,
    most: usize,
    shutdown: &Shutdown,
) -> GracefulShutdown {
    let connections = GracefulShutdown::new();
    let mut places = Places { free: Arc::new(Semaphore::new(most)), most, is_warned: false };
    loop {
        // Who finds no place waits in the system's queue, where it costs next to nothing.
        let next = async { (places.take().await, listener.accept().await) };
        let (place, accepted) = tokio::select! {
            next = next => next,
            () = shutdown.asked() => return connections,
        };
        match accepted {
            Ok((stream, _)) => {
                let (router, shutdown) = (router.clone(), shutdown.clone());
                tokio::spawn(serve(stream, router, connections.watcher(), shutdown, place));
            }
            Err(error) if is_about_one_client(&error) => {}
            Err(error) => {
                tracing::error!(%error, "no connection can be accepted now");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

/// Serves one connection until its client hangs up, or the server stops and nothing runs on it.
async fn serve(
    stream: TcpStream,
    router: Router,
    watcher: Watcher,
    shutdown: Shutdown,
    _place: Option<OwnedSemaphorePermit>,
) {
    // Tokens are small and must not wait for each other.
    let _ = stream.set_nodelay(true);
    let requests = Running::default();
    let service = service_fn(|request: Request<Incoming>| {
        let run = requests.enter();
        let answer = router.clone().call(request);
        async move {
            let response: Result<Response<Body>, Infallible> = answer.await;
            response.map(|response| response.map(|body| Counted { body, _run: run }))
        }
    });
    let connection = hyper::server::conn::http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIMEOUT)
        .serve_connection(TokioIo::new(stream), service);
    tokio::select! {
        ended = watcher.watch(connection) => {
            if let Err(error) = ended {
                tracing::debug!(%error, "a connection broke");
            }
        }
        () = forsaken(&shutdown, &requests) => tracing::debug!("an idle connection was closed"),
    }
}

/// Waits until the server was asked to stop and nothing has run here for a moment. hyper closes by
/// itself what is idle between two requests; it waits for the rest of a head that was begun.
async fn forsaken(shutdown: &Shutdown, requests: &Running) {
    shutdown.asked().await;
    loop {
        requests.none_left().await;
        tokio::select! {
            () = requests.some() => {}
            () = tokio::time::sleep(LINGER) => return,
        }
    }
}

fn is_about_one_client(error: &std::io::Error) -> bool {
    use std::io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset)
}

/// The places that connections take.
struct Places {
    free: Arc<Semaphore>,
    most: usize,
    is_warned: bool,
}

impl Places {
    /// Waits for a place; it is free again when the permit is dropped.
    async fn take(&mut self) -> Option<OwnedSemaphorePermit> {
        if let Ok(place) = Arc::clone(&self.free).try_acquire_owned() {
            return Some(place);
        }
        if !self.is_warned {
            self.is_warned = true;
            let most = self.most;
            tracing::warn!(
                most,
                "max_connections is reached: new connections wait until others close; \
                 raise it if the machine can carry more"
            );
        }
        // It fails when the semaphore is closed, which nobody does.
        Arc::clone(&self.free).acquire_owned().await.ok()
    }
}

/// The body of an answer; the request counts as running until all of it was taken.
struct Counted {
    body: Body,
    _run: Run,
}

impl HttpBody for Counted {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
