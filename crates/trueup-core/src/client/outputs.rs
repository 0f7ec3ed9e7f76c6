//! What the driver is to carry out.

use super::{
    Client, Deadline, Event, InFlight, OperationId, PendingOperation, Request, RequestId, Session,
    Stage, Timestamp, timers,
};

impl Client {
    /// The next request to send, one at a time: its answer may make the next one needless.
    pub fn poll_request(&mut self, now: Timestamp) -> Option<Request> {
        // The timer, drawn at random in the range, ends a rest: any other input only after it.
        let resting = self.tries.rests_until.is_some_and(|rest| now < rest.not_after);
        if self.in_flight.is_some() || !self.online || resting {
            return None;
        }
        let Session::Account(knowledge) = &self.session else { return None };
        let base = knowledge.base.as_ref();
        let whole = self.wants.whole || base.is_none();
        // Also when it is of no use for the range: nobody is to answer who has seen less.
        let since = base.map(|base| base.version);
        // A history that cannot be followed comes first: nothing could be made of a fence's answer.
        let fences = knowledge.pending.iter().find(|it| it.stage == Stage::Fencing && !whole);
        let fences = fences.map(|operation| operation.id);
        if fences.is_none() && !self.wants.check {
            return None;
        }
        let id = RequestId(self.next_request);
        let (request, asked) = if let Some(operation) = fences {
            (Request::Fence { id, operation, since }, Vec::new())
        } else {
            let ask = asked(knowledge.pending.iter(), whole);
            // The first answer is wanted in full: kept figures do not tell how old they are.
            let is_fresh = self.tries.checked_at.is_some();
            // Nor does "unchanged" tell that a window has not ended, when the client's clock says so.
            let says_enough = is_fresh && !self.view.meters.values().any(|it| it.resetting);
            let known = base
                .filter(|_| ask.is_empty() && !whole && says_enough)
                .map(|base| (base.epoch.clone(), base.version));
            let request = Request::Usage { id, since, ask: ask.clone(), known };
            (request, ask)
        };
        if fences.is_none() {
            self.wants.check = false;
        }
        self.next_request += 1;
        self.in_flight = Some(InFlight { id, asked, fences, sent_at: now });
        Some(request)
    }

    /// The next thing to tell the app.
    pub fn poll_event(&mut self) -> Option<Event> {
        if self.events.is_empty() { None } else { Some(self.events.remove(0)) }
    }

    /// When [`Client::handle_timeout`] wants to be called next. A driver picks the instant inside
    /// the range, so that clients spread out; before the range nothing would happen.
    pub fn poll_timeout(&self) -> Option<Deadline> {
        timers::earliest([self.next_check(), self.next_silence(), self.next_reset()])
    }
}

/// When the history is replaced whole, everything that the server may know must be named: also what
/// has not left, since a copy of this page may have fenced it. Else only what is no longer under way.
fn asked<'a>(pending: impl Iterator<Item = &'a PendingOperation>, whole: bool) -> Vec<OperationId> {
    pending.filter(|it| it.awaits_end() || (whole && !it.is_idle())).map(|it| it.id).collect()
}
