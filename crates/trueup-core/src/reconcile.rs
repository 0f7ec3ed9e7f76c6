//! `apply`: the only way that a client's base ever changes.

use std::collections::BTreeMap;

use crate::correction::Reason;
use crate::ids::{AccountId, Epoch, OperationId, Version};
use crate::meter::{Charge, MeterId};
use crate::operation::{Cause, OperationState};
use crate::pending::{Attached, Pending, Stage};
use crate::snapshot::{MeterReading, OperationOutcome, Snapshot};
use crate::window::Timestamp;

/// The last snapshot's figures.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Base {
    /// In which database's history.
    pub epoch: Epoch,
    /// At which version.
    pub version: Version,
    /// When the server read it, by its clock.
    pub as_of: Timestamp,
    /// When it was received, by the client's clock.
    pub received_at: Timestamp,
    /// Every meter.
    pub meters: BTreeMap<MeterId, MeterReading>,
}

/// What a signed-in client knows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Knowledge {
    /// Whose usage; learnt from the first snapshot when not given.
    pub account: Option<AccountId>,
    /// The last snapshot, once there was one.
    pub base: Option<Base>,
    /// What no snapshot has decided yet.
    pub pending: Pending,
    /// Histories that were left behind: their late snapshots must not come back.
    retired: Vec<Epoch>,
}

/// What `apply` did with a snapshot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Applied {
    /// Of another account or a history left behind: nothing changed.
    Foreign,
    /// Older than the base: nothing changed.
    Stale,
    /// It begins after the base ends: nothing changed, fetch since the base's version.
    Gap,
    /// It replaces the history but does not tell about every operation that may be in it: nothing
    /// changed, fetch whole and ask for every pending operation.
    Uncovered,
    /// The base is the snapshot's now.
    Taken(Told),
}

/// What a snapshot told that a client could not know.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Told {
    pub(crate) reasons: Vec<Reason>,
    /// The client's operations that ended.
    pub ended: Vec<(OperationId, OperationState, Cause)>,
}

impl Knowledge {
    /// Knows nothing yet.
    pub fn new(account: Option<AccountId>) -> Self {
        Self { account, base: None, pending: Pending::default(), retired: Vec::new() }
    }

    /// Takes a snapshot in, whole or not at all. `asked` are the operations that the snapshot's
    /// request asked for by id, `received_at` is the client's clock.
    pub fn apply(
        &mut self,
        snapshot: &Snapshot,
        asked: &[OperationId],
        received_at: Timestamp,
    ) -> Applied {
        let other_account = self.account.as_ref().is_some_and(|own| *own != snapshot.account);
        if other_account || self.retired.contains(&snapshot.epoch) {
            return Applied::Foreign;
        }
        let same_history = self.base.as_ref().filter(|base| base.epoch == snapshot.epoch);
        let continues = match same_history {
            Some(base) if snapshot.version < base.version => return Applied::Stale,
            Some(base) if snapshot.version == base.version => true,
            Some(base) if !snapshot.reset => {
                if snapshot.since > base.version {
                    return Applied::Gap;
                }
                true
            }
            _ => snapshot.since == Version(0) && !snapshot.reset,
        };
        let new_epoch = same_history.is_none() && self.base.is_some();
        if !continues && !self.is_covered(snapshot, asked, new_epoch) {
            return Applied::Uncovered;
        }
        if new_epoch {
            self.leave_history();
        }
        let told = self.attach(snapshot);
        self.account.get_or_insert_with(|| snapshot.account.clone());
        self.base = Some(Base {
            epoch: snapshot.epoch.clone(),
            version: snapshot.version,
            as_of: snapshot.as_of,
            received_at,
            meters: snapshot.meters.clone(),
        });
        Applied::Taken(told)
    }

    /// A snapshot that does not continue the base may count operations that it does not name. It is
    /// safe only when every operation the server may have seen was asked for or is named.
    fn is_covered(&self, snapshot: &Snapshot, asked: &[OperationId], new_epoch: bool) -> bool {
        self.pending
            .iter()
            .filter(|operation| operation.may_be_recorded())
            .filter(|operation| new_epoch || operation.record.is_none())
            .all(|operation| {
                asked.contains(&operation.id)
                    || snapshot.operations.iter().any(|outcome| outcome.id == operation.id)
            })
    }

    fn leave_history(&mut self) {
        if let Some(base) = self.base.take() {
            self.retired.push(base.epoch);
        }
        for operation in self.pending.iter_mut() {
            // Records of the old history say nothing about the new one.
            operation.record = None;
            if operation.stage != Stage::Created {
                operation.stage = Stage::Uncertain;
            }
        }
    }

    fn attach(&mut self, snapshot: &Snapshot) -> Told {
        let mut told = Told::default();
        let mut foreign = Vec::new();
        for outcome in &snapshot.operations {
            match self.pending.attach(outcome) {
                Attached::Known => {}
                Attached::Foreign => foreign.push(foreign_reason(outcome)),
                Attached::New(before) => {
                    let moved = differences(before.counted(), &outcome.counted);
                    told.reasons.extend(own_reason(outcome, moved));
                    if outcome.state.is_end() {
                        told.ended.push((outcome.id, outcome.state, outcome.cause));
                    }
                }
            }
        }
        for change in &snapshot.changes {
            told.reasons.push(Reason {
                cause: change.cause,
                operation: None,
                taken: BTreeMap::from([(change.meter.clone(), change.units)]),
                counted: Charge::empty(),
            });
        }
        told.reasons.extend(foreign);
        told
    }
}

fn differences(before: &Charge, after: &Charge) -> BTreeMap<MeterId, i64> {
    let meters = before.iter().chain(after.iter()).map(|(meter, _)| meter);
    meters
        .map(|meter| (meter.clone(), after.units(meter).signed() - before.units(meter).signed()))
        .filter(|(_, moved)| *moved != 0)
        .collect()
}

fn own_reason(outcome: &OperationOutcome, taken: BTreeMap<MeterId, i64>) -> Option<Reason> {
    (!taken.is_empty()).then(|| Reason {
        cause: outcome.cause,
        operation: Some(outcome.id),
        taken,
        counted: outcome.counted.clone(),
    })
}

/// The same actor on another device. How much it moved cannot be told from its latest state alone.
fn foreign_reason(outcome: &OperationOutcome) -> Reason {
    let meters = outcome.counted.iter().chain(outcome.requested.iter());
    Reason {
        cause: Cause::OtherDevice,
        operation: None,
        taken: meters
            .map(|(meter, _)| (meter.clone(), outcome.counted.units(meter).signed()))
            .collect(),
        counted: Charge::empty(),
    }
}
