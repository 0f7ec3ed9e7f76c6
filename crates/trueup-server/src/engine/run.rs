//! Running batches, and isolating a request that a whole batch fails on.

use std::collections::HashSet;

use tokio::sync::oneshot;
use tokio::time::Instant;
use tracing::{error, warn};
use trueup_core::AccountId;
use trueup_core::ledger::Command;

use super::bench::{Bench, Decided};
use super::queue::EngineParts;
use super::{Action, Answer, EngineError, Request};
use crate::demo::Faults;
use crate::store::{Patience, StoreError};
use crate::traces::{Origin, Span};

/// How often a batch is run that others came between.
const ATTEMPTS: u32 = 8;

/// A request, and who waits for its answer.
pub(super) struct Job {
    pub request: Request,
    pub asked_at: Instant,
    pub origin: Origin,
    pub reply: oneshot::Sender<Result<Answer, EngineError>>,
}

/// Runs the jobs and answers them, but for those it returns: their accounts are locked by somebody
/// else for longer than `patience` waits.
pub(super) async fn all(parts: &EngineParts, jobs: Vec<Job>, patience: Patience) -> Vec<Job> {
    // A settle that the demo wants to see fail must not take its neighbours with it.
    let (doomed, sound): (Vec<Job>, Vec<Job>) =
        jobs.into_iter().partition(|job| is_doomed(&parts.faults, &job.request));
    let locked = isolating(parts, sound, patience).await;
    for job in doomed {
        let failed = traced(parts, std::slice::from_ref(&job), patience, true).await;
        let failed = failed.err().unwrap_or(StoreError::Injected);
        answer(parts, job, Err(failed.into()));
    }
    locked
}

/// Runs the batch; if it fails as a whole, runs its halves, so that one poisoned request fails
/// alone and its neighbours never notice. Returns the jobs whose accounts somebody else has locked.
async fn isolating(parts: &EngineParts, jobs: Vec<Job>, patience: Patience) -> Vec<Job> {
    let mut stack = vec![(jobs, patience)];
    let mut locked = Locked::default();
    while let Some((jobs, patience)) = stack.pop() {
        // Its lock may have gone meanwhile; a later request must not overtake an earlier one.
        let mut jobs = locked.keep(jobs);
        if jobs.is_empty() {
            continue;
        }
        match in_turn(parts, &jobs, patience).await {
            Ok(answers) => {
                for (job, done) in jobs.into_iter().zip(answers) {
                    match done {
                        Some(done) => answer(parts, job, Ok(done)),
                        None => locked.add(job),
                    }
                }
            }
            // Somebody keeps an account locked: all that can be done without it is done now.
            Err(failed) if failed.is_locked() && patience == Patience::Brief => {
                stack.push((jobs, Patience::None));
            }
            // No half of it would fare better, and each would wait as long.
            Err(failed)
                if failed.is_outage() || failed.is_locked() && patience == Patience::Full =>
            {
                error!(error = %failed, requests = jobs.len(), "changes could not be written");
                fail(parts, jobs, &failed);
            }
            Err(failed) if jobs.len() == 1 => {
                error!(error = %failed, "a change could not be written");
                if let Some(job) = jobs.pop() {
                    answer(parts, job, Err(failed.into()));
                }
            }
            Err(failed) => {
                warn!(error = %failed, requests = jobs.len(), "a batch failed and is split");
                let second = jobs.split_off(jobs.len() / 2);
                // The stack runs the first half first: requests of one account keep their order.
                stack.push((second, patience));
                stack.push((jobs, patience));
            }
        }
    }
    locked.jobs
}

/// Jobs of accounts that somebody else has locked, in their order.
#[derive(Default)]
struct Locked {
    accounts: HashSet<AccountId>,
    jobs: Vec<Job>,
}

impl Locked {
    fn add(&mut self, job: Job) {
        if !self.accounts.contains(&job.request.account) {
            self.accounts.insert(job.request.account.clone());
        }
        self.jobs.push(job);
    }

    /// Adds those whose account is among them, and gives back the others.
    fn keep(&mut self, jobs: Vec<Job>) -> Vec<Job> {
        if self.accounts.is_empty() {
            return jobs;
        }
        let is_locked = |job: &Job| self.accounts.contains(&job.request.account);
        let (behind, others) = jobs.into_iter().partition(is_locked);
        self.jobs.extend::<Vec<Job>>(behind);
        others
    }
}

/// Answers all of them with what kept them from being run.
fn fail(parts: &EngineParts, jobs: Vec<Job>, failed: &StoreError) {
    let is_locked = failed.is_locked();
    let reason = failed.to_string();
    for job in jobs {
        let failed =
            if is_locked { StoreError::Locked } else { StoreError::Unreachable(reason.clone()) };
        answer(parts, job, Err(failed.into()));
    }
}

fn is_doomed(faults: &Faults, request: &Request) -> bool {
    let settles = matches!(request.action, Action::Command { command: Command::Settle { .. }, .. });
    settles && faults.take_settle_failure(&request.account)
}

