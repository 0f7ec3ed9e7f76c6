//! All SQL. Rows are structs with the suffix `Row` and leave as domain types.

pub use choice::{Batch, PoolLevel, Store};
pub use place::{ConversationPlace, MessagePlace};
pub use postgres::{NoticeListener, NoticeSpeaker, PostgresStore};
pub(crate) use snapshot::{Told, assemble};

mod choice;
mod opening;
mod pages;
mod place;
mod postgres;
mod rows;
mod snapshot;
mod sqlite;

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};

use trueup_core::ledger::{Account, Entry};
use trueup_core::operation::OperationRecord;
use trueup_core::{
    AccountId, ActorId, Epoch, MeterId, OperationId, Snapshot, Timestamp, Units, Version,
};

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

/// What an account's row says without its meters: which change was its last, and its terms, since
/// those can be replaced by others that change nothing yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    /// How many changes it has seen.
    pub version: Version,
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

/// Holds that nobody has ended yet, in the whole ledger.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OpenHolds {
    /// How many there are.
    pub count: i64,
    /// When the first of them is due.
    pub first_due: Option<Timestamp>,
}

impl OpenHolds {
    fn of((count, first_due): (i64, Option<i64>)) -> Self {
        Self { count, first_due: first_due.map(Timestamp::from_millis) }
    }
}

/// How long a batch waits for accounts that somebody else has locked. A file has one writer, who
/// waits for nobody.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Patience {
    /// As long as other servers' batches take; then the batch fails.
    Brief,
    /// Not at all: those accounts are left out, and so are new ones, which somebody else may be
    /// opening.
    None,
    /// As long as anything is waited for; then the batch fails.
    Full,
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
    /// The database cannot be asked now. Whether it carried out what it was asked last, nobody knows.
    #[error("the database cannot be reached: {0}")]
    Unreachable(String),
    /// Somebody else keeps an account locked.
    #[error("somebody else keeps the account locked")]
    Locked,
    /// A fault that the demo was asked to show.
    #[error("a fault that was switched on: the transaction fails")]
    Injected,
}

impl StoreError {
    /// Whether another transaction came between: the same may well succeed when it is run again.
    pub fn is_conflict(&self) -> bool {
        const SERIALIZATION_FAILURE: &str = "40001";
        const DEADLOCK: &str = "40P01";
        self.code().is_some_and(|code| code == SERIALIZATION_FAILURE || code == DEADLOCK)
    }

    /// Whether somebody else kept locked what was needed, for longer than it was waited for.
    pub fn is_locked(&self) -> bool {
        const LOCK_NOT_AVAILABLE: &str = "55P03";
        matches!(self, Self::Locked) || self.code().is_some_and(|code| code == LOCK_NOT_AVAILABLE)
    }

    /// Whether the database hung up or could not be asked: whatever it was asked is not to blame.
    pub fn is_outage(&self) -> bool {
        use sqlx::Error::{Io, PoolClosed, PoolTimedOut, Tls, WorkerCrashed};
        const CONNECTION_EXCEPTION: &str = "08";
        /// It stops, has crashed, starts, or has dropped what was asked over this connection.
        const OPERATOR_INTERVENTION: &str = "57P";
        const IDLE_IN_TRANSACTION: &str = "25P03";
        const TOO_MANY_CONNECTIONS: &str = "53300";
        match self {
            Self::Unreachable(_) => true,
            Self::Database(Io(_) | Tls(_) | PoolTimedOut | PoolClosed | WorkerCrashed) => true,
            _ => self.code().is_some_and(|code| {
                [CONNECTION_EXCEPTION, OPERATOR_INTERVENTION, IDLE_IN_TRANSACTION]
                    .iter()
                    .any(|known| code.starts_with(known))
                    || code == TOO_MANY_CONNECTIONS
            }),
        }
    }

    /// The database's own code for what it answered with.
    fn code(&self) -> Option<Cow<'_, str>> {
        match self {
            Self::Database(sqlx::Error::Database(error)) => error.code(),
            _ => None,
        }
    }

    /// Whether the time for asking once more has been spent on waiting.
    pub fn was_waited_for(&self) -> bool {
        matches!(self, Self::Unreachable(_) | Self::Database(sqlx::Error::PoolTimedOut))
    }
}

const TITLE_CHARS: usize = 80;

/// A conversation is called what its first message begins with.
fn title(content: &str) -> String {
    content.chars().take(TITLE_CHARS).collect()
}

/// A name for a history that nothing else has.
fn new_epoch(now: Timestamp) -> Result<Epoch, StoreError> {
    let mut entropy = [0; 10];
    getrandom::fill(&mut entropy)
        .map_err(|error| StoreError::Unfit(format!("the system gives no randomness: {error}")))?;
    Epoch::new(&OperationId::new_v7(now, entropy).to_string())
        .map_err(|_| StoreError::Damaged("epoch"))
}

/// Holds that are due, by account and operation.
fn read_due(rows: Vec<(String, String)>) -> Result<Vec<(AccountId, OperationId)>, StoreError> {
    let read = |(account, operation): (String, String)| {
        Some((AccountId::new(&account).ok()?, operation.parse().ok()?))
    };
    rows.into_iter().map(read).collect::<Option<_>>().ok_or(StoreError::Damaged("operation"))
}
