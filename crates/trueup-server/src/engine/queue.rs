//! Gathering requests into batches, and isolating one that a whole batch fails on.

use std::sync::Arc;

use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;
use tokio::time::Instant;
use tracing::{Instrument, error, info_span, warn};
use trueup_core::Timestamp;
use trueup_core::ledger::{Acceptance, Command};

use super::bench::Bench;
use super::{Action, Answer, EngineError, Request};
use crate::calendar;
use crate::clock::Clock;
use crate::config::Catalog;
use crate::demo::Faults;
use crate::lanes::lane_of;
use crate::metrics::Metrics;
use crate::push::Feed;
use crate::store::{Store, StoreError, StoredAccount};
use crate::traces::{Origin, Span};

/// Requests that wait for the engine; more wait outside, which slows their senders down.
const QUEUE: usize = 4_096;
/// The most one transaction carries: enough to share a commit, short enough not to delay others.
const BATCH: usize = 512;

/// How often a batch is run that others came between.
const ATTEMPTS: u32 = 8;

/// Those who ask whether it can write; more wait outside.
const PROBES: usize = 64;

/// What an engine works with.
#[derive(Clone)]
pub struct EngineParts {
    /// Where it writes.
    pub store: Arc<Store>,
    /// What models charge and plans allow.
    pub catalog: Arc<Catalog>,
    /// What time it is.
    pub clock: Clock,
    /// What the demo was asked to do wrong.
    pub faults: Faults,
    /// How old an operation id may be.
    pub acceptance: Acceptance,
    /// Who is told of changes.
    pub feed: Feed,
    /// What operators watch.
    pub metrics: Arc<Metrics>,
}

/// A handle to the engine; cheap to clone.
#[derive(Clone)]
pub struct Engine {
    /// An account's requests always take the same one, and so keep their order.
    lanes: Arc<[Lane]>,
    clock: Clock,
    catalog: Arc<Catalog>,
}

/// Where requests wait for one writer.
struct Lane {
    jobs: mpsc::Sender<Job>,
    probes: mpsc::Sender<Probe>,
}

/// How long an account may be shown as it was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Freshness {
    /// Not at all.
    Outdated,
    /// Now; nobody can say for how long.
    Now,
    /// Until then, unless it is changed.
    Until(Timestamp),
}

/// The running engine. Dropping it lets the engine run on until its last handle is gone.
pub struct EngineTask {
    lanes: Vec<(oneshot::Sender<()>, JoinHandle<()>)>,
}

struct Job {
    request: Request,
    asked_at: Instant,
    origin: Origin,
    reply: oneshot::Sender<Result<Answer, EngineError>>,
}

/// Where somebody waits who asked whether the ledger can be written.
type Probe = oneshot::Sender<Result<(), EngineError>>;

impl Engine {
    /// Starts an engine.
    pub fn start(parts: EngineParts) -> (Self, EngineTask) {
        let (mut lanes, mut tasks) = (Vec::new(), Vec::new());
        for number in 0..parts.store.writers() {
            let (jobs, queue) = mpsc::channel(QUEUE);
            let (probes, asked) = mpsc::channel(PROBES);
            let (stop, stopped) = oneshot::channel();
            let work = work(parts.clone(), queue, asked, stopped);
            tasks.push((stop, tokio::spawn(work.instrument(info_span!("engine", number)))));
            lanes.push(Lane { jobs, probes });
        }
        let EngineParts { clock, catalog, .. } = parts;
        (Self { lanes: lanes.into(), clock, catalog }, EngineTask { lanes: tasks })
    }

    /// Carries out one request in the engine's own task: dropping this future loses the answer,
    /// never half of the change.
    ///
    /// # Errors
    /// [`EngineError`] when nothing could be decided.
    pub async fn run(&self, request: Request) -> Result<Answer, EngineError> {
        self.send(request).await?.await.map_err(|_| EngineError::Stopped)?
    }

