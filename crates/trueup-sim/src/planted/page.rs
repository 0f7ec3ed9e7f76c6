//! Pages that do not hear, or hear something else.

use std::rc::Rc;

use trueup_core::client::{Begun, Deadline, Event, Request, Saved};
use trueup_core::view::View;
use trueup_core::{
    Cause, Charge, Epoch, Map, MeterId, OperationId, Snapshot, Timestamp, Units, Version,
};

use super::Bug;
use crate::design::{Design, Input};

/// A page's client with that bug.
pub fn client(bug: Bug, inner: Box<dyn Design>) -> Box<dyn Design> {
    let view = inner.view().clone();
    Box::new(Buggy {
        bug,
        inner,
        view,
        own: None,
        counted: Map::new(),
        acknowledged: Vec::new(),
        sent: Vec::new(),
        clock: Timestamp::default(),
        over: Vec::new(),
        heard: None,
    })
}

#[derive(Debug)]
struct Buggy {
    bug: Bug,
    inner: Box<dyn Design>,
    /// What it shows, which may be something else than what it should.
    view: View,
    own: Option<trueup_core::AccountId>,
    /// What its operations were predicted to charge.
    counted: Map<OperationId, Charge>,
    acknowledged: Vec<OperationId>,
    sent: Vec<OperationId>,
    clock: Timestamp,
    /// Meters whose window was over once.
    over: Vec<MeterId>,
    /// The version of the last answer.
    heard: Option<Version>,
}

impl Buggy {
    fn edit(&self, snapshot: &Rc<Snapshot>) -> Rc<Snapshot> {
        let mut edited = (**snapshot).clone();
        let base = self.inner.since();
        match (self.bug, base) {
            (Bug::AppliesAcrossGaps, Some(base)) => edited.since = edited.since.min(base),
            (Bug::AppliesStale, Some(base)) if edited.version < base => {
                edited.version = base;
                edited.as_of = edited.as_of.plus(3_600_000);
            }
            (Bug::IgnoresAccount, _) => {
                if let Some(own) = &self.own {
                    edited.account = own.clone();
                }
            }
            (Bug::IgnoresEpoch, Some(_)) => {
                if let Some(epoch) = self.inner.epoch() {
                    edited.epoch = epoch;
                }
            }
            _ => {}
        }
        Rc::new(edited)
    }

    fn edited(&mut self, input: &Input) -> Option<Input> {
        let deaf = match (self.bug, input) {
            (Bug::DeafToFailure, Input::Failure(..)) => true,
            (Bug::StaysHidden, Input::Visible(visible)) => *visible,
            _ => false,
        };
        if deaf {
            return None;
        }
        Some(match input {
            Input::Answer(id, snapshot) if self.bug == Bug::BelievesTwice => {
                let before = self.heard.replace(snapshot.version);
                if before.is_some() && before != self.heard {
                    return Some(Input::NotModified(*id));
                }
                input.clone()
            }
            Input::Reply(_, snapshot) if self.bug == Bug::IgnoresActor => {
                Input::Snapshot(Rc::clone(snapshot))
            }
            Input::Reply(id, snapshot) => Input::Reply(*id, self.edit(snapshot)),
            Input::Snapshot(snapshot) => Input::Snapshot(self.edit(snapshot)),
            Input::Answer(id, snapshot) => Input::Answer(*id, self.edit(snapshot)),
            other => other.clone(),
        })
    }

    fn look(&mut self) {
        self.view = self.inner.view().clone();
        let saved = match self.bug {
            Bug::BareAcknowledgement | Bug::CountsTwice => self.inner.saved(),
            _ => None,
        };
        let pending = saved.map(|saved| saved.pending).unwrap_or_default();
        for (meter, it) in self.view.meters.clone() {
            let Some(shown) = self.view.meters.get_mut(&meter) else { continue };
            match self.bug {
                Bug::BareAcknowledgement => {
                    for id in &self.acknowledged {
                        let open = pending.iter().any(|it| it.id == *id && it.record.is_none());
                        let units = self.counted.get(id).filter(|_| open);
                        let units = units.map_or(Units::ZERO, |charge| charge.units(&meter));
                        shown.pending = shown.pending.saturating_sub(units);
                        shown.used = shown.used.saturating_sub(units);
                    }
                }
                Bug::CountsTwice => {
                    for operation in pending.iter().filter(|it| it.record.is_some()) {
                        let units = operation.prediction.units(&meter);
                        shown.pending = shown.pending.saturating_add(units);
                        shown.used = shown.used.saturating_add(units);
                    }
                }
                Bug::NeverResets => shown.resetting = false,
                Bug::ResetsByOwnClock => {
                    shown.resetting = shown.resets_at.is_some_and(|end| end <= self.clock);
                }
                Bug::StaysResetting => {
                    self.over.extend(it.resetting.then(|| meter.clone()));
                    shown.resetting = self.over.contains(&meter);
                }
                Bug::OwnClockResets if it.resetting => {
                    shown.used = shown.pending;
                    (shown.settled, shown.held) = (Units::ZERO, Units::ZERO);
                }
                _ => continue,
            }
            shown.remaining = shown.limit.map(|limit| limit.saturating_sub(shown.used));
        }
    }
}

