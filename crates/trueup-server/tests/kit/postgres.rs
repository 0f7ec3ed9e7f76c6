//! A schema of its own for every house that stands on Postgres.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::path::Path;

use sqlx::{Connection as _, PgConnection};

/// The Postgres that runs for the tests.
pub fn server() -> String {
    let message = "scripts/postgres.sh cargo test … runs a Postgres for the tests beside them";
    std::env::var("TRUEUP_TEST_POSTGRES").expect(message)
}

/// A schema in Postgres, whatever the other houses stand on.
pub fn schema_url(folder: &Path) -> String {
    let server = server();
    let mut hasher = DefaultHasher::new();
    folder.hash(&mut hasher);
    let schema = format!("house_{:016x}", hasher.finish());
    let url = format!("{server}&options=-csearch_path%3D{schema}");
    let create = format!("CREATE SCHEMA IF NOT EXISTS {schema}");
    // Houses are furnished outside of any runtime, too.
    let made = std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let mut connection = PgConnection::connect(&server).await.unwrap();
            sqlx::query(sqlx::AssertSqlSafe(create)).execute(&mut connection).await.unwrap();
            connection.close().await.unwrap();
        });
    });
    made.join().unwrap();
    url
}