    /// Carries out many requests, each for itself and those of one account in their order. Dropping
    /// this future loses the answers, and the requests that had not been sent.
    pub async fn run_all(&self, requests: Vec<Request>) -> Vec<Result<Answer, EngineError>> {
        let mut sent = Vec::with_capacity(requests.len());
        for request in requests {
            sent.push(self.send(request).await);
        }
        let mut answers = Vec::with_capacity(sent.len());
        for answer in sent {
            answers.push(match answer {
                Ok(answer) => answer.await.unwrap_or(Err(EngineError::Stopped)),
                Err(failed) => Err(failed),
            });
        }
        answers
    }

    async fn send(
        &self,
        request: Request,
    ) -> Result<oneshot::Receiver<Result<Answer, EngineError>>, EngineError> {
        let (reply, answer) = oneshot::channel();
        let lane = lane_of(&self.lanes, &request.account).ok_or(EngineError::Stopped)?;
        let job = Job { request, asked_at: Instant::now(), origin: Origin::here(), reply };
        lane.jobs.send(job).await.map_err(|_| EngineError::Stopped)?;
        Ok(answer)
    }

    /// Whether a change could be written now: the engine tries it, in its turn.
    ///
    /// # Errors
    /// [`EngineError`] when it could not.
    pub async fn probe(&self) -> Result<(), EngineError> {
        let (reply, answer) = oneshot::channel();
        let lane = self.lanes.first().ok_or(EngineError::Stopped)?;
        lane.probes.send(reply).await.map_err(|_| EngineError::Stopped)?;
        answer.await.map_err(|_| EngineError::Stopped)?
    }

    /// How many requests wait for their batch.
    pub fn waiting(&self) -> usize {
        self.lanes.iter().map(|lane| lane.jobs.max_capacity() - lane.jobs.capacity()).sum()
    }

    /// What time it is to the engine.
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Whether the account may be shown as it was read, and for how long, as the core says: not when
    /// a window has ended or terms have changed since it was written, for then it must be aligned.
    pub fn freshness(&self, stored: &StoredAccount) -> Freshness {
        let now = self.clock.now();
        let terms = calendar::terms(&self.catalog, &stored.terms, now);
        match stored.account.aligned_until(&terms) {
            Some(end) => Freshness::Until(end),
            None if stored.account.clone().align(&terms, now).is_empty() => Freshness::Now,
            None => Freshness::Outdated,
        }
    }
}

impl EngineTask {
    /// Takes no more requests, carries out those that wait, and ends.
    pub async fn stop(self) {
        let mut tasks = Vec::new();
        for (stop, task) in self.lanes {
            // It may have ended by itself when the last handle was dropped.
            let _ = stop.send(());
            tasks.push(task);
        }
        for task in tasks {
            if let Err(error) = task.await {
                error!(%error, "the engine did not end well");
            }
        }
    }
}

async fn work(
    parts: EngineParts,
    mut queue: mpsc::Receiver<Job>,
    mut probes: mpsc::Receiver<Probe>,
    mut stopped: oneshot::Receiver<()>,
) {
    let mut stop_asked = false;
    loop {
        let mut jobs = Vec::new();
        tokio::select! {
            asked = &mut stopped, if !stop_asked => {
                stop_asked = true;
                // A dropped trigger is no wish to stop.
                if asked.is_ok() {
                    queue.close();
                }
                continue;
            }
            Some(first) = probes.recv() => {
                probe(&parts, first, &mut probes).await;
                continue;
            }
            taken = queue.recv_many(&mut jobs, BATCH) => if taken == 0 { break },
        }
        jobs.iter().for_each(|job| parts.metrics.waited_since(job.asked_at));
        // A settle that the demo wants to see fail must not take its neighbours with it.
        let (doomed, sound): (Vec<Job>, Vec<Job>) =
            jobs.into_iter().partition(|job| is_doomed(&parts.faults, &job.request));
        run_isolating(&parts, sound).await;
        for job in doomed {
            let failed = run_traced(&parts, std::slice::from_ref(&job), true).await;
            let failed = failed.err().unwrap_or(StoreError::Injected);
            answer(&parts, job, Err(failed.into()));
        }
    }
}

