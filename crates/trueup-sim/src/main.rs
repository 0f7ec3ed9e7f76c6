//! `trueup-sim`: search seeds, replay one, and find planted bugs.

use std::process::ExitCode;

use clap::{Parser, Subcommand};

mod cli;

/// Tries to make Trueup show a wrong number.
#[derive(Debug, Parser)]
#[command(name = "trueup-sim", version)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run one seed and print what happens, a line an event
    Replay(cli::replay::Arguments),
    /// Run many seeds and report
    Run(cli::run::Arguments),
    /// Run the client that ships and other designs on the same traffic, and count wrong numbers
    Compare(cli::compare::Arguments),
    /// Print what pages are told and what they do, as JSON, for the module that ships to do the same
    Script(cli::script::Arguments),
    /// Switch on every planted bug, one after the other, until it is found
    Planted(cli::planted::Arguments),
}

fn main() -> ExitCode {
    let done = match Arguments::parse().command {
        Command::Replay(arguments) => cli::replay::run(&arguments),
        Command::Run(arguments) => cli::run::run(&arguments),
        Command::Compare(arguments) => cli::compare::run(&arguments),
        Command::Script(arguments) => cli::script::run(&arguments),
        Command::Planted(arguments) => cli::planted::run(&arguments),
    };
    if done { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
