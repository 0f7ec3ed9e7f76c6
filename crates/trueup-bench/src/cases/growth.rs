//! What an operation costs as accounts and ledger grow.

use super::Arena;
use super::contest::{Contest, Goal, Side};
use super::ledger::calls;
use crate::Failure;
use crate::process::Process;
use crate::report::thousands;
use crate::trueup::Setup;
use crate::work::Work;

/// Operations that every account has behind it: two entries each.
const OPERATIONS: u64 = 5;
const SMALL: u64 = 1_000;

pub async fn run(arena: &Arena<'_>) -> Result<Contest, Failure> {
    let grown = arena.arguments.grown;
    let mut servers: Vec<(String, Setup, Process, u64)> = Vec::new();
    for (store, accounts) in
        [("SQLite", SMALL), ("SQLite", grown), ("Postgres", SMALL), ("Postgres", grown)]
    {
        let name = format!("grown_{accounts}");
        let setup = if store == "SQLite" {
            arena.on_sqlite(&name)
        } else {
            arena.on_postgres(&name).await?
        };
        arena.fill(&setup, accounts, OPERATIONS).await?;
        let server = setup.start()?;
        let entries = thousands(accounts * OPERATIONS * 2);
        let title = format!("Trueup on {store}, {entries} entries");
        servers.push((title, setup, server, accounts));
    }
    let side = |(name, setup, server, accounts): &(String, Setup, Process, u64)| {
        let turn = calls(arena, server, Work::Pairs { accounts: *accounts });
        Side::new(name, turn).ledger(&setup.url)
    };
    let mut sides: Vec<Side> = servers.iter().map(side).collect();
    for (place, side) in sides.iter_mut().enumerate().skip(1).step_by(2) {
        side.against = place.checked_sub(1);
        side.goal = Some(Goal::Within(0.2));
    }
    let contest = Contest {
        title: "The same operations on larger databases".to_owned(),
        unit: "operations a second",
        text:
            "A tenth as many accounts as entries, drawn from all of them. Ratios are to the small \
               one on the same store."
                .to_owned(),
        sides,
    };
    contest.hold(arena).await
}
