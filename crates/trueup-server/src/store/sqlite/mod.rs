//! The embedded store: one file, one writer, any number of readers.

mod batch;
mod conversations;
mod entries;
mod file;
mod image;
mod load;
mod versions;
mod write;

pub use batch::SqliteBatch;

use std::collections::HashMap;
use std::str::FromStr;
use std::time::Duration;

use sqlx::Connection as _;
use sqlx::sqlite::{
    SqliteConnectOptions, SqliteConnection, SqliteJournalMode, SqlitePool, SqlitePoolOptions,
    SqliteSynchronous,
};
use trueup_core::{AccountId, Epoch, OperationId, Timestamp};
use trueup_protocol::column;

use file::OpenFile;

use super::{
    AccountTerms, Glance, OpenHolds, PoolLevel, Sight, Standing, StoreError, new_epoch, read_due,
    rows, snapshot,
};

/// SQLite's write-ahead log could lose committed pages before this version.
const OLDEST_SQLITE: (u32, u32, u32) = (3, 51, 3);
const READERS: u32 = 4;
/// What a connection keeps in memory, in KiB when negative: with the usual 2 MiB, a batch over many
/// accounts reads from the file what the batch before it had read.
const CACHE: &str = "-65536";
/// After so many pages of the write-ahead log, they are copied into the file. A commit is on the disk
/// before that; a batch over many accounts writes some hundred pages, and with the usual 1,000 every
/// few batches would wait for the copying.
const PAGES_IN_LOG: &str = "16384";
/// How many rows the driver's thread reads ahead: with the usual 50 it stops in the middle of what a
/// batch loads, and is woken again.
const ROWS_AHEAD: usize = 1_024;
/// How many statements a connection keeps planned: more than there are texts.
const STATEMENTS: usize = 256;

/// SQLite in one file.
#[derive(Debug)]
pub struct SqliteStore {
    writer: SqlitePool,
    readers: SqlitePool,
    epoch: Epoch,
    file: OpenFile,
}

impl SqliteStore {
    /// Opens or creates the database `url` (`sqlite:FILE`), applies its migrations, and refuses a
    /// database that would not keep what it was told.
    ///
    /// # Errors
    /// When the file cannot be opened, is no database of ours, or SQLite is too old.
    pub(in crate::store) async fn open(url: &str, now: Timestamp) -> Result<Self, StoreError> {
        let named = SqliteConnectOptions::from_str(url)?.busy_timeout(Duration::from_secs(5));
        file::refuse_others(&named).await?;
        let options = named
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            // How to take a statement back is kept in memory and not in a file of its own.
            .pragma("temp_store", "memory")
            .pragma("cache_size", CACHE)
            .pragma("wal_autocheckpoint", PAGES_IN_LOG)
            .row_buffer_size(ROWS_AHEAD)
            .statement_cache_capacity(STATEMENTS)
            .foreign_keys(true);
        let pool = |connections| {
            SqlitePoolOptions::new()
                .max_connections(connections)
                .idle_timeout(None)
                // A file does not hang up.
                .test_before_acquire(false)
                .max_lifetime(None)
                .before_acquire(|connection, _| {
                    let is_fit = is_fit(connection);
                    Box::pin(async move { Ok(is_fit) })
                })
        };
        let writer = pool(1).connect_with(options.clone()).await?;
        check(&writer).await?;
        let file = OpenFile::of(&options);
        sqlx::migrate!("../../migrations/sqlite").run(&writer).await?;
        let epoch = load_epoch(&writer, now).await?;
        let readers =
            pool(READERS).connect_lazy_with(options.read_only(true).create_if_missing(false));
        Ok(Self { writer, readers, epoch, file })
    }

    pub(in crate::store) fn epoch(&self) -> &Epoch {
        &self.epoch
    }

    /// Starts another history: what clients know of the old one is forgotten by them. To be called
    /// on a database that was restored from a copy, before it serves.
    ///
    /// # Errors
    /// When it could not be written.
    pub(in crate::store) async fn renew_epoch(&mut self, now: Timestamp) -> Result<(), StoreError> {
        let epoch = new_epoch(now)?;
        sqlx::query("UPDATE meta SET value = ? WHERE name = 'epoch'")
            .bind(epoch.as_str())
            .execute(&self.writer)
            .await?;
        self.epoch = epoch;
        Ok(())
    }

