//! Why a database cannot be opened, told to the operator who named it.

use std::path::{Path, PathBuf};
use std::str::FromStr;

use sqlx::error::DatabaseError;
use sqlx::migrate::MigrateError;
use sqlx::sqlite::SqliteConnectOptions;

use super::StoreError;

// SQLite's primary result codes.
const BUSY: i32 = 5;
const READ_ONLY: i32 = 8;
const FULL: i32 = 13;
const CANNOT_OPEN: i32 = 14;
const NOT_A_DATABASE: i32 = 26;

impl StoreError {
    /// What is wrong with the database that `url` names, and the mend: the rest of a sentence that
    /// begins with the setting's name.
    pub fn on_opening(&self, url: &str) -> String {
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
                    let reason = self.sqlite().map(|error| error.message().to_owned());
                    let reason = reason.unwrap_or_else(|| self.to_string());
                    format!("names {name}, which cannot be opened: {reason}")
                }
            },
        }
    }

    fn sqlite_code(&self) -> Option<i32> {
        // The higher bits tell more than anybody here needs.
        Some(self.sqlite()?.code()?.parse::<i32>().ok()? & 0xff)
    }

    fn sqlite(&self) -> Option<&dyn DatabaseError> {
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
