//! The truth behind the hints: watched accounts are looked up again and again.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::MissedTickBehavior;

use super::Feed;
use crate::shutdown::Shutdown;
use crate::store::Store;

/// The longest that a lost hint delays anybody.
const INTERVAL: Duration = Duration::from_secs(3);
/// How many accounts are looked up at once.
const PAGE: usize = 1_000;

/// Looks watched accounts up, at intervals and whenever hints may have been missed, until the
/// server stops.
pub async fn run(feed: Feed, store: Arc<Store>, shutdown: Shutdown) {
    let mut ticks = tokio::time::interval(INTERVAL);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            () = shutdown.asked() => return,
            () = feed.doubted() => {}
            _ = ticks.tick() => {}
        }
        for accounts in feed.watched().chunks(PAGE) {
            match store.read_versions(accounts).await {
                Ok(versions) => feed.found(&versions),
                Err(error) => {
                    tracing::warn!(%error, "watched accounts could not be looked up; they are again");
                    break;
                }
            }
        }
    }
}
