//! What happened, in plain numbers and words: all that the auditor ever learns.

pub use super::sight::{Change, Figures, Moved, Read, Seen, Shown, Standing, Told};

/// Milliseconds: of the simulation's own time, unless a clock is named.
pub type Ms = i64;
/// A meter, by its place in the alphabet.
pub type Meter = u8;
/// Units by meter, sorted, never zero.
pub type Amounts = Vec<(Meter, u64)>;
/// An operation's number.
pub type Op = u32;
/// (database history, version of the account).
pub type Place = (u32, u64);
/// Why something is as it is, in the protocol's word for it.
pub type Cause = &'static str;

/// Where an operation stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum State {
    /// Units are set aside.
    Held,
    /// Charged.
    Settled,
    /// Given back.
    Released,
    /// Ended by time.
    Expired,
    /// Denied.
    Refused,
    /// Tombstoned.
    Fenced,
}

/// One thing that happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// An account's plan, from now on.
    Planned {
        /// Whose.
        account: u8,
        /// One line a meter.
        plan: Vec<PlanLine>,
    },
    /// The ledger brought an account up to date with its plan and the calendar.
    Aligned {
        /// Whose.
        account: u8,
        /// In which history.
        epoch: u32,
        /// The server's clock.
        clock: Ms,
        /// What was written.
        entry: Entry,
    },
    /// The ledger decided a command, and committed what came of it.
    Decided {
        /// Whose.
        account: u8,
        /// In which history.
        epoch: u32,
        /// The server's clock.
        clock: Ms,
        /// What was asked.
        command: Command,
        /// What came of it.
        outcome: Outcome,
        /// What was written.
        entry: Option<Entry>,
    },
    /// The database was restored: another history begins, for every account.
    Restored {
        /// Its number.
        epoch: u32,
        /// The history that the backup was of.
        from: u32,
        /// Account by account: the version of that history that it begins with.
        versions: Vec<u64>,
    },
    /// The record of an operation was deleted.
    Pruned {
        /// Whose.
        account: u8,
        /// Which.
        op: Op,
        /// The server's clock.
        clock: Ms,
    },
    /// The sweeper found nothing that is due.
    Swept {
        /// The server's clock when it looked.
        clock: Ms,
    },
    /// A backend begins an operation by itself.
    ByHand {
        /// Its number.
        op: Op,
    },
    /// The server told somebody that there is nothing newer.
    Unchanged {
        /// What the reader has.
        known: Place,
        /// What the server has.
        place: Place,
    },
    /// The server made a snapshot.
    Read(Read),
    /// A session begins on a page.
    Opened {
        /// Which page.
        tab: u8,
        /// Whose usage it shows.
        account: u8,
        /// Who looks.
        actor: u8,
        /// Whether it begins from what was kept.
        kept: bool,
    },
    /// A visitor's session begins on a page: nobody is signed in there.
    Visited {
        /// Which page.
        tab: u8,
        /// Of which browser.
        device: u8,
        /// What a visitor may have.
        limits: Amounts,
        /// What visitors of that browser used before, as it was kept.
        used: Amounts,
    },
    /// The reply to what a visitor sent is over.
    EndedAlone {
        /// On which page.
        tab: u8,
        /// Its number.
        op: Op,
        /// Whether it ended well.
        well: bool,
    },
    /// A page that nobody signed in on asks the server something.
    AskedAlone {
        /// Which page.
        tab: u8,
    },
    /// A page copied all that another had kept.
    Copied {
        /// The original.
        from: u8,
        /// The copy.
        to: u8,
    },
    /// A page is gone, or nobody looks at it any more.
    Left {
        /// Which page.
        tab: u8,
    },
    /// The user began something.
    Began {
        /// On which page.
        tab: u8,
        /// Its number.
        op: Op,
        /// What it is to charge.
        asked: Amounts,
        /// What the page counts for it.
        predicted: Amounts,
        /// Why the page expects it to be refused, if it does.
        refusal: Option<Denial>,
    },
    /// The user thought better of it before anything left.
    Withdrawn {
        /// On which page.
        tab: u8,
        /// Its number.
        op: Op,
    },
    /// The page kept its state.
    Kept {
        /// Which page.
        tab: u8,
    },
    /// An operation's request is about to leave the page.
    Leaving {
        /// Which page.
        tab: u8,
        /// Its number.
        op: Op,
    },
    /// An operation's request left the page.
    Sent {
        /// Which page.
        tab: u8,
        /// Its number.
        op: Op,
    },
    /// Something of an operation's reply was heard, or its reply is over.
    Heard {
        /// Which page.
        tab: u8,
        /// Its number.
        op: Op,
    },
    /// An operation's reply broke, was stopped, or was an error.
    Broke {
        /// On which page.
        tab: u8,
        /// Its number.
        op: Op,
    },
    /// A page's question failed.
    Failed {
        /// Which page.
        tab: u8,
        /// What the server wanted to be left alone for.
        retry_after: Ms,
    },
    /// A page's clock was set: what it waits for, it may wait for once more.
    ClockSet {
        /// Which page.
        tab: u8,
    },
    /// The server will never accept an operation: the page gives it up.
    GivenUp {
        /// Which page.
        tab: u8,
        /// Its number.
        op: Op,
    },
    /// A snapshot came to a page.
    Received {
        /// Which page.
        tab: u8,
        /// Whose.
        account: u8,
        /// At which place of history.
        place: Place,
        /// When it was read, by the server's clock.
        as_of: Ms,
    },
    /// A page's timer may be late: the browser slows it down, or its device sleeps.
    Dozes {
        /// Which page.
        tab: u8,
        /// Until when.
        until: Ms,
    },
    /// What a page shows, after anything happened to it.
    Shown(Shown),
    /// From now on nothing is lost, late, doubled or down; pages are visible and awake.
    FaultsStopped {
        /// The server's clock.
        clock: Ms,
    },
    /// A page listens to the server's push, undisturbed.
    Listening {
        /// Which page.
        tab: u8,
    },
    /// Enough time has passed: every page must be right.
    Judged,
    /// A page's undecided operations at the end.
    Undecided {
        /// Which page.
        tab: u8,
        /// Their numbers.
        ops: Vec<Op>,
    },
}

