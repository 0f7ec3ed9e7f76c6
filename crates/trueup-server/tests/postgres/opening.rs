//! A database that cannot be used is told with its mend, and without its password.

use sqlx::{AssertSqlSafe, Connection as _, PgConnection};
use trueup_server::store::Store;

use crate::desk::START;
use crate::postgres;

async fn complaint(url: &str) -> String {
    let failed = Store::open(url, 1, START).await.unwrap_err();
    failed.on_opening(url)
}

async fn run(url: &str, sql: &str) {
    let mut connection = PgConnection::connect(url).await.unwrap();
    sqlx::raw_sql(AssertSqlSafe(sql.to_owned())).execute(&mut connection).await.unwrap();
    connection.close().await.unwrap();
}

#[tokio::test]
async fn a_postgres_that_cannot_be_used_is_told_with_its_mend() {
    let server = postgres::server();
    let folder = tempfile::tempdir().unwrap();
    let schema = |name: &str| postgres::schema_url(&folder.path().join(name));
    let (theirs, later, hasty) = (schema("theirs"), schema("later"), schema("hasty"));
    run(&theirs, "CREATE TABLE account (id TEXT)").await;
    Store::open(&later, 1, START).await.unwrap().close().await;
    run(
        &later,
        "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) \
         VALUES (99, 'x', true, '\\x00', 0)",
    )
    .await;
    let hasty = format!("{hasty}%20-csynchronous_commit%3Doff");
    let elsewhere = server.replace("/postgres?", "/nowhere?");
    for (url, sentence) in [
        (
            "postgres://ann:secret@127.0.0.1:1/trueup",
            "a Postgres at 127.0.0.1, which does not answer",
        ),
        ("postgres://ann:secret@127.0.0.1:x/trueup", "is not understood; write it as postgres://"),
        (
            &elsewhere,
            "names the database nowhere, which is not there; make it with `createdb nowhere`",
        ),
        (&theirs, "which holds another program's tables; name another database"),
        (&later, "which a newer Trueup has written; run that version"),
        (&hasty, "its setting synchronous_commit is off, so that a crash would lose changes"),
    ] {
        let complaint = complaint(url).await;
        assert!(complaint.contains(sentence), "{url}: {complaint}");
        assert!(!complaint.contains("secret"), "{complaint}");
    }
}

#[tokio::test]
async fn servers_that_start_together_agree_on_one_history() {
    let folder = tempfile::tempdir().unwrap();
    let url = postgres::schema_url(folder.path());
    let stores = futures::future::join_all((0..6).map(|_| Store::open(&url, 2, START))).await;
    for store in stores {
        let store = store.unwrap();
        store.ping().await.unwrap();
        store.probe(START).await.unwrap();
        store.close().await;
    }
}
