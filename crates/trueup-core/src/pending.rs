//! The client's undecided operations, in the order they were begun.

use crate::ids::{OperationId, Version};
use crate::meter::{Charge, MeterId};
use crate::operation::OperationState;
use crate::snapshot::OperationOutcome;
use crate::units::Units;
use crate::window::Timestamp;

/// How far a client has followed an operation that it has not seen the end of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Stage {
    /// Begun; nothing has left the client.
    Created,
    /// The request left; its reply is under way.
    Sent,
    /// The reply ended well; its record has not come yet.
    Finished,
    /// The reply broke, was restored from storage, or fell silent: the server must be asked.
    Uncertain,
    /// The server does not know it: it must be fenced.
    Fencing,
}

/// One undecided operation.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct PendingOperation {
    /// Its identity.
    pub id: OperationId,
    /// What it counts for until the server's first record.
    pub prediction: Charge,
    /// How far it was followed.
    pub stage: Stage,
    /// The latest record, once there is one.
    pub record: Option<Record>,
    /// When something was last heard of it, by the client's clock.
    pub active_at: Timestamp,
}

/// What the server said last about an operation that is still open.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Record {
    /// The account's version of the record.
    pub version: Version,
    /// Where the operation stands.
    pub state: OperationState,
    /// What the snapshot's meters count for it.
    pub counted: Charge,
}

impl PendingOperation {
    /// What it counts for: its prediction before the first record, the record after.
    pub fn counted(&self) -> &Charge {
        self.record.as_ref().map_or(&self.prediction, |record| &record.counted)
    }

    /// What it adds to the snapshot's figures: its prediction, until its first record.
    pub fn predicted(&self) -> &Charge {
        const NOTHING: &Charge = &Charge::empty();
        if self.record.is_none() { &self.prediction } else { NOTHING }
    }

    /// Whether it was expected to be refused and never left, as apps may leave it: it counts for
    /// nothing and nobody knows it.
    pub fn is_idle(&self) -> bool {
        self.stage == Stage::Created && self.prediction.is_empty()
    }

    /// Whether its end must be asked for: its reply is over and brought none.
    pub fn awaits_end(&self) -> bool {
        matches!(self.stage, Stage::Finished | Stage::Uncertain)
    }
}

/// The undecided operations, in the order they were begun.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Pending {
    operations: Vec<PendingOperation>,
}

impl Pending {
    /// Adds an operation; one that is there already stays as it is.
    pub fn insert(&mut self, operation: PendingOperation) {
        if self.get(operation.id).is_none() {
            self.operations.push(operation);
        }
    }

    /// The operation under `id`.
    pub fn get(&self, id: OperationId) -> Option<&PendingOperation> {
        self.operations.iter().find(|operation| operation.id == id)
    }

    /// The operation under `id`, to be changed.
    pub fn get_mut(&mut self, id: OperationId) -> Option<&mut PendingOperation> {
        self.operations.iter_mut().find(|operation| operation.id == id)
    }

    /// Takes the operation under `id` out.
    pub fn remove(&mut self, id: OperationId) -> Option<PendingOperation> {
        let at = self.operations.iter().position(|operation| operation.id == id)?;
        Some(self.operations.remove(at))
    }

    /// Takes the oldest idle operation out. Whether there was one.
    pub fn drop_idle(&mut self) -> bool {
        let found = self.operations.iter().position(PendingOperation::is_idle);
        found.map(|at| self.operations.remove(at)).is_some()
    }

    /// All of them, oldest first.
    pub fn iter(&self) -> impl Iterator<Item = &PendingOperation> {
        self.operations.iter()
    }

    /// All of them, to be changed.
    pub fn iter_mut(&mut self) -> impl Iterator<Item = &mut PendingOperation> {
        self.operations.iter_mut()
    }

    /// Whether the end of any of them must be asked for.
    pub fn await_ends(&self) -> bool {
        self.operations.iter().any(PendingOperation::awaits_end)
    }

    /// Whether there are none, or none that anybody will hear of.
    pub fn is_idle(&self) -> bool {
        self.operations.iter().all(PendingOperation::is_idle)
    }

    /// Predicted units of `meter` of all operations that have no record yet.
    pub fn predicted(&self, meter: &MeterId) -> Units {
        self.operations
            .iter()
            .fold(Units::ZERO, |sum, it| sum.saturating_add(it.predicted().units(meter)))
    }

    /// Takes in one outcome. A record that is no newer than the known one changes nothing.
    pub fn attach(&mut self, outcome: &OperationOutcome) -> Attached {
        let Some(operation) = self.get_mut(outcome.id) else { return Attached::Foreign };
        let known = operation.record.as_ref().map(|record| record.version);
        if known.is_some_and(|version| version >= outcome.version) {
            return Attached::Known;
        }
        let before = operation.clone();
        operation.record = Some(Record {
            version: outcome.version,
            state: outcome.state,
            counted: outcome.counted.clone(),
        });
        if operation.stage == Stage::Fencing {
            // The server knows it after all: back to asking for its end.
            operation.stage = Stage::Uncertain;
        }
        if outcome.state.is_end() {
            self.remove(outcome.id);
        }
        Attached::New(Box::new(before))
    }
}

/// What an outcome was to the client.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Attached {
    /// News of one of its own operations; the operation as it was before.
    New(Box<PendingOperation>),
    /// Nothing new.
    Known,
    /// An operation that this client did not begin, or has seen the end of.
    Foreign,
}