/// A plan's words about one meter. Windows follow each other from `offset` on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PlanLine {
    /// Which meter.
    pub meter: Meter,
    /// `None` is unlimited.
    pub limit: Option<u64>,
    /// Whether the limit stops anything.
    pub hard: bool,
    /// How long a window lasts.
    pub period: Ms,
    /// When one begins.
    pub offset: Ms,
}

/// What was asked of the ledger.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Command {
    /// About which operation.
    pub op: Op,
    /// When the operation's id was made, by its maker's clock.
    pub made_at: Ms,
    /// What is to be done.
    pub kind: CommandKind,
}

/// What is to be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CommandKind {
    /// Set aside (actor, amounts, content, expiry by the server's clock).
    Hold(u8, Amounts, u8, Ms),
    /// Set aside elsewhere.
    Rehold(Amounts),
    /// Charge (amounts, content, why when it says so).
    Settle(Amounts, u8, Option<Cause>),
    /// Give back, for that reason.
    Release(Cause),
    /// Keep open until.
    Extend(Ms),
    /// End by time; whether charged.
    Expire(bool),
    /// Tombstone (actor).
    Fence(u8),
    /// Grant (actor, amounts).
    Grant(u8, Amounts),
}

/// What came of a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It was written.
    Changed,
    /// The plan has no room, and that was written.
    Refused(Denial),
    /// It was carried out before.
    Replayed,
    /// Nothing was written, for that reason.
    Rejected(&'static str),
}

/// What a plan has no room for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Denial {
    /// The first meter that has none.
    pub meter: Meter,
    /// What is asked of it.
    pub asked: u64,
    /// What is left of it.
    pub remaining: u64,
    /// When its window ends.
    pub resets_at: Option<Ms>,
}

/// One line of an account's history.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The version that it made.
    pub version: u64,
    /// What kind of change.
    pub kind: &'static str,
    /// Why.
    pub cause: Cause,
    /// The movements.
    pub lines: Vec<Line>,
    /// A meter's terms, when they are the change; the meter left the plan when `None`.
    pub terms: Option<Terms>,
}

/// How one meter moved in one window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Line {
    /// Which meter.
    pub meter: Meter,
    /// In which of its windows.
    pub window: u64,
    /// Units charged.
    pub used: i64,
    /// Units set aside.
    pub held: i64,
    /// Units granted.
    pub granted: i64,
    /// Units charged past the limit.
    pub overage: u64,
}

/// A meter's terms.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Terms {
    /// `None` is unlimited; without grants.
    pub limit: Option<u64>,
    /// Whether the limit stops anything.
    pub hard: bool,
    /// The window's start by the server's clock.
    pub start: Ms,
    /// The window's end.
    pub end: Ms,
}
