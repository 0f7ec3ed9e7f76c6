//! The view moved in a way the client had not predicted: why, by how much, and how to say it.

use std::collections::BTreeMap;

use crate::ids::OperationId;
use crate::meter::{Charge, MeterId};
use crate::operation::Cause;
use crate::units::Units;
use crate::view::MeterView;

mod sentence;

/// A meter's figures as the user sees them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Figures {
    /// Settled, held and pending together.
    pub used: Units,
    /// `None` is unlimited.
    pub limit: Option<Units>,
    /// `None` is unlimited.
    pub remaining: Option<Units>,
}

impl From<&MeterView> for Figures {
    fn from(view: &MeterView) -> Self {
        Self { used: view.used, limit: view.limit, remaining: view.remaining }
    }
}

/// How one meter moved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Movement {
    /// Which meter.
    pub meter: MeterId,
    /// What the user saw.
    pub before: Figures,
    /// What the user sees now.
    pub after: Figures,
}

/// A movement of the view that was not predicted, with its cause.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Correction {
    /// Why.
    pub cause: Cause,
    /// Which of the client's operations, when one is the reason.
    pub operation: Option<OperationId>,
    /// Every meter that moved for this reason; the first is what the sentence speaks of.
    pub movements: Vec<Movement>,
    /// A sentence for the user.
    pub text: String,
}

/// Something that a snapshot told and that may have moved meters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Reason {
    pub cause: Cause,
    pub operation: Option<OperationId>,
    /// By how much used + held + pending moved, meter by meter.
    pub taken: BTreeMap<MeterId, i64>,
    /// What the operation was charged instead, when that is the reason.
    pub counted: Charge,
}

/// Explains the difference of two views by `reasons`, in their order. Every meter that moved is in
/// at least one correction: what no reason covers is told as [`Cause::Reset`].
pub(crate) fn explain(
    before: &BTreeMap<MeterId, MeterView>,
    after: &BTreeMap<MeterId, MeterView>,
    reasons: &[Reason],
) -> Vec<Correction> {
    let mut unexplained: BTreeMap<&MeterId, Movement> = after
        .iter()
        .filter_map(|(meter, view)| {
            let before = Figures::from(before.get(meter)?);
            let after = Figures::from(view);
            (before != after).then(|| (meter, Movement { meter: meter.clone(), before, after }))
        })
        .collect();
    let mut corrections = Vec::new();
    for (at, reason) in reasons.iter().enumerate() {
        let later = reasons.get(at + 1..).unwrap_or_default();
        let mut movements = Vec::new();
        for (meter, taken) in &reason.taken {
            let Some(movement) = unexplained.get_mut(meter) else { continue };
            let is_last = !later.iter().any(|reason| reason.taken.contains_key(meter));
            let step = if is_last { movement.clone() } else { step(movement, reason, *taken) };
            movement.before = step.after;
            if is_last {
                unexplained.remove(meter);
            }
            if step.before != step.after {
                movements.push(step);
            }
        }
        // What was given back comes first: that is what the user asks about.
        movements.sort_by_key(|movement| movement.after.used > movement.before.used);
        corrections.extend(correction(reason, movements));
    }
    let rest: Vec<_> = unexplained.into_values().collect();
    let reset = Reason {
        cause: Cause::Reset,
        operation: None,
        taken: BTreeMap::new(),
        counted: Charge::empty(),
    };
    corrections.extend(correction(&reset, rest));
    corrections
}

fn step(movement: &Movement, reason: &Reason, taken: i64) -> Movement {
    let shift = |units: Units, by: i64| {
        if by < 0 {
            units.saturating_sub(Units::new(by.unsigned_abs()).unwrap_or(Units::MAX))
        } else {
            units.saturating_add(Units::new(by.unsigned_abs()).unwrap_or(Units::MAX))
        }
    };
    let moves_limit = matches!(reason.cause, Cause::Grant | Cause::PlanChanged);
    let (used_by, limit_by) = if moves_limit { (0, taken) } else { (taken, 0) };
    let used = shift(movement.before.used, used_by);
    let limit = movement.before.limit.map(|limit| shift(limit, limit_by));
    let remaining = limit.map(|limit| limit.saturating_sub(used));
    let after = Figures { used, limit, remaining };
    Movement { meter: movement.meter.clone(), before: movement.before, after }
}

fn correction(reason: &Reason, movements: Vec<Movement>) -> Option<Correction> {
    let text = sentence::sentence(reason, movements.first()?);
    Some(Correction { cause: reason.cause, operation: reason.operation, movements, text })
}
