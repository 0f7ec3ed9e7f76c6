//! Which store it is: whoever works with one need not know.

use std::collections::HashMap;

use trueup_core::{AccountId, ActorId, Epoch, OperationId, Timestamp, Version};
use trueup_protocol::response::{
    ConversationsResponse, EntriesResponse, MessageResponse, MessagesResponse,
};

use super::pages::MessageRow;
use super::postgres::{PostgresBatch, PostgresStore};
use super::sqlite::{SqliteBatch, SqliteStore};
use super::{
    AccountTerms, ConversationPlace, Glance, Loaded, MessagePlace, OpenHolds, Patience, Sight,
    Standing, StoreError, Writes,
};

/// Where the ledger is kept.
#[derive(Debug)]
pub enum Store {
    /// Embedded, in one file.
    Sqlite(SqliteStore),
    /// Shared by several servers.
    Postgres(PostgresStore),
}

/// How many connections there are of one use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PoolLevel {
    /// What they are used for: `writers`, `readers`, or `waiters` for what somebody has locked.
    pub name: &'static str,
    /// How many are open.
    pub open: usize,
    /// How many of those nobody uses now.
    pub idle: usize,
}

impl PoolLevel {
    pub(super) fn of<D: sqlx::Database>(name: &'static str, pool: &sqlx::Pool<D>) -> Self {
        Self {
            name,
            open: usize::try_from(pool.size()).unwrap_or(usize::MAX),
            idle: pool.num_idle(),
        }
    }
}

