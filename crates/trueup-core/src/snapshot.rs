//! What travels: the versioned outcome delta, one atomic image of an account.

use crate::ids::{AccountId, Epoch, OperationId, Version};
use crate::map::Map;
use crate::meter::{Charge, MeterId};
use crate::operation::{Cause, OperationState};
use crate::quota::{Allowance, Enforcement, MeterBalance};
use crate::units::Units;
use crate::window::{Timestamp, Window};

/// One meter in a snapshot.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct MeterReading {
    /// `None` is unlimited; grants are included.
    pub limit: Option<Units>,
    /// Units charged in the window.
    pub used: Units,
    /// Units set aside for open operations.
    pub held: Units,
    /// What happens at the limit.
    pub enforcement: Enforcement,
    /// The period that the limit covers.
    pub window: Window,
}

impl MeterReading {
    /// The meter as the quota decision sees it.
    pub fn allowance(&self) -> Allowance {
        Allowance {
            limit: self.limit,
            taken: self.used.saturating_add(self.held),
            enforcement: self.enforcement,
            resets_at: Some(self.window.end),
        }
    }
}

impl From<&MeterBalance> for MeterReading {
    fn from(balance: &MeterBalance) -> Self {
        Self {
            limit: balance.limit(),
            used: balance.used,
            held: balance.held,
            enforcement: balance.terms.enforcement,
            window: balance.terms.window,
        }
    }
}

/// The latest state of one of the calling actor's operations.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct OperationOutcome {
    /// Which operation.
    pub id: OperationId,
    /// The account's version when it came to that state.
    pub version: Version,
    /// Where it stands.
    pub state: OperationState,
    /// Why.
    pub cause: Cause,
    /// What it asked for.
    pub requested: Charge,
    /// What counts for it in the snapshot's meters: what is held while it is open, what was charged
    /// once it ended, nothing when nothing was charged.
    pub counted: Charge,
}

/// What else moved: other actors and devices summed by meter, grants, plan changes, resets.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Change {
    /// The account's version after the (last) change.
    pub version: Version,
    /// Why.
    pub cause: Cause,
    /// Which meter.
    pub meter: MeterId,
    /// By how much: of used + held for [`Cause::OtherDevice`] and [`Cause::WindowReset`], of the
    /// limit for [`Cause::Grant`] and [`Cause::PlanChanged`].
    pub units: i64,
}

/// The authoritative image of an account at one version.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Snapshot {
    /// Whose.
    pub account: AccountId,
    /// In which database's history.
    pub epoch: Epoch,
    /// The version after which `operations` and `changes` tell everything.
    pub since: Version,
    /// The version that the image shows.
    pub version: Version,
    /// When the server read it, by its clock.
    pub as_of: Timestamp,
    /// Whether the range could not be told: outcomes are complete only for what was asked by id.
    pub reset: bool,
    /// Every meter of the plan.
    pub meters: Map<MeterId, MeterReading>,
    /// The calling actor's operations that changed in (since, version].
    pub operations: Vec<OperationOutcome>,
    /// What else changed in (since, version].
    pub changes: Vec<Change>,
}
