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

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use tokio::time::Instant;
    use trueup_core::Version;

    use super::*;

    const MINUTE: Duration = Duration::from_secs(60);

    /// A bus that is down until a moment, and keeps what is said on it and when.
    #[derive(Clone)]
    struct Down {
        until: Instant,
        tries: Arc<Mutex<u32>>,
        said: Arc<Mutex<Vec<(Instant, String)>>>,
    }

    impl Down {
        fn is_down(&self) -> Result<(), BusError> {
            *self.tries.lock().unwrap() += 1;
            let is_down = Instant::now() < self.until;
            if is_down { Err(BusError("it is down".to_owned())) } else { Ok(()) }
        }
    }

    impl Bus for Down {
        type Listener = Self;
        type Speaker = Self;

        fn split(self) -> (Self, Self) {
            (self.clone(), self)
        }
    }

    impl Listener for Down {
        async fn next(&mut self) -> Result<Heard, BusError> {
            self.is_down()?;
            std::future::pending().await
        }
    }

    impl Speaker for Down {
        const MOST_BYTES: usize = 1_000;

        async fn say(&mut self, text: &str) -> Result<(), BusError> {
            self.is_down()?;
            self.said.lock().unwrap().push((Instant::now(), text.to_owned()));
            Ok(())
        }
    }

    /// In simulated time: nothing here waits for anything but timers, and how long a bus was down is
    /// forgotten after the longest pause. Watched accounts are looked up meanwhile by
    /// [`crate::push::resync`], which knows of no bus.
    #[tokio::test(start_paused = true)]
    async fn after_a_minute_without_a_bus_others_are_told_to_look_for_themselves() {
        let until = Instant::now() + MINUTE;
        let bus = Down { until, tries: Arc::default(), said: Arc::default() };
        let (feed, (trigger, shutdown)) = (Feed::shared(), Shutdown::new());
        let running = tokio::spawn(run(bus.clone(), feed.clone(), shutdown));
        let account = |at| trueup_core::AccountId::new(&format!("acct_{at}")).unwrap();
        for at in 0..600 {
            feed.changed(&[(account(at), Version(1))]);
            sleep(MINUTE / 600).await;
        }
        sleep(LONGEST_PAUSE + PACE).await;
        let said = bus.said.lock().unwrap().clone();
        let texts: Vec<_> = said.iter().map(|(_, text)| text.as_str()).collect();
        assert_eq!(texts, ["*"], "one word, however much was not heard");
        let tries = *bus.tries.lock().unwrap();
        assert!(tries < 50, "{tries} tries in a minute");
        let begun = Instant::now();
        feed.changed(&[(account(7), Version(2))]);
        sleep(PACE * 2).await;
        let (at, text) = bus.said.lock().unwrap().last().cloned().unwrap();
        assert_eq!((text.as_str(), at.duration_since(begun) <= PACE), ("acct_7 2\n", true));
        trigger.shut_down();
        running.await.unwrap();
    }
}
