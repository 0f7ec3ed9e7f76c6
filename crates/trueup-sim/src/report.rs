//! What was done, and how often each state was reached that a blind test would miss.

use std::collections::BTreeMap;

macro_rules! sometimes {
    ($($name:ident, $text:literal;)*) => {
        /// A state that every long run must reach.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Sometimes { $(#[doc = $text] $name,)* }

        impl Sometimes {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$name,)*];

            /// In words.
            pub const fn text(self) -> &'static str {
                match self { $(Self::$name => $text,)* }
            }
        }
    };
}

sometimes! {
    SawSettled, "a page sees its operation settled";
    SawReleased, "a page sees its operation released";
    SawExpired, "a page sees its operation expired";
    SawRefused, "a page sees its operation refused";
    SawFenced, "a page sees its operation fenced";
    PredictedRefusal, "a page predicts a refusal";
    AtLimit, "a page shows that nothing is left";
    Overlapping, "two chats of one page overlap";
    OutOfOrder, "a chat ends before an earlier one of its page";
    FellBack, "another model answers";
    FallbackRefused, "the plan has no room for another model";
    Metered, "a provider reports another use than predicted";
    Overage, "a charge passes a limit";
    ProviderFailedEarly, "every model fails before the first token";
    ProviderFailedLate, "a model fails after the first token";
    AbortedCharged, "the user stops a chat that had begun to answer";
    AbortedFree, "the user stops a chat before the first token";
    Renewed, "a hold is renewed";
    ExpiryWon, "a hold expires before its chat can settle";
    SettleRetried, "a settle is tried again";
    LastChunkBare, "the last chunk leaves without a snapshot";
    CommitUnknown, "a commit is written and answered with an error";
    CrashedBefore, "the server dies before a commit";
    CrashedAfter, "the server dies after a commit";
    ShutDown, "the server stops and gives back what runs";
    ReplayedHold, "a hold is asked for twice";
    ReplayedSettle, "a settle is asked for twice";
    Conflict, "an id is used with other content";
    LateAfterFence, "a request arrives after its fence";
    FenceOfHeld, "a fence finds its operation held";
    TooOld, "an id is too old";
    FromFuture, "an id is too far ahead";
    GivenUp, "a page gives an operation up that will never be accepted";
    NotModified, "the server knows nothing newer";
    OldRead, "a replica answers with an image of before";
    Gap, "a snapshot begins after what the page knows";
    Stale, "a snapshot is older than what the page shows";
    Reset, "a range cannot be told";
    AskedWhole, "a page asks for what is under way, to replace what it cannot follow";
    OtherEpoch, "a page is told of another history than its own";
    Rolled, "a window ends with units held in it";
    PlanMoved, "a plan changes while operations are open";
    Granted, "units are granted while operations are open";
    Switched, "somebody else signs in while a chat runs";
    RestoredPending, "a page is restored with undecided operations";
    SaveLost, "a page dies before it keeps what happened";
    CopiedPending, "a page is copied with undecided operations";
    Relayed, "a page learns from another tab";
    Pushed, "a page learns by push";
    PushGap, "a pushed snapshot does not reach back";
    Slept, "a device sleeps with operations undecided";
    SentLate, "a request leaves long after its operation was begun";
    RetryReplayed, "a gateway sends a chat again, and is answered as before";
    RetryConflicts, "a gateway sends another chat under the same id";
    OpenedByHold, "an account appears with its first operation";
    NotModifiedByReplica, "a replica knows nothing newer";
    NotModifiedLate, "that nothing is newer arrives when the page knows more";
    Visited, "a visitor begins to count alone";
    VisitedAgain, "a visitor goes on from what was used before";
    CountedAlone, "the reply to what a visitor sent is over";
    SignedInPending, "a visitor signs in with operations undecided";
    SignedInMeanwhile, "a visitor's reply is over after they signed in";
    Withdrew, "an operation is withdrawn before it leaves";
    TooMany, "a page has too much undecided to begin more";
    Pruned, "an old record is deleted";
}

/// Sums over seeds.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// Seeds that were run.
    pub seeds: u64,
    /// Events that the auditor saw.
    pub events: u64,
    /// Simulated milliseconds.
    pub simulated_ms: i64,
    /// Simulated milliseconds times pages.
    pub page_ms: i64,
    /// Faults by kind.
    pub faults: BTreeMap<&'static str, u64>,
    /// Seeds by profile.
    pub profiles: BTreeMap<&'static str, u64>,
    reached: BTreeMap<Sometimes, u64>,
}

impl Report {
    /// A fault was made.
    pub fn fault(&mut self, kind: &'static str) {
        *self.faults.entry(kind).or_default() += 1;
    }

    /// A state was reached.
    pub fn reach(&mut self, state: Sometimes) {
        *self.reached.entry(state).or_default() += 1;
    }

    /// How often a state was reached.
    pub fn reached(&self, state: Sometimes) -> u64 {
        self.reached.get(&state).copied().unwrap_or_default()
    }

    /// States that were never reached.
    pub fn missing(&self) -> impl Iterator<Item = Sometimes> {
        Sometimes::ALL.iter().copied().filter(|state| self.reached(*state) == 0)
    }

    /// Adds another's sums.
    pub fn add(&mut self, other: &Self) {
        self.seeds += other.seeds;
        self.events += other.events;
        self.simulated_ms += other.simulated_ms;
        self.page_ms += other.page_ms;
        for (kind, count) in &other.faults {
            *self.faults.entry(kind).or_default() += count;
        }
        for (name, count) in &other.profiles {
            *self.profiles.entry(name).or_default() += count;
        }
        for (state, count) in &other.reached {
            *self.reached.entry(*state).or_default() += count;
        }
    }
}
