//! One seed, to be read.

use std::io::{self, Write};

use trueup_sim::audit::history::Event;
use trueup_sim::planted::Bug;
use trueup_sim::profile::Profile;
use trueup_sim::{Run, line};

#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// Which seed
    seed: u64,
    /// The fault profile; drawn from the seed when not given
    #[arg(long, value_parser = super::profile)]
    profile: Option<Profile>,
    /// With this planted bug
    #[arg(long, value_parser = super::bug)]
    bug: Option<Bug>,
}

/// Whether nothing was wrong.
pub fn run(arguments: &Arguments) -> bool {
    let Arguments { seed, profile, bug } = arguments;
    let run = Run { seed: *seed, profile: profile.clone(), bug: *bug };
    let mut out = io::BufWriter::new(io::stdout().lock());
    // Whoever closed the pipe has read enough.
    let mut print = |at: i64, event: &Event| drop(writeln!(out, "{}", line(at, event)));
    let ended = trueup_sim::run(&run, Some(&mut print));
    let last = match &ended {
        Ok(report) => format!("{} events, nothing wrong", report.events),
        Err(failure) => failure.to_string(),
    };
    drop(writeln!(out, "{last}"));
    ended.is_ok()
}
