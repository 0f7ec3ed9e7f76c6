//! Explores every interleaving of a small world: two pages of one account, three operations, a
//! network that loses, doubles and reorders, reloads and timers; with the core that ships.

mod audit;
mod explore;
mod hashed;
mod names;
mod server;
mod tab;
mod world;

use std::process::ExitCode;
use std::time::Instant;

use clap::Parser;
use stateright::{Checker, Expectation, Model as _};

use explore::Small;
use world::{Budget, Planted};

/// Explore every interleaving of two pages, a server and a bad network.
#[derive(Parser)]
struct Cli {
    /// Operations that the first page may begin
    #[arg(long, default_value_t = 2)]
    first: u8,
    /// Operations that the second page may begin
    #[arg(long, default_value_t = 1)]
    second: u8,
    /// Packets that may be lost
    #[arg(long, default_value_t = 1)]
    losses: u8,
    /// Packets that may arrive twice
    #[arg(long, default_value_t = 1)]
    doubles: u8,
    /// Pages that may be loaded anew
    #[arg(long, default_value_t = 1)]
    reloads: u8,
    /// Timers that may go off
    #[arg(long, default_value_t = 2)]
    timers: u8,
    /// Snapshots that the server may send unasked
    #[arg(long, default_value_t = 0)]
    pushes: u8,
    /// Follow one state in so many until it has healed; 1 follows every one, and takes far longer
    #[arg(long, default_value_t = 64)]
    heal_one_in: u64,
    /// Threads to use
    #[arg(long, default_value_t = 2)]
    threads: usize,
    /// Put a defect into the world, to see it found
    #[arg(long)]
    planted: Option<Planted>,
    /// Stop after so many steps
    #[arg(long)]
    at_most: Option<usize>,
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    let budget = Budget {
        begins: [cli.first, cli.second],
        losses: cli.losses,
        doubles: cli.doubles,
        reloads: cli.reloads,
        timers: cli.timers,
        pushes: cli.pushes,
    };
    println!("exploring {budget:?}");
    #[expect(clippy::disallowed_methods, reason = "how long it took is told, and decides nothing")]
    let began = Instant::now();
    let model = Small { budget, heal_one_in: cli.heal_one_in.max(1), planted: cli.planted };
    let mut builder = model.checker().threads(cli.threads);
    if let Some(states) = cli.at_most {
        builder = builder.target_state_count(states);
    }
    let checker = builder.spawn_dfs().join();
    let stopped_early = cli.at_most.is_some_and(|states| checker.state_count() >= states);
    println!(
        "{} states, {} steps, depth {}, {} s{}",
        checker.unique_state_count(),
        checker.state_count(),
        checker.max_depth(),
        began.elapsed().as_secs(),
        if stopped_early { " (stopped early)" } else { ", all there are" },
    );
    for (name, path) in checker.discoveries() {
        let kind = checker.discovery_classification(name);
        println!("{kind}: {name} ({} steps)", path.clone().into_actions().len());
        if kind.to_string().contains("counter") {
            println!("{path}");
            return ExitCode::FAILURE;
        }
    }
    let blind = blind_spots(&checker);
    for name in &blind {
        println!("never seen, so nothing was checked there: {name}");
    }
    if blind.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// What should happen sometimes, and never did.
fn blind_spots(checker: &impl Checker<Small>) -> Vec<&'static str> {
    let properties = checker.model().properties();
    let wanted = properties.iter().filter(|it| matches!(it.expectation, Expectation::Sometimes));
    wanted.map(|it| it.name).filter(|name| checker.discovery(name).is_none()).collect()
}
