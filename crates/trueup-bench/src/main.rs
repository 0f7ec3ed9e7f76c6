//! `trueup-bench`: how fast the server is beside other ways to count, and shows of what it never gets
//! wrong. Everything is real: the binary that ships, durable databases, HTTP.

use std::error::Error;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand, ValueEnum};

mod bare;
mod cases;
mod clock;
mod database;
mod dice;
mod http;
mod load;
mod pgbench;
mod plot;
mod postgres;
mod process;
mod proxy;
mod report;
mod shows;
mod streams;
mod trueup;
mod work;

type Failure = Box<dyn Error + Send + Sync>;

/// Measures the Trueup server, and tries to make it count wrong.
#[derive(Debug, Parser)]
#[command(name = "trueup-bench", version)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
    #[command(flatten)]
    place: Place,
}

/// What is run, and where.
#[derive(Debug, clap::Args)]
struct Place {
    /// The server's binary; the one beside this program when left out
    #[arg(long, global = true, value_name = "FILE", env = "TRUEUP_BIN")]
    trueup: Option<PathBuf>,
    /// Where databases are made, on the disk that is to be measured
    #[arg(long, global = true, value_name = "FOLDER", default_value = "/var/tmp")]
    scratch: PathBuf,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Measure, side by side, and print a table
    Run(cases::Arguments),
    /// Let thousands of holds meet one limit at the same instant, again and again
    Race(shows::race::Arguments),
    /// Kill the server under load, again and again, and see what is left
    Crash(shows::crash::Arguments),
    /// Kill, pause and cut off servers that share a database, and see what anybody is told
    Replicas(shows::replicas::Arguments),
    /// Open many push streams and see what they cost
    Streams(streams::Arguments),
    /// Serve the least that can be served, for comparison
    #[command(hide = true)]
    Bare,
}

/// Which stores.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Databases {
    Sqlite,
    Postgres,
    Both,
}

impl Databases {
    fn has_sqlite(self) -> bool {
        self != Self::Postgres
    }

    fn has_postgres(self) -> bool {
        self != Self::Sqlite
    }
}

impl Place {
    fn binary(&self) -> Result<PathBuf, Failure> {
        let beside = || Some(std::env::current_exe().ok()?.parent()?.join("trueup"));
        let binary = self.trueup.clone().or_else(beside).filter(|it| it.is_file());
        binary.ok_or_else(|| {
            "the server's binary is missing; build it with `cargo build --release --package \
             trueup-server`, or name it with --trueup"
                .into()
        })
    }
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let done = match arguments.command {
        Command::Bare => bare::run(),
        command => run(command, &arguments.place),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("error: {failure}");
            ExitCode::FAILURE
        }
    }
}

/// One thread, so that what is measured has the rest of the machine.
fn run(command: Command, place: &Place) -> Result<(), Failure> {
    let scratch = process::Scratch::new(&place.scratch)?;
    let ground = Ground { binary: place.binary()?, scratch: scratch.path().to_path_buf() };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let work = async {
            match command {
                Command::Run(arguments) => cases::run(&arguments, &ground).await,
                Command::Race(arguments) => shows::race::run(&arguments, &ground).await,
                Command::Crash(arguments) => shows::crash::run(&arguments, &ground).await,
                Command::Replicas(arguments) => shows::replicas::run(&arguments, &ground).await,
                Command::Streams(arguments) => streams::run(&arguments, &ground).await,
                Command::Bare => Ok(()),
            }
        };
        tokio::select! {
            done = work => done,
            // What was started is stopped on the way out.
            _ = tokio::signal::ctrl_c() => Err("interrupted".into()),
        }
    })
}

/// What everything here stands on.
struct Ground {
    binary: PathBuf,
    scratch: PathBuf,
}

impl Ground {
    fn setup(&self, name: &str, url: &str, limit: u64) -> trueup::Setup {
        trueup::Setup::new(&self.binary, &self.scratch, name, url, limit)
    }
}
