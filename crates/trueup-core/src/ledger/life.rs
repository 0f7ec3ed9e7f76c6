//! What each decision does to the numbers, and the entry that says so.

use super::decide::Asked;
use super::{
    Account, ActorId, Cause, Charge, Decision, Entry, EntryKind, EntryLine, Fingerprint, HoldLine,
    MeterBalance, MeterId, OperationId, OperationRecord, OperationState, Rejection, Timestamp,
    Units, Written,
};

impl Account {
    pub(super) fn hold(
        &self,
        asked: &Asked<'_>,
        expires_at: Timestamp,
    ) -> Result<Decision, Rejection> {
        self.check_meters(asked.charge, &[])?;
        if let Err(refusal) = self.admit(asked.charge) {
            let record =
                self.record(asked, OperationState::Refused, Cause::LimitReached, expires_at);
            let draft = Draft::new(self, record, EntryKind::Refuse);
            return Ok(Decision::Refused(Box::new(draft.written()), refusal));
        }
        let mut record = self.record(asked, OperationState::Held, Cause::Admitted, expires_at);
        record.holds = self.hold_lines(asked.charge);
        let mut draft = Draft::new(self, record.clone(), EntryKind::Hold);
        draft.set_aside(&record.holds)?;
        Ok(draft.changed())
    }

    pub(super) fn rehold(
        &self,
        known: &OperationRecord,
        charge: &Charge,
    ) -> Result<Decision, Rejection> {
        if known.outcome().counted == *charge {
            // Moved there before, or never anywhere else.
            return Ok(Decision::Replayed(known.clone()));
        }
        self.check_meters(charge, &[])?;
        let mut record = known.clone();
        record.holds = self.hold_lines(charge);
        record.cause = Cause::Fallback;
        let mut draft = Draft::new(self, record.clone(), EntryKind::Hold);
        draft.give_back(&known.holds)?;
        // A hold that cannot move stays what it was; the operation itself is not refused by that.
        draft.account.admit(charge).map_err(Rejection::Refused)?;
        draft.set_aside(&record.holds)?;
        Ok(draft.changed())
    }

    pub(super) fn extend(
        &self,
        known: &OperationRecord,
        expires_at: Timestamp,
    ) -> Result<Decision, Rejection> {
        if expires_at <= known.expires_at {
            return Ok(Decision::Replayed(known.clone()));
        }
        let record = OperationRecord { expires_at, ..known.clone() };
        Ok(Draft::new(self, record, EntryKind::Extend).changed())
    }

    pub(super) fn settle(
        &self,
        known: &OperationRecord,
        charge: &Charge,
        content: Option<Fingerprint>,
        cause: Cause,
    ) -> Result<Decision, Rejection> {
        self.check_meters(charge, &known.holds)?;
        let record = OperationRecord { settled_content: content, ..known.clone() };
        self.end(record, OperationState::Settled, cause, EntryKind::Settle, charge)
    }

    pub(super) fn release(
        &self,
        known: &OperationRecord,
        cause: Cause,
    ) -> Result<Decision, Rejection> {
        let (record, charge) = (known.clone(), Charge::empty());
        self.end(record, OperationState::Released, cause, EntryKind::Release, &charge)
    }

    pub(super) fn expire(
        &self,
        known: &OperationRecord,
        charged: bool,
    ) -> Result<Decision, Rejection> {
        let charge = if charged { known.outcome().counted } else { Charge::empty() };
        let (state, cause) = (OperationState::Expired, Cause::HoldExpired);
        self.end(known.clone(), state, cause, EntryKind::Expire, &charge)
    }

    pub(super) fn fence(&self, operation: OperationId, actor: &ActorId) -> Decision {
        let charge = Charge::empty();
        let asked = Asked { operation, actor, model: None, charge: &charge, content: None };
        let record = self.record(
            &asked,
            OperationState::Fenced,
            Cause::NeverArrived,
            operation.created_at(),
        );
        Draft::new(self, record, EntryKind::Fence).changed()
    }

    pub(super) fn grant(&self, asked: &Asked<'_>) -> Result<Decision, Rejection> {
        self.check_meters(asked.charge, &[])?;
        let record =
            self.record(asked, OperationState::Settled, Cause::Grant, asked.operation.created_at());
        let mut draft = Draft::new(self, record, EntryKind::Grant);
        for (meter, units) in asked.charge.iter() {
            let balance = draft.account.meters.get_mut(meter);
            let balance = balance.ok_or_else(|| Rejection::UnknownMeter(meter.clone()))?;
            let before = balance.limit();
            balance.granted = add(balance.granted, units, meter)?;
            // The limit that is granted is the limit that is given, or nothing is.
            add(balance.terms.limit.unwrap_or_default(), balance.granted, meter)?;
            let line = draft.line(meter);
            line.granted += units.signed();
            if let (Some(before), Some(after)) = (before, draft.limit(meter)) {
                draft.line(meter).limit += after.signed() - before.signed();
            }
        }
        Ok(draft.changed())
    }

    fn end(
        &self,
        mut record: OperationRecord,
        state: OperationState,
        cause: Cause,
        kind: EntryKind,
        charge: &Charge,
    ) -> Result<Decision, Rejection> {
        let holds = core::mem::take(&mut record.holds);
        let record = OperationRecord { state, cause, charged: charge.clone(), ..record };
        let mut draft = Draft::new(self, record, kind);
        draft.give_back(&holds)?;
        for (meter, units) in charge.iter() {
            let held_in = holds.iter().find(|line| line.meter == *meter);
            draft.charge(meter, units, held_in.map(|line| line.window_number))?;
        }
        Ok(draft.changed())
    }

