//! The store that several servers share.

mod batch;
mod conversations;
mod entries;
mod image;
mod load;
mod notices;
mod pool;
mod versions;
mod write;

pub use batch::PostgresBatch;
pub use notices::{NoticeListener, NoticeSpeaker};

use std::collections::HashMap;
use std::str::FromStr as _;
use std::time::Duration;

use pool::{Pool, heard};
use sqlx::postgres::{PgConnectOptions, PgPool};
use tokio::sync::Semaphore;
use tokio::time::timeout;
use trueup_core::{AccountId, Epoch, OperationId, Timestamp};

use super::{
    AccountTerms, Glance, OpenHolds, Patience, PoolLevel, Sight, Standing, StoreError, new_epoch,
    read_due, rows, snapshot,
};

/// The oldest version that its makers still mend.
const OLDEST_POSTGRES: i64 = 140_000;
/// Readers have connections of their own, so that however many there are, no engine waits for one.
const READERS: u32 = 8;

/// So many accounts that somebody keeps locked are waited for at once; more wait for their turn.
const WAITERS: u32 = 8;

/// What every connection says of itself. Nothing may hang: not a statement, not a lock that another
/// server holds, and not a transaction whose server is gone. What such a server had locked is free
/// before those give up who wait for it.
const SESSION: [(&str, &str); 4] = [
    ("timezone", "UTC"),
    ("default_transaction_isolation", "read committed"),
    ("statement_timeout", "10s"),
    ("idle_in_transaction_session_timeout", "5s"),
];
/// How long a lock is waited for.
const LOCK_TIMEOUT: Duration = Duration::from_secs(8);
/// What an engine waits in the middle of everybody's requests: longer than the batches of other
/// servers take, which it meets all the time, and too short to be noticed by those who are not meant.
const BRIEF_LOCK_TIMEOUT: Duration = Duration::from_millis(100);

/// A Postgres database.
#[derive(Debug)]
pub struct PostgresStore {
    /// One for each engine; they wait for locks but briefly.
    writers: Pool,
    /// For whatever waits for locks as long as it must.
    waiters: Pool,
    /// Who waits for what somebody keeps locked. There are connections left for the engines, which
    /// must not wait for these.
    waiting: Semaphore,
    readers: Pool,
    epoch: Epoch,
}

impl PostgresStore {
    /// Opens the database `url`, applies its migrations, and refuses a database that would not keep
    /// what it was told.
    ///
    /// # Errors
    /// When it cannot be reached, is no database of ours, or is not set up as the ledger needs it.
    pub(in crate::store) async fn open(
        url: &str,
        engines: usize,
        now: Timestamp,
    ) -> Result<Self, StoreError> {
        let named = PgConnectOptions::from_str(url)?.options(SESSION).application_name("trueup");
        let waits = |longest: Duration| {
            named.clone().options([("lock_timeout", format!("{}ms", longest.as_millis()))])
        };
        let engines = u32::try_from(engines).unwrap_or(1).max(1);
        let options = waits(LOCK_TIMEOUT);
        let waiters = Pool::new("waiters", engines + WAITERS, &options);
        check(waiters.inner()).await?;
        refuse_others(waiters.inner()).await?;
        sqlx::migrate!("../../migrations/postgres").run(waiters.inner()).await?;
        let epoch = load_epoch(waiters.inner(), now).await?;
        let writers = Pool::new("writers", engines, &waits(BRIEF_LOCK_TIMEOUT));
        let readers = Pool::new("readers", READERS, &options);
        let waiting = Semaphore::new(usize::try_from(WAITERS).unwrap_or(1));
        Ok(Self { writers, waiters, waiting, readers, epoch })
    }

    /// How many batches can be written at once.
    pub(in crate::store) fn writers(&self) -> usize {
        usize::try_from(self.writers.size()).unwrap_or(1)
    }

    pub(in crate::store) fn epoch(&self) -> &Epoch {
        &self.epoch
    }