    /// Begins a batch: the one transaction that writes.
    ///
    /// # Errors
    /// When the database cannot be written now.
    pub(in crate::store) async fn begin(&self) -> Result<SqliteBatch<'_>, StoreError> {
        self.file.check()?;
        // BEGIN IMMEDIATE takes the write lock now; a deferred one fails in the middle instead.
        let transaction = self.writer.begin_with("BEGIN IMMEDIATE").await?;
        Ok(SqliteBatch::new(transaction, &self.epoch))
    }

    /// Where reads come from; what a file holds that is gone would pass for the truth.
    fn readers(&self) -> Result<&SqlitePool, StoreError> {
        self.file.check()?;
        Ok(&self.readers)
    }

    pub(in crate::store) async fn read_snapshot(
        &self,
        glance: Glance<'_>,
    ) -> Result<Option<Sight>, StoreError> {
        // One read transaction: figures and outcomes of the same instant.
        let mut transaction = self.readers()?.begin().await?;
        let sight = snapshot::read(&mut *transaction, &self.epoch, glance).await?;
        transaction.commit().await?;
        Ok(sight)
    }

    pub(in crate::store) async fn read_account_terms(
        &self,
        account: &AccountId,
    ) -> Result<Option<AccountTerms>, StoreError> {
        let mut transaction = self.readers()?.begin().await?;
        let stored = load::account(&mut transaction, account).await?;
        Ok(stored.map(|stored| stored.terms))
    }

    /// Holds whose time is up at `now`, the longest due first, at most `limit`.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub(in crate::store) async fn due_holds(
        &self,
        now: Timestamp,
        limit: u32,
    ) -> Result<Vec<(AccountId, OperationId)>, StoreError> {
        let rows: Vec<(String, String)> = sqlx::query_as(
            "SELECT account_id, op_id FROM operation \
             WHERE state = 'held' AND expires_at <= ? ORDER BY expires_at LIMIT ?",
        )
        .bind(now.millis())
        .bind(limit)
        .fetch_all(self.readers()?)
        .await?;
        read_due(rows)
    }

    /// How each of the accounts stands; those that there are not are left out.
    pub(in crate::store) async fn read_standings(
        &self,
        accounts: &[AccountId],
    ) -> Result<HashMap<AccountId, Standing>, StoreError> {
        let keys: Vec<&str> = accounts.iter().map(AccountId::as_str).collect();
        let rows = sqlx::query_as(
            "SELECT account_id, version, plan, time_zone, anchor_at, overrides FROM account \
             WHERE account_id IN (SELECT value FROM json_each(?))",
        )
        .bind(column::list(&keys))
        .fetch_all(self.readers()?)
        .await?;
        rows::standings(rows)
    }

    pub(in crate::store) async fn open_holds(&self) -> Result<OpenHolds, StoreError> {
        let row =
            sqlx::query_as("SELECT COUNT(*), MIN(expires_at) FROM operation WHERE state = 'held'")
                .fetch_one(self.readers()?)
                .await?;
        Ok(OpenHolds::of(row))
    }

    pub(in crate::store) fn pools(&self) -> [PoolLevel; 2] {
        [PoolLevel::of("writers", &self.writer), PoolLevel::of("readers", &self.readers)]
    }

    /// Whether the database answers.
    ///
    /// # Errors
    /// When it does not.
    pub(in crate::store) async fn ping(&self) -> Result<(), StoreError> {
        sqlx::query("SELECT 1 FROM meta").fetch_optional(self.readers()?).await?;
        Ok(())
    }

    /// Writes something that means nothing, down to the disk: a transaction that is rolled back
    /// would not notice that the disk is full.
    ///
    /// # Errors
    /// When nothing can be written now.
    pub(in crate::store) async fn probe(&self, now: Timestamp) -> Result<(), StoreError> {
        self.file.check()?;
        let mut transaction = self.writer.begin_with("BEGIN IMMEDIATE").await?;
        sqlx::query(
            "INSERT INTO meta (name, value) VALUES ('probed_at', ?) \
             ON CONFLICT (name) DO UPDATE SET value = excluded.value",
        )
        .bind(now.millis().to_string())
        .execute(&mut *transaction)
        .await?;
        Ok(transaction.commit().await?)
    }

    /// Closes every connection; what was committed is in the file.
    pub(in crate::store) async fn close(&self) {
        self.readers.close().await;
        self.writer.close().await;
    }
}

/// A full disk or a failed write makes SQLite roll back by itself. The driver's own rollback then
/// finds nothing to do, fails, and leaves the driver counting a transaction that is gone: such a
/// connection could never begin another one, so the pool is to open a new one in its place.
fn is_fit(connection: &SqliteConnection) -> bool {
    !connection.is_in_transaction()
}

async fn check(writer: &SqlitePool) -> Result<(), StoreError> {
    let (version, mode): (String, String) =
        sqlx::query_as("SELECT sqlite_version(), journal_mode FROM pragma_journal_mode")
            .fetch_one(writer)
            .await?;
    let mut parts = version.split('.').map(|part| part.parse::<u32>().unwrap_or(0));
    let mut next = || parts.next().unwrap_or(0);
    let (oldest, have) = (OLDEST_SQLITE, (next(), next(), next()));
    if have < oldest {
        let (major, minor, patch) = oldest;
        return Err(StoreError::Unfit(format!(
            "SQLite {version} can lose committed changes; {major}.{minor}.{patch} or newer is needed"
        )));
    }
    if mode != "wal" {
        return Err(StoreError::Unfit(format!(
            "the database keeps a {mode} journal; a write-ahead log is needed, so name a file on a \
             local disk: database_url = \"sqlite:trueup.db\""
        )));
    }
    Ok(())
}

async fn load_epoch(writer: &SqlitePool, now: Timestamp) -> Result<Epoch, StoreError> {
    sqlx::query("INSERT INTO meta (name, value) VALUES ('epoch', ?) ON CONFLICT DO NOTHING")
        .bind(new_epoch(now)?.as_str())
        .execute(writer)
        .await?;
    let (epoch,): (String,) =
        sqlx::query_as("SELECT value FROM meta WHERE name = 'epoch'").fetch_one(writer).await?;
    Epoch::new(&epoch).map_err(|_| StoreError::Damaged("epoch"))
}
