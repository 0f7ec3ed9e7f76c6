//! One account's rows, and snapshots cut from them as the protocol describes.

use std::collections::{BTreeMap, BTreeSet};

use trueup_core::ledger::{self, Account, Entry, EntryKind};
use trueup_core::operation::OperationRecord;
use trueup_core::{
    ActorId, Cause, Change, Epoch, MeterReading, OperationId, OperationOutcome, Snapshot,
    Timestamp, Version,
};

/// More operations than that do not travel; few, so that it happens.
const MAX_TOLD: usize = 8;

/// What is stored of one account.
#[derive(Clone, Debug)]
pub struct Rows {
    /// Its balances.
    pub account: Account,
    /// Its operations.
    pub operations: BTreeMap<OperationId, OperationRecord>,
    /// Those of them that are open.
    pub open: BTreeSet<OperationId>,
    /// Its history.
    pub entries: Vec<Entry>,
    /// Outcomes before this version are forgotten.
    pub kept_since: Version,
}

/// What one transaction writes for one account.
#[derive(Clone, Debug)]
pub struct Write {
    /// The balances as they are to be.
    pub account: Account,
    /// The operation as it is to be.
    pub operation: Option<OperationRecord>,
    /// The new lines of history.
    pub entries: Vec<Entry>,
}

/// What somebody wants to see.
#[derive(Clone, Copy, Debug)]
pub struct Glance<'a> {
    /// In which history.
    pub epoch: &'a Epoch,
    /// Who looks.
    pub actor: &'a ActorId,
    /// The version to tell everything after.
    pub since: Option<Version>,
    /// Operations to be told by id.
    pub ask: &'a [OperationId],
    /// The server's clock.
    pub now: Timestamp,
}

impl Rows {
    /// An account that has seen no change.
    pub fn new(id: trueup_core::AccountId) -> Self {
        Self {
            account: Account::new(id),
            operations: BTreeMap::new(),
            open: BTreeSet::new(),
            entries: Vec::new(),
            kept_since: Version(0),
        }
    }

    /// Writes a transaction down.
    pub fn apply(&mut self, write: &Write) {
        self.account = write.account.clone();
        if let Some(record) = &write.operation {
            if record.state.is_end() {
                self.open.remove(&record.id);
            } else {
                self.open.insert(record.id);
            }
            self.operations.insert(record.id, record.clone());
        }
        self.entries.extend(write.entries.iter().cloned());
    }

    /// Whether nothing was ever written of the account.
    pub fn is_unknown(&self) -> bool {
        self.account.version == Version(0)
    }

    /// Whether a window has ended, or there are no meters yet.
    pub fn is_outdated(&self, now: Timestamp) -> bool {
        self.is_unknown()
            || self.account.meters.values().any(|balance| balance.terms.window.is_over(now))
    }

    /// The account as `glance` wants it.
    pub fn snapshot(&self, glance: Glance<'_>) -> Snapshot {
        let version = self.account.version;
        let from = glance.since.unwrap_or(version);
        let mut told = Vec::new();
        let mut reset = from > version || from < self.kept_since;
        if !reset {
            told = self.changed_since(from, glance.actor);
            reset = told.len() > MAX_TOLD;
        }
        if reset {
            told.clear();
        }
        for id in glance.ask {
            let own = |it: &&OperationRecord| it.actor == *glance.actor && it.cause != Cause::Grant;
            if let Some(record) = self.operations.get(id).filter(own)
                && !told.iter().any(|outcome| outcome.id == *id)
            {
                told.push(record.outcome());
            }
        }
        let meters = self.account.meters.iter();
        Snapshot {
            account: self.account.id.clone(),
            epoch: glance.epoch.clone(),
            since: if reset { version } else { from },
            version,
            as_of: glance.now,
            reset,
            meters: meters.map(|(meter, it)| (meter.clone(), MeterReading::from(it))).collect(),
            operations: told,
            changes: if reset { Vec::new() } else { self.changes(from, glance.actor) },
        }
    }

    fn after(&self, version: Version) -> &[Entry] {
        let from = self.entries.partition_point(|entry| entry.version <= version);
        self.entries.get(from..).unwrap_or_default()
    }

    fn changed_since(&self, from: Version, actor: &ActorId) -> Vec<OperationOutcome> {
        let mut told = Vec::<OperationOutcome>::new();
        for entry in self.after(from) {
            let own = entry.actor.as_ref() == Some(actor) && entry.kind != EntryKind::Grant;
            let id = entry.operation.filter(|_| own);
            let Some(record) = id.and_then(|id| self.operations.get(&id)) else { continue };
            if !told.iter().any(|outcome| outcome.id == record.id) {
                told.push(record.outcome());
            }
        }
        told.sort_by_key(|outcome| outcome.version);
        told
    }

    fn changes(&self, from: Version, actor: &ActorId) -> Vec<Change> {
        let others = self
            .after(from)
            .iter()
            .filter(|entry| entry.kind == EntryKind::Grant || entry.actor.as_ref() != Some(actor));
        ledger::changes(others.flat_map(Entry::movements))
    }
}
