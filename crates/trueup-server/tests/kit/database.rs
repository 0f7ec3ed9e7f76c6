//! The database that a house stands on: a file of its own or, when `TRUEUP_TEST_STORE` says so, a
//! schema of its own in the Postgres that `TRUEUP_TEST_POSTGRES` names. The schema is named by the
//! house's folder, so that a house which is opened again finds what it left.

use std::path::Path;

mod postgres;

/// The database of the house in `folder`.
pub fn url(folder: &Path) -> String {
    let is_postgres = std::env::var("TRUEUP_TEST_STORE").is_ok_and(|store| store == "postgres");
    if is_postgres { postgres::schema_url(folder) } else { file_url(folder) }
}

/// A file in `folder`, whatever the other houses stand on.
pub fn file_url(folder: &Path) -> String {
    format!("sqlite:{}", folder.join("trueup.db").display())
}
