//! Who watches which account, and what changed that other servers have not been told yet.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{Notify, watch};
use trueup_core::{AccountId, Version};

use crate::bus::Announcement;

/// So many may watch one account on one server.
const WATCHERS: usize = 256;
/// So many accounts wait to be announced; beyond that, others are told to look for themselves.
const WAITING: usize = 10_000;

/// Where changes are told; cheap to clone. It only ever hints: a hint that is lost, late, doubled or
/// wrong makes somebody look at the store too late or for nothing.
#[derive(Clone, Debug, Default)]
pub struct Feed(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    /// The newest version that is known of each account that somebody watches.
    watched: Mutex<HashMap<AccountId, watch::Sender<Version>>>,
    /// `None` when there are no other servers.
    outgoing: Option<Mutex<Outgoing>>,
    has_outgoing: Notify,
    doubted: Notify,
}

/// What other servers are to be told. However often an account changes, it is told once.
#[derive(Debug, Default)]
struct Outgoing {
    changed: HashMap<AccountId, Version>,
    too_many: bool,
}

impl Feed {
    /// A feed whose changes other servers are told as well.
    pub fn shared() -> Self {
        Self(Arc::new(Inner { outgoing: Some(Mutex::default()), ..Inner::default() }))
    }

    /// Accounts were changed here.
    pub fn changed(&self, accounts: &[(AccountId, Version)]) {
        if accounts.is_empty() {
            return;
        }
        self.heard(accounts);
        if let Some(outgoing) = &self.0.outgoing {
            lock(outgoing).add(accounts);
            self.0.has_outgoing.notify_one();
        }
    }

    /// Accounts are said to have changed.
    pub fn heard(&self, accounts: &[(AccountId, Version)]) {
        let watched = lock(&self.0.watched);
        for (account, version) in accounts {
            if let Some(watchers) = watched.get(account) {
                watchers.send_if_modified(|known| raise(known, *version));
            }
        }
    }

    /// Accounts were looked up: whatever was said before, this is how things stand.
    pub(super) fn found(&self, accounts: &[(AccountId, Version)]) {
        let watched = lock(&self.0.watched);
        for (account, version) in accounts {
            if let Some(watchers) = watched.get(account) {
                watchers.send_if_modified(|known| std::mem::replace(known, *version) != *version);
            }
        }
    }

    /// Hints may have been missed: every watched account is to be looked up.
    pub fn doubt(&self) {
        self.0.doubted.notify_one();
    }

    /// Waits until hints may have been missed.
    pub(super) async fn doubted(&self) {
        self.0.doubted.notified().await;
    }

    /// Begins to watch; `None` when too many do.
    pub fn watch(&self, account: &AccountId) -> Option<Watcher> {
        let mut watched = lock(&self.0.watched);
        let watchers = watched.entry(account.clone()).or_default();
        if watchers.receiver_count() >= WATCHERS {
            return None;
        }
        let changes = Some(watchers.subscribe());
        Some(Watcher { account: account.clone(), changes, feed: self.clone() })
    }

    /// The accounts that somebody watches.
    pub fn watched(&self) -> Vec<AccountId> {
        lock(&self.0.watched).keys().cloned().collect()
    }

    /// Waits until there is something to announce.
    pub(crate) async fn has_announcement(&self) {
        self.0.has_outgoing.notified().await;
    }

    /// What is to be announced next, in at most `most_bytes`; the rest waits for its turn.
    pub(crate) fn take_announcement(&self, most_bytes: usize) -> Option<Announcement> {
        let mut outgoing = lock(self.0.outgoing.as_ref()?);
        let announcement = outgoing.take(most_bytes);
        if !outgoing.changed.is_empty() {
            self.0.has_outgoing.notify_one();
        }
        announcement
    }

    /// An announcement did not get through: others are to look for themselves.
    pub(crate) fn not_announced(&self) {
        if let Some(outgoing) = &self.0.outgoing {
            lock(outgoing).give_up();
            self.0.has_outgoing.notify_one();
        }
    }

    fn forget(&self, account: &AccountId, changes: watch::Receiver<Version>) {
        let mut watched = lock(&self.0.watched);
        drop(changes);
        if watched.get(account).is_some_and(|watchers| watchers.receiver_count() == 0) {
            watched.remove(account);
        }
    }
}

impl Outgoing {
    fn add(&mut self, accounts: &[(AccountId, Version)]) {
        if self.too_many {
            return;
        }
        for (account, version) in accounts {
            match self.changed.get_mut(account) {
                Some(known) => _ = raise(known, *version),
                None => _ = self.changed.insert(account.clone(), *version),
            }
        }
        if self.changed.len() > WAITING {
            self.give_up();
        }
    }

    fn give_up(&mut self) {
        self.changed.clear();
        self.too_many = true;
    }

    fn take(&mut self, most_bytes: usize) -> Option<Announcement> {
        if std::mem::take(&mut self.too_many) {
            return Some(Announcement::Much);
        }
        let mut room = most_bytes;
        let mut taken = Vec::new();
        let mut rest = HashMap::new();
        for (account, version) in self.changed.drain() {
            match room.checked_sub(Announcement::bytes_of(&account)) {
                Some(left) => {
                    room = left;
                    taken.push((account, version));
                }
                None => _ = rest.insert(account, version),
            }
        }
        self.changed = rest;
        (!taken.is_empty()).then_some(Announcement::Changed(taken))
    }
}

/// One that watches an account, until it is dropped.
#[derive(Debug)]
pub struct Watcher {
    account: AccountId,
    /// There until the watcher is dropped.
    changes: Option<watch::Receiver<Version>>,
    feed: Feed,
}

impl Watcher {
    /// Waits until the account is said to have changed. However often it did, that is once.
    pub async fn changed(&mut self) {
        if let Some(changes) = &mut self.changes
            && changes.changed().await.is_ok()
        {
            return;
        }
        std::future::pending::<()>().await;
    }

    /// The account was read at that version: hints of it, or of older ones, tell nothing new.
    pub fn has_read(&self, version: Version) {
        if let Some(watchers) = lock(&self.feed.0.watched).get(&self.account) {
            watchers.send_if_modified(|known| {
                raise(known, version);
                false
            });
        }
    }
}

impl Drop for Watcher {
    fn drop(&mut self) {
        if let Some(changes) = self.changes.take() {
            self.feed.forget(&self.account, changes);
        }
    }
}

/// Whether `version` is newer than what was known.
fn raise(known: &mut Version, version: Version) -> bool {
    let is_newer = version > *known;
    if is_newer {
        *known = version;
    }
    is_newer
}

/// Nobody panics while they hold one of these; if somebody did, what it guards would still be whole.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
