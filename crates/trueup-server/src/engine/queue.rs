//! Gathering requests into batches.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;
use tokio::time::Instant;
use tracing::{Instrument, error, info_span};
use trueup_core::Timestamp;
use trueup_core::ledger::Acceptance;

use super::aside::Aside;
use super::run::{self, Job};
use super::{Answer, EngineError, Request};
use crate::calendar;
use crate::clock::Clock;
use crate::config::Catalog;
use crate::demo::Faults;
use crate::lanes::lane_of;
use crate::metrics::Metrics;
use crate::push::Feed;
use crate::store::{Patience, Store, StoredAccount};
use crate::traces::Origin;

/// Requests that wait for the engine; more wait outside, which slows their senders down.
const QUEUE: usize = 4_096;
/// The most one transaction carries: enough to share a commit, short enough not to delay others.
pub(super) const BATCH: usize = 512;

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
    /// How many requests wait beside it, for accounts that somebody else has locked.
    aside: Arc<AtomicUsize>,
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
            let aside = Aside::default();
            let waiting = aside.waiting();
            let work = work(parts.clone(), queue, asked, stopped, aside);
            tasks.push((stop, tokio::spawn(work.instrument(info_span!("engine", number)))));
            lanes.push(Lane { jobs, probes, aside: waiting });
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
        let waiting = |lane: &Lane| {
            let queued = lane.jobs.max_capacity() - lane.jobs.capacity();
            queued + lane.aside.load(Ordering::Relaxed)
        };
        self.lanes.iter().map(waiting).sum()
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
    mut aside: Aside,
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
            Some(ended) = aside.next() => {
                aside.go_on(&parts, ended);
                continue;
            }
            taken = queue.recv_many(&mut jobs, BATCH) => if taken == 0 { break },
        }
        jobs.iter().for_each(|job| parts.metrics.waited_since(job.asked_at));
        let jobs = aside.keep(&parts, jobs);
        let locked = run::all(&parts, jobs, Patience::Brief).await;
        aside.begin(&parts, locked);
    }
    while let Some(ended) = aside.next().await {
        aside.go_on(&parts, ended);
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
