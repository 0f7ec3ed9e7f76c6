//! The view moved in a way the client had not predicted: why, by how much, and how to say it.

use crate::ids::OperationId;
use crate::map::Map;
use crate::meter::{Charge, MeterId};
use crate::operation::Cause;
use crate::reconcile::Told;
use crate::units::Units;
use crate::view::MeterView;

mod sentence;

/// A meter's figures as the user sees them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
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
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Movement {
    /// Which meter.
    pub meter: MeterId,
    /// What the user saw.
    pub before: Figures,
    /// What the user sees now.
    pub after: Figures,
}

impl Movement {
    fn gives_back(&self) -> bool {
        self.after.used <= self.before.used
    }
}

/// A movement of the view that was not predicted, with its cause.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
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
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Reason {
    pub cause: Cause,
    pub operation: Option<OperationId>,
    /// By how much used + held + pending moved, meter by meter.
    pub taken: Vec<(MeterId, i64)>,
    /// What the operation was charged instead, when that is the reason.
    pub counted: Charge,
}

impl Reason {
    fn moves(&self, meter: &MeterId) -> bool {
        self.taken.iter().any(|(moved, _)| moved == meter)
    }
}

/// Explains the difference of two views by what was told, in its order. Every meter that moved is
/// in at least one correction, whatever the reasons leave over.
pub(crate) fn explain(
    before: &Map<MeterId, MeterView>,
    after: &Map<MeterId, MeterView>,
    told: &Told,
) -> Vec<Correction> {
    let mut unexplained: Vec<Movement> = after
        .iter()
        .filter_map(|(meter, view)| {
            let before = Figures::from(before.get(meter)?);
            let after = Figures::from(view);
            (before != after).then(|| Movement { meter: meter.clone(), before, after })
        })
        .collect();
    let mut corrections = Vec::new();
    for (at, reason) in told.reasons.iter().enumerate() {
        let later = told.reasons.get(at + 1..).unwrap_or_default();
        let (mut movements, mut given_back) = (Vec::new(), 0);
        for (meter, taken) in &reason.taken {
            let moved = unexplained.iter_mut().find(|movement| movement.meter == *meter);
            let Some(movement) = moved else { continue };
            // The last reason takes what the others left: units of a window that is closed moved
            // nothing, though an operation was released.
            let is_last = !told.replaced && !later.iter().any(|reason| reason.moves(meter));
            let step = if is_last { movement.clone() } else { step(movement, reason, *taken) };
            movement.before = step.after;
            if step.before != step.after {
                // What was given back comes first: that is what the user asks about.
                let at = if step.gives_back() { given_back } else { movements.len() };
                given_back += usize::from(step.gives_back());
                movements.insert(at, step);
            }
        }
        corrections.extend(correction(reason, movements));
    }
    unexplained.retain(|movement| movement.before != movement.after);
    // Of other devices only sums and latest states are told: they may leave something over.
    let cause = if told.replaced { Cause::Reset } else { Cause::OtherDevice };
    let unknown = Reason { cause, operation: None, taken: Vec::new(), counted: Charge::empty() };
    corrections.extend(correction(&unknown, unexplained));
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
