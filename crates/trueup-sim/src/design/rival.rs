//! Other ways to keep a page's figures, for comparison on the same traffic: what is usually written,
//! and five mends of it that look as if they helped.
//!
//! Each reads the same snapshots from the same server. Where the usual way leaves something open,
//! it gets the better choice: it asks again when the page is seen or online again, knows its own
//! limit before it sends, gives a silent reply up after a while, and dates what it sends by the
//! server's clock once it has seen it.

use trueup_core::client::{Begun, Deadline, Event, Request, RequestId, Saved};
use trueup_core::view::{MeterView, Status, View};
use trueup_core::{
    AccountId, Charge, Epoch, Map, MeterId, MeterReading, OperationId, Snapshot, Timestamp, Units,
    Version, quota,
};

use super::{Design, Input};

/// After a reply, until the usual check.
const RECONCILE_MS: i64 = 1_000;
/// Between two regular checks.
const POLL_MS: i64 = 30_000;
/// After so long without a word, a reply is given up as one that broke.
const SILENCE_MS: i64 = 60_000;

macro_rules! rivals {
    ($($name:ident $word:literal $text:literal,)*) => {
        /// Another way to keep the figures.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Rival { $(#[doc = $text] $name,)* }

        impl Rival {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$name,)*];

            /// Its name.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$name => $word,)* }
            }

            /// What it does.
            pub const fn text(self) -> &'static str {
                match self { $(Self::$name => $text,)* }
            }
        }
    };
}

rivals! {
    Naive "overwrite" "count at once, fetch a second after the reply and every 30 s, overwrite what differs",
    Versioned "overwrite, newer only" "the same with what is held, and never by an earlier version",
    DropOnReply "drop on own reply" "figures and own messages apart; a message leaves when its reply ends",
    Gate "wait while pending" "figures are taken only while no own message is under way",
    CommitVersion "commit version" "a message leaves when the figures reach the version that its reply named",
    Watermark "watermark" "the server tells the client's last message it has seen; those up to it leave",
}

impl Rival {
    /// Whether it reads what is held along with what is used. The usual way does not; a mend does
    /// when it shows fewer wrong numbers with it.
    pub const fn reads_held(self) -> bool {
        matches!(self, Self::Versioned | Self::Watermark)
    }

    /// Whether what is begun is added to the figures themselves.
    pub const fn counts_in_place(self) -> bool {
        matches!(self, Self::Naive | Self::Versioned)
    }
}

/// The figures that a design reads.
fn figures(rival: Rival, snapshot: &Snapshot) -> Map<MeterId, MeterReading> {
    let read = |(meter, it): (&MeterId, &MeterReading)| {
        let held = if rival.reads_held() { it.held } else { Units::ZERO };
        (meter.clone(), MeterReading { held, ..it.clone() })
    };
    snapshot.meters.iter().map(read).collect()
}

/// A page's client of such a design.
#[derive(Debug)]
pub struct Other {
    rival: Rival,
    account: Option<AccountId>,
    base: Option<Base>,
    pending: Vec<Own>,
    view: View,
    next_request: u64,
    /// Fetches to be made, and why.
    due: Vec<(Timestamp, Why)>,
    under_way: Vec<Fetch>,
    polls_at: Option<Timestamp>,
    /// Replies that are waited for, and when something was heard of each.
    running: Vec<(OperationId, Timestamp)>,
    /// Those that were given up.
    called_off: Vec<OperationId>,
    /// How far the server's clock is ahead, by its last snapshot.
    server_ahead_ms: i64,
}

#[derive(Debug)]
struct Base {
    epoch: Epoch,
    version: Version,
    meters: Map<MeterId, MeterReading>,
}

/// A message that was begun and has not left the sum.
#[derive(Debug)]
struct Own {
    id: OperationId,
    charge: Charge,
    sent: bool,
    /// Whether its reply is over.
    over: bool,
    /// The version that its reply named, and of which history.
    commit: Option<(Epoch, Version)>,
}

/// Why figures are fetched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Why {
    AfterReply,
    Check,
}

#[derive(Debug)]
struct Fetch {
    id: RequestId,
    why: Why,
    /// Messages whose reply was over when it left: its answer knows all that became of them.
    over: Vec<OperationId>,
}

impl Other {
    /// A page that knows nothing yet.
    pub fn new(rival: Rival) -> Self {
        Self {
            rival,
            account: None,
            base: None,
            pending: Vec::new(),
            view: View::default(),
            next_request: 0,
            due: Vec::new(),
            under_way: Vec::new(),
            polls_at: None,
            running: Vec::new(),
            called_off: Vec::new(),
            server_ahead_ms: 0,
        }
    }

    /// Replies that have been silent for too long are as good as broken.
    fn give_up_silent(&mut self, now: Timestamp) {
        let silent = |(_, heard_at): &(OperationId, Timestamp)| heard_at.plus(SILENCE_MS) <= now;
        while let Some(at) = self.running.iter().position(silent) {
            let (id, _) = self.running.remove(at);
            self.called_off.push(id);
            self.broke(id, now);
        }
    }

