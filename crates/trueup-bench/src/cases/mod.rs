//! What is measured, side by side: contests of several rounds, in which everybody has a turn.

mod contest;
mod growth;
mod ledger;
mod polls;
mod rivals;

pub use contest::{Contest, Goal, Side};

use std::path::PathBuf;

use crate::dice::Dice;
use crate::http::{self, Connection};
use crate::postgres::Postgres;
use crate::shows::life::Step;
use crate::trueup::{KEY, Setup};
use crate::{Failure, Ground, database, report};

/// No account has room for more than this.
const LIMIT: u64 = 1_000_000_000;

/// How long, how wide, and what.
#[derive(Clone, Debug, clap::Args)]
pub struct Arguments {
    /// Turns that everybody has
    #[arg(long, default_value_t = 3)]
    rounds: u64,
    /// Seconds of a turn
    #[arg(long, default_value_t = 4.0)]
    seconds: f64,
    /// Clients that call at the same time
    #[arg(long, default_value_t = 64)]
    clients: usize,
    /// Only contests whose name has this in it
    #[arg(long)]
    only: Option<String>,
    /// How many accounts the large database has, and how many entries each of them
    #[arg(long, default_value_t = 100_000)]
    grown: u64,
    /// The folder of what is written the usual way, with its packages installed
    #[arg(long, value_name = "FOLDER", default_value = concat!(env!("CARGO_MANIFEST_DIR"), "/rivals"))]
    rivals: PathBuf,
    /// Write tables and picture into this folder
    #[arg(long, value_name = "FOLDER")]
    docs: Option<PathBuf>,
}

/// What contests are held on.
pub struct Arena<'a> {
    pub arguments: &'a Arguments,
    pub ground: &'a Ground,
    pub postgres: Postgres,
}

pub async fn run(arguments: &Arguments, ground: &Ground) -> Result<(), Failure> {
    let postgres = Postgres::start(&ground.scratch)?;
    let arena = Arena { arguments, ground, postgres };
    let mut contests = Vec::new();
    let is_asked = |name: &str| arguments.only.as_deref().is_none_or(|only| name.contains(only));
    for name in ["postgres-spread", "postgres-hot", "sqlite", "polls", "growth"] {
        if !is_asked(name) {
            continue;
        }
        let held = match name {
            "postgres-spread" => ledger::postgres(&arena, 1_000).await?,
            "postgres-hot" => ledger::postgres(&arena, 1).await?,
            "sqlite" => ledger::sqlite(&arena).await?,
            "polls" => polls::run(&arena).await?,
            _ => growth::run(&arena).await?,
        };
        report::print(&held);
        contests.push(held);
    }
    match &arguments.docs {
        Some(folder) => report::write(&contests, arguments, folder),
        None => Ok(()),
    }
}

impl Arguments {
    fn how(&self) -> String {
        let Self { rounds, seconds, clients, .. } = self;
        format!("{rounds} rounds of {seconds:.0} s for each, in turns; {clients} clients")
    }
}

/// The report's line about how it was done.
pub fn how(arguments: &Arguments) -> String {
    arguments.how()
}

impl Arena<'_> {
    /// A server's settings over an empty Postgres database.
    async fn on_postgres(&self, name: &str) -> Result<Setup, Failure> {
        let url = self.postgres.database(name).await?;
        Ok(self.ground.setup(name, &url, LIMIT))
    }

    /// A server's settings over an empty file.
    fn on_sqlite(&self, name: &str) -> Setup {
        self.ground.setup(name, &Setup::sqlite(&self.ground.scratch, name), LIMIT)
    }

    /// Fills a database: so many accounts, each with so many operations behind it. The server makes
    /// the first of them, and the database copies it.
    async fn fill(&self, setup: &Setup, accounts: u64, operations: u64) -> Result<(), Failure> {
        let server = setup.start()?;
        let mut connection = Connection::open(server.address).await?;
        let mut dice = Dice::new(accounts);
        connection.call(&http::get("/v1/usage", KEY, &["trueup-account: a-0".to_owned()])).await?;
        for _ in 0..operations {
            let operation = dice.operation();
            for step in [Step::Hold, Step::Settle] {
                let reply = connection.call(&step.request("a-0", operation)).await?;
                if !step.is_done(reply.status) {
                    return Err(format!("{step:?}: {}", reply.status).into());
                }
            }
        }
        server.kill();
        let copy = if setup.url.starts_with("sqlite:") {
            include_str!("../../sql/copy_sqlite.sql")
        } else {
            include_str!("../../sql/copy_postgres.sql")
        };
        database::execute(&setup.url, &copy.replace("{accounts}", &accounts.to_string())).await
    }
}

/// How many steps a ledger has written down.
async fn steps(url: &str) -> Result<u64, Failure> {
    let sql = "SELECT CAST(COUNT(*) AS TEXT) FROM entry WHERE kind IN ('hold', 'settle')";
    let count = database::rows(url, sql).await?;
    Ok(count.first().and_then(|it| it.parse().ok()).unwrap_or(0))
}
