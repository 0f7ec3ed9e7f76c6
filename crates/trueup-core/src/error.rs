//! One variant per cause. Texts are fragments that fit after "failed to …:".

use crate::ids::OperationId;
use crate::meter::MeterId;
use crate::operation::OperationState;
use crate::units::Units;
use crate::window::Timestamp;

/// A text that is no id of its kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[error("not a valid {what}")]
pub struct InvalidId {
    /// Which kind of id was wanted.
    pub what: &'static str,
}

/// The plan does not allow the operation.
#[derive(Clone, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[error("only {remaining} of {meter} left and {asked} asked for")]
pub struct Refusal {
    /// The first meter without room.
    pub meter: MeterId,
    /// Units that were asked for.
    pub asked: Units,
    /// Units that are left.
    pub remaining: Units,
    /// When the meter's window ends and units come back.
    pub resets_at: Option<Timestamp>,
}

/// Why the ledger turned a command down. The account is as it was.
#[derive(Clone, Debug, PartialEq, Eq, Hash, thiserror::Error)]
pub enum Rejection {
    /// The plan has no room: for moving a hold, which stays what it was, or for a retry of what was
    /// refused at admission. The refusal itself is recorded, as [`crate::ledger::Decision::Refused`].
    #[error("the limit is reached: {0}")]
    Refused(Refusal),
    /// The id was used before, with other content or by another actor.
    #[error("operation {0} was sent before with other content")]
    Conflict(OperationId),
    /// The id was fenced: nothing may happen under it any more.
    #[error("operation {0} was fenced and can never run")]
    Fenced(OperationId),
    /// The operation ended before, in another way.
    #[error("operation {operation} has ended already, as {}", state.as_str())]
    Ended {
        /// Which one.
        operation: OperationId,
        /// How it ended.
        state: OperationState,
    },
    /// A fence found its operation alive.
    #[error("operation {0} is held and only its holder can end it")]
    Held(OperationId),
    /// Nothing was ever admitted under the id.
    #[error("operation {0} is not known")]
    Unknown(OperationId),
    /// The id is so old that its record may be gone: accepting it could charge twice.
    #[error("operation id {0} is too old to be accepted")]
    TooOld(OperationId),
    /// The id claims to come from the future.
    #[error("operation id {0} lies in the future: the maker's clock is ahead")]
    FromFuture(OperationId),
    /// A meter that the account's plan does not have.
    #[error("meter {0} is not part of the account's plan")]
    UnknownMeter(MeterId),
    /// A counter would pass 2^53-1.
    #[error("meter {0} would pass the largest number that can be counted")]
    Overflow(MeterId),
}
