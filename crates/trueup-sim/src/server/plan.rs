//! What accounts may use, and what models charge.

use std::collections::BTreeMap;

use trueup_core::{Enforcement, MeterId, MeterTerms, Timestamp, Units, Window};

use crate::audit::history::{Amounts, PlanLine};
use crate::border::{START, meter_id};
use crate::dice::Dice;

const PREMIUM: u8 = 0;
const STANDARD: u8 = 1;
const TOKENS: u8 = 2;

/// A plan: one line a meter.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plan(pub Vec<PlanLine>);

impl Plan {
    /// Draws a plan. Limits are low, so that they are reached, and windows short, so that they end.
    pub fn draw(dice: &mut Dice, periods_ms: &[i64]) -> Self {
        let mut line = |meter, limits: &[Option<u64>], soft| {
            let period = dice.pick(periods_ms).unwrap_or(3_600_000);
            PlanLine {
                meter,
                limit: dice.pick(limits).flatten(),
                hard: !dice.chance(soft),
                period,
                offset: START.millis() + dice.between(0, period),
            }
        };
        let premium = line(PREMIUM, &[Some(3), Some(5), Some(10), Some(100), None], 50);
        let standard = line(STANDARD, &[Some(5), Some(20), None], 200);
        let tokens = line(TOKENS, &[Some(300), Some(5_000), None], 200);
        let mut lines = vec![premium, standard, tokens];
        if dice.chance(150) {
            lines.remove(dice.index(3));
        }
        Self(lines)
    }

    /// What it says at `now`.
    pub fn terms(&self, now: Timestamp) -> BTreeMap<MeterId, MeterTerms> {
        let terms = |line: &PlanLine| {
            let since = now.millis() - line.offset;
            let start = Timestamp::from_millis(line.offset + since - since.rem_euclid(line.period));
            let window = Window { start, end: start.plus(line.period) };
            let enforcement = if line.hard { Enforcement::Hard } else { Enforcement::Soft };
            let limit = line.limit.and_then(Units::new);
            (meter_id(line.meter).clone(), MeterTerms { limit, enforcement, window })
        };
        self.0.iter().map(terms).collect()
    }
}

/// How many models there are.
pub const MODELS: usize = 5;

/// What a model is expected to charge.
pub fn charge_of(model: usize) -> Amounts {
    match model {
        0 => vec![(PREMIUM, 1)],
        1 => vec![(STANDARD, 1)],
        2 => vec![(TOKENS, 40)],
        3 => vec![(PREMIUM, 2), (TOKENS, 25)],
        _ => Vec::new(),
    }
}

/// The model that is tried when this one fails; in both directions, so that a fallback may cost
/// more or less.
pub fn fallback_of(model: usize) -> Option<usize> {
    match model {
        0 | 2 => Some(1),
        1 => Some(0),
        3 => Some(2),
        _ => None,
    }
}