/// Runs the batch, and again when another server's transaction came between, or the connection broke:
/// nothing in it is to blame. What has happened all the same is not done twice.
async fn in_turn(
    parts: &EngineParts,
    jobs: &[Job],
    patience: Patience,
) -> Result<Vec<Option<Answer>>, StoreError> {
    let mut left = ATTEMPTS;
    loop {
        left -= 1;
        let done = traced(parts, jobs, patience, false).await;
        if let Err(failed) = &done {
            parts.metrics.rolled_back(failed);
        }
        match done {
            Err(failed) if may_run_again(&failed) && left > 0 => {
                warn!(error = %failed, requests = jobs.len(), "a batch is run again");
            }
            done => return done,
        }
    }
}

fn may_run_again(failed: &StoreError) -> bool {
    failed.is_conflict() || failed.is_outage() && !failed.was_waited_for()
}

pub(super) fn answer(parts: &EngineParts, job: Job, answer: Result<Answer, EngineError>) {
    parts.metrics.answered(&job.request.action, &answer);
    // Whoever asked may be gone; what was done is done all the same.
    let _ = job.reply.send(answer);
}

async fn traced(
    parts: &EngineParts,
    jobs: &[Job],
    patience: Patience,
    doomed: bool,
) -> Result<Vec<Option<Answer>>, StoreError> {
    let trace = Span::batch(jobs.iter().map(|job| &job.origin));
    let done = batch(parts, jobs, patience, doomed, &trace).await;
    match &done {
        Ok(answers) if answers.iter().all(Option::is_none) => trace.ended("locked", false),
        Ok(_) => trace.ended("committed", false),
        Err(failed) if failed.is_conflict() => trace.ended("conflict", true),
        Err(failed) if failed.is_locked() => trace.ended("locked", true),
        Err(_) => trace.ended("failed", true),
    }
    done
}

/// One transaction. There is no answer for jobs whose account `patience` left out. `doomed`:
/// everything is written, and then rolled back.
async fn batch(
    parts: &EngineParts,
    jobs: &[Job],
    patience: Patience,
    doomed: bool,
    trace: &Span,
) -> Result<Vec<Option<Answer>>, StoreError> {
    let (now, began_at) = (parts.clock.now(), Instant::now());
    let mut batch = parts.store.begin(patience).await?;
    let mut accounts: Vec<_> = jobs.iter().map(|job| &job.request.account).collect();
    accounts.sort_unstable();
    accounts.dedup();
    let operations: Vec<_> = jobs
        .iter()
        .filter_map(|job| match &job.request.action {
            Action::Command { command, .. } => Some((&job.request.account, command.operation())),
            _ => None,
        })
        .collect();
    let loaded = batch.load(&accounts, &operations, now).await?;
    let mut bench = Bench::new(&parts.catalog, parts.acceptance, now, loaded, &operations);
    let decide = |job: &Job| {
        let is_left_out = patience == Patience::None && !bench.has(&job.request.account);
        (!is_left_out).then(|| bench.decide(&job.request))
    };
    let decided: Vec<_> = jobs.iter().map(decide).collect();
    if decided.iter().all(Option::is_none) {
        return Ok(jobs.iter().map(|_| None).collect());
    }
    let glances = || {
        let decided = jobs.iter().zip(&decided);
        decided.filter_map(|(job, it)| Some(it.as_ref()?.glance(&job.request.account, now)))
    };
    let epoch = parts.store.epoch();
    let seen: Vec<_> = glances().map(|glance| bench.snapshot(epoch, glance)).collect();
    let writes = bench.into_writes();
    batch.write(&writes, now).await?;
    let mut snapshots = Vec::with_capacity(jobs.len());
    for (glance, seen) in glances().zip(seen) {
        snapshots.push(match seen {
            Some(seen) if !cfg!(debug_assertions) => seen,
            // Where it costs nobody's time, what was worked out is held against what was written.
            seen => {
                let stored = batch.snapshot(glance).await?.ok_or(StoreError::Damaged("account"))?;
                let stored = stored.snapshot;
                debug_assert!(seen.is_none_or(|seen| seen == stored), "{glance:?}: {stored:?}");
                stored
            }
        });
    }
    let (requests, mut snapshots) = (snapshots.len(), snapshots.into_iter());
    let answer =
        |it: Option<Decided>| Some(Answer { outcome: it?.outcome, snapshot: snapshots.next()? });
    let answers = decided.into_iter().map(answer).collect();
    if doomed {
        return Err(StoreError::Injected);
    }
    let (written_at, commit) = (Instant::now(), trace.part("commit"));
    batch.commit().await?;
    drop(commit);
    let changed = writes.accounts.into_iter();
    let changed: Vec<_> = changed.map(|it| (it.account.id, it.account.version)).collect();
    parts.feed.changed(&changed);
    parts.metrics.committed(requests, began_at.elapsed(), written_at.elapsed());
    Ok(answers)
}
