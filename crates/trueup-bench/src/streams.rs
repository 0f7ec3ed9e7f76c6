//! Many push streams at once: what each costs, and how long a change takes to reach them all.

use std::cell::RefCell;
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::{Duration, Instant};

use tokio::task::{JoinSet, LocalSet};

use crate::dice::Dice;
use crate::http::{self, Connection};
use crate::load::percentile;
use crate::postgres::Postgres;
use crate::shows::life::Step;
use crate::trueup::Setup;
use crate::{Databases, Failure, Ground, clock, database, process};

/// How many streams, and of whom.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// Streams that are open at the same time
    #[arg(long, default_value_t = 10_000)]
    count: usize,
    /// Accounts that they belong to
    #[arg(long, default_value_t = 100)]
    accounts: usize,
    /// Changes that are made while they are open
    #[arg(long, default_value_t = 100)]
    changes: usize,
    /// On which store
    #[arg(long, value_enum, default_value_t = Databases::Sqlite)]
    database: Databases,
}

/// What every stream tells of what reached it: whose it is, which version, and when.
type Arrivals = Rc<RefCell<Vec<(usize, u64, Instant)>>>;

pub async fn run(arguments: &Arguments, ground: &Ground) -> Result<(), Failure> {
    let postgres = match arguments.database {
        Databases::Sqlite => None,
        _ => Some(Postgres::start(&ground.scratch)?),
    };
    let url = match &postgres {
        Some(postgres) => postgres.database("streams").await?,
        None => Setup::sqlite(&ground.scratch, "streams"),
    };
    let setup = ground.setup("streams", &url, 1_000_000_000);
    let server = setup.start()?;
    let tokens: Vec<String> =
        (0..arguments.accounts).map(|at| setup.token(&account(at))).collect::<Result<_, _>>()?;
    let mut backend = Connection::open(server.address).await?;
    for at in 0..arguments.accounts {
        change(&mut backend, at, &mut Dice::new(0)).await?;
    }
    let before = process::memory_kib(server.id());
    let local = LocalSet::new();
    let measured = local.run_until(stream(arguments, server.address, &tokens, backend));
    let (opened, mut delays, missing) = measured.await?;
    let after = process::memory_kib(server.id());
    let held = match &postgres {
        Some(_) => {
            let sql = "SELECT CAST(COUNT(*) AS TEXT) FROM pg_stat_activity \
                WHERE application_name = 'trueup' AND state <> 'idle'";
            database::rows(&url, sql).await?.join("")
        }
        None => "0".to_owned(),
    };
    delays.sort_unstable();
    let each = (after.saturating_sub(before)) / u64::try_from(opened.max(1)).unwrap_or(1);
    println!(
        "{opened} streams: {each} KiB of the server's memory each; from the answer to a change to its \
         arrival p50 {:.1} ms, p99 {:.1} ms, {missing} missing; database connections in use: {held}",
        percentile(&delays, 50).as_secs_f64() * 1e3,
        percentile(&delays, 99).as_secs_f64() * 1e3,
    );
    Ok(())
}

fn account(at: usize) -> String {
    format!("stream-{at}")
}

/// Opens all streams, then makes changes one after the other and notes when each arrives.
async fn stream(
    arguments: &Arguments,
    server: SocketAddr,
    tokens: &[String],
    mut backend: Connection,
) -> Result<(usize, Vec<Duration>, usize), Failure> {
    let arrivals = Arrivals::default();
    let mut streams = JoinSet::new();
    for (at, token) in (0..arguments.accounts).zip(tokens).cycle().take(arguments.count) {
        let mut connection = Connection::open(server).await?;
        connection
            .send(&http::get("/v1/usage/events", token, &["accept: text/event-stream".to_owned()]))
            .await?;
        let head = String::from_utf8_lossy(connection.next_bytes().await?).into_owned();
        if !head.starts_with("HTTP/1.1 200") {
            return Err(format!("GET /v1/usage/events: {head}").into());
        }
        streams.spawn_local(listen(connection, at, Rc::clone(&arrivals)));
    }
    let mut dice = Dice::new(1);
    let (mut delays, mut missing) = (Vec::new(), 0);
    for at in (0..arguments.accounts).cycle().take(arguments.changes) {
        let version = change(&mut backend, at, &mut dice).await?;
        let changed = clock::instant();
        let of_account = (arguments.count + arguments.accounts - 1 - at) / arguments.accounts;
        let arrived = || {
            let all = arrivals.borrow();
            let those = all.iter().filter(|(whose, what, _)| (*whose, *what) == (at, version));
            those.map(|(_, _, when)| when.saturating_duration_since(changed)).collect::<Vec<_>>()
        };
        // A stream is given two seconds.
        while arrived().len() < of_account && changed.elapsed() < Duration::from_secs(2) {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        let arrived = arrived();
        missing += of_account.saturating_sub(arrived.len());
        delays.extend(arrived);
        arrivals.borrow_mut().clear();
    }
    Ok((arguments.count, delays, missing))
}

/// Notes every `id:` line, until the stream ends.
async fn listen(mut connection: Connection, whose: usize, arrivals: Arrivals) {
    let mut rest = String::new();
    while let Ok(bytes) = connection.next_bytes().await {
        rest.push_str(&String::from_utf8_lossy(bytes));
        while let Some((line, after)) = rest.split_once('\n') {
            let id = line.trim_end().strip_prefix("id:");
            if let Some(version) = id.and_then(|id| id.trim().parse().ok()) {
                arrivals.borrow_mut().push((whose, version, clock::instant()));
            }
            rest = after.to_owned();
        }
    }
}

/// Holds a unit, and says at which version.
async fn change(backend: &mut Connection, at: usize, dice: &mut Dice) -> Result<u64, Failure> {
    let request = Step::Hold.request(&account(at), dice.operation());
    let reply = backend.call(&request).await?;
    let body: serde_json::Value = serde_json::from_slice(reply.body)?;
    let version = body.get("version").and_then(serde_json::Value::as_u64);
    version.ok_or_else(|| format!("a hold was answered with {body}").into())
}
