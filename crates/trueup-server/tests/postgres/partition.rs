//! A way to the database that falls silent: connections stay open, and nothing comes over them.

use std::path::PathBuf;
use std::time::Duration;

use tokio::time::Instant;
use trueup_core::AccountId;
use trueup_server::engine::EngineError;
use trueup_server::store::StoreError;

use crate::proxy::{Proxy, Way};
use crate::replicas::{catalog, hold, id, view};
use crate::{audit, desk, postgres};

/// A call is ended after so long, whoever is to blame.
const CALL: Duration = Duration::from_secs(15);

/// The same database by another way.
async fn by_proxy(url: &str) -> (Proxy, String) {
    let (_, query) = url.split_once("?host=").unwrap();
    let (host, options) = query.split_once('&').unwrap();
    let socket = PathBuf::from(host.replace("%2F", "/")).join(".s.PGSQL.5432");
    let proxy = Proxy::open(socket).await.unwrap();
    let address = proxy.address;
    (proxy, format!("postgres://trueup@{address}/postgres?sslmode=disable&{options}"))
}

#[tokio::test]
async fn a_silent_database_is_given_up_and_asked_anew() {
    let folder = tempfile::tempdir().unwrap();
    let url = postgres::schema_url(folder.path());
    let (proxy, way) = by_proxy(&url).await;
    let (ledger, task, _) = desk::open(&way, catalog()).await;
    let accounts: Vec<AccountId> =
        (0..12).map(|at| format!("acct_{at}").parse().unwrap()).collect();
    let holds = |from: u32| {
        let ledger = &ledger;
        let one = move |(at, account): (u32, AccountId)| async move {
            let hold = hold(&account, id(from + at));
            ledger.command(&account, view(&account), hold, Vec::new()).await
        };
        futures::future::join_all((0_u32..).zip(accounts.clone()).map(one))
    };
    let reads = || {
        let one = |account: AccountId| {
            let ledger = ledger.clone();
            async move { ledger.snapshot(&account, &account.personal_actor(), None, &[]).await }
        };
        futures::future::join_all(accounts.clone().into_iter().map(one))
    };
    assert!(holds(0).await.iter().all(Result::is_ok));
    assert!(reads().await.iter().all(Result::is_ok));

    for (way, is_forgotten) in [(Way::ToServer, true), (Way::ToDatabase, false)] {
        proxy.stop(&[way]);
        // The clock of the network stands still and jumps to the next timer.
        tokio::time::pause();
        let begun = Instant::now();
        let (held, read) = tokio::join!(holds(100), reads());
        assert!(
            begun.elapsed() < CALL,
            "a caller is gone before the answer: {:?}",
            begun.elapsed()
        );
        tokio::time::resume();
        assert!(read.iter().all(Result::is_err));
        for failed in held {
            let failed = failed.unwrap_err();
            assert!(matches!(failed, EngineError::Store(StoreError::Unreachable(_))), "{failed}");
        }
        // The connections that there were stay silent for ever, or what was sent on them arrives now.
        if is_forgotten {
            proxy.forget();
        } else {
            proxy.go_on();
        }
        // What the silent connections had locked is free when Postgres gives them up.
        assert!(holds(100).await.iter().all(Result::is_ok));
        assert!(reads().await.iter().all(Result::is_ok));
    }
    task.stop().await;
    audit::audit(&url).await;
    assert_eq!(desk::held(&url).await, 24, "none is lost and none is there twice");
}
