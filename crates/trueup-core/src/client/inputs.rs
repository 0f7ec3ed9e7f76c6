//! What the page tells the machine.

use super::{
    AccountId, Base, Begun, Charge, Client, Event, Knowledge, Local, MAX_PENDING, Map, ModelId,
    OperationId, PendingOperation, Saved, SavedOperation, Session, Stage, Timestamp,
    TooManyPending, Wants, quota, timers,
};

impl Client {
    /// Somebody signed in, or another account was chosen: everything of the session before is
    /// forgotten, and its late replies find nobody. `saved` is what this account kept.
    pub fn handle_account(
        &mut self,
        account: Option<AccountId>,
        saved: Option<Saved>,
        now: Timestamp,
    ) {
        let mut knowledge = Knowledge::new(account);
        if let Some(saved) =
            saved.filter(|saved| Some(&saved.account) == knowledge.account.as_ref())
        {
            let version = saved.base.as_ref().map(|base| base.version);
            // The page's clock has no past before the reload.
            knowledge.restore(saved.base.map(|base| Base { received_at: now, ..base }));
            for SavedOperation { id, prediction, record } in saved.pending {
                // Figures can only count records that they are not older than.
                let record = record.filter(|record| Some(record.version) <= version);
                let stage = Stage::Uncertain;
                let operation = PendingOperation { id, prediction, stage, record, active_at: now };
                knowledge.pending.insert(operation);
            }
        }
        self.begin_session(Session::Account(knowledge), now);
        self.wants.check = true;
    }

    /// Nobody is signed in: nothing is sent, everything is counted here.
    pub fn handle_anonymous(&mut self, local: Local, now: Timestamp) {
        self.begin_session(Session::Anonymous(local), now);
    }

    fn begin_session(&mut self, session: Session, now: Timestamp) {
        self.session = session;
        self.in_flight = None;
        self.wants = Wants::default();
        self.tries = timers::Tries::default();
        self.events.clear();
        self.derive_view(now);
    }

    /// The catalog arrived.
    pub fn handle_catalog(&mut self, catalog: Map<ModelId, Charge>) {
        self.catalog = catalog;
    }

    /// The user begins something that is expected to take `charge`. It counts from now on, unless
    /// the plan has no room: then it is expected to be refused, and a refusal takes nothing.
    ///
    /// # Errors
    /// [`TooManyPending`] when [`MAX_PENDING`] operations are undecided already.
    pub fn handle_begin(
        &mut self,
        id: OperationId,
        charge: &Charge,
        now: Timestamp,
    ) -> Result<Begun, TooManyPending> {
        if let Some(begun) = self.pending_mut().and_then(|pending| pending.get(id)) {
            // A retry of the same user action.
            return Ok(Begun { predicted: begun.prediction.clone(), refusal: None });
        }
        if self.pending_mut().is_some_and(|it| it.iter().count() >= MAX_PENDING && !it.drop_idle())
        {
            return Err(TooManyPending);
        }
        let known = !self.view.meters.is_empty();
        let decision = quota::admit(charge, |meter| {
            self.view.meters.get(meter).map(super::MeterView::allowance)
        });
        let refusal = decision.err().filter(|_| known);
        let predicted = if refusal.is_some() { Charge::empty() } else { charge.clone() };
        if let Some(pending) = self.pending_mut() {
            pending.insert(PendingOperation {
                id,
                prediction: predicted.clone(),
                stage: Stage::Created,
                record: None,
                active_at: now,
            });
        }
        self.tell(Event::SaveNeeded);
        self.derive_view(now);
        Ok(Begun { predicted, refusal })
    }

    /// The operation's request leaves the client.
    pub fn handle_sent(&mut self, id: OperationId, now: Timestamp) {
        if self.stage(id, Stage::Sent, now) {
            // One that was expected to be refused has not been kept before.
            self.tell(Event::SaveNeeded);
        }
    }

    /// Something of the operation's reply arrived.
    pub fn handle_activity(&mut self, id: OperationId, now: Timestamp) {
        if let Some(operation) = self.pending_mut().and_then(|pending| pending.get_mut(id)) {
            operation.active_at = now;
        }
    }

    /// The operation's reply ended well. If it brought no snapshot, the server is asked soon.
    pub fn handle_finished(&mut self, id: OperationId, now: Timestamp) {
        if let Session::Anonymous(local) = &mut self.session {
            if let Some(operation) = local.pending.remove(id) {
                local.count(&operation.prediction);
                self.tell(Event::SaveNeeded);
                self.derive_view(now);
            }
            return;
        }
        let others_await = self.awaits_end();
        if self.stage(id, Stage::Finished, now) {
            self.tries.confirm_from(&self.settings, others_await, now);
        }
    }

    /// The operation's reply broke, or the user stopped it: only the server knows what became of
    /// it. It goes on counting until the server says.
    pub fn handle_failed(&mut self, id: OperationId, now: Timestamp) {
        if let Session::Anonymous(local) = &mut self.session {
            local.pending.remove(id);
            self.derive_view(now);
            return;
        }
        let never_left = self
            .pending_mut()
            .and_then(|pending| pending.get(id))
            .is_some_and(|operation| operation.stage == Stage::Created);
        if never_left {
            self.pending_mut().and_then(|pending| pending.remove(id));
            self.tell(Event::SaveNeeded);
            self.derive_view(now);
            return;
        }
        self.wants.check |= self.stage(id, Stage::Uncertain, now);
    }

    /// Whether the operation is still undecided, and so was staged.
    fn stage(&mut self, id: OperationId, stage: Stage, now: Timestamp) -> bool {
        let operation = self.pending_mut().and_then(|pending| pending.get_mut(id));
        operation
            .map(|operation| {
                operation.stage = stage;
                operation.active_at = now;
            })
            .is_some()
    }

    /// The page was shown or hidden.
    pub fn handle_visible(&mut self, visible: bool, now: Timestamp) {
        let appears = visible && !self.visible;
        self.visible = visible;
        self.check_if_stale(appears, now);
    }

    /// The network came or went.
    pub fn handle_online(&mut self, online: bool, now: Timestamp) {
        let appears = online && !self.online;
        self.online = online;
        if appears {
            self.wants.check |= self.tries.failures > 0;
            self.tries.forgive();
        }
        self.check_if_stale(appears, now);
        self.derive_view(now);
    }

    fn check_if_stale(&mut self, appears: bool, now: Timestamp) {
        let age_ms = self.tries.checked_at.map_or(i64::MAX, |at| now.since(at));
        if appears && (self.awaits_end() || age_ms > self.settings.stale_after_ms) {
            self.wants.check = true;
        }
    }

    /// The app wants the figures checked now.
    pub fn handle_refresh(&mut self) {
        self.wants.check = true;
    }

    /// The time for which a timer was set has come.
    pub fn handle_timeout(&mut self, now: Timestamp) {
        let silent_before = now.plus(-self.settings.silence_ms);
        let mut fell_silent = false;
        for operation in self.knowledge_mut().into_iter().flat_map(|it| it.pending.iter_mut()) {
            if operation.stage == Stage::Sent && operation.active_at <= silent_before {
                operation.active_at = now;
                if operation.record.is_none() {
                    operation.stage = Stage::Uncertain;
                }
                fell_silent = true;
            }
        }
        self.wants.check |= fell_silent;
        if self.next_check().is_some_and(|deadline| deadline.not_before <= now) {
            self.wants.check = true;
            self.tries.end_rest(now);
        }
        self.derive_view(now);
    }
}
