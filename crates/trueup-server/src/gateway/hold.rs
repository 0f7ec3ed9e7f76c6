//! What was set aside for a chat: kept alive while the chat runs, ended once.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use tokio::task::JoinHandle;
use trueup_core::error::Rejection;
use trueup_core::ledger::Command;
use trueup_core::{AccountId, Cause, Charge, OperationId, Snapshot, Timestamp};

use super::Shared;
use crate::engine::{Answer, EngineError, NewMessage, View};
use crate::fingerprint;

const FIRST_RETRY: Duration = Duration::from_millis(100);
const LONGEST_RETRY: Duration = Duration::from_secs(5);

/// How a hold is to end.
#[derive(Clone, Debug)]
pub(super) enum End {
    /// Charged, with the message that it paid for.
    Settle { charge: Charge, cause: Option<Cause>, message: NewMessage },
    /// Given back.
    Release(Cause),
}

/// An open hold. It is renewed until it is ended or dropped; a dropped one ends by its expiry.
pub(super) struct Hold {
    shared: Arc<Shared>,
    account: AccountId,
    operation: OperationId,
    view: View,
    expires_at: Arc<AtomicI64>,
    renewal: JoinHandle<()>,
}

impl Hold {
    /// Takes charge of a hold that the ledger just admitted.
    pub(super) fn keep(
        shared: &Arc<Shared>,
        account: &AccountId,
        operation: OperationId,
        view: View,
        expires_at: Timestamp,
    ) -> Self {
        let expires_at = Arc::new(AtomicI64::new(expires_at.millis()));
        let renewing = Renewal {
            shared: Arc::clone(shared),
            account: account.clone(),
            operation,
            view: view.clone(),
            expires_at: Arc::clone(&expires_at),
        };
        let renewal = tokio::spawn(renewing.run());
        let (shared, account) = (Arc::clone(shared), account.clone());
        Self { shared, account, operation, view, expires_at, renewal }
    }

    /// Moves the hold to what another model charges.
    pub(super) async fn move_to(&self, charge: Charge) -> Result<Answer, EngineError> {
        self.command(Command::Rehold { operation: self.operation, charge }, Vec::new()).await
    }

    /// Ends the hold. When the ledger cannot commit, tries again while the hold lives; the answer
    /// is the account afterwards, or `None` when it could not be ended at all.
    pub(super) async fn end(self, end: End) -> Option<Snapshot> {
        let mut pause = FIRST_RETRY;
        loop {
            let (command, messages) = end.command(self.operation);
            match self.command(command, messages).await {
                Ok(Answer { outcome: Ok(_), snapshot }) => return Some(snapshot),
                Ok(Answer { outcome: Err(rejection), snapshot }) => {
                    log_lost(self.operation, &rejection);
                    return Some(snapshot);
                }
                Err(EngineError::Stopped) => return None,
                Err(error) if self.is_over() => {
                    let operation = self.operation;
                    tracing::error!(%operation, %error, "a hold ran out before it could be ended");
                    return None;
                }
                Err(error) => {
                    let operation = self.operation;
                    tracing::warn!(%operation, %error, "a hold could not be ended yet");
                }
            }
            tokio::time::sleep(pause).await;
            pause = pause.saturating_mul(2).min(LONGEST_RETRY);
        }
    }

    fn is_over(&self) -> bool {
        self.expires_at.load(Ordering::Relaxed) <= self.shared.parts.clock.now().millis()
    }

    async fn command(
        &self,
        command: Command,
        messages: Vec<NewMessage>,
    ) -> Result<Answer, EngineError> {
        let ledger = &self.shared.parts.ledger;
        ledger.command(&self.account, self.view.clone(), command, messages).await
    }
}

impl Drop for Hold {
    fn drop(&mut self) {
        self.renewal.abort();
    }
}

impl End {
    fn command(&self, operation: OperationId) -> (Command, Vec<NewMessage>) {
        match self.clone() {
            Self::Settle { charge, cause, message } => {
                let messages = vec![message];
                let content = fingerprint::of_messages(&messages);
                (Command::Settle { operation, charge, content, cause }, messages)
            }
            Self::Release(cause) => (Command::Release { operation, cause }, Vec::new()),
        }
    }
}

struct Renewal {
    shared: Arc<Shared>,
    account: AccountId,
    operation: OperationId,
    view: View,
    expires_at: Arc<AtomicI64>,
}

impl Renewal {
    async fn run(self) {
        let half = self.shared.parts.hold_ttl / 2;
        let mut wait = half;
        loop {
            tokio::time::sleep(wait).await;
            wait = match self.renew().await {
                Ok(true) => half,
                // Ended: there is nothing left to renew.
                Ok(false) | Err(EngineError::Stopped) => return,
                // Several tries fit into the half that is left.
                Err(_) => half / 8,
            };
        }
    }

    async fn renew(&self) -> Result<bool, EngineError> {
        let expires_at = self.shared.hold_until();
        let command = Command::Extend { operation: self.operation, expires_at };
        let ledger = &self.shared.parts.ledger;
        let answer = ledger.command(&self.account, self.view.clone(), command, Vec::new()).await?;
        let renewed = answer.outcome.is_ok();
        if renewed {
            self.expires_at.store(expires_at.millis(), Ordering::Relaxed);
        }
        Ok(renewed)
    }
}

// The hold was ended by somebody else: by its expiry, while the ledger could not be reached.
fn log_lost(operation: OperationId, rejection: &Rejection) {
    tracing::error!(%operation, %rejection, "a chat's hold had ended before the chat");
}
