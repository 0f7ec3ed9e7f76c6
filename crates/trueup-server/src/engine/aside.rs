//! Requests that wait beside their lane, because somebody else keeps their account locked: a server
//! that stands still in the middle of a batch, or an administrator's transaction. The lane goes on
//! with everybody else's.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::task::{Id, JoinError, JoinSet};
use tracing::{Instrument, error, warn};
use trueup_core::AccountId;

use super::queue::{BATCH, EngineParts};
use super::run::{self, Job};
use crate::store::{Patience, StoreError};

/// Requests that wait beside one lane; more are turned away, as if they had waited in vain.
const MOST: usize = 4_096;

/// The accounts of one lane that somebody else has locked. Each has a task of its own, which waits
/// for the lock in the database; what is asked of the account meanwhile waits behind it, in order.
#[derive(Default)]
pub(super) struct Aside {
    /// What waits behind the requests that are being run, by account.
    behind: HashMap<AccountId, Vec<Job>>,
    tasks: JoinSet<Vec<Job>>,
    runs: HashMap<Id, Run>,
    waiting: Arc<AtomicUsize>,
}

struct Run {
    account: AccountId,
    requests: usize,
}

/// A task that came to its end, with what it left undone.
pub(super) type Ended = Result<(Id, Vec<Job>), JoinError>;

impl Aside {
    /// How many requests wait here.
    pub fn waiting(&self) -> Arc<AtomicUsize> {
        Arc::clone(&self.waiting)
    }

    /// Takes those whose account is here, so that none overtakes another; gives back the others.
    pub fn keep(&mut self, parts: &EngineParts, jobs: Vec<Job>) -> Vec<Job> {
        if self.behind.is_empty() {
            return jobs;
        }
        let mut others = Vec::with_capacity(jobs.len());
        for job in jobs {
            match self.behind.get_mut(&job.request.account) {
                None => others.push(job),
                Some(_) if self.waiting.load(Ordering::Relaxed) >= MOST => turn_away(parts, job),
                Some(behind) => {
                    behind.push(job);
                    self.waiting.fetch_add(1, Ordering::Relaxed);
                }
            }
        }
        others
    }

    /// Begins to wait for the accounts of these, none of which is here yet.
    pub fn begin(&mut self, parts: &EngineParts, jobs: Vec<Job>) {
        if jobs.is_empty() {
            return;
        }
        let requests = jobs.len();
        let mut accounts: BTreeMap<AccountId, Vec<Job>> = BTreeMap::new();
        for job in jobs {
            accounts.entry(job.request.account.clone()).or_default().push(job);
        }
        warn!(accounts = accounts.len(), requests, "accounts are locked by somebody else");
        for (account, jobs) in accounts {
            if self.waiting.load(Ordering::Relaxed) >= MOST {
                jobs.into_iter().for_each(|job| turn_away(parts, job));
                continue;
            }
            self.waiting.fetch_add(jobs.len(), Ordering::Relaxed);
            self.start(parts, account, jobs);
        }
    }

    /// The next task that comes to its end; `None` when there is none.
    pub async fn next(&mut self) -> Option<Ended> {
        self.tasks.join_next_with_id().await
    }

    /// Runs what waited behind a task that ended; when nothing did, the account is the lane's again.
    pub fn go_on(&mut self, parts: &EngineParts, ended: Ended) {
        let (id, undone) = ended.unwrap_or_else(|error| {
            error!(%error, "requests of a locked account were not run to their end");
            (error.id(), Vec::new())
        });
        let Some(Run { account, requests }) = self.runs.remove(&id) else { return };
        self.waiting.fetch_sub(requests - undone.len().min(requests), Ordering::Relaxed);
        let mut jobs = undone;
        jobs.extend(self.behind.remove(&account).unwrap_or_default());
        if !jobs.is_empty() {
            self.start(parts, account, jobs);
        }
    }

    fn start(&mut self, parts: &EngineParts, account: AccountId, mut jobs: Vec<Job>) {
        let behind = jobs.split_off(jobs.len().min(BATCH));
        let (requests, parts) = (jobs.len(), parts.clone());
        let run = async move { run::all(&parts, jobs, Patience::Full).await };
        let id = self.tasks.spawn(run.in_current_span()).id();
        self.behind.insert(account.clone(), behind);
        self.runs.insert(id, Run { account, requests });
    }
}

fn turn_away(parts: &EngineParts, job: Job) {
    run::answer(parts, job, Err(StoreError::Locked.into()));
}
