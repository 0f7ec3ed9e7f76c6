//! The way from a chat to its client: a short channel, so that a slow client slows its chat and
//! costs no memory.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use futures::Stream;
use tokio::sync::mpsc;
use tokio::time::sleep;

use super::sse;
use crate::shutdown::Shutdown;

const CAPACITY: usize = 8;
/// A client that takes nothing for so long has gone, whatever its connection says.
const STALL: Duration = Duration::from_secs(60);
/// The same while the server stops, which waits for every chat.
const LAST_STALL: Duration = Duration::from_secs(2);

/// The client takes no more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Gone;

enum Item {
    Event { data: Bytes, token: bool },
    Cut,
}

/// The chat's end.
pub(super) struct Outlet {
    items: mpsc::Sender<Item>,
    delivered: Arc<AtomicBool>,
    shutdown: Shutdown,
}

/// The client's end: a body of server-sent events.
pub struct EventStream {
    items: mpsc::Receiver<Item>,
    delivered: Arc<AtomicBool>,
}

pub(super) fn channel(shutdown: Shutdown) -> (Outlet, EventStream) {
    let (sender, receiver) = mpsc::channel(CAPACITY);
    let delivered = Arc::new(AtomicBool::new(false));
    let outlet = Outlet { items: sender, delivered: Arc::clone(&delivered), shutdown };
    (outlet, EventStream { items: receiver, delivered })
}

/// A stream that is complete before it is read.
pub(super) fn complete<const N: usize>(data: [Bytes; N]) -> EventStream {
    let (sender, items) = mpsc::channel(N + 1);
    for data in data.into_iter().chain([Bytes::from_static(sse::DONE)]) {
        // There is room for all of them, and their reader is in our hands.
        let _ = sender.try_send(Item::Event { data, token: false });
    }
    EventStream { items, delivered: Arc::default() }
}

impl Outlet {
    /// Sends one event's data; `token` says whether it holds a part of the answer.
    pub(super) async fn send(&self, data: Bytes, token: bool) -> Result<(), Gone> {
        self.put(Item::Event { data, token }).await
    }

    /// Sends the event that ends the stream.
    pub(super) async fn done(&self) -> Result<(), Gone> {
        self.send(Bytes::from_static(sse::DONE), false).await
    }

    /// Cuts the connection after what was sent.
    pub(super) async fn cut(&self) -> Result<(), Gone> {
        self.put(Item::Cut).await
    }

    /// Waits until the client has gone.
    pub(super) async fn gone(&self) {
        self.items.closed().await;
    }

    /// Whether a part of the answer was handed to the connection.
    pub(super) fn has_delivered(&self) -> bool {
        self.delivered.load(Ordering::Acquire)
    }

    async fn put(&self, item: Item) -> Result<(), Gone> {
        tokio::select! {
            biased;
            sent = self.items.send(item) => sent.map_err(|_| Gone),
            () = self.stalled() => Err(Gone),
        }
    }

    async fn stalled(&self) {
        let last = async {
            self.shutdown.asked().await;
            sleep(LAST_STALL).await;
        };
        tokio::select! {
            () = sleep(STALL) => {}
            () = last => {}
        }
    }
}

impl Stream for EventStream {
    type Item = io::Result<Bytes>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.items.poll_recv(cx).map(|item| match item? {
            Item::Event { data, token } => {
                if token {
                    self.delivered.store(true, Ordering::Release);
                }
                Some(Ok(sse::write_event(&data)))
            }
            Item::Cut => Some(Err(io::ErrorKind::ConnectionAborted.into())),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::{EventStream, Gone, LAST_STALL, Outlet};
    use crate::shutdown::Shutdown;
    use bytes::Bytes;
    use futures::{FutureExt, StreamExt};
    use tokio::time::timeout;

    fn channel() -> (Outlet, EventStream) {
        super::channel(Shutdown::new().1)
    }

    #[tokio::test]
    async fn a_token_counts_as_delivered_when_the_connection_took_it() {
        let (outlet, mut stream) = channel();
        outlet.send(Bytes::from_static(b"role"), false).await.unwrap();
        outlet.send(Bytes::from_static(b"token"), true).await.unwrap();
        stream.next().await.unwrap().unwrap();
        assert!(!outlet.has_delivered());
        assert_eq!(stream.next().await.unwrap().unwrap(), "data: token\n\n");
        assert!(outlet.has_delivered());
    }

    #[tokio::test]
    async fn a_client_that_left_is_noticed() {
        let (outlet, stream) = channel();
        assert!(outlet.gone().now_or_never().is_none());
        drop(stream);
        outlet.gone().await;
        assert_eq!(outlet.done().await, Err(Gone));
    }

    #[tokio::test(start_paused = true)]
    async fn a_client_that_takes_nothing_counts_as_gone() {
        let (outlet, _stream) = channel();
        let sending = async { while outlet.send(Bytes::from_static(b"x"), true).await.is_ok() {} };
        sending.await;
        assert!(!outlet.has_delivered());
    }

    #[tokio::test(start_paused = true)]
    async fn a_server_that_stops_waits_less_for_a_client_that_takes_nothing() {
        let (trigger, shutdown) = Shutdown::new();
        let (outlet, _stream) = super::channel(shutdown);
        let sending = async { while outlet.send(Bytes::from_static(b"x"), true).await.is_ok() {} };
        trigger.shut_down();
        assert_eq!(timeout(LAST_STALL * 2, sending).await, Ok(()));
    }

    #[tokio::test]
    async fn a_cut_reaches_the_connection_as_an_error() {
        let (outlet, mut stream) = channel();
        outlet.cut().await.unwrap();
        assert!(stream.next().await.unwrap().is_err());
    }
}