    fn broke(&mut self, id: OperationId, now: Timestamp) {
        self.over(id, false);
        self.due.push((now.plus(RECONCILE_MS), Why::AfterReply));
    }

    fn begin_session(&mut self, account: &AccountId, now: Timestamp) {
        let next_request = self.next_request;
        *self = Self { next_request, account: Some(account.clone()), ..Self::new(self.rival) };
        self.polls_at = Some(now.plus(POLL_MS));
        self.due.push((now, Why::Check));
    }

    /// The figures are replaced, unless they are of before.
    fn replace(&mut self, snapshot: &Snapshot) -> bool {
        let is_before = self
            .base
            .as_ref()
            .is_some_and(|base| base.epoch == snapshot.epoch && base.version > snapshot.version);
        let gated = self.rival == Rival::Gate && !self.pending.is_empty() && self.base.is_some();
        if self.account.as_ref() != Some(&snapshot.account)
            || gated
            || (is_before && self.rival != Rival::Naive)
        {
            return false;
        }
        let (epoch, version) = (snapshot.epoch.clone(), snapshot.version);
        self.base = Some(Base { epoch, version, meters: figures(self.rival, snapshot) });
        true
    }

    fn fetched(&mut self, id: RequestId, snapshot: &Snapshot, now: Timestamp) {
        self.server_ahead_ms = snapshot.as_of.since(now);
        let Some(at) = self.under_way.iter().position(|fetch| fetch.id == id) else { return };
        let Fetch { why, over, .. } = self.under_way.swap_remove(at);
        if self.rival.counts_in_place() && why == Why::AfterReply && !self.premium_differs(snapshot)
        {
            return;
        }
        if self.replace(snapshot) {
            if self.rival == Rival::Watermark {
                self.pass_watermark(snapshot);
            }
            if matches!(self.rival, Rival::CommitVersion | Rival::Watermark) {
                self.pending.retain(|own| !over.contains(&own.id));
            }
            self.leave_committed();
        }
    }

    /// The usual check after a reply looks at one figure.
    fn premium_differs(&self, snapshot: &Snapshot) -> bool {
        let taken = |meters: &Map<MeterId, MeterReading>| {
            meters.iter().next().map(|(_, it)| it.used.saturating_add(it.held))
        };
        let read = taken(&figures(self.rival, snapshot));
        self.base.as_ref().is_none_or(|base| taken(&base.meters) != read)
    }

    /// A snapshot that nobody fetched: with a reply, or from another tab.
    fn told(&mut self, snapshot: &Snapshot, reply_to: Option<OperationId>) {
        if self.rival.counts_in_place() || self.base.is_none() {
            return;
        }
        if let Some(id) = reply_to {
            match self.rival {
                Rival::DropOnReply | Rival::Gate => self.over(id, true),
                Rival::CommitVersion => {
                    let own = self.pending.iter_mut().filter(|own| own.id == id);
                    own.for_each(|own| {
                        own.commit = Some((snapshot.epoch.clone(), snapshot.version));
                    });
                }
                _ => {}
            }
        }
        if self.replace(snapshot) && self.rival == Rival::Watermark {
            self.pass_watermark(snapshot);
        }
        self.leave_committed();
    }

    fn pass_watermark(&mut self, snapshot: &Snapshot) {
        let seen = |own: &Own| snapshot.operations.iter().any(|it| it.id == own.id);
        if let Some(last) = self.pending.iter().rposition(seen) {
            self.pending.drain(..=last);
        }
    }

    fn leave_committed(&mut self) {
        if let Some(base) = &self.base {
            let awaits = |(epoch, version): &(Epoch, Version)| {
                *epoch == base.epoch && *version > base.version
            };
            self.pending.retain(|own| own.commit.as_ref().is_none_or(awaits));
        }
    }

    fn sent(&mut self, id: OperationId) {
        let Some(at) = self.pending.iter().position(|own| own.id == id) else { return };
        if !self.rival.counts_in_place() {
            self.pending.iter_mut().filter(|own| own.id == id).for_each(|own| own.sent = true);
            return;
        }
        let own = self.pending.swap_remove(at);
        self.count(&own.charge);
    }

    /// Adds to the figures themselves.
    fn count(&mut self, charge: &Charge) {
        let Some(base) = &mut self.base else { return };
        for (meter, units) in charge.iter() {
            if let Some(reading) = base.meters.get_mut(meter) {
                reading.used = reading.used.saturating_add(units);
            }
        }
    }

    /// A message's reply is over, or it never left.
    fn over(&mut self, id: OperationId, well: bool) {
        let Some(at) = self.pending.iter().position(|own| own.id == id) else { return };
        for own in self.pending.iter_mut().filter(|own| own.id == id) {
            let waits = match self.rival {
                Rival::CommitVersion => own.commit.is_none(),
                rival => rival == Rival::Watermark,
            };
            if own.sent && waits {
                own.over = true;
                return;
            }
        }
        let own = self.pending.remove(at);
        if self.rival == Rival::Gate && own.sent && well {
            self.count(&own.charge);
        }
    }

