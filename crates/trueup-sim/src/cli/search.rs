//! Many seeds on many threads; what comes of it does not depend on how many.

use std::num::NonZero;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use trueup_sim::planted::Bug;
use trueup_sim::profile::Profile;
use trueup_sim::report::Report;
use trueup_sim::{Failure, Run};

/// What to run.
pub struct Search<'a> {
    /// The first seed.
    pub from: u64,
    /// How many.
    pub seeds: u64,
    /// In one profile only.
    pub profile: Option<&'a Profile>,
    /// With a planted bug.
    pub bug: Option<Bug>,
    /// How many threads.
    pub jobs: usize,
    /// Whether there is time for another one.
    pub goes_on: &'a (dyn Fn() -> bool + Sync),
}

/// What came of it: the sums, and the first seed that went wrong.
pub struct Found {
    pub report: Report,
    pub failure: Option<Failure>,
}

/// As many threads as there are processors.
pub fn processors() -> usize {
    std::thread::available_parallelism().map_or(1, NonZero::get)
}

/// Runs seeds in their order until one goes wrong.
pub fn search(search: &Search<'_>) -> Found {
    let next = AtomicU64::new(search.from);
    let end = AtomicU64::new(search.from.saturating_add(search.seeds));
    let found = Mutex::new(Found { report: Report::default(), failure: None });
    std::thread::scope(|scope| {
        for _ in 0..search.jobs.max(1) {
            scope.spawn(|| work(search, (&next, &end), &found));
        }
    });
    found.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner)
}

fn work(search: &Search<'_>, (next, end): (&AtomicU64, &AtomicU64), found: &Mutex<Found>) {
    let mut report = Report::default();
    while (search.goes_on)() {
        let seed = next.fetch_add(1, Ordering::Relaxed);
        if seed >= end.load(Ordering::Relaxed) {
            break;
        }
        let run = Run { seed, profile: search.profile.cloned(), bug: search.bug };
        match trueup_sim::run(&run, None) {
            Ok(ran) => report.add(&ran),
            Err(failure) => {
                // Seeds before it are still run: the first one is what is told.
                end.fetch_min(seed, Ordering::Relaxed);
                let mut found = found.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
                if found.failure.as_ref().is_none_or(|known| seed < known.seed) {
                    found.failure = Some(failure);
                }
            }
        }
    }
    found.lock().unwrap_or_else(std::sync::PoisonError::into_inner).report.add(&report);
}
