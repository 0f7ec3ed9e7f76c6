//! The ledger engine: the one place where changes are made.
//!
//! Handlers send a request and await its answer. The engine takes what has gathered while it was
//! busy (no timer: a batch is what arrived during the last commit) and carries it out in ONE
//! transaction, with every decision made by `trueup-core`. Dropping the future of [`Engine::run`]
//! loses the answer and never half of a change: database work runs in the engine's own task only.

mod aside;
mod bench;
mod queue;
mod run;

pub use queue::{Engine, EngineParts, EngineTask, Freshness};

use trueup_core::error::Rejection;
use trueup_core::ledger::Command;
use trueup_core::operation::OperationRecord;
use trueup_core::{AccountId, ActorId, OperationId, Snapshot, Version};

use crate::store::{AccountTerms, StoreError};

/// A change asked for, and how its asker wants to see the account afterwards.
#[derive(Clone, Debug)]
pub struct Request {
    /// Whose quota.
    pub account: AccountId,
    /// How the answer's snapshot is cut.
    pub view: View,
    /// What is to be done.
    pub action: Action,
}

impl Request {
    /// What carries out a ledger command, with the messages to save in its transaction.
    pub fn command(
        account: AccountId,
        view: View,
        command: Command,
        messages: Vec<NewMessage>,
    ) -> Self {
        Self { account, view, action: Action::Command { command, messages } }
    }
}

/// Who looks at the account, and from which version on.
#[derive(Clone, Debug)]
pub struct View {
    /// Whose operations are told one by one. When a command is about an operation that is known,
    /// its own actor looks instead.
    pub actor: ActorId,
    /// The version the asker has.
    pub since: Option<Version>,
    /// Operations whose outcome is told even outside the range; a command's own always is.
    pub ask: Vec<OperationId>,
}

/// What the engine can do.
#[derive(Clone, Debug)]
pub enum Action {
    /// Open the account if it is new, and bring its windows and terms up to date.
    Align,
    /// A ledger command, and the messages to save in its transaction if it is carried out.
    Command {
        /// What is decided by the core.
        command: Command,
        /// Saved if and only if the command changes the ledger and is not refused.
        messages: Vec<NewMessage>,
    },
    /// Replace the account's own terms.
    PutAccount(AccountTerms),
}

/// A message to save in the transaction of a hold or settle.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewMessage {
    /// Which of the actor's conversations; created with its first message.
    pub conversation: String,
    /// `user`, `assistant`, `system` or `tool`.
    pub role: String,
    /// The text.
    pub content: String,
    /// The model that wrote it.
    pub model: Option<String>,
}

impl NewMessage {
    /// The message without what not every store can keep: the character of no character.
    fn storable(&self) -> Self {
        let clean = |text: &str| text.replace('\0', "\u{fffd}");
        Self {
            conversation: self.conversation.clone(),
            role: self.role.clone(),
            content: clean(&self.content),
            model: self.model.as_deref().map(clean),
        }
    }
}

/// What became of a request.
#[derive(Clone, Debug)]
pub struct Answer {
    /// What the ledger decided.
    pub outcome: Result<Done, Rejection>,
    /// The account afterwards, of the same transaction, with the operation's outcome.
    pub snapshot: Snapshot,
}

/// A command that was carried out, now or before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Done {
    /// The operation's record, when the request was about one.
    pub record: Option<OperationRecord>,
    /// Whether it had been carried out before and nothing was written now.
    pub replayed: bool,
}

/// Nothing could be decided; the ledger is as it was.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// The server is stopping.
    #[error("the ledger engine has stopped")]
    Stopped,
    /// Nothing could be written when that was tried.
    #[error("the ledger cannot be written: {0}")]
    Unwritable(String),
    /// The store could not be read or written.
    #[error("the store failed: {0}")]
    Store(#[from] StoreError),
}
