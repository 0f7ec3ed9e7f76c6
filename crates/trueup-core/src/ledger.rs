//! The ledger's decisions: what a command does to an account, as data for a store to write.
//!
//! [`Account`] is the projection of the entries written so far. [`Account::decide`] either turns a
//! command down, finds that it was carried out before, or gives what is to be [`Written`]: the
//! account and the operation as they are to be, and the immutable entry that says how they came to
//! be so. Nothing is mutated in place, so a decision that is not written has not happened.

pub use changes::{Movement, changes};

use std::collections::BTreeMap;

use crate::error::{Refusal, Rejection};
use crate::ids::{AccountId, ActorId, Fingerprint, ModelId, OperationId, Version};
use crate::meter::{Charge, MeterId};
use crate::operation::{Cause, HoldLine, OperationRecord, OperationState};
use crate::quota::{self, MeterBalance, MeterTerms};
use crate::units::Units;
use crate::window::Timestamp;

mod align;
mod changes;
mod decide;
mod life;

/// How far an operation id may lie from the server's clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Acceptance {
    /// Older ids are refused, so that pruning old operations can never make a retry look new.
    pub max_age_ms: i64,
    /// How far a maker's clock may be ahead.
    pub max_ahead_ms: i64,
}

impl Default for Acceptance {
    /// Seven days back, ten minutes ahead.
    fn default() -> Self {
        Self { max_age_ms: 7 * 24 * 60 * 60 * 1000, max_ahead_ms: 10 * 60 * 1000 }
    }
}

/// An account as its entries made it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Account {
    /// Whose quota it is.
    pub id: AccountId,
    /// How many changes it has seen.
    pub version: Version,
    /// Every meter of its plan.
    pub meters: BTreeMap<MeterId, MeterBalance>,
}

/// What is asked of the ledger about one operation or meter of one account.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Command {
    /// Set units aside before an operation starts.
    Hold {
        /// Which operation.
        operation: OperationId,
        /// Whose action it is.
        actor: ActorId,
        /// The model asked for, when one was.
        model: Option<ModelId>,
        /// What it is to set aside.
        charge: Charge,
        /// What the request says beyond that.
        content: Option<Fingerprint>,
        /// When the server gives the units back by itself.
        expires_at: Timestamp,
    },
    /// Move an open hold to what another model charges, if there is room for that.
    Rehold {
        /// Which operation.
        operation: OperationId,
        /// What it is to set aside instead.
        charge: Charge,
    },
    /// Charge what was really used.
    Settle {
        /// Which operation.
        operation: OperationId,
        /// What was used.
        charge: Charge,
        /// What the request says beyond that.
        content: Option<Fingerprint>,
        /// Why the charge is what it is; derived from what was asked for when not given.
        cause: Option<Cause>,
    },
    /// Give the units back.
    Release {
        /// Which operation.
        operation: OperationId,
        /// Why.
        cause: Cause,
    },
    /// Keep the hold open longer.
    Extend {
        /// Which operation.
        operation: OperationId,
        /// Its new end.
        expires_at: Timestamp,
    },
    /// End a hold whose time is up.
    Expire {
        /// Which operation.
        operation: OperationId,
        /// Whether its units are charged (true) or given back (false).
        charged: bool,
    },
    /// Make sure that nothing can happen under an id that never arrived.
    Fence {
        /// Which operation.
        operation: OperationId,
        /// Whose action it was.
        actor: ActorId,
    },
    /// Add units to a meter's limit until its window ends.
    Grant {
        /// The grant's own id: granting twice under one id grants once.
        operation: OperationId,
        /// Who grants.
        actor: ActorId,
        /// Which meter and how many units.
        charge: Charge,
    },
}

impl Command {
    /// The operation that the command is about.
    pub fn operation(&self) -> OperationId {
        match self {
            Self::Hold { operation, .. }
            | Self::Rehold { operation, .. }
            | Self::Settle { operation, .. }
            | Self::Release { operation, .. }
            | Self::Extend { operation, .. }
            | Self::Expire { operation, .. }
            | Self::Fence { operation, .. }
            | Self::Grant { operation, .. } => *operation,
        }
    }
}

/// What kind of change an entry records.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum EntryKind {
    /// Units set aside, or set aside elsewhere.
    Hold,
    /// Charged.
    Settle,
    /// Given back.
    Release,
    /// Ended by time.
    Expire,
    /// Denied.
    Refuse,
    /// Tombstoned.
    Fence,
    /// Kept open longer.
    Extend,
    /// Granted on top of the plan.
    Grant,
    /// The plan's terms for a meter.
    Terms,
    /// A window's beginning.
    Window,
}

impl EntryKind {
    /// Every kind.
    pub const ALL: [Self; 10] = [
        Self::Hold,
        Self::Settle,
        Self::Release,
        Self::Expire,
        Self::Refuse,
        Self::Fence,
        Self::Extend,
        Self::Grant,
        Self::Terms,
        Self::Window,
    ];

    /// The word for it in JSON and SQL.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Hold => "hold",
            Self::Settle => "settle",
            Self::Release => "release",
            Self::Expire => "expire",
            Self::Refuse => "refuse",
            Self::Fence => "fence",
            Self::Extend => "extend",
            Self::Grant => "grant",
            Self::Terms => "terms",
            Self::Window => "window",
        }
    }

    /// The kind of that word.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == word)
    }
}

/// One immutable line of an account's history. Balances are sums of these: for a meter and window
/// number, `used` is the sum of `used`, `held` the sum of `held`, `granted` the sum of `granted`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Entry {
    /// The account's version that it made.
    pub version: Version,
    /// What kind of change.
    pub kind: EntryKind,
    /// Why.
    pub cause: Cause,
    /// Which operation, when one is the reason.
    pub operation: Option<OperationId>,
    /// Whose action, when somebody's.
    pub actor: Option<ActorId>,
    /// The movements, one a meter; none for a change that moved no number.
    pub lines: Vec<EntryLine>,
}

/// How one meter moved. All figures are differences, except where said.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct EntryLine {
    /// Which meter.
    pub meter: MeterId,
    /// In which of its windows.
    pub window_number: u64,
    /// Units charged.
    pub used: i64,
    /// Units set aside.
    pub held: i64,
    /// Units granted.
    pub granted: i64,
    /// By how much the limit that a client sees moved; grants included. Zero from or to unlimited.
    pub limit: i64,
    /// By how much used + held moved as a client sees it: not at all in a window that is closed.
    pub seen: i64,
    /// Units of `used` that passed the limit.
    pub overage: Units,
}

impl EntryLine {
    fn still(meter: &MeterId, window_number: u64) -> Self {
        Self {
            meter: meter.clone(),
            window_number,
            used: 0,
            held: 0,
            granted: 0,
            limit: 0,
            seen: 0,
            overage: Units::ZERO,
        }
    }
}

/// What is to be written, whole or not at all.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Written {
    /// The account as it is to be.
    pub account: Account,
    /// The operation as it is to be, when the change is about one.
    pub operation: Option<OperationRecord>,
    /// How it came to be so; one entry a version.
    pub entry: Entry,
}

/// What came of a command.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Decision {
    /// Nothing is to be written: it was carried out before, and this is its record.
    Replayed(OperationRecord),
    /// To be written.
    Changed(Box<Written>),
    /// To be written, and the answer is no: the refusal is itself recorded.
    Refused(Box<Written>, Refusal),
}
