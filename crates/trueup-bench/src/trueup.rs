//! The server itself, as it ships.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::Failure;
use crate::process::Process;

/// Signs the tokens here.
const SECRET: &str = "a secret for benchmarks, of no worth at all";
/// What backends show.
pub const KEY: &str = "key-for-benchmarks";

/// How a server is set up.
#[derive(Clone)]
pub struct Setup {
    binary: PathBuf,
    scratch: PathBuf,
    /// What it is called in logs.
    pub name: String,
    pub url: String,
    /// The limit of the one meter there is.
    pub limit: u64,
    /// How long a hold lives when its maker does not say.
    pub hold_ttl_s: u32,
    /// Lines of more settings.
    pub more: String,
}

impl Setup {
    pub fn new(binary: &Path, scratch: &Path, name: &str, url: &str, limit: u64) -> Self {
        let (binary, scratch) = (binary.to_path_buf(), scratch.to_path_buf());
        let (name, url, more) = (name.to_owned(), url.to_owned(), String::new());
        Self { binary, scratch, name, url, limit, hold_ttl_s: 3600, more }
    }

    /// A file of its own for SQLite.
    pub fn sqlite(scratch: &Path, name: &str) -> String {
        format!("sqlite:{}", scratch.join(format!("{name}.db")).display())
    }

    /// Starts a server and waits until it listens.
    pub fn start(&self) -> Result<Process, Failure> {
        Process::start(
            &self.name,
            &self.scratch,
            self.command("serve")?.args(["--listen", "127.0.0.1:0"]),
        )
    }

    /// A browser's token for `account`.
    pub fn token(&self, account: &str) -> Result<String, Failure> {
        self.print(self.command("token")?.args(["--account", account, "--ttl", "1d"]))
    }

    fn print(&self, command: &mut Command) -> Result<String, Failure> {
        let output = command.output()?;
        if !output.status.success() {
            let said = String::from_utf8_lossy(&output.stderr).into_owned();
            return Err(format!("{}: {said}", self.binary.display()).into());
        }
        Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
    }

    fn command(&self, name: &str) -> Result<Command, Failure> {
        let file = self.scratch.join(format!("{}.toml", self.name));
        std::fs::write(&file, self.settings())?;
        let mut command = Command::new(&self.binary);
        for (variable, _) in std::env::vars_os() {
            if variable.to_string_lossy().starts_with("TRUEUP_") {
                command.env_remove(variable);
            }
        }
        command.args([name, "--config"]).arg(file).env("RUST_LOG", "warn");
        Ok(command)
    }

    fn settings(&self) -> String {
        format!(
            "database_url = '{}'\njwt_secret = '{SECRET}'\napi_key = ['{KEY}']\n\
             hold_ttl_s = {}\ndefault_plan = 'bench'\n{}\n[models.m]\ncharge = {{ units = 1 }}\n\
             [plans.bench.meters.units]\nlimit = {}\nwindow = 'month'\n",
            self.url, self.hold_ttl_s, self.more, self.limit
        )
    }
}
