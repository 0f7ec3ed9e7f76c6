//! Bugs to switch on, around the core and never in it: a server that stores something else than
//! was decided, a snapshot edited on its way, a page that does not hear. The auditor must find
//! every one of them; one that it does not find is a hole in the auditor.

mod ledger;
mod page;
mod snapshots;

pub use ledger::{align, decide};
pub use page::client;
pub use snapshots::snapshot;

macro_rules! bugs {
    ($($name:ident $word:literal $text:literal,)*) => {
        /// A bug to be found.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Bug { $(#[doc = $text] $name,)* }

        impl Bug {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$name,)*];

            /// Its name.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$name => $word,)* }
            }

            /// What is wrong.
            pub const fn text(self) -> &'static str {
                match self { $(Self::$name => $text,)* }
            }
        }
    };
}

bugs! {
    ReleaseKeepsVersion "release-keeps-version" "a release does not raise the version",
    RefusalKeepsVersion "refusal-keeps-version" "a refusal does not raise the version",
    FenceKeepsVersion "fence-keeps-version" "a fence does not raise the version",
    DoubleSettle "double-settle" "a settle that is repeated charges again",
    OtherSettleReplayed "other-settle-replayed" "a settle with another charge is answered like the first",
    FenceEndsHold "fence-ends-hold" "a fence ends an operation that runs",
    FenceRefusedAhead "fence-refused-ahead" "a fence is refused since its id is not accepted yet",
    LateArrivalRuns "late-arrival-runs" "a fenced operation runs when it arrives after all",
    HoldsAnew "holds-anew" "a hold that is asked for again sets its units aside again",
    AdmitsUnseen "admits-unseen" "admission does not see what is held",
    SettleKeepsHold "settle-keeps-hold" "a settle charges and gives nothing back",
    ExpiredSettles "expired-settles" "an expired hold can still be settled",
    OverageForgotten "overage-forgotten" "a charge past the limit is not recorded as overage",
    GrantsTwice "grants-twice" "a grant that is repeated grants again",
    RollKeepsUsed "roll-keeps-used" "a new window begins with what was used in the last",
    ChargesNewWindow "charges-new-window" "a hold of the last window is charged in the new one",
    PlanForgetsUsed "plan-forgets-used" "a change of plan forgets what was used",
    TornCommit "torn-commit" "operations are written without their balances when the server dies",
    SweeperIsEarly "sweeper-is-early" "holds expire before their time",
    SweeperSleeps "sweeper-sleeps" "holds that nobody ends stay for ever",
    PrunesTooEarly "prunes-too-early" "records go while their ids are still accepted",
    RestoreKeepsEpoch "restore-keeps-epoch" "a restored database goes by its old epoch",
    TagWithoutEpoch "tag-without-epoch" "the ETag is the version alone",
    ReplicaForgetsMinimum "replica-forgets-minimum" "a replica answers who has seen more than it has",
    TornRead "torn-read" "counters are read after the outcomes",
    RangeStartsLate "range-starts-late" "the first change of a range is left out",
    CutUntold "cut-untold" "a range that was forgotten is told as an empty one",
    TellsAllActors "tells-all-actors" "operations of every actor are told to each",
    RelayWidens "relay-widens" "a tab tells others a longer range than it knows",
    AppliesAcrossGaps "applies-across-gaps" "a page applies a snapshot that begins after its own",
    AppliesStale "applies-stale" "a page applies figures of before",
    IgnoresAccount "ignores-account" "a page applies another account's snapshot",
    IgnoresActor "ignores-actor" "a page applies the reply to what another actor began on it",
    IgnoresEpoch "ignores-epoch" "a page takes another history for its own",
    ForgetsAsk "forgets-ask" "a page does not ask for what it must know",
    AsksOnlySent "asks-only-sent" "a page does not ask for what it has not sent",
    ForgetsPendingOnReload "forgets-pending-on-reload" "a page forgets what was undecided when it is loaded anew",
    KeepsTooLate "keeps-too-late" "a page sends before it keeps",
    GivesUpUnfenced "gives-up-unfenced" "a page forgets an unknown operation without fencing it",
    ResendsChat "resends-chat" "a page sends a broken chat again, under another id",
    BareAcknowledgement "bare-acknowledgement" "an operation leaves the sum when its reply ends",
    CountsTwice "counts-twice" "an operation goes on counting beside its first record",
    OwnClockResets "own-clock-resets" "a page empties its meters when its own clock passes a window's end",
    TimerByDay "timer-by-day" "a page compares its timer by a clock that was set ahead since",
    DeafToFailure "deaf-to-failure" "a page waits for ever for an answer that was lost",
    CorrectionLies "correction-lies" "a correction says another figure than was shown",
    CorrectsSilently "corrects-silently" "a page moves its meters and tells nobody why",
    StaysHidden "stays-hidden" "a page that was hidden once never asks again",
    NeverResets "never-resets" "a page does not say that a window is over",
    ResetsByOwnClock "resets-by-own-clock" "a page says that a window is over when its own clock passes the end",
    StaysResetting "stays-resetting" "a page goes on saying that a window is over when the next one's figures are there",
    ResetsLate "resets-late" "a timer of a page goes off twenty seconds late",
    RefusalForgetsPending "refusal-forgets-pending" "a page that expects a refusal tells what is left without what is pending",
    RefusalForgetsEnd "refusal-forgets-end" "a page that expects a refusal does not tell when the window ends",
    DenialForgetsHeld "denial-forgets-held" "a server that refuses tells what is left without what is held",
    GrantUntold "grant-untold" "a grant moves a limit, and no change tells of it",
    OthersOnceOnly "others-once-only" "of what others did only the last is told, not the sum",
    OwnAmongOthers "own-among-others" "the reader's own operations are told among the changes once more",
    RollBlamesOthers "roll-blames-others" "a window's end is told as what another device did",
    RequestedIsCounted "requested-is-counted" "what was charged is told as what was asked for",
    CountedIsRequested "counted-is-requested" "what was asked for is told as what was charged",
    FallbackUntold "fallback-untold" "what another model was charged for is told as finished",
    AbortForgotten "abort-forgotten" "a settle after the user left is written down as finished",
    EndsUntrue "ends-untrue" "a page tells another reason for an operation's end than its record has",
    CorrectionBlames "correction-blames" "a correction gives the window's end as the reason for what a grant moved",
    CorrectionForgets "correction-forgets" "a correction names an operation, and not why it was charged so",
    BelievesTwice "believes-twice" "a page takes an answer for true only when it comes a second time",
}
