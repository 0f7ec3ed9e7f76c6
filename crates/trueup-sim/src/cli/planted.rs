//! Every planted bug must be found.

use std::num::NonZero;

use trueup_sim::planted::Bug;

use super::search::{Search, processors, search};

#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// The most seeds to try for each bug
    #[arg(long, default_value_t = 10_000)]
    seeds: u64,
    /// The first seed
    #[arg(long, default_value_t = 0)]
    from: u64,
    /// Only this bug
    #[arg(long, value_parser = super::bug)]
    bug: Option<Bug>,
    /// How many threads; as many as there are processors when not given
    #[arg(long)]
    jobs: Option<NonZero<usize>>,
}

/// Whether every bug was found.
pub fn run(arguments: &Arguments) -> bool {
    let bugs = Bug::ALL.iter().copied().filter(|bug| arguments.bug.is_none_or(|it| it == *bug));
    let (mut needed, mut missed) = (Vec::new(), 0);
    println!("{:<26} {:>7}  what is planted, and what the auditor says", "bug", "seeds");
    for bug in bugs {
        let jobs = arguments.jobs.map_or_else(processors, NonZero::get);
        let (from, seeds) = (arguments.from, arguments.seeds);
        let goes_on = || true;
        let found =
            search(&Search { from, seeds, profile: None, bug: Some(bug), jobs, goes_on: &goes_on });
        let (name, text) = (bug.name(), bug.text());
        match found.failure {
            Some(failure) => {
                let tried = failure.seed - from + 1;
                needed.push(tried);
                let (seed, at, violation) = (failure.seed, failure.at, failure.violation);
                println!("{name:<26} {tried:>7}  {text}");
                let what: String = violation.to_string().chars().take(160).collect();
                println!("{:<26} {:>7}  seed {seed} at {at} ms: {what}", "", "");
            }
            None => {
                missed += 1;
                println!("{name:<26} {:>7}  NOT FOUND in {seeds} seeds: {text}", "-");
            }
        }
    }
    needed.sort_unstable();
    let median = needed.get(needed.len() / 2).copied().unwrap_or_default();
    println!("\nmedian of seeds needed: {median}");
    println!("planted: {} passed, {missed} failed", needed.len());
    missed == 0
}
