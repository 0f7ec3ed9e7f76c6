//! What outlives a reload.

use super::{AccountId, Base, Charge, OperationId, PendingOperation, Record};

/// What outlives a reload: figures and undecided operations.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Saved {
    /// Whose.
    pub account: AccountId,
    /// The last snapshot's figures.
    pub base: Option<Base>,
    /// What no snapshot has decided yet.
    pub pending: Vec<SavedOperation>,
}

/// An undecided operation that outlives a reload.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct SavedOperation {
    /// Its identity.
    pub id: OperationId,
    /// What it counts for until the server's first record.
    pub prediction: Charge,
    /// The latest record, once there is one: the saved figures count it.
    pub record: Option<Record>,
}

impl From<&PendingOperation> for SavedOperation {
    fn from(it: &PendingOperation) -> Self {
        Self { id: it.id, prediction: it.prediction.clone(), record: it.record.clone() }
    }
}
