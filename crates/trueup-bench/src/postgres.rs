//! A Postgres of our own, as scripts/postgres.sh makes one, but on the disk: what is measured is
//! what it costs to keep what was acknowledged.

use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use sqlx::{Connection as _, PgConnection};

use crate::Failure;

/// The same for everybody who is measured on it: durable, and with memory that a small server has.
const SETTINGS: &str = "-c listen_addresses='' -c max_connections=400 -c shared_buffers=512MB \
    -c max_wal_size=4GB -c checkpoint_timeout=15min";

/// A running Postgres. It is stopped when this is dropped.
pub struct Postgres {
    bin: PathBuf,
    house: PathBuf,
    is_root: bool,
}

impl Postgres {
    /// Starts one in a folder below `scratch`.
    pub fn start(scratch: &Path) -> Result<Self, Failure> {
        let house = scratch.join("postgres");
        std::fs::create_dir_all(&house)?;
        let is_root = std::fs::metadata("/proc/self").is_ok_and(|it| it.uid() == 0);
        if is_root {
            succeed(Command::new("chown").arg("postgres").arg(&house).output())?;
        }
        let postgres = Self { bin: find()?, house, is_root };
        let data = postgres.house.join("data");
        let flags = ["--username", "trueup", "--auth", "trust", "--encoding", "UTF8"];
        let flags = flags.into_iter().chain(["--locale", "C", "--no-instructions", "--pgdata"]);
        succeed(postgres.as_owner("initdb").args(flags).arg(&data).output())?;
        let options =
            format!("{SETTINGS} -c unix_socket_directories='{}'", postgres.house.display());
        let flags = ["--wait", "start", "--options", &options, "--pgdata"];
        let log = postgres.house.join("log");
        // It outlives the command, so it must not keep the pipes that its output would be read from.
        let mut start = postgres.as_owner("pg_ctl");
        start.args(flags).arg(&data).arg("--log").arg(&log);
        let status = start.stdout(std::process::Stdio::null()).status()?;
        if !status.success() {
            let said = std::fs::read_to_string(&log).unwrap_or_default();
            return Err(format!("Postgres did not start: {said}").into());
        }
        Ok(postgres)
    }

    /// Postgres refuses to be run by root.
    fn as_owner(&self, program: &str) -> Command {
        let program = self.bin.join(program);
        let mut command = if self.is_root {
            let mut command = Command::new("runuser");
            command.args(["-u", "postgres", "--"]).arg(program);
            command
        } else {
            Command::new(program)
        };
        command.current_dir("/");
        command
    }

    /// One of its programs, as us.
    pub fn program(&self, name: &str) -> Command {
        Command::new(self.bin.join(name))
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
        let data = self.house.join("data");
        let flags = ["--mode", "immediate", "stop", "--pgdata"];
        let _ = self.as_owner("pg_ctl").args(flags).arg(data).output();
    }
}

/// The folder of the newest server there is. Debian keeps it out of the PATH.
fn find() -> Result<PathBuf, Failure> {
    let debian = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let mut bins: Vec<PathBuf> = debian.map(|it| it.path().join("bin")).collect();
    bins.sort();
    bins.reverse();
    bins.extend(std::env::split_paths(&std::env::var_os("PATH").unwrap_or_default()));
    bins.into_iter().find(|bin| bin.join("initdb").exists()).ok_or_else(|| {
        "Postgres 14 or newer is needed; install it, so that initdb is in the PATH or in \
         /usr/lib/postgresql"
            .into()
    })
}

fn succeed(output: std::io::Result<Output>) -> Result<String, Failure> {
    let output = output?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    Err(String::from_utf8_lossy(&output.stderr).into_owned().into())
}
