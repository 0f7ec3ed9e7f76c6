//! What the network tells the machine.

use super::{
    Applied, Cause, Client, Event, InFlight, OperationId, OperationState, RequestId, Snapshot,
    Stage, Timestamp, Told, correction,
};
use crate::correction::Reason;
use crate::meter::Charge;

impl Client {
    /// The reply to an operation brought a snapshot. It tells what is its actor's own: one of an
    /// operation that is not among the session's is meant for a session before.
    pub fn handle_reply(&mut self, id: OperationId, snapshot: &Snapshot, now: Timestamp) {
        if self.knowledge().is_some_and(|it| it.pending.get(id).is_some()) {
            self.take(snapshot, None, now);
        }
    }

    /// A snapshot arrived that nobody asked for: by push, or from another tab of the same actor.
    pub fn handle_snapshot(&mut self, snapshot: &Snapshot, now: Timestamp) {
        self.take(snapshot, None, now);
    }

    /// A request of the machine was answered with a snapshot.
    pub fn handle_answer(&mut self, id: RequestId, snapshot: &Snapshot, now: Timestamp) {
        let Some(request) = self.in_flight.take_if(|request| request.id == id) else { return };
        self.tries.succeed(request.sent_at);
        if self.take(snapshot, Some(&request.asked), now) {
            self.find_unknown(&request.asked, snapshot);
        }
        if self.doubt_fence(&request) && !self.wants.whole {
            self.tries.fail(&self.settings, None, now);
        }
        self.ask_again_later(now);
        self.derive_view(now);
    }

    /// The server knows nothing newer.
    pub fn handle_not_modified(&mut self, id: RequestId, now: Timestamp) {
        if let Some(request) = self.in_flight.take_if(|request| request.id == id) {
            self.tries.succeed(request.sent_at);
            self.ask_again_later(now);
            self.derive_view(now);
        }
    }

    /// A request failed; the server may have said after how long to come back.
    pub fn handle_failure(&mut self, id: RequestId, retry_after_ms: Option<i64>, now: Timestamp) {
        if let Some(request) = self.in_flight.take_if(|request| request.id == id) {
            self.doubt_fence(&request);
            self.tries.fail(&self.settings, retry_after_ms, now);
            self.derive_view(now);
        }
    }

    /// The server will never accept the operation of a fence: its id is older than operations are
    /// kept, or another actor's, so nothing of this client can happen under it any more.
    pub fn handle_fence_refused(&mut self, id: RequestId, now: Timestamp) {
        let Some(request) = self.in_flight.take_if(|request| request.id == id) else { return };
        // The server is there. It said nothing of the figures: they are as old as before.
        self.tries.forgive();
        let Some(operation) = request.fences else { return };
        let Some(removed) = self.knowledge_mut().and_then(|it| it.pending.remove(operation)) else {
            return;
        };
        let taken = removed.counted().iter().map(|(meter, units)| (meter.clone(), -units.signed()));
        let reason = Reason {
            cause: Cause::NeverArrived,
            operation: Some(operation),
            taken: taken.collect(),
            counted: Charge::empty(),
        };
        let ended = vec![(operation, OperationState::Fenced, Cause::NeverArrived)];
        self.tell_moves(Told { reasons: vec![reason], ended, ..Told::default() }, now);
    }

    /// Whether the base is the snapshot's now.
    fn take(&mut self, snapshot: &Snapshot, asked: Option<&[OperationId]>, now: Timestamp) -> bool {
        let Some(knowledge) = self.knowledge_mut() else { return false };
        let applied = knowledge.apply(snapshot, asked, now);
        match applied {
            Applied::Foreign | Applied::Stale => return false,
            Applied::Gap => {
                self.wants.check = true;
                return false;
            }
            Applied::Uncovered => {
                self.wants.check = true;
                self.wants.whole = true;
                return false;
            }
            Applied::Taken(told) => {
                self.wants.whole = false;
                self.tell_moves(told, now);
                if !self.awaits_end() {
                    self.tries.confirm = None;
                } else if self.tries.confirm.is_none() {
                    self.tries.confirm_from(&self.settings, false, now);
                }
            }
        }
        true
    }

    fn tell_moves(&mut self, told: Told, now: Timestamp) {
        if let Some(before) = self.derive_view(now) {
            for correction in correction::explain(&before.meters, &self.view.meters, &told) {
                self.tell(Event::Corrected(correction));
            }
        }
        for (operation, state, cause) in told.ended {
            self.tell(Event::Ended { operation, state, cause });
        }
        self.tell(Event::SaveNeeded);
    }

    /// What was asked for by id and is in no record never arrived: it is fenced, so that it never
    /// can. What is still under way may yet arrive and is left alone.
    fn find_unknown(&mut self, asked: &[OperationId], snapshot: &Snapshot) {
        let Some(knowledge) = self.knowledge_mut() else { return };
        for id in asked {
            let named = snapshot.operations.iter().any(|outcome| outcome.id == *id);
            if let Some(operation) = knowledge.pending.get_mut(*id)
                && !named
                && operation.record.is_none()
                && operation.awaits_end()
            {
                operation.stage = Stage::Fencing;
            }
        }
    }

    /// Whether the request was a fence that did not settle its operation. Whether it was carried
    /// out, or the operation came first, is asked before it is tried again.
    fn doubt_fence(&mut self, request: &InFlight) -> bool {
        let Some(id) = request.fences else { return false };
        let operation = self.pending_mut().and_then(|pending| pending.get_mut(id));
        let in_vain = operation.filter(|operation| operation.stage == Stage::Fencing);
        let is_in_vain = in_vain.map(|operation| operation.stage = Stage::Uncertain).is_some();
        self.tries.vain_fences =
            if is_in_vain { self.tries.vain_fences.saturating_add(1) } else { 0 };
        is_in_vain
    }

    fn ask_again_later(&mut self, now: Timestamp) {
        if self.awaits_end() {
            self.tries.confirm_again(&self.settings, now);
        } else {
            self.tries.confirm = None;
        }
    }
}
