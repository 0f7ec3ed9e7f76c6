//! Whether a ledger adds up, read from its database without any of its code.

use sqlx::{Connection as _, PgConnection, SqliteConnection};

/// A question whose answers are what is wrong. The shows of `trueup-bench` ask the same.
macro_rules! question {
    ($name:literal) => {
        include_str!(concat!("../../../trueup-bench/sql/audit/", $name, ".sql"))
    };
}

const COUNTERS: &str = question!("counters");
const HELD_ON_SQLITE: &str = question!("held_sqlite");
const HELD_ON_POSTGRES: &str = question!("held_postgres");
const VERSIONS: &str = question!("versions");

/// Reads the database and checks, without any of the ledger's code, that every counter is the sum of
/// its entries, that open holds add up to what is held, and that versions have no holes.
pub async fn audit(url: &str) {
    let mut wrong: Vec<(String,)> = Vec::new();
    if url.starts_with("sqlite:") {
        let mut connection = SqliteConnection::connect(url).await.unwrap();
        for sql in [COUNTERS, HELD_ON_SQLITE, VERSIONS] {
            wrong.extend(sqlx::query_as(sql).fetch_all(&mut connection).await.unwrap());
        }
        connection.close().await.unwrap();
    } else {
        let mut connection = PgConnection::connect(url).await.unwrap();
        for sql in [COUNTERS, HELD_ON_POSTGRES, VERSIONS] {
            wrong.extend(sqlx::query_as(sql).fetch_all(&mut connection).await.unwrap());
        }
        connection.close().await.unwrap();
    }
    assert!(wrong.is_empty(), "the ledger does not add up: {wrong:?}");
}
