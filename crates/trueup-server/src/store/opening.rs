//! Why a database cannot be opened, told to the operator who named it.

use std::path::{Path, PathBuf};
use std::str::FromStr;

use sqlx::error::DatabaseError;
use sqlx::migrate::MigrateError;
use sqlx::postgres::PgConnectOptions;
use sqlx::sqlite::SqliteConnectOptions;

use super::StoreError;
use super::choice::is_postgres;

// SQLite's primary result codes.
const BUSY: i32 = 5;
const READ_ONLY: i32 = 8;
const FULL: i32 = 13;
const CANNOT_OPEN: i32 = 14;
const NOT_A_DATABASE: i32 = 26;

// Postgres' states.
const WRONG_PASSWORD: &str = "28P01";
const NO_SUCH_USER: &str = "28000";
const NO_SUCH_DATABASE: &str = "3D000";
const NOT_ALLOWED: &str = "42501";

impl StoreError {
    /// What is wrong with the database that `url` names, and the mend: the rest of a sentence that
    /// begins with the setting's name.
    pub fn on_opening(&self, url: &str) -> String {
        if is_postgres(url) { self.on_opening_postgres(url) } else { self.on_opening_file(url) }
    }

    /// The address has the password in it, and is never told.
    fn on_opening_postgres(&self, url: &str) -> String {
        let options = PgConnectOptions::from_str(url).ok();
        let host = options.as_ref().map_or("", PgConnectOptions::get_host);
        let user = options.as_ref().map(PgConnectOptions::get_username);
        let database = options.as_ref().and_then(PgConnectOptions::get_database);
        // Who names no database means the one of their own name.
        let database = database.or(user).unwrap_or_default();
        match self {
            Self::Database(sqlx::Error::Configuration(_)) => {
                "is not understood; write it as postgres://user:password@host:5432/trueup"
                    .to_owned()
            }
            Self::Database(sqlx::Error::PoolTimedOut | sqlx::Error::Io(_)) => format!(
                "names a Postgres at {host}, which does not answer; start it, or name another one"
            ),
            Self::OfOthers => format!(
                "names the database {database}, which holds another program's tables; name another \
                 database"
            ),
            Self::Unfit(reason) => format!("cannot be used: {reason}"),
            Self::Migration(MigrateError::VersionMissing(_)) => format!(
                "names the database {database}, which a newer Trueup has written; run that version, \
                 or a newer one"
            ),
            Self::Migration(MigrateError::VersionMismatch(_)) => format!(
                "names the database {database}, which another build of Trueup has set up \
                 differently; run that build, or name another database"
            ),
            _ => match self.told().and_then(DatabaseError::code).as_deref() {
                Some(WRONG_PASSWORD | NO_SUCH_USER) => format!(
                    "names a Postgres at {host}, which does not let this user in; write user and \
                     password as postgres://user:password@{host}/{database}"
                ),
                Some(NO_SUCH_DATABASE) => format!(
                    "names the database {database}, which is not there; make it with \
                     `createdb {database}`"
                ),
                Some(NOT_ALLOWED) => format!(
                    "names the database {database}, in which this user may make no tables; grant \
                     the right to create in its schema"
                ),
                _ => {
                    let reason = self.told().map(|error| error.message().to_owned());
                    let reason = reason.unwrap_or_else(|| self.to_string());
                    format!("names the database {database}, which cannot be opened: {reason}")
                }
            },
        }
    }

    fn on_opening_file(&self, url: &str) -> String {
        let file = SqliteConnectOptions::from_str(url).map(|it| it.get_filename().to_path_buf());
        let file = file.unwrap_or_default();
        let name = file.display();
        match self {
            Self::Database(sqlx::Error::Configuration(_)) => {
                "is not understood; write it as sqlite:trueup.db, without more".to_owned()
            }
            Self::OfOthers => {
                format!("names {name}, which holds another program's tables; name another file")
            }
            Self::Unfit(reason) => format!("cannot be used: {reason}"),
            Self::Migration(MigrateError::VersionMissing(_)) => format!(
                "names {name}, which a newer Trueup has written; run that version, or a newer one"
            ),
            Self::Migration(MigrateError::VersionMismatch(_)) => format!(
                "names {name}, which another build of Trueup has set up differently; run that \
                 build, or name another file"
            ),
            _ => match self.sqlite_code() {
                Some(CANNOT_OPEN) => cannot_open(&file),
                Some(READ_ONLY) => not_allowed(&file),
                Some(NOT_A_DATABASE) => {
                    format!("names {name}, which is no SQLite database; name another file")
                }
                Some(BUSY) => format!(
                    "names {name}, which another program keeps locked; stop that program first"
                ),
                Some(FULL) => format!("names {name}, whose disk is full; make room on it"),
                _ => {
                    let reason = self.told().map(|error| error.message().to_owned());
                    let reason = reason.unwrap_or_else(|| self.to_string());
                    format!("names {name}, which cannot be opened: {reason}")
                }
            },
        }
    }

    fn sqlite_code(&self) -> Option<i32> {
        // The higher bits tell more than anybody here needs.
        Some(self.told()?.code()?.parse::<i32>().ok()? & 0xff)
    }

    fn told(&self) -> Option<&dyn DatabaseError> {
        use MigrateError::{Execute, ExecuteMigration};
        let (Self::Database(error) | Self::Migration(Execute(error) | ExecuteMigration(error, _))) =
            self
        else {
            return None;
        };
        error.as_database_error()
    }
}

fn cannot_open(file: &Path) -> String {
    let folder = match file.parent() {
        Some(folder) if folder != Path::new("") => folder.to_path_buf(),
        _ => PathBuf::from("."),
    };
    let (name, folder_name) = (file.display(), folder.display());
    if file.is_dir() {
        format!("names {name}, which is a folder; name a file in it, as sqlite:{name}/trueup.db")
    } else if folder.is_dir() {
        not_allowed(file)
    } else {
        format!(
            "names {name}, but there is no folder {folder_name}; make it, or name a file elsewhere"
        )
    }
}

fn not_allowed(file: &Path) -> String {
    let name = file.display();
    format!(
        "names {name}, which this user may not write; grant the right to write the file and its \
         folder, or name another file"
    )
}
