//! The life of an operation on the server: held once, ended once.

use crate::ids::{ActorId, Fingerprint, ModelId, OperationId, Version};
use crate::meter::{Charge, MeterId};
use crate::snapshot::OperationOutcome;
use crate::units::Units;
use crate::window::Timestamp;

/// Where an operation stands. All but [`OperationState::Held`] are ends, and final.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum OperationState {
    /// Admitted: its units are set aside.
    Held,
    /// Charged with what was really used.
    Settled,
    /// Given back.
    Released,
    /// Ended by the server because its holder vanished.
    Expired,
    /// Denied at admission.
    Refused,
    /// Tombstoned before it ever arrived.
    Fenced,
}

impl OperationState {
    /// Every state, in the order of the protocol.
    pub const ALL: [Self; 6] =
        [Self::Held, Self::Settled, Self::Released, Self::Expired, Self::Refused, Self::Fenced];

    /// Whether nothing can happen to the operation any more.
    pub const fn is_end(self) -> bool {
        !matches!(self, Self::Held)
    }

    /// The word for it in JSON and SQL.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Held => "held",
            Self::Settled => "settled",
            Self::Released => "released",
            Self::Expired => "expired",
            Self::Refused => "refused",
            Self::Fenced => "fenced",
        }
    }

    /// The state of that word.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == word)
    }
}

/// Why something changed. Every movement of a number has one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Cause {
    /// Admitted as asked.
    Admitted,
    /// Finished as asked.
    Finished,
    /// Another model answered than the one asked for.
    Fallback,
    /// The provider reported another use than the one predicted.
    Metered,
    /// The user stopped it.
    Aborted,
    /// The provider failed; failures are never charged.
    ProviderFailed,
    /// The backend gave the units back.
    Cancelled,
    /// The server stopped while the operation ran.
    Shutdown,
    /// Nobody ended the operation in time.
    HoldExpired,
    /// The plan had no room.
    LimitReached,
    /// The request never arrived.
    NeverArrived,
    /// Another device or member of the account.
    OtherDevice,
    /// Units were granted.
    Grant,
    /// The plan, or the account's own terms, changed.
    PlanChanged,
    /// A window ended and the next one began.
    WindowReset,
    /// The client's history could not be followed and was replaced whole.
    Reset,
}

impl Cause {
    /// Every cause.
    pub const ALL: [Self; 16] = [
        Self::Admitted,
        Self::Finished,
        Self::Fallback,
        Self::Metered,
        Self::Aborted,
        Self::ProviderFailed,
        Self::Cancelled,
        Self::Shutdown,
        Self::HoldExpired,
        Self::LimitReached,
        Self::NeverArrived,
        Self::OtherDevice,
        Self::Grant,
        Self::PlanChanged,
        Self::WindowReset,
        Self::Reset,
    ];

    /// The word for it in JSON and SQL.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Admitted => "admitted",
            Self::Finished => "finished",
            Self::Fallback => "fallback",
            Self::Metered => "metered",
            Self::Aborted => "aborted",
            Self::ProviderFailed => "provider_failed",
            Self::Cancelled => "cancelled",
            Self::Shutdown => "shutdown",
            Self::HoldExpired => "hold_expired",
            Self::LimitReached => "limit_reached",
            Self::NeverArrived => "never_arrived",
            Self::OtherDevice => "other_device",
            Self::Grant => "grant",
            Self::PlanChanged => "plan_changed",
            Self::WindowReset => "window_reset",
            Self::Reset => "reset",
        }
    }

    /// The cause of that word.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|cause| cause.as_str() == word)
    }
}

/// Units set aside for one meter, and the window they count in.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct HoldLine {
    /// Which meter.
    pub meter: MeterId,
    /// How many units.
    pub units: Units,
    /// [`crate::MeterBalance::window_number`] at admission: a hold counts, and is charged, in the
    /// window it was made in.
    pub window_number: u64,
}

/// An operation as the server keeps it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct OperationRecord {
    /// Its identity.
    pub id: OperationId,
    /// Whose action it is.
    pub actor: ActorId,
    /// The model asked for, when one was.
    pub model: Option<ModelId>,
    /// What it asked for.
    pub requested: Charge,
    /// What it said beyond that when it was held.
    pub held_content: Option<Fingerprint>,
    /// What was said with its settle, beyond the charge.
    pub settled_content: Option<Fingerprint>,
    /// Where it stands.
    pub state: OperationState,
    /// Why it stands there.
    pub cause: Cause,
    /// The account's version when it last changed.
    pub version: Version,
    /// What is set aside; empty once it ended.
    pub holds: Vec<HoldLine>,
    /// What it was charged; empty unless it ended with a charge.
    pub charged: Charge,
    /// When the server ends it by itself; kept after the end, for the record.
    pub expires_at: Timestamp,
}

impl OperationRecord {
    /// The record as the operation's own actor is told of it.
    pub fn outcome(&self) -> OperationOutcome {
        let counted = if self.state == OperationState::Held {
            Charge::new(self.holds.iter().map(|line| (line.meter.clone(), line.units)))
                .unwrap_or_default()
        } else {
            self.charged.clone()
        };
        OperationOutcome {
            id: self.id,
            version: self.version,
            state: self.state,
            cause: self.cause,
            requested: self.requested.clone(),
            counted,
        }
    }
}
