//! The sweeper: no hold outlives its time.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, MissedTickBehavior};
use tracing::{info, warn};
use trueup_core::ledger::Command;

use crate::clock::Clock;
use crate::config::OnExpiry;
use crate::engine::{Answer, EngineError, View};
use crate::ledger::Ledger;
use crate::metrics::Metrics;
use crate::shutdown::Shutdown;
use crate::store::Store;

/// How many due holds are read at once.
const PAGE: u32 = 256;
/// Counting open holds may take this part of the time: the more there are, the rarer they are counted.
const COUNTING_PAUSE: u32 = 100;

/// Looks for due holds every `interval` until the server stops. It only reads: the engine ends a
/// hold, and only if it is still due then.
pub async fn run(
    ledger: Ledger,
    store: Arc<Store>,
    clock: Clock,
    interval: Duration,
    on_expiry: OnExpiry,
    shutdown: Shutdown,
    metrics: Arc<Metrics>,
) {
    let mut ticks = tokio::time::interval(interval);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut next_count = Instant::now();
    loop {
        tokio::select! {
            () = shutdown.asked() => return,
            _ = ticks.tick() => sweep(&ledger, &store, &clock, on_expiry).await,
        }
        let began_at = Instant::now();
        if began_at >= next_count {
            count(&store, &clock, &metrics).await;
            next_count = Instant::now() + began_at.elapsed() * COUNTING_PAUSE;
        }
    }
}

/// Tells operators how many holds are open.
async fn count(store: &Store, clock: &Clock, metrics: &Metrics) {
    match store.open_holds().await {
        Ok(open) => {
            let overdue_ms = open.first_due.map_or(0, |due| clock.now().since(due));
            metrics.holds(open, overdue_ms);
        }
        Err(error) => warn!(%error, "open holds could not be counted"),
    }
}

/// Ends every hold that is due now.
pub async fn sweep(ledger: &Ledger, store: &Store, clock: &Clock, on_expiry: OnExpiry) {
    loop {
        let due = match store.due_holds(clock.now(), PAGE).await {
            Ok(due) => due,
            Err(error) => {
                warn!(%error, "due holds could not be read; they are looked for again");
                return;
            }
        };
        if due.is_empty() {
            return;
        }
        let found = due.len();
        let ends = due.into_iter().map(|(account, operation)| async move {
            let charged = on_expiry == OnExpiry::Charge;
            let view = View { actor: account.personal_actor(), since: None, ask: Vec::new() };
            let command = Command::Expire { operation, charged };
            ledger.command(&account, view, command, Vec::new()).await
        });
        // Sent together, they share a transaction.
        let ended = futures::future::join_all(ends).await;
        if let Some(reason) = ended.into_iter().find_map(why_not) {
            warn!(reason, "due holds could not be ended; they are looked for again");
            return;
        }
        info!(holds = found, "holds expired");
    }
}

/// A hold that the ledger will not end stays due: who looked at once again would never stop.
fn why_not(answer: Result<Answer, EngineError>) -> Option<String> {
    match answer {
        Ok(Answer { outcome, .. }) => outcome.err().map(|rejection| rejection.to_string()),
        Err(error) => Some(error.to_string()),
    }
}
