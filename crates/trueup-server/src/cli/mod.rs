//! What the command line understands.

mod account;
mod migrate;
mod openapi;
mod serve;
mod token;

use std::ffi::OsStr;
use std::io::IsTerminal as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};
use tracing_subscriber::EnvFilter;
use trueup_server::config::{Flags, LogFormat, Settings, SettingsError, Sources};

type Failure = Box<dyn std::error::Error + Send + Sync>;

/// Usage quotas that are never wrong.
///
/// An exact usage ledger and an OpenAI-compatible gateway in one process. Models, plans and
/// providers stand in a settings file; see trueup.toml for one that explains itself.
#[derive(Parser)]
#[command(version, after_help = AFTER_HELP)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

const AFTER_HELP: &str = "\
Try it:
  trueup serve --demo                          a chat with a usage meter on http://127.0.0.1:8787

Run it:
  export TRUEUP_JWT_SECRET=$(openssl rand -hex 32)   signs the tokens of browsers
  export TRUEUP_API_KEY=$(openssl rand -hex 32)      lets your backend in
  trueup serve
  trueup token --account acct_7                a token to try with: Authorization: Bearer …

Bring it back from a copy, with the server stopped:
  trueup migrate --restored                    so that open pages forget what the copy does not know

Every key of the settings file but models, plans and providers can be given as a variable:
TRUEUP_LISTEN, TRUEUP_DATABASE_URL, TRUEUP_JWKS_URL, … The command line wins over variables, and
variables win over the file. RUST_LOG sets how much is logged (info when it is not set).
TRUEUP_OTLP_ENDPOINT (or OTEL_EXPORTER_OTLP_ENDPOINT) names a collector for traces.";

#[derive(Subcommand)]
enum Command {
    /// Run the server until it is asked to stop (Ctrl-C or SIGTERM)
    Serve(serve::ServeArgs),
    /// Print a browser token, signed with the settings' secret
    Token(token::TokenArgs),
    /// Print the API's description, as it is served at /openapi.json
    Openapi,
    /// Bring the database up to date, and do nothing else
    Migrate(migrate::MigrateArgs),
    /// Print an account: its terms and figures, as JSON
    Account(account::AccountArgs),
}

/// The settings file, where none is named.
const SETTINGS_FILE: &str = "trueup.toml";

/// Where settings come from.
#[derive(Args)]
struct SettingsArgs {
    /// The settings file; trueup.toml in this folder when left out
    #[arg(long, value_name = "FILE", env = "TRUEUP_CONFIG")]
    config: Option<PathBuf>,
    /// The database, as sqlite:FILE or postgres://user:password@host/name
    #[arg(long, value_name = "URL")]
    database_url: Option<String>,
}

impl SettingsArgs {
    fn load(self, mut flags: Flags) -> Result<Settings, SettingsError> {
        flags.database_url = self.database_url;
        let file = self.config.unwrap_or_else(|| PathBuf::from(SETTINGS_FILE));
        Sources::read(&file, flags)?.load()
    }

    /// Takes `text` for what the settings file says.
    fn load_text(self, text: &str, mut flags: Flags) -> Result<Settings, SettingsError> {
        flags.database_url = self.database_url;
        Sources::of_text(SETTINGS_FILE, text.to_owned(), flags).load()
    }

    /// Whether no file was named and there is none where one is looked for.
    fn has_no_file(&self) -> bool {
        self.config.is_none() && !Path::new(SETTINGS_FILE).exists()
    }
}

pub fn run() -> ExitCode {
    let done = match Cli::parse().command {
        Command::Serve(args) => serve::run(args),
        Command::Token(args) => token::run(args),
        Command::Openapi => openapi::run(),
        Command::Migrate(args) => migrate::run(args),
        Command::Account(args) => account::run(args),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("trueup: {failure}");
            ExitCode::FAILURE
        }
    }
}

/// Logs go to standard error, so that what a command prints can be piped.
fn start_log(format: LogFormat) {
    let (filter, complaint) = filter(std::env::var_os(EnvFilter::DEFAULT_ENV).as_deref());
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    // A second start in one process is refused and harmless.
    let _ = match format {
        LogFormat::Text => {
            let for_a_person = std::io::stderr().is_terminal();
            log.with_target(false).with_ansi(for_a_person).try_init()
        }
        LogFormat::Json => log.json().try_init(),
    };
    if let Some(complaint) = complaint {
        tracing::warn!("{complaint}");
    }
}

/// How much is logged, and what is wrong with what RUST_LOG says of it.
fn filter(wanted: Option<&OsStr>) -> (EnvFilter, Option<String>) {
    let usual = || EnvFilter::new("info");
    let Some(wanted) = wanted.filter(|text| !text.is_empty()) else { return (usual(), None) };
    let read = wanted.to_str().ok_or_else(|| "it is no UTF-8".to_owned());
    match read.and_then(|text| EnvFilter::try_new(text).map_err(|error| error.to_string())) {
        Ok(filter) => (filter, None),
        Err(reason) => {
            let complaint = format!(
                "RUST_LOG is not understood ({reason}) and info is used; write it as debug, or as \
                 info,trueup_server=debug"
            );
            (usual(), Some(complaint))
        }
    }
}

fn block_on<T>(work: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(work)
}
