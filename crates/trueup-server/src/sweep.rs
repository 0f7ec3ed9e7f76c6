//! The sweeper: no hold outlives its time.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::MissedTickBehavior;
use tracing::{info, warn};
use trueup_core::ledger::Command;

use crate::clock::Clock;
use crate::config::OnExpiry;
use crate::engine::{Answer, EngineError, View};
use crate::ledger::Ledger;
use crate::shutdown::Shutdown;
use crate::store::Store;

/// How many due holds are read at once.
const PAGE: u32 = 256;

/// Looks for due holds every `interval` until the server stops. It only reads: the engine ends a
/// hold, and only if it is still due then.
pub async fn run(
    ledger: Ledger,
    store: Arc<Store>,
    clock: Clock,
    interval: Duration,
    on_expiry: OnExpiry,
    shutdown: Shutdown,
) {
    let mut ticks = tokio::time::interval(interval);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            () = shutdown.asked() => return,
            _ = ticks.tick() => sweep(&ledger, &store, &clock, on_expiry).await,
        }
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
