//! Accounts that somebody else keeps locked: a server that stands still, an administrator.

use std::sync::atomic::{AtomicU32, Ordering};

use futures::future::join_all;
use sqlx::{AssertSqlSafe, Connection as _, PgConnection};
use tempfile::TempDir;
use tokio::task::JoinHandle;
use trueup_core::AccountId;
use trueup_protocol::ErrorCode;
use trueup_server::engine::{Answer, EngineError, Request};
use trueup_server::error::ApiError;
use trueup_server::ledger::{Ledger, LedgerTask};
use trueup_server::store::StoreError;

use crate::dice::Dice;
use crate::replicas::{catalog, hold, id, view};
use crate::{audit, desk, postgres};

/// A ledger with one lane, and somebody else at its database.
struct Office {
    ledger: Ledger,
    task: LedgerTask,
    url: String,
    ids: AtomicU32,
    _folder: TempDir,
}

type Answers = Vec<Result<Answer, EngineError>>;

impl Office {
    async fn open() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let url = postgres::schema_url(folder.path());
        let (ledger, task) = desk::open_narrow(&url, catalog()).await;
        Self { ledger, task, url, ids: AtomicU32::new(0), _folder: folder }
    }

    fn holds(&self, accounts: &[&str]) -> Vec<Request> {
        let one = |account: &&str| {
            let account: AccountId = account.parse().unwrap();
            let command = hold(&account, id(self.ids.fetch_add(1, Ordering::Relaxed)));
            Request::command(account.clone(), view(&account), command, Vec::new())
        };
        accounts.iter().map(one).collect()
    }

    async fn run(&self, accounts: &[&str]) -> Answers {
        self.ledger.run_all(self.holds(accounts)).await
    }

    /// Sends without waiting.
    fn send(&self, accounts: &[&str]) -> JoinHandle<Answers> {
        let (ledger, requests) = (self.ledger.clone(), self.holds(accounts));
        tokio::spawn(async move { ledger.run_all(requests).await })
    }

    /// Begins a transaction of somebody else.
    async fn stranger(&self, sql: &str) -> PgConnection {
        stranger(&self.url, sql).await
    }

    async fn close(self) {
        self.task.stop().await;
        audit::audit(&self.url).await;
    }
}

async fn stranger(url: &str, sql: &str) -> PgConnection {
    let mut connection = PgConnection::connect(url).await.unwrap();
    let sql = format!("BEGIN; {sql}");
    sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut connection).await.unwrap();
    connection
}

fn lock(account: &str) -> String {
    format!("SELECT 1 FROM account WHERE account_id = '{account}' FOR UPDATE")
}

/// In which change of its account each of them was carried out.
fn versions(answers: &Answers) -> Vec<u64> {
    let version = |answer: &Result<Answer, EngineError>| {
        let done = answer.as_ref().unwrap().outcome.as_ref().unwrap();
        done.record.as_ref().unwrap().version.0
    };
    answers.iter().map(version).collect()
}

#[tokio::test]
async fn a_locked_account_delays_its_own_requests_and_no_others() {
    let office = Office::open().await;
    let [ann, bob] = versions(&office.run(&["ann", "bob"]).await)[..] else { panic!() };
    let stranger = office.stranger(&lock("ann")).await;
    let first = office.send(&["ann", "bob", "ann", "ann"]);
    for number in 1..5 {
        // The second of them was sent after the first of hers; the first batch has his own as well.
        assert!(versions(&office.run(&["bob"]).await)[0] >= bob + number);
    }
    let second = office.send(&["ann", "bob", "ann"]);
    assert!(versions(&office.run(&["bob", "cem"]).await)[0] > bob + 5);
    assert!(!first.is_finished() && !second.is_finished());
    stranger.close().await.unwrap();
    let (first, second) = (versions(&first.await.unwrap()), versions(&second.await.unwrap()));
    assert_eq!([first[0], first[2], first[3]], [ann + 1, ann + 2, ann + 3]);
    assert_eq!([second[0], second[2]], [ann + 4, ann + 5]);
    // She is one among the others again.
    assert_eq!(versions(&office.run(&["ann"]).await), [ann + 6]);
    office.close().await;
}

#[tokio::test]
async fn an_account_that_stays_locked_is_given_up_with_an_error_of_its_own() {
    let office = Office::open().await;
    office.run(&["ann", "bob"]).await;
    let stranger = office.stranger(&lock("ann")).await;
    let requests = office.holds(&["ann", "ann", "ann"]);
    let again = requests.clone();
    let ledger = office.ledger.clone();
    let locked = tokio::spawn(async move { ledger.run_all(requests).await });
    versions(&office.run(&["bob"]).await);
    for failed in locked.await.unwrap() {
        let failed = failed.unwrap_err();
        assert!(matches!(failed, EngineError::Store(StoreError::Locked)), "{failed}");
        let failed = ApiError::from(failed);
        assert_eq!((failed.code(), failed.may_retry()), (ErrorCode::StoreFailed, true));
    }
    stranger.close().await.unwrap();
    let done = office.ledger.run_all(again).await;
    let first = versions(&done)[0];
    assert_eq!(versions(&done), [first, first + 1, first + 2]);
    office.close().await;
}

