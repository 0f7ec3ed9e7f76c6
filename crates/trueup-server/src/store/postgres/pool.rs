//! Connections that are lent, and what is done about a database that falls silent. Postgres itself
//! ends whatever takes too long, but nobody hears of it over a connection that a network has
//! forgotten: it stays open, and says nothing for ever.

use std::ops::{Deref, DerefMut};
use std::time::Duration;

use sqlx::pool::PoolConnection;
use sqlx::postgres::{PgConnectOptions, PgPool, PgPoolOptions};
use sqlx::{Connection as _, Executor as _, PgConnection, Postgres};
use tokio::time::{Instant, timeout};

use crate::store::{PoolLevel, StoreError};

/// How long a connection is waited for.
const ACQUIRE: Duration = Duration::from_secs(5);
/// Longer than any statement may take: who has heard nothing by then hears nothing any more.
const SILENCE: Duration = Duration::from_secs(12);
/// A connection that was used so shortly ago is taken to be alive.
const BUSY: Duration = Duration::from_millis(500);
/// How long a connection may take to become free of what was begun on it.
const RETURN: Duration = Duration::from_secs(5);

/// Connections for one use.
#[derive(Debug)]
pub(super) struct Pool {
    name: &'static str,
    inner: PgPool,
}

/// A connection that goes back when this is dropped, or is closed when it cannot be trusted.
pub(super) struct Lent {
    connection: Option<PoolConnection<Postgres>>,
    lent_at: Instant,
    in_transaction: bool,
}

impl Pool {
    /// So many connections, made when they are needed.
    pub fn new(name: &'static str, connections: u32, options: &PgConnectOptions) -> Self {
        let pool = PgPoolOptions::new().max_connections(connections).acquire_timeout(ACQUIRE);
        // To ask a connection whether it is alive is a trip of its own: a busy one has just shown
        // that it is.
        let pool = pool.test_before_acquire(false).before_acquire(|connection, meta| {
            Box::pin(async move {
                if meta.idle_for > BUSY {
                    connection.ping().await?;
                }
                Ok(true)
            })
        });
        Self { name, inner: pool.connect_lazy_with(options.clone()) }
    }

    /// Asks something over a connection of its own: the one way to read. What can go wrong with a
    /// connection goes wrong here.
    pub async fn ask<T, E>(
        &self,
        question: impl AsyncFnOnce(&mut PgConnection) -> Result<T, E>,
    ) -> Result<T, StoreError>
    where
        StoreError: From<E>,
    {
        let mut lent = self.lend().await?;
        heard(question(&mut lent)).await
    }

    /// Waits for a connection that works.
    pub async fn lend(&self) -> Result<Lent, StoreError> {
        let connection = Some(self.inner.acquire().await?);
        Ok(Lent { connection, lent_at: Instant::now(), in_transaction: false })
    }

    /// The connections themselves, for what is done before anybody is served.
    pub fn inner(&self) -> &PgPool {
        &self.inner
    }

    pub fn size(&self) -> u32 {
        self.inner.options().get_max_connections()
    }

    pub fn level(&self) -> PoolLevel {
        PoolLevel::of(self.name, &self.inner)
    }

    pub async fn close(&self) {
        self.inner.close().await;
    }
}

/// What the database says, if it says anything.
pub(super) async fn heard<T, E>(work: impl Future<Output = Result<T, E>>) -> Result<T, StoreError>
where
    StoreError: From<E>,
{
    match timeout(SILENCE, work).await {
        Ok(told) => Ok(told?),
        Err(_) => Err(StoreError::Unreachable("it does not answer".to_owned())),
    }
}

impl Lent {
    /// Begins a transaction. It is rolled back unless it is committed.
    pub async fn begin_with(&mut self, statement: &'static str) -> Result<(), StoreError> {
        self.in_transaction = true;
        heard(self.execute(statement)).await?;
        Ok(())
    }

    pub async fn commit(&mut self) -> Result<(), StoreError> {
        heard(self.execute("COMMIT")).await?;
        self.in_transaction = false;
        Ok(())
    }
}

impl Deref for Lent {
    type Target = PgConnection;

    #[expect(clippy::expect_used, reason = "it is taken out by drop alone")]
    fn deref(&self) -> &PgConnection {
        self.connection.as_ref().expect("it was not dropped")
    }
}

impl DerefMut for Lent {
    #[expect(clippy::expect_used, reason = "it is taken out by drop alone")]
    fn deref_mut(&mut self) -> &mut PgConnection {
        self.connection.as_mut().expect("it was not dropped")
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        let Some(mut connection) = self.connection.take() else { return };
        if self.lent_at.elapsed() >= SILENCE {
            // Postgres rolls back what a connection had begun that is closed.
            drop(connection.detach());
            return;
        }
        let in_transaction = self.in_transaction;
        // What is waited for here, the pool would wait for without end, and keep the connection's
        // place meanwhile.
        tokio::spawn(async move {
            if in_transaction {
                let rolled_back = timeout(RETURN, connection.execute("ROLLBACK")).await;
                if !matches!(rolled_back, Ok(Ok(_))) {
                    drop(connection.detach());
                    return;
                }
            }
            // Dropped in the middle, it is closed.
            let _ = timeout(RETURN, connection.return_to_pool()).await;
        });
    }
}
