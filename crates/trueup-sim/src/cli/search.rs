//! Many seeds on many threads; what comes of it does not depend on how many.

use std::num::NonZero;
use std::panic::{catch_unwind, resume_unwind};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

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
    let end = AtomicU64::new(search.from.saturating_add(search.seeds));
    let failed = Mutex::new(None);
    let reports =
        spread((search.from, &end), search.jobs, search.goes_on, |report: &mut Report, seed| {
            let run = Run { seed, profile: search.profile.cloned(), bug: search.bug };
            let ran = catch_unwind(|| trueup_sim::run(&run, None)).unwrap_or_else(|panic| {
                eprintln!("seed {seed} panicked; to see it: ./justw sim {seed}");
                resume_unwind(panic)
            });
            match ran {
                Ok(ran) => report.add(&ran),
                Err(failure) => keep_first(failure, &end, &failed),
            }
        });
    let mut report = Report::default();
    reports.iter().for_each(|it| report.add(it));
    let failure = failed.into_inner().unwrap_or_else(PoisonError::into_inner);
    Found { report, failure }
}

/// Seeds before a failed one are still run: the first one is what is told.
pub fn keep_first(failure: Failure, end: &AtomicU64, kept: &Mutex<Option<Failure>>) {
    end.fetch_min(failure.seed, Ordering::Relaxed);
    let mut kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
    if kept.as_ref().is_none_or(|known| failure.seed < known.seed) {
        *kept = Some(failure);
    }
}

/// Takes every seed from the first up to `end`, which may come nearer meanwhile, on many threads;
/// the sum of each.
pub fn spread<S: Default + Send>(
    (from, end): (u64, &AtomicU64),
    jobs: usize,
    goes_on: &(dyn Fn() -> bool + Sync),
    take: impl Fn(&mut S, u64) + Sync,
) -> Vec<S> {
    let next = AtomicU64::new(from);
    let work = || {
        let mut sum = S::default();
        while goes_on() {
            let end = end.load(Ordering::Relaxed);
            let step = |seed: u64| seed.checked_add(1).filter(|_| seed < end);
            let Ok(seed) = next.fetch_update(Ordering::Relaxed, Ordering::Relaxed, step) else {
                break;
            };
            take(&mut sum, seed);
        }
        sum
    };
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..jobs.max(1)).map(|_| scope.spawn(work)).collect();
        let joined = threads.into_iter().map(std::thread::ScopedJoinHandle::join);
        joined.map(|sum| sum.unwrap_or_else(|panic| resume_unwind(panic))).collect()
    })
}
