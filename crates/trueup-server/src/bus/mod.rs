//! Between servers over one database: which accounts changed. A bus only hints. Whatever it loses,
//! doubles, delays or makes up, watched accounts are looked up in the store all the same.

mod announcement;
mod local;
mod nats;
mod postgres;

pub use announcement::Announcement;
pub use local::LocalBus;
pub use nats::NatsBus;
pub use postgres::PostgresBus;

use std::time::Duration;

use tokio::time::sleep;

use crate::push::Feed;
use crate::shutdown::Shutdown;

/// At most twenty announcements a second leave one server, however much changes.
const PACE: Duration = Duration::from_millis(50);
/// After a failure the next try comes after this, and after twice as long each time that it fails
/// again.
const FIRST_PAUSE: Duration = Duration::from_millis(200);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// A bus cannot be reached now.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct BusError(pub String);

/// What came over a bus.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Heard {
    /// Somebody's announcement, as it travels.
    Text(String),
    /// The connection was lost for a while, and announcements may have been.
    Gap,
}

/// A way to tell other servers.
pub trait Bus: Send + Sync + 'static {
    /// Hears what others, and this server itself, announce.
    type Listener: Listener;
    /// Announces.
    type Speaker: Speaker;

    /// The two ends of the bus. Neither is connected before it is used.
    fn split(self) -> (Self::Listener, Self::Speaker);
}

/// The end of a bus that hears.
pub trait Listener: Send + 'static {
    /// The next thing that comes. Connects where that is needed.
    fn next(&mut self) -> impl Future<Output = Result<Heard, BusError>> + Send;
}

/// The end of a bus that announces.
pub trait Speaker: Send + 'static {
    /// The longest text that fits into one announcement.
    const MOST_BYTES: usize;

    /// Announces. Connects where that is needed.
    fn say(&mut self, text: &str) -> impl Future<Output = Result<(), BusError>> + Send;
}

/// Joins a feed to a bus until the server stops.
pub async fn run<B: Bus>(bus: B, feed: Feed, shutdown: Shutdown) {
    let (listener, speaker) = bus.split();
    tokio::select! {
        () = shutdown.asked() => {}
        () = listen(listener, &feed) => {}
        () = speak(speaker, &feed) => {}
    }
}

async fn listen(mut listener: impl Listener, feed: &Feed) {
    let mut trouble = Trouble::default();
    loop {
        match listener.next().await {
            Ok(heard) => {
                trouble.is_over("changes of other servers are heard of again");
                match heard {
                    Heard::Text(text) => match Announcement::read(&text) {
                        Some(Announcement::Changed(accounts)) => feed.heard(&accounts),
                        Some(Announcement::Much) => feed.doubt(),
                        None => {
                            tracing::warn!("something that is no announcement came over the bus");
                        }
                    },
                    Heard::Gap => feed.doubt(),
                }
            }
            Err(error) => trouble.pause(&error, "other servers' changes are heard of late").await,
        }
    }
}

async fn speak<S: Speaker>(mut speaker: S, feed: &Feed) {
    let mut trouble = Trouble::default();
    loop {
        feed.has_announcement().await;
        let Some(announcement) = feed.take_announcement(S::MOST_BYTES) else { continue };
        match speaker.say(&announcement.to_string()).await {
            Ok(()) => {
                trouble.is_over("other servers are told of changes again");
                sleep(PACE).await;
            }
            Err(error) => {
                feed.not_announced();
                trouble.pause(&error, "other servers hear late of changes").await;
            }
        }
    }
}

/// A failure that goes on is told once, when it begins, and once more when it is over.
#[derive(Debug, Default)]
struct Trouble {
    times: u32,
}

impl Trouble {
    async fn pause(&mut self, error: &BusError, effect: &str) {
        if self.times == 0 {
            tracing::warn!(%error, "the bus fails: {effect}");
        }
        let pause = FIRST_PAUSE.saturating_mul(1 << self.times.min(10)).min(LONGEST_PAUSE);
        self.times = self.times.saturating_add(1);
        sleep(pause).await;
    }

    fn is_over(&mut self, effect: &str) {
        if std::mem::take(&mut self.times) > 0 {
            tracing::info!("the bus is back: {effect}");
        }
    }
}
