//! What anybody was told of an account, by any server: none may be told an older story later.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde_json::Value;

/// At most so many operations travel in a snapshot.
const MANY: u64 = 1_000;

/// Compares what everybody is told.
#[derive(Default)]
pub struct Witness {
    accounts: Mutex<HashMap<String, Seen>>,
    wrong: Mutex<Vec<String>>,
}

/// What is known of an account.
#[derive(Default)]
struct Seen {
    epoch: String,
    newest: u64,
    /// What was used and held at each version that anybody was told.
    figures: BTreeMap<u64, (u64, u64)>,
}

/// How an account was asked for.
#[derive(Clone, Copy, Debug)]
pub struct Asked {
    /// The newest version that anybody had been told when the question was sent.
    pub floor: u64,
    pub since: Option<u64>,
}

impl Witness {
    /// The newest version that anybody was told, and the epoch. Whoever asks from now on must be told
    /// this or more.
    pub fn newest(&self, account: &str) -> (u64, String) {
        let accounts = lock(&self.accounts);
        accounts.get(account).map(|it| (it.newest, it.epoch.clone())).unwrap_or_default()
    }

    pub fn asks(&self, account: &str, since: Option<u64>) -> Asked {
        Asked { floor: self.newest(account).0, since }
    }

    /// Takes in a snapshot, and says its version.
    pub fn told(&self, account: &str, asked: Asked, snapshot: &Value) -> Option<u64> {
        let number = |at: &str| snapshot.pointer(at).and_then(Value::as_u64);
        let version = number("/version")?;
        let figures = (number("/meters/units/used")?, number("/meters/units/held")?);
        let epoch = snapshot.get("epoch").and_then(Value::as_str).unwrap_or_default();
        let mut accounts = lock(&self.accounts);
        let seen = accounts.entry(account.to_owned()).or_default();
        if seen.epoch.is_empty() {
            epoch.clone_into(&mut seen.epoch);
        }
        let same = *seen.figures.entry(version).or_insert(figures);
        seen.newest = seen.newest.max(version);
        let is_from = asked.since.is_none_or(|since| {
            let is_reset = snapshot.get("reset") != Some(&Value::Bool(false));
            // More than a snapshot can tell one by one.
            let is_much = version.saturating_sub(since) > MANY;
            is_reset && is_much || !is_reset && number("/since") == Some(since)
        });
        if version < asked.floor || epoch != seen.epoch || same != figures || !is_from {
            self.wrong(format!("{account}: {asked:?} before {same:?}, told {snapshot}"));
        }
        Some(version)
    }

    /// Takes in that nothing is newer than `version`.
    pub fn told_nothing_new(&self, account: &str, asked: Asked, version: u64) {
        if version < asked.floor {
            self.wrong(format!("{account}: {asked:?}, told that {version} is the newest"));
        }
    }

    pub fn wrong(&self, what: String) {
        lock(&self.wrong).push(what);
    }

    /// Everything that should not have been told.
    pub fn complaints(&self) -> Vec<String> {
        lock(&self.wrong).clone()
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
