//! Whether a ledger adds up, read from its database without any of the server's code.

use sqlx::{AssertSqlSafe, Connection as _, PgConnection, SqliteConnection};

use crate::Failure;

/// Each finds what is wrong, and nothing in a sound ledger.
const SHARED: [(&str, &str); 5] = [
    ("a counter is not the sum of its entries", include_str!("../sql/audit/counters.sql")),
    ("a limit is passed", include_str!("../sql/audit/overshoot.sql")),
    ("versions have holes", include_str!("../sql/audit/versions.sql")),
    ("an operation was entered twice", include_str!("../sql/audit/doubled.sql")),
    ("an operation and its entries differ", include_str!("../sql/audit/operations.sql")),
];
const HELD: &str = "what is held is not the sum of open holds";
const HELD_SQLITE: &str = include_str!("../sql/audit/held_sqlite.sql");
const HELD_POSTGRES: &str = include_str!("../sql/audit/held_postgres.sql");

/// Refuses a ledger that does not add up.
pub async fn adds_up(url: &str) -> Result<(), Failure> {
    let held = if url.starts_with("sqlite:") { HELD_SQLITE } else { HELD_POSTGRES };
    for (what, sql) in SHARED.into_iter().chain([(HELD, held)]) {
        let wrong = rows(url, sql).await?;
        if !wrong.is_empty() {
            let count = wrong.len();
            let some: Vec<_> = wrong.into_iter().take(5).collect();
            return Err(format!("{what}, {count} times: {}", some.join(", ")).into());
        }
    }
    Ok(())
}

/// The one text column of a query's rows.
pub async fn rows(url: &str, sql: &str) -> Result<Vec<String>, Failure> {
    let query = sqlx::query_as(AssertSqlSafe(sql.to_owned()));
    let rows: Vec<(String,)> = if url.starts_with("sqlite:") {
        let mut connection = SqliteConnection::connect(url).await?;
        let rows = query.fetch_all(&mut connection).await?;
        connection.close().await?;
        rows
    } else {
        let query = sqlx::query_as(AssertSqlSafe(sql.to_owned()));
        let mut connection = PgConnection::connect(url).await?;
        let rows = query.fetch_all(&mut connection).await?;
        connection.close().await?;
        rows
    };
    Ok(rows.into_iter().map(|(text,)| text).collect())
}

/// Runs statements.
pub async fn execute(url: &str, sql: &str) -> Result<(), Failure> {
    let statements = sqlx::raw_sql(AssertSqlSafe(sql.to_owned()));
    if url.starts_with("sqlite:") {
        let mut connection = SqliteConnection::connect(url).await?;
        statements.execute(&mut connection).await?;
        connection.close().await?;
    } else {
        let mut connection = PgConnection::connect(url).await?;
        statements.execute(&mut connection).await?;
        connection.close().await?;
    }
    Ok(())
}