impl Design for Buggy {
    fn handle(&mut self, input: &Input, now: Timestamp) {
        self.clock = now;
        match input {
            Input::Account(account, _) => self.own = Some(account.clone()),
            Input::Finished(id) => self.acknowledged.push(*id),
            Input::Sent(id) => self.sent.push(*id),
            _ => {}
        }
        if let Some(edited) = self.edited(input) {
            self.inner.handle(&edited, now);
        }
        self.look();
    }

    fn begin(&mut self, id: OperationId, charge: &Charge, now: Timestamp) -> Option<Begun> {
        let before = self.inner.view().clone();
        let mut begun = self.inner.begin(id, charge, now)?;
        if let Some(refusal) = &mut begun.refusal {
            match (self.bug, before.meters.get(&refusal.meter)) {
                (Bug::RefusalForgetsEnd, _) => refusal.resets_at = None,
                (Bug::RefusalForgetsPending, Some(shown)) => {
                    refusal.remaining = refusal.remaining.saturating_add(shown.pending);
                }
                _ => {}
            }
        }
        self.counted.insert(id, begun.predicted.clone());
        self.look();
        Some(begun)
    }

    fn event(&mut self) -> Option<Event> {
        loop {
            let mut event = self.inner.event()?;
            match (self.bug, &mut event) {
                (Bug::CorrectsSilently, Event::Corrected(_)) => continue,
                (Bug::EndsUntrue, Event::Ended { cause, .. }) if *cause == Cause::Fallback => {
                    *cause = Cause::Finished;
                }
                (Bug::CorrectionBlames, Event::Corrected(it)) if it.cause == Cause::Grant => {
                    it.cause = Cause::WindowReset;
                }
                (Bug::CorrectionForgets, Event::Corrected(it)) if it.operation.is_some() => {
                    it.cause = Cause::Finished;
                }
                (Bug::CorrectionLies, Event::Corrected(correction)) => {
                    for movement in &mut correction.movements {
                        movement.before.used = movement.after.used;
                    }
                }
                _ => {}
            }
            return Some(event);
        }
    }

    fn request(&mut self, now: Timestamp) -> Option<Request> {
        let mut request = self.inner.request(now)?;
        match (self.bug, &mut request) {
            (Bug::ForgetsAsk, Request::Usage { ask, .. }) => ask.clear(),
            (Bug::AsksOnlySent, Request::Usage { ask, .. }) => {
                let unsent =
                    |id: &OperationId| self.counted.contains_key(id) && !self.sent.contains(id);
                ask.retain(|id| !unsent(id));
            }
            _ => {}
        }
        Some(request)
    }

    fn deadline(&self) -> Option<Deadline> {
        let late_ms = if self.bug == Bug::ResetsLate { 20_000 } else { 0 };
        let Deadline { not_before, not_after } = self.inner.deadline()?;
        Some(Deadline { not_before: not_before.plus(late_ms), not_after: not_after.plus(late_ms) })
    }

    fn saved(&self) -> Option<Saved> {
        self.inner.saved()
    }

    fn used_alone(&self) -> Option<Map<MeterId, Units>> {
        self.inner.used_alone()
    }

    fn since(&self) -> Option<Version> {
        self.inner.since()
    }

    fn server_time(&self, now: Timestamp) -> Timestamp {
        self.inner.server_time(now)
    }

    fn epoch(&self) -> Option<Epoch> {
        self.inner.epoch()
    }

    fn view(&self) -> &View {
        &self.view
    }
}
