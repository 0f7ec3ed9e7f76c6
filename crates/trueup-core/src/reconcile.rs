//! `apply`: the only way that a client's base ever changes.

use crate::correction::Reason;
use crate::ids::{AccountId, Epoch, OperationId, Version};
use crate::map::Map;
use crate::meter::{Charge, MeterId};
use crate::operation::{Cause, OperationState};
use crate::pending::{Attached, Pending, Stage};
use crate::snapshot::{MeterReading, OperationOutcome, Snapshot};
use crate::window::Timestamp;

/// The last snapshot's figures.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
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
    pub meters: Map<MeterId, MeterReading>,
}

/// What a signed-in client knows.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Knowledge {
    /// Whose usage; learnt from the first snapshot when not given.
    pub account: Option<AccountId>,
    /// The last snapshot, once there was one.
    pub base: Option<Base>,
    /// What no snapshot has decided yet.
    pub pending: Pending,
    /// Histories that were left behind: their late snapshots must not come back.
    retired: Vec<Epoch>,
    /// Whether the base was read from storage and no snapshot has confirmed it yet.
    restored: bool,
}

/// What `apply` did with a snapshot.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Applied {
    /// Of another account or a history left behind: nothing changed.
    Foreign,
    /// Older than the base: nothing changed.
    Stale,
    /// It does not reach back to the base: nothing changed, fetch since the base's version.
    Gap,
    /// It replaces the history but does not tell about every operation that may be in it: nothing
    /// changed, fetch whole and ask for every pending operation.
    Uncovered,
    /// The base is the snapshot's now.
    Taken(Told),
}

/// What a snapshot told that a client could not know.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Told {
    pub(crate) reasons: Vec<Reason>,
    /// Whether the history was replaced, so that more has moved than the reasons say.
    pub(crate) replaced: bool,
    /// The client's operations that ended.
    pub ended: Vec<(OperationId, OperationState, Cause)>,
}

impl Knowledge {
    /// Knows nothing yet.
    pub fn new(account: Option<AccountId>) -> Self {
        let (pending, retired) = (Pending::default(), Vec::new());
        Self { account, base: None, pending, retired, restored: false }
    }

    /// Starts from figures that were kept over a reload. They are hostile until a snapshot
    /// confirms them: an answer may replace them by an earlier version.
    pub fn restore(&mut self, base: Option<Base>) {
        self.restored = base.is_some();
        self.base = base;
    }

    /// By how much the server's clock is ahead of the client's. Figures from before a reload do not
    /// tell: how long ago they came is not known.
    pub fn server_ahead_ms(&self) -> i64 {
        match &self.base {
            Some(base) if !self.restored => base.as_of.since(base.received_at),
            _ => 0,
        }
    }

    /// Takes a snapshot in, whole or not at all. `asked` are the operations that its request asked for
    /// by id, when it answers one of this client's own: it can be relied on to name them.
    /// `received_at` is the client's clock.
    ///
    /// Only an answer begins a history or changes to another one: answers come in the order in
    /// which the server read them. Anything else may be a late word of a session, or of a history,
    /// that was left, and can only carry on from the base.
    pub fn apply(
        &mut self,
        snapshot: &Snapshot,
        asked: Option<&[OperationId]>,
        received_at: Timestamp,
    ) -> Applied {
        let other_account = self.account.as_ref().is_some_and(|own| *own != snapshot.account);
        let is_late = self.base.is_none() || self.retired.contains(&snapshot.epoch);
        if other_account || (asked.is_none() && is_late) {
            return Applied::Foreign;
        }
        let unfounded =
            |base: &&Base| self.restored && asked.is_some() && snapshot.version < base.version;
        let same_history = self
            .base
            .as_ref()
            .filter(|base| base.epoch == snapshot.epoch)
            // No answer is older than what this page began with, unless that was made up.
            .filter(|base| !unfounded(base));
        let continues = match same_history {
            Some(base) if snapshot.version < base.version => return Applied::Stale,
            Some(base) if snapshot.version == base.version => true,
            Some(base) if !snapshot.reset && snapshot.since <= base.version => true,
            Some(_) if asked.is_none() || !snapshot.reset => return Applied::Gap,
            _ => false,
        };
        if !continues && !asked.is_some_and(|asked| self.is_covered(snapshot, asked)) {
            return Applied::Uncovered;
        }
        if same_history.is_none() {
            self.leave_history(&snapshot.epoch);
        }
        let told = Told { replaced: !continues, ..self.attach(snapshot) };
        self.account.get_or_insert_with(|| snapshot.account.clone());
        self.replace_base(snapshot, received_at);
        Applied::Taken(told)
    }