#[tokio::test]
async fn an_account_that_somebody_else_is_opening_delays_no_other_one() {
    let office = Office::open().await;
    office.run(&["bob"]).await;
    let opening = "INSERT INTO account (account_id, version, overrides, created_at) \
                   VALUES ('eve', 0, '{}', 0)";
    let stranger = office.stranger(opening).await;
    let opened = office.send(&["eve", "eve"]);
    versions(&office.run(&["bob"]).await);
    // A new one, too.
    versions(&office.run(&["bob", "cem"]).await);
    assert!(!opened.is_finished());
    stranger.close().await.unwrap();
    let opened = versions(&opened.await.unwrap());
    assert_eq!(opened[1], opened[0] + 1);
    office.close().await;
}

#[tokio::test]
async fn a_poisoned_request_beside_a_locked_account_fails_alone() {
    let office = Office::open().await;
    let opened = office.run(&["ann", "bob", "mallory", "zoe"]).await;
    let ann = versions(&opened)[0];
    let poison = "ALTER TABLE operation ADD CONSTRAINT poison CHECK (actor_id <> 'mallory') NOT VALID; \
                  COMMIT; BEGIN";
    office.stranger(poison).await.close().await.unwrap();
    let strangers = [office.stranger(&lock("ann")).await, office.stranger(&lock("zoe")).await];
    // While the lane waits for the first, the others gather into one batch.
    let zoe = office.send(&["zoe"]);
    let batch = office.send(&["ann", "bob", "mallory", "ann", "bob", "cem"]);
    versions(&office.run(&["bob"]).await);
    for stranger in strangers {
        stranger.close().await.unwrap();
    }
    versions(&zoe.await.unwrap());
    let mut batch = batch.await.unwrap();
    assert!(matches!(batch.remove(2), Err(EngineError::Store(StoreError::Database(_)))));
    let batch = versions(&batch);
    assert_eq!((batch[0], batch[2]), (ann + 1, ann + 2));
    office.close().await;
}

#[tokio::test]
async fn who_stops_answers_those_that_wait_for_a_lock_first() {
    let office = Office::open().await;
    office.run(&["ann"]).await;
    let stranger = office.stranger(&lock("ann")).await;
    let waiting = office.send(&["ann", "ann"]);
    versions(&office.run(&["bob"]).await);
    let Office { task, url, _folder, .. } = office;
    let stopping = tokio::spawn(task.stop());
    tokio::task::yield_now().await;
    assert!(!waiting.is_finished());
    stranger.close().await.unwrap();
    versions(&waiting.await.unwrap());
    stopping.await.unwrap();
    audit::audit(&url).await;
}

/// Strangers lock one account after the other, each until others have been served.
#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_lost_or_overtaken_while_strangers_lock_accounts() {
    const ACCOUNTS: [&str; 6] = ["ann", "bob", "cem", "dee", "eve", "fay"];
    let folder = tempfile::tempdir().unwrap();
    let url = postgres::schema_url(folder.path());
    let (one, one_task) = desk::open_narrow(&url, catalog()).await;
    let (other, other_task) = desk::open_narrow(&url, catalog()).await;
    let ids = AtomicU32::new(0);
    let holds = |account: &'static str, ledger: &Ledger, count: u32| {
        let account: AccountId = account.parse().unwrap();
        let first = ids.fetch_add(count, Ordering::Relaxed);
        let request = |at| {
            let command = hold(&account, id(first + at));
            Request::command(account.clone(), view(&account), command, Vec::new())
        };
        let (ledger, requests): (_, Vec<_>) = (ledger.clone(), (0..count).map(request).collect());
        async move { versions(&ledger.run_all(requests).await) }
    };
    for account in ACCOUNTS {
        holds(account, &one, 1).await;
    }
    let mut dice = Dice::new(7);
    for _ in 0..12 {
        let (locked, free) = (dice.pick(&ACCOUNTS[..3]), dice.pick(&ACCOUNTS[3..]));
        let stranger = stranger(&url, &lock(locked)).await;
        let waiting = tokio::spawn(join_all([
            holds(locked, &one, 1 + dice.below(3)),
            holds(locked, &other, 1 + dice.below(3)),
            holds(free, &one, 2),
        ]));
        join_all([holds(free, &one, 1), holds(free, &other, 1)]).await;
        stranger.close().await.unwrap();
        for versions in waiting.await.unwrap() {
            assert!(versions.is_sorted_by(|earlier, later| earlier < later), "{versions:?}");
        }
    }
    one_task.stop().await;
    other_task.stop().await;
    audit::audit(&url).await;
    assert_eq!(desk::held(&url).await, i64::from(ids.load(Ordering::Relaxed)));
}
