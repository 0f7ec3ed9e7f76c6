//! The file under the database: whose it is, and whether it is still the one that was opened.

use std::path::PathBuf;

use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions as _, Connection as _};

use super::StoreError;

/// The file as it was when it was opened. Who deletes it, or puts another in its place, leaves the
/// server writing into what nobody will ever find.
#[derive(Debug)]
pub(super) struct OpenFile {
    path: PathBuf,
    identity: Option<Identity>,
}

impl OpenFile {
    pub(super) fn of(options: &SqliteConnectOptions) -> Self {
        let path = options.get_filename().to_path_buf();
        let identity = identity(&path);
        Self { path, identity }
    }

    /// Whether what is written now would be found again.
    pub(super) fn check(&self) -> Result<(), StoreError> {
        if identity(&self.path) == self.identity {
            return Ok(());
        }
        Err(StoreError::Unfit(format!(
            "the database file {} was deleted or replaced while the server ran, and nothing is \
             written any more; stop the server, put back the file that it is to go on with, and \
             start it again",
            self.path.display()
        )))
    }
}

/// Device and number of a file.
#[cfg(unix)]
type Identity = (u64, u64);

#[cfg(unix)]
fn identity(path: &std::path::Path) -> Option<Identity> {
    use std::os::unix::fs::MetadataExt as _;
    let file = std::fs::metadata(path).ok()?;
    Some((file.dev(), file.ino()))
}

/// Elsewhere an open file can be neither deleted nor replaced.
#[cfg(not(unix))]
type Identity = ();

#[cfg(not(unix))]
fn identity(_: &std::path::Path) -> Option<Identity> {
    None
}

/// Refuses a database that another program keeps its tables in, before anything about it is
/// changed. Without a file there is nothing to refuse.
pub(super) async fn refuse_others(options: &SqliteConnectOptions) -> Result<(), StoreError> {
    if !options.get_filename().is_file() {
        return Ok(());
    }
    let mut connection = options.clone().create_if_missing(false).connect().await?;
    let (tables, migrations): (i64, i64) = sqlx::query_as(
        "SELECT COUNT(*) FILTER (WHERE name <> '_sqlx_migrations'), \
         COUNT(*) FILTER (WHERE name = '_sqlx_migrations') \
         FROM sqlite_schema WHERE type = 'table' AND substr(name, 1, 7) <> 'sqlite_'",
    )
    .fetch_one(&mut connection)
    .await?;
    let is_ours = if migrations > 0 {
        // Others use the same library; the first of our migrations tells us from them.
        let ours = "SELECT 1 FROM _sqlx_migrations WHERE version = 1 AND description = 'ledger'";
        sqlx::query(ours).fetch_optional(&mut connection).await?.is_some()
    } else {
        false
    };
    connection.close().await?;
    if tables > 0 && !is_ours { Err(StoreError::OfOthers) } else { Ok(()) }
}
