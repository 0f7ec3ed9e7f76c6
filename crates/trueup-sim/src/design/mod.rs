//! What runs in a page: the client that ships, or another design in its place, on the same traffic.

use std::rc::Rc;

use trueup_core::client::{Begun, Deadline, Event, Request, RequestId, Saved};
use trueup_core::view::View;
use trueup_core::{
    AccountId, Charge, Epoch, Map, MeterId, OperationId, Snapshot, Timestamp, Units, Version,
};

mod ours;
mod rival;

pub use ours::Ours;
pub use rival::{Other, Rival};

/// What a page is told.
#[derive(Clone, Debug)]
pub enum Input {
    /// Somebody looks at the page; what was kept for that account.
    Account(AccountId, Option<Box<Saved>>),
    /// A visitor looks at the page, whom no server knows; what visitors used before.
    Visitor(Map<MeterId, Units>),
    /// An operation's request leaves.
    Sent(OperationId),
    /// Something of its reply arrived.
    Heard(OperationId),
    /// Its reply ended well.
    Finished(OperationId),
    /// Its reply broke, or the user stopped it.
    Failed(OperationId),
    /// The page was shown or hidden.
    Visible(bool),
    /// The network came or went.
    Online(bool),
    /// The app wants the figures checked.
    Refresh,
    /// The timer went off.
    Timeout,
    /// An operation's reply brought a snapshot.
    Reply(OperationId, Rc<Snapshot>),
    /// A snapshot arrived by push, or from another tab.
    Snapshot(Rc<Snapshot>),
    /// A request was answered.
    Answer(RequestId, Rc<Snapshot>),
    /// There is nothing newer.
    NotModified(RequestId),
    /// A request failed; the server may have said when to come back.
    Failure(RequestId, Option<i64>),
    /// The server will never accept a fence's operation.
    FenceRefused(RequestId),
}

/// A way to keep a page's figures.
pub trait Design: std::fmt::Debug {
    /// Takes in what happened, by the page's clock.
    fn handle(&mut self, input: &Input, now: Timestamp);
    /// The user begins something; nothing when too much is undecided already.
    fn begin(&mut self, id: OperationId, charge: &Charge, now: Timestamp) -> Option<Begun>;
    /// The next thing to tell the app.
    fn event(&mut self) -> Option<Event>;
    /// The next request to send.
    fn request(&mut self, now: Timestamp) -> Option<Request>;
    /// An operation whose reply it does not wait for any longer, by a time-out of its own.
    fn called_off(&mut self) -> Option<OperationId> {
        None
    }
    /// When the timer is to go off.
    fn deadline(&self) -> Option<Deadline>;
    /// What is to be kept.
    fn saved(&self) -> Option<Saved>;
    /// What a visitor used, which is to be kept.
    fn used_alone(&self) -> Option<Map<MeterId, Units>> {
        None
    }
    /// The version that replies should tell everything after.
    fn since(&self) -> Option<Version>;
    /// The server's clock, as far as the page knows it: what ids are dated by.
    fn server_time(&self, now: Timestamp) -> Timestamp;
    /// The history that the figures are of.
    fn epoch(&self) -> Option<Epoch>;
    /// What the user sees.
    fn view(&self) -> &View;
}