/// Tries to write, once for everybody who asks.
async fn probe(parts: &EngineParts, first: Probe, others: &mut mpsc::Receiver<Probe>) {
    let askers = std::iter::once(first).chain(std::iter::from_fn(|| others.try_recv().ok()));
    let askers: Vec<Probe> = askers.collect();
    let failed = parts.store.probe(parts.clock.now()).await.err().map(|error| error.to_string());
    for asker in askers {
        let answer = failed.clone().map_or(Ok(()), |reason| Err(EngineError::Unwritable(reason)));
        // Whoever asked may be gone.
        let _ = asker.send(answer);
    }
}

fn is_doomed(faults: &Faults, request: &Request) -> bool {
    let settles = matches!(request.action, Action::Command { command: Command::Settle { .. }, .. });
    settles && faults.take_settle_failure(&request.account)
}

/// Runs the batch; if it fails as a whole, runs its halves, so that one poisoned request fails
/// alone and its neighbours never notice.
async fn run_isolating(parts: &EngineParts, jobs: Vec<Job>) {
    let mut stack = vec![jobs];
    while let Some(mut jobs) = stack.pop() {
        if jobs.is_empty() {
            continue;
        }
        match run_in_turn(parts, &jobs).await {
            Ok(answers) => {
                for (job, done) in jobs.into_iter().zip(answers) {
                    answer(parts, job, Ok(done));
                }
            }
            // No half of it would fare better, and each would wait as long.
            Err(failed) if failed.is_outage() => {
                error!(error = %failed, requests = jobs.len(), "changes could not be written");
                let reason = failed.to_string();
                for job in jobs {
                    let failed = StoreError::Unreachable(reason.clone());
                    answer(parts, job, Err(failed.into()));
                }
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
                stack.push(second);
                stack.push(jobs);
            }
        }
    }
}

/// Runs the batch, and again when another server's transaction came between, or the connection broke:
/// nothing in it is to blame. What has happened all the same is not done twice.
async fn run_in_turn(parts: &EngineParts, jobs: &[Job]) -> Result<Vec<Answer>, StoreError> {
    let mut left = ATTEMPTS;
    loop {
        left -= 1;
        let done = run_traced(parts, jobs, false).await;
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

fn answer(parts: &EngineParts, job: Job, answer: Result<Answer, EngineError>) {
    parts.metrics.answered(&job.request.action, &answer);
    // Whoever asked may be gone; what was done is done all the same.
    let _ = job.reply.send(answer);
}

async fn run_traced(
    parts: &EngineParts,
    jobs: &[Job],
    doomed: bool,
) -> Result<Vec<Answer>, StoreError> {
    let trace = Span::batch(jobs.iter().map(|job| &job.origin));
    let done = run_batch(parts, jobs, doomed, &trace).await;
    match &done {
        Ok(_) => trace.ended("committed", false),
        Err(failed) if failed.is_conflict() => trace.ended("conflict", true),
        Err(_) => trace.ended("failed", true),
    }
    done
}

/// One transaction. `doomed`: everything is written, and then rolled back.
async fn run_batch(
    parts: &EngineParts,
    jobs: &[Job],
    doomed: bool,
    trace: &Span,
) -> Result<Vec<Answer>, StoreError> {
    let (now, began_at) = (parts.clock.now(), Instant::now());
    let mut batch = parts.store.begin().await?;
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
    let decided: Vec<_> = jobs.iter().map(|job| bench.decide(&job.request)).collect();
    let glances =
        || jobs.iter().zip(&decided).map(|(job, it)| it.glance(&job.request.account, now));
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
    let answers = decided.into_iter().zip(snapshots);
    let answers = answers.map(|(it, snapshot)| Answer { outcome: it.outcome, snapshot }).collect();
    if doomed {
        return Err(StoreError::Injected);
    }
    let (written_at, commit) = (Instant::now(), trace.part("commit"));
    batch.commit().await?;
    drop(commit);
    let changed = writes.accounts.into_iter();
    let changed: Vec<_> = changed.map(|it| (it.account.id, it.account.version)).collect();
    parts.feed.changed(&changed);
    parts.metrics.committed(jobs.len(), began_at.elapsed(), written_at.elapsed());
    Ok(answers)
}
