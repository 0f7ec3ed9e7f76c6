//! What the driver is to carry out.

use super::{
    Client, Deadline, Event, InFlight, OperationId, PendingOperation, Request, RequestId, Session,
    Stage, Timestamp, timers,
};

impl Client {
    /// The next request to send, one at a time: its answer may make the next one needless.
    pub fn poll_request(&mut self, now: Timestamp) -> Option<Request> {
        let resting = self.tries.rests_until.is_some_and(|until| now < until.not_before);
        if self.in_flight.is_some() || !self.online || resting {
            return None;
        }
        let Session::Account(knowledge) = &self.session else { return None };
        let base = knowledge.base.as_ref();
        let since = base.map(|base| base.version);
        let fencing =
            knowledge.pending.iter().find(|it| it.stage == Stage::Fencing).map(|it| it.id);
        if fencing.is_none() && !self.wants.check {
            return None;
        }
        let id = RequestId(self.next_request);
        let (request, asked) = if let Some(operation) = fencing {
            (Request::Fence { id, operation, since }, Vec::new())
        } else {
            let whole = self.wants.whole || base.is_none();
            let ask = asked(knowledge.pending.iter(), whole);
            let known = base
                .filter(|_| ask.is_empty() && !whole)
                .map(|base| (base.epoch.clone(), base.version));
            let since = since.filter(|_| !whole);
            (Request::Usage { id, since, ask: ask.clone(), known }, ask)
        };
        if fencing.is_none() {
            self.wants.check = false;
        }
        self.next_request += 1;
        self.in_flight = Some(InFlight { id, asked, fences: fencing });
        Some(request)
    }

    /// The next thing to tell the app.
    pub fn poll_event(&mut self) -> Option<Event> {
        self.events.pop_front()
    }

    /// When [`Client::handle_timeout`] wants to be called next. A driver picks the instant inside
    /// the range, so that clients spread out; before the range nothing would happen.
    pub fn poll_timeout(&self) -> Option<Deadline> {
        timers::earliest([self.next_check(), self.next_silence(), self.next_window_end()])
    }
}

/// When the history is replaced whole, everything that the server may have seen must be named; else
/// only what is no longer under way.
fn asked<'a>(pending: impl Iterator<Item = &'a PendingOperation>, whole: bool) -> Vec<OperationId> {
    pending
        .filter(|it| it.awaits_end() || (whole && it.may_be_recorded()))
        .map(|it| it.id)
        .collect()
}
