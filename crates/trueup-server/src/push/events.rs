//! One reader's stream: the snapshot as it is, and again whenever the account has changed.

use std::convert::Infallible;
use std::time::Duration;

use bytes::Bytes;
use futures::{Stream, stream};
use tokio::time::{Instant, sleep_until};
use trueup_core::{AccountId, ActorId, Snapshot, Version};
use trueup_protocol::snapshot;

use super::Watcher;
use crate::engine::EngineError;
use crate::ledger::Ledger;
use crate::metrics::Present;
use crate::shutdown::Shutdown;

/// A reader is told at most so often; what happens between is told together.
const PACE: Duration = Duration::from_millis(50);

/// What a stream tells, and to whom.
pub struct Events {
    /// Where it reads.
    pub ledger: Ledger,
    /// When to look.
    pub watcher: Watcher,
    /// Whose usage.
    pub account: AccountId,
    /// Who looks.
    pub actor: ActorId,
    /// What the reader has.
    pub since: Option<Version>,
    /// When the reader's time is over.
    pub ends_at: Instant,
    /// Something is sent at least so often, so that nothing on the way takes the stream for dead.
    pub keep_alive: Duration,
    /// How long the reader waits before it comes back, once the stream has ended.
    pub retry: Duration,
    /// Counts the stream while it lives.
    pub present: Present,
    /// Whether the server stops.
    pub shutdown: Shutdown,
}

impl Events {
    /// The stream's bytes. They are made when the connection takes them: a reader that is slow
    /// skips to the newest snapshot, and never sees an older one after it.
    ///
    /// # Errors
    /// When the first snapshot cannot be read; where a later one cannot, the stream ends.
    pub async fn open(
        mut self,
    ) -> Result<impl Stream<Item = Result<Bytes, Infallible>> + Send, EngineError> {
        let snapshot = self.read().await?;
        let retry = format!("retry: {}\n", self.retry.as_millis());
        let first = [retry.as_bytes(), &written(&snapshot)].concat();
        let first = stream::iter([Ok(Bytes::from(first))]);
        let rest = stream::unfold(self, |mut events| async move {
            let bytes = events.next().await?;
            Some((Ok(bytes), events))
        });
        Ok(stream::StreamExt::chain(first, rest))
    }

    async fn next(&mut self) -> Option<Bytes> {
        let told_at = Instant::now();
        let kept_alive = told_at + self.keep_alive;
        loop {
            tokio::select! {
                biased;
                () = self.shutdown.asked() => return None,
                () = sleep_until(self.ends_at) => return None,
                () = sleep_until(kept_alive) => return Some(Bytes::from_static(b":\n\n")),
                () = changed(&mut self.watcher, told_at + PACE) => {}
            }
            let before = self.since;
            match self.read().await {
                Ok(snapshot) if Some(snapshot.version) == before => {}
                Ok(snapshot) => return Some(Bytes::from(written(&snapshot))),
                Err(error) => {
                    tracing::warn!(%error, "a push stream ends: the ledger cannot be read now");
                    return None;
                }
            }
        }
    }

    async fn read(&mut self) -> Result<Snapshot, EngineError> {
        let snapshot = self.ledger.snapshot(&self.account, &self.actor, self.since, &[]).await?;
        self.since = Some(snapshot.version);
        self.watcher.has_read(snapshot.version);
        Ok(snapshot)
    }
}

/// In this order: a change that was noticed must not be forgotten while the pace is kept.
async fn changed(watcher: &mut Watcher, not_before: Instant) {
    sleep_until(not_before).await;
    watcher.changed().await;
}

/// One event of the stream.
fn written(read: &Snapshot) -> Vec<u8> {
    let mut bytes = format!("event: usage\nid: {}\ndata: ", read.version).into_bytes();
    // A snapshot has no member that could not be written.
    let _ = serde_json::to_writer(&mut bytes, &snapshot::Snapshot::from(read));
    bytes.extend_from_slice(b"\n\n");
    bytes
}