    fn derive(&mut self) {
        let meters = self.base.iter().flat_map(|base| base.meters.iter()).map(|(meter, it)| {
            let counts = |own: &&Own| !self.rival.counts_in_place() || own.sent;
            let pending = self.pending.iter().filter(counts);
            let sum =
                pending.fold(Units::ZERO, |sum, own| sum.saturating_add(own.charge.units(meter)));
            (meter.clone(), MeterView::new(it, sum, false))
        });
        self.view = View {
            status: if self.base.is_some() { Status::Live } else { Status::Loading },
            account: self.account.clone(),
            version: None,
            meters: meters.collect(),
        };
    }
}

impl Design for Other {
    fn handle(&mut self, input: &Input, now: Timestamp) {
        match input {
            Input::Account(account, _) => self.begin_session(account, now),
            Input::Visitor(_) => {
                let next_request = self.next_request;
                *self = Self { next_request, ..Self::new(self.rival) };
            }
            Input::Sent(id) => {
                if self.account.is_some() {
                    self.running.push((*id, now));
                }
                self.sent(*id);
            }
            Input::Heard(id) => {
                let heard = self.running.iter_mut().filter(|(known, _)| known == id);
                heard.for_each(|(_, heard_at)| *heard_at = now);
            }
            Input::Finished(id) => {
                self.running.retain(|(known, _)| known != id);
                self.over(*id, true);
                self.due.push((now.plus(RECONCILE_MS), Why::AfterReply));
            }
            Input::Failed(id) => {
                let was_sent = self.running.iter().any(|(known, _)| known == id);
                self.running.retain(|(known, _)| known != id);
                if was_sent {
                    self.broke(*id, now);
                } else {
                    self.over(*id, false);
                }
            }
            Input::Visible(true) | Input::Online(true) | Input::Refresh => {
                self.due.push((now, Why::Check));
            }
            Input::Reply(id, snapshot) => self.told(snapshot, Some(*id)),
            Input::Snapshot(snapshot) => self.told(snapshot, None),
            Input::Answer(id, snapshot) => self.fetched(*id, snapshot, now),
            Input::NotModified(id) | Input::Failure(id, _) | Input::FenceRefused(id) => {
                self.under_way.retain(|fetch| fetch.id != *id);
                if self.base.is_none() && self.under_way.is_empty() && self.due.is_empty() {
                    self.due.push((now.plus(RECONCILE_MS), Why::Check));
                }
            }
            Input::Visible(false) | Input::Online(false) | Input::Timeout => {}
        }
        self.give_up_silent(now);
        if self.polls_at.is_some_and(|at| at <= now) {
            self.polls_at = Some(now.plus(POLL_MS));
            self.due.push((now, Why::Check));
        }
        self.derive();
    }

    fn begin(&mut self, id: OperationId, charge: &Charge, _: Timestamp) -> Option<Begun> {
        let decision =
            quota::admit(charge, |meter| self.view.meters.get(meter).map(MeterView::allowance));
        let refusal = decision.err().filter(|_| !self.view.meters.is_empty());
        let predicted = if refusal.is_some() { Charge::empty() } else { charge.clone() };
        let charge = predicted.clone();
        self.pending.push(Own { id, charge, sent: false, over: false, commit: None });
        self.derive();
        Some(Begun { predicted, refusal })
    }

    fn event(&mut self) -> Option<Event> {
        None
    }

    fn request(&mut self, now: Timestamp) -> Option<Request> {
        let at = self.due.iter().position(|(at, _)| *at <= now)?;
        let (_, why) = self.due.remove(at);
        self.next_request += 1;
        let id = RequestId(self.next_request);
        let over = self.pending.iter().filter(|own| own.over).map(|own| own.id).collect();
        self.under_way.push(Fetch { id, why, over });
        let asks = self.rival == Rival::Watermark;
        let sent = self.pending.iter().filter(|own| asks && own.sent).map(|own| own.id);
        Some(Request::Usage { id, since: None, ask: sent.collect(), known: None })
    }

    fn deadline(&self) -> Option<Deadline> {
        let silent = self.running.iter().map(|(_, heard_at)| heard_at.plus(SILENCE_MS));
        let due = self.due.iter().map(|(at, _)| *at);
        let next = due.chain(self.polls_at).chain(silent).min()?;
        Some(Deadline { not_before: next, not_after: next })
    }

    fn called_off(&mut self) -> Option<OperationId> {
        self.called_off.pop()
    }

    fn saved(&self) -> Option<Saved> {
        None
    }

    fn since(&self) -> Option<Version> {
        None
    }

    fn server_time(&self, now: Timestamp) -> Timestamp {
        now.plus(self.server_ahead_ms)
    }

    fn epoch(&self) -> Option<Epoch> {
        None
    }

    fn view(&self) -> &View {
        &self.view
    }
}