/// A batch in the making. Dropped without [`Batch::commit`], nothing of it has happened.
pub enum Batch<'a> {
    /// In the file.
    Sqlite(SqliteBatch<'a>),
    /// In the shared database.
    Postgres(PostgresBatch<'a>),
}

/// Whatever store it is, it is asked the same.
macro_rules! ask {
    ($of:expr, $kind:ident, $store:ident => $answer:expr) => {
        match $of {
            $kind::Sqlite($store) => $answer,
            $kind::Postgres($store) => $answer,
        }
    };
}

impl Store {
    /// Opens the database `url`, applies its migrations, and refuses a database that would not keep
    /// what it was told. `engines` is how many batches may be written at once where that is
    /// possible.
    ///
    /// # Errors
    /// When it cannot be opened, is no database of ours, or is not fit for a ledger.
    pub async fn open(url: &str, engines: usize, now: Timestamp) -> Result<Self, StoreError> {
        if is_postgres(url) {
            Ok(Self::Postgres(PostgresStore::open(url, engines, now).await?))
        } else {
            Ok(Self::Sqlite(SqliteStore::open(url, now).await?))
        }
    }

    /// The identity of this database's history.
    pub fn epoch(&self) -> &Epoch {
        ask!(self, Self, store => store.epoch())
    }

    /// Whether the database is spread over several machines.
    pub(crate) async fn is_spread(&self) -> Result<bool, StoreError> {
        match self {
            Self::Sqlite(_) => Ok(false),
            Self::Postgres(store) => store.is_spread().await,
        }
    }

    /// How many batches can be written at once: a file has one writer.
    pub fn writers(&self) -> usize {
        match self {
            Self::Sqlite(_) => 1,
            Self::Postgres(store) => store.writers(),
        }
    }

    /// How many questions about polls are under way at once: what is beside the server is asked so
    /// fast that one is enough, and of a database that is not, a slow answer delays only some.
    pub fn pollers(&self) -> usize {
        match self {
            Self::Sqlite(_) => 1,
            Self::Postgres(_) => 2,
        }
    }

    /// Starts another history: what clients know of the old one is forgotten by them. To be called
    /// on a database that was restored from a copy, before it serves.
    ///
    /// # Errors
    /// When it could not be written.
    pub async fn renew_epoch(&mut self, now: Timestamp) -> Result<(), StoreError> {
        ask!(self, Self, store => store.renew_epoch(now).await)
    }

    /// Begins a batch: one transaction that writes.
    ///
    /// # Errors
    /// When the database cannot be written now.
    pub async fn begin(&self, patience: Patience) -> Result<Batch<'_>, StoreError> {
        match self {
            Self::Sqlite(store) => Ok(Batch::Sqlite(store.begin().await?)),
            Self::Postgres(store) => Ok(Batch::Postgres(store.begin(patience).await?)),
        }
    }

    pub(crate) async fn read_snapshot(
        &self,
        glance: Glance<'_>,
    ) -> Result<Option<Sight>, StoreError> {
        ask!(self, Self, store => store.read_snapshot(glance).await)
    }

    pub(crate) async fn read_account_terms(
        &self,
        account: &AccountId,
    ) -> Result<Option<AccountTerms>, StoreError> {
        ask!(self, Self, store => store.read_account_terms(account).await)
    }

    pub(crate) async fn read_entries(
        &self,
        account: &AccountId,
        after: Version,
    ) -> Result<EntriesResponse, StoreError> {
        ask!(self, Self, store => store.read_entries(account, after).await)
    }

    pub(crate) async fn read_conversations(
        &self,
        account: &AccountId,
        actor: &ActorId,
        before: Option<&ConversationPlace>,
    ) -> Result<ConversationsResponse, StoreError> {
        ask!(self, Self, store => store.read_conversations(account, actor, before).await)
    }

    /// A page of one conversation; `None` when the actor has no such one.
    pub(crate) async fn read_messages(
        &self,
        account: &AccountId,
        actor: &ActorId,
        conversation: &str,
        before: Option<MessagePlace>,
    ) -> Result<Option<MessagesResponse>, StoreError> {
        let read = ask!(self, Self, store => {
            store.read_messages(account, actor, conversation, before).await
        });
        let (rows, more) = read?;
        // A conversation is made by its first message, so one without messages does not exist.
        if rows.is_empty() && before.is_none() {
            return Ok(None);
        }
        let exists = !rows.is_empty()
            || ask!(self, Self, store => {
                store.has_conversation(account, actor, conversation).await?
            });
        if !exists {
            return Ok(None);
        }
        let next_before = match rows.last() {
            Some(oldest) if more => Some(oldest.place()?.to_string()),
            _ => None,
        };
        let messages = rows.into_iter().rev().map(MessageRow::into_response).collect();
        Ok(Some(MessagesResponse { messages, next_before }))
    }

    /// The answer that was saved in the change that made `version`.
    pub(crate) async fn read_answer(
        &self,
        account: &AccountId,
        actor: &ActorId,
        conversation: &str,
        version: Version,
    ) -> Result<Option<MessageResponse>, StoreError> {
        ask!(self, Self, store => store.read_answer(account, actor, conversation, version).await)
    }

    /// Holds whose time is up at `now`, the longest due first, at most `limit`.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn due_holds(
        &self,
        now: Timestamp,
        limit: u32,
    ) -> Result<Vec<(AccountId, OperationId)>, StoreError> {
        ask!(self, Self, store => store.due_holds(now, limit).await)
    }

    /// How each of the accounts stands now, in one statement; those that there are not are left
    /// out.
    pub(crate) async fn read_standings(
        &self,
        accounts: &[AccountId],
    ) -> Result<HashMap<AccountId, Standing>, StoreError> {
        ask!(self, Self, store => store.read_standings(accounts).await)
    }

    /// At which version each of the accounts is, in one statement; those that there are not are left
    /// out.
    pub(crate) async fn read_versions(
        &self,
        accounts: &[AccountId],
    ) -> Result<Vec<(AccountId, Version)>, StoreError> {
        ask!(self, Self, store => store.read_versions(accounts).await)
    }

    /// Counts the holds that are open. It looks at every one of them, in an index of their own.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn open_holds(&self) -> Result<OpenHolds, StoreError> {
        ask!(self, Self, store => store.open_holds().await)
    }

    /// What kind of database it is, in a word.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Sqlite(_) => "sqlite",
            Self::Postgres(_) => "postgres",
        }
    }

    /// Its connections.
    pub fn pools(&self) -> Vec<PoolLevel> {
        ask!(self, Self, store => store.pools().to_vec())
    }

    /// Whether the database answers.
    ///
    /// # Errors
    /// When it does not.
    pub async fn ping(&self) -> Result<(), StoreError> {
        ask!(self, Self, store => store.ping().await)
    }

    /// Writes something that means nothing, down to the disk: a transaction that is rolled back
    /// would not notice that the disk is full.
    ///
    /// # Errors
    /// When nothing can be written now.
    pub async fn probe(&self, now: Timestamp) -> Result<(), StoreError> {
        ask!(self, Self, store => store.probe(now).await)
    }

    /// Closes every connection; what was committed is kept.
    pub async fn close(&self) {
        ask!(self, Self, store => store.close().await);
    }
}

impl Batch<'_> {
    /// Reads what the batch's requests are about; without patience, only what can be had at once.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn load(
        &mut self,
        accounts: &[&AccountId],
        operations: &[(&AccountId, OperationId)],
        now: Timestamp,
    ) -> Result<Loaded, StoreError> {
        match self {
            Self::Sqlite(batch) => batch.load(accounts, operations).await,
            Self::Postgres(batch) => batch.load(accounts, operations, now).await,
        }
    }

    /// Writes everything that the batch changes.
    ///
    /// # Errors
    /// When the database refuses any of it; the batch must be dropped then.
    pub async fn write(&mut self, writes: &Writes, now: Timestamp) -> Result<(), StoreError> {
        ask!(self, Self, batch => batch.write(writes, now).await)
    }

    /// Reads the account as it is with the batch's changes.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn snapshot(&mut self, glance: Glance<'_>) -> Result<Option<Sight>, StoreError> {
        ask!(self, Self, batch => batch.snapshot(glance).await)
    }

    /// Makes the batch's changes true.
    ///
    /// # Errors
    /// When the database refuses; then nothing of the batch has happened.
    pub async fn commit(self) -> Result<(), StoreError> {
        ask!(self, Self, batch => batch.commit().await)
    }
}

/// Whether the setting names a Postgres database.
pub(super) fn is_postgres(url: &str) -> bool {
    url.starts_with("postgres://") || url.starts_with("postgresql://")
}
