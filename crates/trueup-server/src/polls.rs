//! Polls that find nothing new, answered without reading what nobody needs to be sent.
//!
//! Whoever polls and may have the newest state waits here while the question of those who came
//! before is under way; then ONE statement asks for all who wait how their accounts stand. It
//! begins after they came, so what it finds is the truth for each of them, whichever server or
//! process wrote it. No timer: alone, a poll is asked for at once.

mod seen;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::{mpsc, oneshot};
use trueup_core::{AccountId, Timestamp, Version};

use crate::lanes::lane_of;
use crate::store::{Standing, Store, StoreError, StoredAccount};
use seen::Seen;

/// Polls that wait for their question; more wait outside.
const QUEUE: usize = 4_096;
/// The most one statement asks about.
const MOST: usize = 512;

/// A handle; cheap to clone. What works for it ends when the last one is gone.
#[derive(Clone)]
pub(crate) struct Polls {
    lanes: Arc<[mpsc::Sender<Poll>]>,
    seen: Arc<Mutex<Seen>>,
}

/// An account as a whole read has seen it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Confirmed {
    /// What its row says as long as nothing has changed.
    pub standing: Standing,
    /// Until when nothing changes by time alone.
    pub until: Timestamp,
}

struct Poll {
    account: AccountId,
    answer: oneshot::Sender<Option<Standing>>,
}

impl Polls {
    /// Begins to answer.
    pub fn start(store: &Arc<Store>) -> Self {
        let lane = |_| {
            let (polls, queue) = mpsc::channel(QUEUE);
            tokio::spawn(work(Arc::clone(store), queue));
            polls
        };
        Self { lanes: (0..store.pollers()).map(lane).collect(), seen: Arc::default() }
    }

    /// The account was read as a whole, and is as its plan and the calendar have it until then.
    pub fn seen(&self, stored: StoredAccount, until: Timestamp) {
        let StoredAccount { account, terms } = stored;
        let standing = Standing { version: account.version, terms };
        self.lock().insert(account.id, Confirmed { standing, until });
    }

    /// Until when the account is as it was seen, if the reader recognises that version and it is
    /// still so; and what they recognise it by. `None` when it is not, or nobody can say: then a
    /// whole read tells.
    pub async fn confirm<T>(
        &self,
        account: &AccountId,
        recognise: impl FnOnce(Version) -> Option<T>,
    ) -> Option<(Timestamp, T)> {
        let seen = self.lock().get(account)?;
        let recognised = recognise(seen.standing.version)?;
        let (answer, standing) = oneshot::channel();
        lane_of(&self.lanes, account)?
            .send(Poll { account: account.clone(), answer })
            .await
            .ok()?;
        (standing.await.ok()?? == seen.standing).then_some((seen.until, recognised))
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Seen> {
        // Nobody panics while they hold it; if somebody did, it would still be whole.
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Asks for all who wait, again and again.
async fn work(store: Arc<Store>, mut queue: mpsc::Receiver<Poll>) {
    let mut polls = Vec::new();
    while queue.recv_many(&mut polls, MOST).await > 0 {
        // Whoever left needs no answer.
        polls.retain(|poll| !poll.answer.is_closed());
        let found = ask(&store, &polls).await.unwrap_or_else(|error| {
            // The whole reads that follow tell their callers what is wrong.
            tracing::warn!(%error, polls = polls.len(), "polls could not be answered at once");
            HashMap::new()
        });
        for poll in polls.drain(..) {
            let _ = poll.answer.send(found.get(&poll.account).cloned());
        }
    }
}

async fn ask(store: &Store, polls: &[Poll]) -> Result<HashMap<AccountId, Standing>, StoreError> {
    let mut accounts: Vec<AccountId> = polls.iter().map(|poll| poll.account.clone()).collect();
    accounts.sort_unstable();
    accounts.dedup();
    if accounts.is_empty() { Ok(HashMap::new()) } else { store.read_standings(&accounts).await }
}
