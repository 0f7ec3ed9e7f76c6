//! A Postgres of our own, made by scripts/postgres.sh as for the tests, but on the disk: what is
//! measured is what it costs to keep what was acknowledged.

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use sqlx::{Connection as _, PgConnection};

use crate::Failure;

const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../scripts/postgres.sh");
/// The same for everybody who is measured on it: durable, and with memory that a small server has.
const SETTINGS: [&str; 4] =
    ["max_connections=400", "shared_buffers=512MB", "max_wal_size=4GB", "checkpoint_timeout=15min"];
/// What lives beside it: tells where its programs are, and goes when nobody holds its input.
const COMPANION: &str = "command -v pgbench && cat";

/// A running Postgres. It is stopped when this is dropped.
pub struct Postgres {
    companion: Child,
    pgbench: PathBuf,
    house: PathBuf,
}

impl Postgres {
    /// Starts one in a folder below `scratch`.
    pub fn start(scratch: &Path) -> Result<Self, Failure> {
        let house = scratch.join("postgres");
        let mut script = Command::new(SCRIPT);
        script.arg("--folder").arg(&house);
        for setting in SETTINGS {
            script.args(["--setting", setting]);
        }
        script.args(["sh", "-c", COMPANION]).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut companion = script.spawn()?;
        let mut line = String::new();
        if let Some(said) = companion.stdout.take() {
            BufReader::new(said).read_line(&mut line)?;
        }
        let postgres = Self { companion, pgbench: line.trim().into(), house };
        if postgres.pgbench.as_os_str().is_empty() {
            return Err("Postgres did not start; the reason stands above".into());
        }
        Ok(postgres)
    }

    /// Its own measure of itself.
    pub fn pgbench(&self) -> Command {
        Command::new(&self.pgbench)
    }

    /// The folder that its socket is in.
    pub fn socket(&self) -> &Path {
        &self.house
    }

    pub fn url(&self, database: &str) -> String {
        let host = self.house.display().to_string().replace('/', "%2F");
        format!("postgres://trueup@localhost/{database}?host={host}")
    }

    /// Makes an empty database and says where it is.
    pub async fn database(&self, name: &str) -> Result<String, Failure> {
        let mut connection = PgConnection::connect(&self.url("postgres")).await?;
        let sql = format!("CREATE DATABASE {name}");
        sqlx::raw_sql(sqlx::AssertSqlSafe(sql)).execute(&mut connection).await?;
        connection.close().await?;
        Ok(self.url(name))
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        drop(self.companion.stdin.take());
        let _ = self.companion.wait();
    }
}