    /// What is held can be charged even when the plan has no such meter any more.
    fn check_meters(&self, charge: &Charge, held: &[HoldLine]) -> Result<(), Rejection> {
        let is_known = |meter: &MeterId| {
            self.meters.contains_key(meter) || held.iter().any(|hold| hold.meter == *meter)
        };
        match charge.iter().find(|(meter, _)| !is_known(meter)) {
            Some((meter, _)) => Err(Rejection::UnknownMeter(meter.clone())),
            None => Ok(()),
        }
    }

    fn hold_lines(&self, charge: &Charge) -> Vec<HoldLine> {
        let number = |meter| self.meters.get(meter).map_or(0, |balance| balance.window_number);
        charge
            .iter()
            .map(|(meter, units)| HoldLine {
                meter: meter.clone(),
                units,
                window_number: number(meter),
            })
            .collect()
    }

    fn record(
        &self,
        asked: &Asked<'_>,
        state: OperationState,
        cause: Cause,
        expires_at: Timestamp,
    ) -> OperationRecord {
        OperationRecord {
            id: asked.operation,
            actor: asked.actor.clone(),
            model: asked.model.cloned(),
            requested: asked.charge.clone(),
            held_content: asked.content,
            settled_content: None,
            state,
            cause,
            version: self.version.next(),
            holds: Vec::new(),
            charged: Charge::empty(),
            expires_at,
        }
    }
}

/// A change in the making: the numbers and the lines that explain them move together or not at all.
struct Draft {
    account: Account,
    operation: OperationRecord,
    kind: EntryKind,
    lines: Vec<EntryLine>,
}

impl Draft {
    fn new(account: &Account, mut operation: OperationRecord, kind: EntryKind) -> Self {
        let mut account = account.clone();
        account.version = account.version.next();
        operation.version = account.version;
        Self { account, operation, kind, lines: Vec::new() }
    }

    fn set_aside(&mut self, holds: &[HoldLine]) -> Result<(), Rejection> {
        for hold in holds {
            if let Some(balance) = self.open_balance(&hold.meter, hold.window_number) {
                balance.held = add(balance.held, hold.units, &hold.meter)?;
            }
            self.record_held(hold, hold.units.signed());
        }
        Ok(())
    }

    fn give_back(&mut self, holds: &[HoldLine]) -> Result<(), Rejection> {
        for hold in holds {
            if let Some(balance) = self.open_balance(&hold.meter, hold.window_number) {
                let rest = balance.held.checked_sub(hold.units);
                balance.held = rest.ok_or_else(|| Rejection::Overflow(hold.meter.clone()))?;
            }
            self.record_held(hold, -hold.units.signed());
        }
        Ok(())
    }

    /// Charges in the window that the units were held in; in the open one when none were held.
    fn charge(
        &mut self,
        meter: &MeterId,
        units: Units,
        held_in: Option<u64>,
    ) -> Result<(), Rejection> {
        let current = self.account.meters.get(meter).map_or(0, |balance| balance.window_number);
        let window_number = held_in.unwrap_or(current);
        let mut overage = Units::ZERO;
        let open = self.open_balance(meter, window_number);
        let seen = open.is_some();
        if let Some(balance) = open {
            let over_before = over(balance);
            balance.used = add(balance.used, units, meter)?;
            // What others hold must fit on top, so that an expiry can always charge it.
            add(balance.used, balance.held, meter)?;
            overage = over(balance).saturating_sub(over_before);
        }
        let line = self.line_in(meter, window_number);
        line.used += units.signed();
        line.overage = overage;
        if seen {
            line.seen += units.signed();
        }
        Ok(())
    }

    /// The balance of `meter`, if its window `window_number` is still the open one.
    fn open_balance(&mut self, meter: &MeterId, window_number: u64) -> Option<&mut MeterBalance> {
        let balance = self.account.meters.get_mut(meter)?;
        (balance.window_number == window_number).then_some(balance)
    }

    fn record_held(&mut self, hold: &HoldLine, units: i64) {
        let seen = self.open_balance(&hold.meter, hold.window_number).is_some();
        let line = self.line_in(&hold.meter, hold.window_number);
        line.held += units;
        if seen {
            line.seen += units;
        }
    }

    fn limit(&self, meter: &MeterId) -> Option<Units> {
        self.account.meters.get(meter).and_then(MeterBalance::limit)
    }

    fn line(&mut self, meter: &MeterId) -> &mut EntryLine {
        let number = self.account.meters.get(meter).map_or(0, |balance| balance.window_number);
        self.line_in(meter, number)
    }

    fn line_in(&mut self, meter: &MeterId, window_number: u64) -> &mut EntryLine {
        let same = |line: &EntryLine| line.meter == *meter && line.window_number == window_number;
        let at = self.lines.iter().position(same).unwrap_or_else(|| {
            self.lines.push(EntryLine::still(meter, window_number));
            self.lines.len() - 1
        });
        // `at` was just found or just pushed.
        #[expect(clippy::indexing_slicing, reason = "the position was found in this very vector")]
        &mut self.lines[at]
    }

    fn written(self) -> Written {
        let entry = Entry {
            version: self.account.version,
            kind: self.kind,
            cause: self.operation.cause,
            operation: Some(self.operation.id),
            actor: Some(self.operation.actor.clone()),
            lines: self.lines,
        };
        Written { account: self.account, operation: Some(self.operation), entry }
    }

    fn changed(self) -> Decision {
        Decision::Changed(Box::new(self.written()))
    }
}

fn add(have: Units, more: Units, meter: &MeterId) -> Result<Units, Rejection> {
    have.checked_add(more).ok_or_else(|| Rejection::Overflow(meter.clone()))
}

fn over(balance: &MeterBalance) -> Units {
    balance.limit().map_or(Units::ZERO, |limit| balance.used.saturating_sub(limit))
}
