//! Thousands of holds meet one limit at the same instant: just as many get in as there is room for.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use tokio::task::JoinSet;

use super::Stage;
use crate::dice::Dice;
use crate::http::{self, Connection};
use crate::process::Process;
use crate::trueup::KEY;
use crate::{Databases, Failure, Ground, clock, database, work};

/// How the race is run.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// How often
    #[arg(long, default_value_t = 100)]
    pub rounds: u32,
    /// How many ask at once
    #[arg(long, default_value_t = 10_000)]
    pub holds: usize,
    /// How many may get in
    #[arg(long, default_value_t = 100)]
    pub limit: u64,
    /// How many servers share the Postgres database; SQLite has one
    #[arg(long, default_value_t = 3)]
    pub servers: usize,
    /// On which stores
    #[arg(long, value_enum, default_value_t = Databases::Both)]
    pub database: Databases,
}

/// How a runner's hold was answered, and how often.
type Answers = BTreeMap<u16, u64>;

pub async fn run(arguments: &Arguments, ground: &Ground) -> Result<(), Failure> {
    for stage in Stage::all(arguments.database, ground)? {
        let url = stage.database(ground, "race").await?;
        let servers = if stage.postgres.is_some() { arguments.servers } else { 1 };
        let servers = (0..servers)
            .map(|at| ground.setup(&format!("race-{at}"), &url, arguments.limit).start());
        let servers: Vec<Process> = servers.collect::<Result<_, _>>()?;
        let addresses: Vec<_> = servers.iter().map(|server| server.address).collect();
        let begun = clock::instant();
        let mut runners = open(&addresses, arguments.holds).await?;
        let mut dice = Dice::new(u64::from(arguments.rounds));
        for round in 0..arguments.rounds {
            let account = format!("race-{round}");
            let answers;
            (runners, answers) = together(runners, &account, &mut dice).await?;
            judge(arguments, round, &answers)?;
            check_figures(arguments, &addresses, &account).await?;
        }
        database::adds_up(&url).await?;
        println!(
            "{}: {} rounds of {} holds against a limit of {}, {} server{}: exactly {} admitted each \
             time; the ledger adds up ({:.0} s)",
            stage.name,
            arguments.rounds,
            arguments.holds,
            arguments.limit,
            servers.len(),
            if servers.len() == 1 { "" } else { "s" },
            arguments.limit,
            begun.elapsed().as_secs_f64(),
        );
    }
    Ok(())
}

async fn open(servers: &[SocketAddr], count: usize) -> Result<Vec<Connection>, Failure> {
    let mut runners = Vec::with_capacity(count);
    for server in servers.iter().cycle().take(count) {
        let opened = Connection::open(*server).await.map_err(|error| {
            format!("only {} connections could be opened: {error}; raise ulimit -n", runners.len())
        })?;
        runners.push(opened);
    }
    Ok(runners)
}

/// Every runner sends its hold before any answer is read.
async fn together(
    runners: Vec<Connection>,
    account: &str,
    dice: &mut Dice,
) -> Result<(Vec<Connection>, Answers), Failure> {
    let mut sending = JoinSet::new();
    for mut runner in runners {
        let body = work::hold(account, dice.operation());
        let request = http::post("/v1/operations", KEY, &body);
        sending.spawn(async move { runner.send(&request).await.map(|()| runner) });
    }
    let mut waiting = JoinSet::new();
    while let Some(sent) = sending.join_next().await {
        let mut runner = sent??;
        waiting.spawn(async move {
            let status = runner.receive().await?.status;
            Ok::<_, std::io::Error>((runner, status))
        });
    }
    let (mut runners, mut answers) = (Vec::new(), Answers::new());
    while let Some(answered) = waiting.join_next().await {
        let (runner, status) = answered??;
        runners.push(runner);
        *answers.entry(status).or_default() += 1;
    }
    Ok((runners, answers))
}

fn judge(arguments: &Arguments, round: u32, answers: &Answers) -> Result<(), Failure> {
    let holds = u64::try_from(arguments.holds).unwrap_or(u64::MAX);
    let admitted = arguments.limit.min(holds);
    let refused = holds - admitted;
    let expected = [(201, admitted), (402, refused)].into_iter().filter(|(_, count)| *count > 0);
    if answers.iter().map(|(status, count)| (*status, *count)).eq(expected) {
        return Ok(());
    }
    Err(format!("round {round}: {admitted} should be admitted, but answers were {answers:?}")
        .into())
}

/// Every server says the same of the account afterwards.
async fn check_figures(
    arguments: &Arguments,
    servers: &[SocketAddr],
    account: &str,
) -> Result<(), Failure> {
    let admitted = arguments.limit.min(u64::try_from(arguments.holds).unwrap_or(u64::MAX));
    for server in servers {
        let figures = super::life::figures(&mut Connection::open(*server).await?, account).await?;
        if (figures.used, figures.held) != (0, admitted) {
            return Err(format!("{account}: {figures:?}, but {admitted} should be held").into());
        }
    }
    Ok(())
}