    pub(in crate::store) async fn renew_epoch(&mut self, now: Timestamp) -> Result<(), StoreError> {
        let epoch = new_epoch(now)?;
        sqlx::query("UPDATE meta SET value = $1 WHERE name = 'epoch'")
            .bind(epoch.as_str())
            .execute(self.waiters.inner())
            .await?;
        self.epoch = epoch;
        Ok(())
    }

    pub(in crate::store) async fn begin(
        &self,
        patience: Patience,
    ) -> Result<PostgresBatch<'_>, StoreError> {
        let (writer, turn) = match patience {
            Patience::Brief => (self.writers.lend().await?, None),
            Patience::None => (self.waiters.lend().await?, None),
            Patience::Full => {
                let turn = timeout(LOCK_TIMEOUT, self.waiting.acquire()).await;
                let turn = turn.ok().and_then(Result::ok).ok_or(StoreError::Locked)?;
                (self.waiters.lend().await?, Some(turn))
            }
        };
        PostgresBatch::begin(writer, turn, patience, &self.epoch).await
    }

    pub(in crate::store) async fn read_snapshot(
        &self,
        glance: Glance<'_>,
    ) -> Result<Option<Sight>, StoreError> {
        // Figures and outcomes of the same instant: what is committed between two of its statements
        // is not seen.
        let begin = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";
        let mut reader = self.readers.lend().await?;
        reader.begin_with(begin).await?;
        let sight = heard(snapshot::read(&mut *reader, &self.epoch, glance)).await?;
        reader.commit().await?;
        Ok(sight)
    }

    pub(in crate::store) async fn read_account_terms(
        &self,
        account: &AccountId,
    ) -> Result<Option<AccountTerms>, StoreError> {
        let mut found = self.read_standings(std::slice::from_ref(account)).await?;
        Ok(found.remove(account).map(|standing| standing.terms))
    }

    pub(in crate::store) async fn due_holds(
        &self,
        now: Timestamp,
        limit: u32,
    ) -> Result<Vec<(AccountId, OperationId)>, StoreError> {
        let query = sqlx::query_as(
            "SELECT account_id, op_id::text FROM operation \
             WHERE state = 'held' AND expires_at <= $1 ORDER BY expires_at LIMIT $2",
        )
        .bind(now.millis())
        .bind(i64::from(limit));
        read_due(self.readers.ask(async |reader| query.fetch_all(reader).await).await?)
    }

    /// How each of the accounts stands; those that there are not are left out.
    pub(in crate::store) async fn read_standings(
        &self,
        accounts: &[AccountId],
    ) -> Result<HashMap<AccountId, Standing>, StoreError> {
        let keys: Vec<&str> = accounts.iter().map(AccountId::as_str).collect();
        let query = sqlx::query_as(
            "SELECT account_id, version, plan, time_zone, anchor_at, overrides FROM account \
             WHERE account_id = ANY($1)",
        )
        .bind(keys);
        let rows = self.readers.ask(async |reader| query.fetch_all(reader).await);
        rows::standings(rows.await?)
    }

    /// What servers over this database can tell each other with.
    pub(crate) fn notices(&self) -> (NoticeListener, NoticeSpeaker) {
        // Another history is none of their business, and neither is another schema's.
        let channel = format!("trueup_{}", self.epoch);
        notices::open(&channel, &self.readers.inner().connect_options())
    }

    /// Whether the database is spread over several machines, where notifications stay on one.
    pub(in crate::store) async fn is_spread(&self) -> Result<bool, StoreError> {
        let citus = "SELECT 1 FROM pg_extension WHERE extname = 'citus'";
        Ok(sqlx::query(citus).fetch_optional(self.readers.inner()).await?.is_some())
    }

    pub(in crate::store) async fn open_holds(&self) -> Result<OpenHolds, StoreError> {
        let query =
            sqlx::query_as("SELECT COUNT(*), MIN(expires_at) FROM operation WHERE state = 'held'");
        let row = self.readers.ask(async |reader| query.fetch_one(reader).await);
        Ok(OpenHolds::of(row.await?))
    }

    pub(in crate::store) fn pools(&self) -> [PoolLevel; 3] {
        [self.writers.level(), self.waiters.level(), self.readers.level()]
    }

    pub(in crate::store) async fn ping(&self) -> Result<(), StoreError> {
        let query = sqlx::query("SELECT 1 FROM meta");
        self.readers.ask(async |reader| query.fetch_optional(reader).await).await?;
        Ok(())
    }

    pub(in crate::store) async fn probe(&self, now: Timestamp) -> Result<(), StoreError> {
        let probe = sqlx::query(
            "INSERT INTO meta (name, value) VALUES ('probed_at', $1) \
             ON CONFLICT (name) DO UPDATE SET value = excluded.value",
        )
        .bind(now.millis().to_string());
        self.waiters.ask(async |writer| probe.execute(writer).await).await?;
        Ok(())
    }

    /// Closes every connection.
    pub(in crate::store) async fn close(&self) {
        self.readers.close().await;
        self.waiters.close().await;
        self.writers.close().await;
    }
}

