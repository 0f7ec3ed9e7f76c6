//! All SQL. Rows are structs with the suffix `Row` and leave as domain types.

pub use place::{ConversationPlace, MessagePlace};
pub use sqlite::{Batch, SqliteStore};

mod opening;
mod place;
mod sqlite;

use std::collections::{BTreeMap, HashMap};

use trueup_core::ledger::{Account, Entry};
use trueup_core::operation::OperationRecord;
use trueup_core::{AccountId, ActorId, MeterId, OperationId, Snapshot, Timestamp, Units, Version};

use crate::engine::NewMessage;

/// What is kept of an account's own terms; everything left out comes from the settings.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AccountTerms {
    /// A plan of the settings; the default plan when `None`.
    pub plan: Option<String>,
    /// An IANA time zone; UTC when `None`.
    pub time_zone: Option<String>,
    /// Where windows are counted from; the calendar when `None`.
    pub anchor: Option<Timestamp>,
    /// Limits of this account alone; an inner `None` is unlimited.
    pub overrides: BTreeMap<MeterId, Option<Units>>,
}

/// An account as it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredAccount {
    /// Its projection.
    pub account: Account,
    /// Its own terms.
    pub terms: AccountTerms,
}

/// Who looks, at what, from which version on.
#[derive(Clone, Copy, Debug)]
pub struct Glance<'a> {
    /// Whose usage.
    pub account: &'a AccountId,
    /// Whose operations are told one by one.
    pub actor: &'a ActorId,
    /// The version the reader has.
    pub since: Option<Version>,
    /// Operations whose outcome is told even outside the range.
    pub ask: &'a [OperationId],
    /// The server's clock.
    pub now: Timestamp,
}

/// What was seen: the snapshot, and what is needed to tell whether it is still good.
#[derive(Clone, Debug)]
pub struct Sight {
    /// The account under it.
    pub stored: StoredAccount,
    /// What travels.
    pub snapshot: Snapshot,
}

/// What a batch needs before it can decide.
#[derive(Debug, Default)]
pub struct Loaded {
    /// The accounts that exist.
    pub accounts: HashMap<AccountId, StoredAccount>,
    /// The operations that are known.
    pub operations: HashMap<(AccountId, OperationId), OperationRecord>,
}

/// Everything that a batch changes, written whole or not at all.
#[derive(Debug, Default)]
pub struct Writes {
    /// Accounts as they are to be.
    pub accounts: Vec<StoredAccount>,
    /// Meters that left their account.
    pub removed_meters: Vec<(AccountId, MeterId)>,
    /// Operations as they are to be.
    pub operations: Vec<(AccountId, OperationRecord)>,
    /// What is added to the ledger.
    pub entries: Vec<(AccountId, Entry)>,
    /// What is added to conversations.
    pub messages: Vec<SavedMessage>,
}

/// A message and the operation it was saved with.
#[derive(Debug)]
pub struct SavedMessage {
    /// Whose quota the operation took.
    pub account: AccountId,
    /// Whose conversation it is.
    pub actor: ActorId,
    /// Which operation.
    pub operation: OperationId,
    /// The account's version of the change it was saved with.
    pub version: Version,
    /// What was said.
    pub message: NewMessage,
}

/// The database could not do its work; what was being written is rolled back whole.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The database said no.
    #[error("{0}")]
    Database(#[from] sqlx::Error),
    /// The migrations could not be applied.
    #[error("{0}")]
    Migration(#[from] sqlx::migrate::MigrateError),
    /// A row does not read as what it should be.
    #[error("a stored {0} is damaged")]
    Damaged(&'static str),
    /// The file is another program's.
    #[error("it holds another program's tables")]
    OfOthers,
    /// The database is not set up as the ledger needs it, or its file is gone.
    #[error("{0}")]
    Unfit(String),
    /// A fault that the demo was asked to show.
    #[error("a fault that was switched on: the transaction fails")]
    Injected,
}
