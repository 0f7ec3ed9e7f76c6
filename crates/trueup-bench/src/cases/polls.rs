//! Polls that are answered with 304, beside the least that can be answered so.

use std::process::Command;

use super::Arena;
use super::contest::{Contest, Goal, Side};
use super::ledger::calls;
use crate::Failure;
use crate::http::{self, Connection};
use crate::process::Process;
use crate::trueup::Setup;
use crate::work::Work;

/// So many browsers, each with an account and a token of its own.
const BROWSERS: usize = 64;

pub async fn run(arena: &Arena<'_>) -> Result<Contest, Failure> {
    let bare = Process::start(
        "bare",
        &arena.ground.scratch,
        Command::new(std::env::current_exe()?).arg("bare"),
    )?;
    let (sqlite, postgres) = (arena.on_sqlite("polls"), arena.on_postgres("polls").await?);
    let (sqlite_server, postgres_server) = (sqlite.start()?, postgres.start()?);
    let on_sqlite = polls(&sqlite, &sqlite_server).await?;
    let on_postgres = polls(&postgres, &postgres_server).await?;
    let sides = vec![
        Side::new("axum, a handler that only says 304", calls(arena, &bare, on_sqlite.clone())),
        Side::new("Trueup on SQLite", calls(arena, &sqlite_server, on_sqlite))
            .against(0)
            .goal(Goal::Times(0.6)),
        Side::new("Trueup on Postgres", calls(arena, &postgres_server, on_postgres))
            .against(0)
            .goal(Goal::Times(0.6)),
    ];
    let contest = Contest {
        title: "GET /v1/usage with a matching ETag".to_owned(),
        unit: "answers a second",
        text: "A token is checked and the newest version is known, each time.".to_owned(),
        sides,
    };
    contest.hold(arena).await
}

/// What browsers ask who have the newest snapshot.
async fn polls(setup: &Setup, server: &Process) -> Result<Work, Failure> {
    let mut connection = Connection::open(server.address).await?;
    let mut requests = Vec::with_capacity(BROWSERS);
    for at in 0..BROWSERS {
        let token = setup.token(&format!("poll-{at}"))?;
        let reply = connection.call(&http::get("/v1/usage", &token, &[])).await?;
        let tag = reply.header("etag").ok_or("a snapshot has no ETag")?;
        requests.push(http::get("/v1/usage", &token, &[format!("if-none-match: {tag}")]));
    }
    Ok(Work::Same { requests, status: 304 })
}
