//! As many seeds as are wanted, or as there is time for.

use std::num::NonZero;
use std::time::{Duration, Instant};

use trueup_sim::profile::Profile;
use trueup_sim::report::{Report, Sometimes};

use super::search::{Found, Search, processors, search};

/// A run of so many seeds must have reached every state.
const LONG_RUN: u64 = 5_000;

#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// How long, such as 60s, 5m or 1h
    #[arg(long = "for", value_parser = duration, conflicts_with = "seeds")]
    lasts: Option<Duration>,
    /// How many seeds
    #[arg(long, default_value_t = 1_000, value_parser = clap::value_parser!(u64).range(1..))]
    seeds: u64,
    /// The first seed
    #[arg(long, default_value_t = 0)]
    from: u64,
    /// In one fault profile only
    #[arg(long, value_parser = super::profile)]
    profile: Option<Profile>,
    /// How many threads; as many as there are processors when not given
    #[arg(long)]
    jobs: Option<NonZero<usize>>,
}

fn duration(text: &str) -> Result<Duration, String> {
    let units = [("s", 1), ("m", 60), ("h", 3_600)];
    let read = units.iter().find_map(|(unit, seconds)| {
        let count: u64 = text.strip_suffix(unit)?.parse().ok()?;
        Some(Duration::from_secs(count.checked_mul(*seconds)?))
    });
    read.filter(|lasts| !lasts.is_zero())
        .ok_or_else(|| "write a whole number from 1 on with s, m or h after it".to_owned())
}

/// Whether nothing was wrong, and every state was reached that a long run must reach.
pub fn run(arguments: &Arguments) -> bool {
    let started = now();
    let jobs = arguments.jobs.map_or_else(processors, NonZero::get);
    let goes_on = || arguments.lasts.is_none_or(|lasts| now().duration_since(started) < lasts);
    let found = search(&Search {
        from: arguments.from,
        seeds: if arguments.lasts.is_some() { u64::MAX } else { arguments.seeds },
        profile: arguments.profile.as_ref(),
        bug: None,
        jobs,
        goes_on: &goes_on,
    });
    let took = now().duration_since(started);
    tell(&found.report, took, jobs);
    let is_long = found.report.seeds >= LONG_RUN && arguments.profile.is_none();
    verdict(&found, is_long, arguments.from)
}

#[expect(clippy::disallowed_methods, reason = "how long a search takes is no part of its seeds")]
fn now() -> Instant {
    Instant::now()
}

fn tell(report: &Report, took: Duration, jobs: usize) {
    let seconds = took.as_secs_f64();
    let core_minutes = seconds * jobs as f64 / 60.0;
    let years = report.page_ms as f64 / 8.0 / (365.0 * 86_400_000.0);
    println!(
        "{} seeds, {} events in {seconds:.1} s on {jobs} threads",
        report.seeds, report.events
    );
    println!(
        "{:.2} simulated years; {:.2} years of eight pages a core-minute; {:.0} events a second",
        report.simulated_ms as f64 / (365.0 * 86_400_000.0),
        years / core_minutes,
        report.events as f64 / seconds
    );
    println!("\nprofile        seeds");
    for (name, count) in &report.profiles {
        println!("{name:<14} {count}");
    }
    println!("\nfault                     times");
    for (kind, count) in &report.faults {
        println!("{kind:<25} {count}");
    }
    println!("\nsometimes                                                        times");
    for state in Sometimes::ALL {
        println!("{:<64} {}", state.text(), report.reached(*state));
    }
}

fn verdict(found: &Found, is_long: bool, from: u64) -> bool {
    println!();
    if let Some(failure) = &found.failure {
        println!("{failure}\nto read it: ./justw sim {}", failure.seed);
        println!("sim: 0 passed, 1 failed");
        return false;
    }
    if found.report.seeds == 0 {
        println!(
            "no seed was run: there is none from {from} on, or there was no time\nsim: 0 passed, 1 failed"
        );
        return false;
    }
    let missing: Vec<_> = found.report.missing().collect();
    if is_long && !missing.is_empty() {
        for state in &missing {
            println!("never reached, so nothing was tested there: {}", state.text());
        }
        println!("sim: 1 passed, {} failed", missing.len());
        return false;
    }
    let last = from + found.report.seeds.saturating_sub(1);
    println!("nothing wrong from seed {from} to seed {last}\nsim: 1 passed, 0 failed");
    true
}