    /// A snapshot that does not continue the base may count operations that it does not name. It is
    /// safe only when every operation that anybody may know of was asked for or is named.
    fn is_covered(&self, snapshot: &Snapshot, asked: &[OperationId]) -> bool {
        self.pending.iter().filter(|operation| !operation.is_idle()).all(|operation| {
            asked.contains(&operation.id)
                || snapshot.operations.iter().any(|outcome| outcome.id == operation.id)
        })
    }

    fn replace_base(&mut self, snapshot: &Snapshot, received_at: Timestamp) {
        let says_nothing_newer = |base: &Base| {
            base.version == snapshot.version && snapshot.as_of <= base.as_of && !self.restored
        };
        if self.base.as_ref().is_some_and(says_nothing_newer) {
            return;
        }
        self.restored = false;
        self.base = Some(Base {
            epoch: snapshot.epoch.clone(),
            version: snapshot.version,
            as_of: snapshot.as_of,
            received_at,
            meters: snapshot.meters.clone(),
        });
    }

    fn leave_history(&mut self, next: &Epoch) {
        let Some(base) = self.base.take() else { return };
        if base.epoch != *next {
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
        let mut foreign: Vec<&MeterId> = Vec::new();
        // What the base counts already moves nothing now, whoever tells it again.
        let counted_up_to = self.base.as_ref().map_or(Version(0), |base| base.version);
        for outcome in &snapshot.operations {
            let counted_already = outcome.version <= counted_up_to;
            match self.pending.attach(outcome) {
                Attached::Known => {}
                Attached::Foreign if counted_already => {}
                Attached::Foreign => {
                    for meter in either(&outcome.counted, &outcome.requested) {
                        if !foreign.contains(&meter) {
                            foreign.push(meter);
                        }
                    }
                }
                Attached::New(before) => {
                    let moved = if counted_already {
                        differences(before.predicted(), &Charge::empty())
                    } else {
                        differences(before.counted(), &outcome.counted)
                    };
                    told.reasons.extend(own_reason(outcome, moved));
                    if outcome.state.is_end() {
                        told.ended.push((outcome.id, outcome.state, outcome.cause));
                    }
                }
            }
        }
        for change in snapshot.changes.iter().filter(|change| change.version > counted_up_to) {
            told.reasons.push(Reason {
                cause: change.cause,
                operation: None,
                taken: vec![(change.meter.clone(), change.units)],
                counted: Charge::empty(),
            });
        }
        // The same actor on another device. How much each operation moved cannot be told from its
        // latest state; together they moved what is left.
        told.reasons.extend(foreign.into_iter().map(|meter| Reason {
            cause: Cause::OtherDevice,
            operation: None,
            taken: vec![(meter.clone(), 0)],
            counted: Charge::empty(),
        }));
        told
    }
}

fn differences(before: &Charge, after: &Charge) -> Vec<(MeterId, i64)> {
    let both = either(before, after);
    both.map(|meter| (meter.clone(), after.units(meter).signed() - before.units(meter).signed()))
        .filter(|(_, moved)| *moved != 0)
        .collect()
}

/// Every meter that one or the other charges, once.
fn either<'a>(one: &'a Charge, other: &'a Charge) -> impl Iterator<Item = &'a MeterId> {
    let only_other = other.iter().filter(|(meter, _)| one.units(meter).is_zero());
    one.iter().chain(only_other).map(|(meter, _)| meter)
}

fn own_reason(outcome: &OperationOutcome, taken: Vec<(MeterId, i64)>) -> Option<Reason> {
    (!taken.is_empty()).then(|| Reason {
        cause: outcome.cause,
        operation: Some(outcome.id),
        taken,
        counted: outcome.counted.clone(),
    })
}
