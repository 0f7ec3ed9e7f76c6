//! A server in memory: one account's ledger, its images at every version, and snapshots cut from
//! the history of its entries as the protocol describes them.

use std::collections::BTreeMap;

use trueup_core::error::Rejection;
use trueup_core::ledger::{Account, Command, Decision, Entry, EntryKind};
use trueup_core::operation::OperationRecord;
use trueup_core::{
    ActorId, Cause, Change, MeterReading, OperationId, Snapshot, Timestamp, Version,
};

use crate::kit::memory::MemoryLedger;
use crate::kit::{epoch, plan};

/// More operations than that do not travel.
const MAX_TOLD: usize = 4;

/// How an account stood at one version, as only the server knows it.
#[derive(Clone, Debug)]
pub(crate) struct Image {
    pub account: Account,
    pub operations: BTreeMap<OperationId, OperationRecord>,
    entries: Vec<Entry>,
}

pub(crate) struct Backend {
    pub ledger: MemoryLedger,
    pub epoch: usize,
    /// Every state that anybody could read, of every epoch.
    images: BTreeMap<(usize, Version), Image>,
    /// Outcomes before this version are forgotten.
    kept_since: Version,
}

impl Backend {
    pub fn new(name: &str) -> Self {
        let mut ledger = MemoryLedger::new(name);
        ledger.plan = plan("premium 4 every 1000, standard 20 every 1000, tokens unlimited");
        let images = BTreeMap::new();
        let mut backend = Self { ledger, epoch: 0, images, kept_since: Version(0) };
        backend.remember();
        backend
    }

    pub fn run(&mut self, command: &Command) -> Result<Decision, Rejection> {
        let decision = self.ledger.run(command);
        self.remember();
        decision
    }

    pub fn clock(&mut self, now: Timestamp) {
        self.ledger.now = now;
    }

    pub fn image(&self, epoch: usize, version: Version) -> &Image {
        let image = self.images.get(&(epoch, version));
        image.unwrap_or_else(|| panic!("nobody could read version {version} of epoch {epoch}"))
    }

    pub fn newest(&mut self) -> (usize, Version) {
        self.remember();
        (self.epoch, self.ledger.account.version)
    }

    fn remember(&mut self) {
        self.ledger.align();
        let MemoryLedger { account, operations, entries, .. } = &self.ledger;
        self.images.entry((self.epoch, account.version)).or_insert_with(|| Image {
            account: account.clone(),
            operations: operations.clone(),
            entries: entries.clone(),
        });
    }

    /// The outcome log is cut.
    pub fn forget(&mut self) {
        self.kept_since = self.ledger.account.version;
    }

    /// The database is restored from an earlier state, or emptied: another history begins.
    pub fn restore(&mut self, earlier: usize) {
        let own = self.images.iter().filter(|((epoch, _), _)| *epoch == self.epoch);
        let images: Vec<&Image> = own.map(|(_, image)| image).collect();
        let (account, operations, entries) = match images.get(earlier) {
            Some(image) => (image.account.clone(), image.operations.clone(), image.entries.clone()),
            None => {
                let empty = MemoryLedger::new(self.ledger.account.id.as_str());
                (empty.account, empty.operations, empty.entries)
            }
        };
        self.ledger = MemoryLedger { account, operations, entries, ..self.ledger.clone() };
        self.epoch += 1;
        self.kept_since = Version(0);
        self.remember();
    }

    pub fn snapshot(
        &mut self,
        actor: &ActorId,
        since: Option<Version>,
        ask: &[OperationId],
    ) -> Snapshot {
        self.remember();
        let account = &self.ledger.account;
        let version = account.version;
        let from = since.unwrap_or(version);
        let own =
            |record: &&OperationRecord| record.actor == *actor && record.cause != Cause::Grant;
        let own: Vec<_> = self.ledger.operations.values().filter(own).collect();
        let in_range = |record: &OperationRecord| record.version > from;
        let count = own.iter().filter(|record| in_range(record)).count();
        let reset = from > version || from < self.kept_since || count > MAX_TOLD;
        let told = own.iter().filter(|it| (!reset && in_range(it)) || ask.contains(&it.id));
        Snapshot {
            account: account.id.clone(),
            epoch: epoch(self.epoch),
            since: if reset { version } else { from },
            version,
            as_of: self.ledger.now,
            reset,
            meters: account
                .meters
                .iter()
                .map(|(meter, balance)| (meter.clone(), MeterReading::from(balance)))
                .collect(),
            operations: told.map(|record| record.outcome()).collect(),
            changes: if reset { Vec::new() } else { self.changes(actor, from) },
        }
    }

    fn changes(&self, actor: &ActorId, from: Version) -> Vec<Change> {
        let mut changes: Vec<Change> = Vec::new();
        for entry in self.ledger.entries.iter().filter(|entry| entry.version > from) {
            for line in &entry.lines {
                let (cause, units) = match entry.kind {
                    EntryKind::Grant => (Cause::Grant, line.limit),
                    EntryKind::Terms => (Cause::PlanChanged, line.limit),
                    EntryKind::Window => (Cause::WindowReset, line.seen),
                    _ if entry.actor.as_ref() == Some(actor) => continue,
                    _ => (Cause::OtherDevice, line.seen),
                };
                let meter = line.meter.clone();
                let change = Change { version: entry.version, cause, meter, units };
                let sum = changes.iter_mut().find(|it| {
                    cause == Cause::OtherDevice && it.cause == cause && it.meter == change.meter
                });
                match sum {
                    Some(sum) => {
                        sum.version = change.version;
                        sum.units += change.units;
                    }
                    None => changes.push(change),
                }
            }
        }
        changes.retain(|change| change.cause != Cause::OtherDevice || change.units != 0);
        changes.sort_by_key(|change| change.version);
        changes
    }
}
