//! A ledger over a database, with a clock of the test's.

use std::sync::Arc;

use sqlx::{Connection as _, PgConnection};
use trueup_core::Timestamp;
use trueup_core::ledger::Acceptance;
use trueup_server::clock::Clock;
use trueup_server::config::Catalog;
use trueup_server::demo::Faults;
use trueup_server::engine::EngineParts;
use trueup_server::ledger::{Ledger, LedgerTask};
use trueup_server::metrics::Metrics;
use trueup_server::push::Feed;
use trueup_server::store::Store;

/// 2026-11-24T03:00:00Z.
pub const START: Timestamp = Timestamp::from_millis(1_795_489_200_000);

pub async fn open(url: &str, catalog: Catalog) -> (Ledger, LedgerTask, Clock) {
    open_with(url, catalog, Feed::default()).await
}

/// A ledger that tells a feed of changes.
pub async fn open_with(url: &str, catalog: Catalog, feed: Feed) -> (Ledger, LedgerTask, Clock) {
    start(url, catalog, feed, 3).await
}

/// A ledger with one engine: every account is in its lane.
pub async fn open_narrow(url: &str, catalog: Catalog) -> (Ledger, LedgerTask) {
    let (ledger, task, _) = start(url, catalog, Feed::default(), 1).await;
    (ledger, task)
}

async fn start(
    url: &str,
    catalog: Catalog,
    feed: Feed,
    engines: usize,
) -> (Ledger, LedgerTask, Clock) {
    let store = Arc::new(Store::open(url, engines, START).await.unwrap());
    let (catalog, clock) = (Arc::new(catalog), Clock::manual(START));
    let (faults, acceptance) = (Faults::disabled(), Acceptance::default());
    let metrics = Arc::new(Metrics::default());
    let parts =
        EngineParts { store, catalog, clock: clock.clone(), faults, acceptance, feed, metrics };
    let (ledger, task) = Ledger::start(parts);
    (ledger, task, clock)
}

/// How many holds are open.
pub async fn held(url: &str) -> i64 {
    let mut connection = PgConnection::connect(url).await.unwrap();
    let (count,): (i64,) = sqlx::query_as("SELECT COUNT(*) FROM operation WHERE state = 'held'")
        .fetch_one(&mut connection)
        .await
        .unwrap();
    connection.close().await.unwrap();
    count
}