async fn check(pool: &PgPool) -> Result<(), StoreError> {
    let setting = |name: &'static str| async move {
        let (value,): (String,) =
            sqlx::query_as("SELECT current_setting($1)").bind(name).fetch_one(pool).await?;
        Ok::<_, StoreError>(value)
    };
    let version = setting("server_version_num").await?;
    if version.parse::<i64>().unwrap_or(0) < OLDEST_POSTGRES {
        return Err(StoreError::Unfit(format!(
            "Postgres {} is too old; 14 or newer is needed",
            setting("server_version").await?
        )));
    }
    for (name, why) in [
        ("fsync", "a power cut would damage the ledger"),
        ("synchronous_commit", "a crash would lose changes that were acknowledged"),
        ("full_page_writes", "a power cut would damage the ledger"),
    ] {
        if setting(name).await? == "off" {
            return Err(StoreError::Unfit(format!(
                "its setting {name} is off, so that {why}; set {name} = on in postgresql.conf"
            )));
        }
    }
    if setting("server_encoding").await? != "UTF8" {
        return Err(StoreError::Unfit(
            "its encoding is not UTF8, and messages would be lost; create it with ENCODING 'UTF8'"
                .to_owned(),
        ));
    }
    Ok(())
}

/// Another program's tables are left alone, and no migration is tried among them.
async fn refuse_others(pool: &PgPool) -> Result<(), StoreError> {
    let (tables, migrations): (i64, i64) = sqlx::query_as(
        "SELECT COUNT(*) FILTER (WHERE table_name <> '_sqlx_migrations'), \
         COUNT(*) FILTER (WHERE table_name = '_sqlx_migrations') \
         FROM information_schema.tables WHERE table_schema = current_schema()",
    )
    .fetch_one(pool)
    .await?;
    let is_ours = if migrations > 0 {
        let ours = "SELECT 1 FROM _sqlx_migrations WHERE version = 1 AND description = 'ledger'";
        sqlx::query(ours).fetch_optional(pool).await?.is_some()
    } else {
        false
    };
    if tables > 0 && !is_ours { Err(StoreError::OfOthers) } else { Ok(()) }
}

async fn load_epoch(pool: &PgPool, now: Timestamp) -> Result<Epoch, StoreError> {
    sqlx::query("INSERT INTO meta (name, value) VALUES ('epoch', $1) ON CONFLICT DO NOTHING")
        .bind(new_epoch(now)?.as_str())
        .execute(pool)
        .await?;
    let (epoch,): (String,) =
        sqlx::query_as("SELECT value FROM meta WHERE name = 'epoch'").fetch_one(pool).await?;
    Epoch::new(&epoch).map_err(|_| StoreError::Damaged("epoch"))
}
