//! Holds and settles: ours, one transaction a request in the database's own tool, and the same API
//! written the usual way.

use super::contest::{Contest, Goal, Side, Turn};
use super::{Arena, rivals};
use crate::Failure;
use crate::http::{self, Connection};
use crate::load::Load;
use crate::process::Process;
use crate::trueup::{KEY, Setup};
use crate::work::Work;

/// How many operations a client sends in one call.
const BATCH: usize = 50;

/// On Postgres, spread over many accounts or on one that everybody wants.
pub async fn postgres(arena: &Arena<'_>, accounts: u64) -> Result<Contest, Failure> {
    let is_hot = accounts == 1;
    let place = if is_hot { "hot" } else { "spread" };
    let mut setups = Vec::new();
    for name in ["trueup", "pgbench", "fastify", "batches"] {
        let setup = arena.on_postgres(&format!("{name}_{place}")).await?;
        arena.fill(&setup, accounts, 0).await?;
        setups.push(setup);
    }
    let [ours, pgbench, fastify, batched] = &setups[..] else {
        return Err("four databases".into());
    };
    let limiter = arena.postgres.database(&format!("limiter_{place}")).await?;
    let (server, batch_server) = (ours.start()?, batched.start()?);
    let fastify_server = rivals::start(arena, "transactions.mjs", &fastify.url)?;
    let limiter_server = rivals::start(arena, "limiter.mjs", &limiter)?;

    let pairs = Work::Pairs { accounts };
    let (single_goal, batch_goal, title) = if is_hot {
        (10.0, 10.0, "Postgres, ONE account that everybody uses".to_owned())
    } else {
        (2.0, 4.0, format!("Postgres, {accounts} accounts"))
    };
    let turn = Turn::Pgbench { database: format!("pgbench_{place}"), accounts };
    let mut sides = vec![
        Side::new("pgbench, a transaction an operation", turn).ledger(&pgbench.url),
        Side::new("Trueup, single calls", calls(arena, &server, pairs.clone()))
            .ledger(&ours.url)
            .against(0)
            .goal(Goal::Times(single_goal)),
        Side::new("fastify + pg, a transaction a request", calls(arena, &fastify_server, pairs))
            .ledger(&fastify.url)
            .against(0),
        Side::new(
            "rate-limiter-flexible behind fastify",
            calls(arena, &limiter_server, Work::Consume { accounts }),
        )
        .against(0),
    ];
    if takes_batches(&server).await? {
        let batches = Work::Batches { accounts, size: BATCH };
        let name = format!("Trueup, {BATCH} operations a call");
        let side = Side::new(&name, calls(arena, &batch_server, batches)).ledger(&batched.url);
        sides.insert(2, side.against(0).goal(Goal::Times(batch_goal)));
    }
    let contest = Contest {
        title,
        unit: "operations a second",
        text: "A hold and a settle are two operations; the limiter's one call is one.".to_owned(),
        sides,
    };
    contest.hold(arena).await
}

/// On SQLite, in one file, durable: spread and hot, in single calls and in batches.
pub async fn sqlite(arena: &Arena<'_>) -> Result<Contest, Failure> {
    let mut grounds = Vec::new();
    for (accounts, place) in [(1_000, "1000 accounts"), (1, "one account")] {
        let (pairs, batches) = (Work::Pairs { accounts }, Work::Batches { accounts, size: BATCH });
        let many = format!("{place}, {BATCH} operations a call");
        for (kind, name, work) in [("single", place.to_owned(), pairs), ("batch", many, batches)] {
            let setup = arena.on_sqlite(&format!("sqlite_{kind}_{accounts}"));
            arena.fill(&setup, accounts, 0).await?;
            let server = setup.start()?;
            grounds.push((format!("Trueup, {name}"), setup, server, work));
        }
    }
    let side = |(name, setup, server, work): &(String, Setup, Process, Work)| {
        Side::new(name, calls(arena, server, work.clone()))
            .ledger(&setup.url)
            .goal(Goal::Rate(10_000.0))
    };
    let contest = Contest {
        title: "SQLite, embedded".to_owned(),
        unit: "operations a second",
        text: "synchronous=FULL: what is answered is on the disk.".to_owned(),
        sides: grounds.iter().map(side).collect(),
    };
    contest.hold(arena).await
}

/// Whether the server knows the call.
async fn takes_batches(server: &Process) -> Result<bool, Failure> {
    let request = http::post("/v1/operations/batch", KEY, "{\"operations\":[]}");
    Ok(Connection::open(server.address).await?.call(&request).await?.status == 200)
}

/// A turn of calls to a server.
pub fn calls(arena: &Arena<'_>, server: &Process, work: Work) -> Turn {
    Turn::Http(Load {
        address: server.address,
        process: server.id(),
        work,
        clients: arena.arguments.clients,
        seconds: 0.0,
        seed: 0,
    })
}
