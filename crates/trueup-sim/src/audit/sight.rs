//! What snapshots say and what pages show, as it stands in a history.

use super::history::{Amounts, Cause, Meter, Ms, Op, Place, State};

/// A snapshot as it left the server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Read {
    /// Whose.
    pub account: u8,
    /// For whom.
    pub actor: u8,
    /// In which history.
    pub epoch: u32,
    /// What was asked by id.
    pub ask: Vec<Op>,
    /// Its range.
    pub since: u64,
    /// Its version.
    pub version: u64,
    /// Whether its range could not be told.
    pub reset: bool,
    /// Its figures.
    pub figures: Vec<Figures>,
    /// What became of operations.
    pub outcomes: Vec<(Op, Standing)>,
    /// What else moved.
    pub changes: Vec<Change>,
}

/// How an operation stands at some version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    /// The version that brought it there.
    pub version: u64,
    /// Where it stands.
    pub state: State,
    /// Why.
    pub cause: Cause,
    /// What it asked for.
    pub requested: Amounts,
    /// What counts for it: what is held while it is open, what was charged after.
    pub counted: Amounts,
}

/// Something that moved a meter and is no operation of the reader's own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// The last version that moved it so.
    pub version: u64,
    /// Why.
    pub cause: Cause,
    /// Which meter.
    pub meter: Meter,
    /// By how much: of the limit for grants and plans, else of what is used and held.
    pub units: i64,
}

/// One meter of a snapshot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Figures {
    /// Which meter.
    pub meter: Meter,
    /// Grants included.
    pub limit: Option<u64>,
    /// Whether the limit stops anything.
    pub hard: bool,
    /// Charged.
    pub used: u64,
    /// Set aside.
    pub held: u64,
    /// When the window ends.
    pub end: Ms,
}

/// What a user sees.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shown {
    /// On which page.
    pub tab: u8,
    /// Whose name stands there.
    pub account: Option<u8>,
    /// What the figures are based on.
    pub place: Option<Place>,
    /// What the page's clock says, which never steps back.
    pub clock: Ms,
    /// Every meter.
    pub meters: Vec<Seen>,
    /// Those whose window is said to be over.
    pub resetting: Vec<Meter>,
    /// Whether the app was told that the view is another one.
    pub told: bool,
    /// How meters moved in ways that were not predicted, as the app was told, in its order.
    pub corrected: Vec<Moved>,
    /// Operations whose end the app was told, and why they ended so.
    pub ended: Vec<(Op, State, Cause)>,
    /// Whether the page says that it is in touch with the server.
    pub live: bool,
}

/// How one meter moved, as the app was told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moved {
    /// Why.
    pub cause: Cause,
    /// Because of which operation, when one is the reason.
    pub op: Option<Op>,
    /// Which one.
    pub meter: Meter,
    /// Used, limit and what was left, before.
    pub before: Told,
    /// And now.
    pub after: Told,
}

/// Used in all, limit, and what is left.
pub type Told = (u64, Option<u64>, Option<u64>);

/// One meter as a user sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seen {
    /// The server's part.
    pub figures: Figures,
    /// What the page adds for operations without a record.
    pub pending: u64,
    /// All of it.
    pub total: u64,
    /// What is left.
    pub remaining: Option<u64>,
}
