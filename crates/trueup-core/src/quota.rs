//! What a plan allows: the decision that the server makes and the browser predicts.

use crate::error::Refusal;
use crate::meter::{Charge, MeterId};
use crate::units::Units;
use crate::window::{Timestamp, Window};

/// Whether a limit stops operations or only counts past it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Enforcement {
    /// Nothing is admitted past the limit.
    #[default]
    Hard,
    /// Everything is admitted; what passes the limit is recorded as overage.
    Soft,
}

/// What a plan says about one meter at one instant.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct MeterTerms {
    /// `None` is unlimited.
    pub limit: Option<Units>,
    /// What happens at the limit.
    pub enforcement: Enforcement,
    /// The period that the limit covers now.
    pub window: Window,
}

/// How one meter of an account stands: the projection of its ledger entries.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct MeterBalance {
    /// What the plan says.
    pub terms: MeterTerms,
    /// The account's version that opened this window: its name in entries and holds.
    pub window_number: u64,
    /// Units granted on top of the plan's limit, in this window.
    pub granted: Units,
    /// Units charged in this window.
    pub used: Units,
    /// Units set aside for open operations of this window.
    pub held: Units,
}

impl MeterBalance {
    /// A meter nothing was charged to yet.
    pub fn open(terms: MeterTerms, window_number: u64) -> Self {
        Self { terms, window_number, granted: Units::ZERO, used: Units::ZERO, held: Units::ZERO }
    }

    /// The plan's limit and what was granted on top; `None` is unlimited.
    pub fn limit(&self) -> Option<Units> {
        self.terms.limit.map(|limit| limit.saturating_add(self.granted))
    }

    /// The meter as the quota decision sees it.
    pub fn allowance(&self) -> Allowance {
        Allowance {
            limit: self.limit(),
            taken: self.used.saturating_add(self.held),
            enforcement: self.terms.enforcement,
            resets_at: Some(self.terms.window.end),
        }
    }
}

/// The few facts that decide whether a meter admits more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Allowance {
    /// `None` is unlimited.
    pub limit: Option<Units>,
    /// Everything that counts against the limit: used, held, and on a client pending.
    pub taken: Units,
    /// What happens at the limit.
    pub enforcement: Enforcement,
    /// When the window ends.
    pub resets_at: Option<Timestamp>,
}

impl Allowance {
    /// What is left; `None` is unlimited.
    pub fn remaining(&self) -> Option<Units> {
        self.limit.map(|limit| limit.saturating_sub(self.taken))
    }

    fn admits(&self, asked: Units) -> bool {
        // Past the largest number nothing can be counted, so nothing is admitted there either.
        let Some(taken) = self.taken.checked_add(asked) else { return false };
        self.enforcement == Enforcement::Soft || self.limit.is_none_or(|limit| taken <= limit)
    }
}

/// Decides whether every meter of `charge` has room for it.
///
/// # Errors
/// [`Refusal`] names the first meter, in the order of names, that has not.
pub fn admit(
    charge: &Charge,
    allowance_of: impl Fn(&MeterId) -> Option<Allowance>,
) -> Result<(), Refusal> {
    for (meter, asked) in charge.iter() {
        let allowance = allowance_of(meter);
        if !allowance.is_some_and(|allowance| allowance.admits(asked)) {
            return Err(Refusal {
                meter: meter.clone(),
                asked,
                remaining: allowance.and_then(|it| it.remaining()).unwrap_or(Units::ZERO),
                resets_at: allowance.and_then(|it| it.resets_at),
            });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{Allowance, Enforcement, admit};
    use crate::meter::{Charge, MeterId};
    use crate::units::Units;

    #[test]
    fn a_meter_admits_up_to_its_limit_and_no_further() {
        let (hard, soft) = (Enforcement::Hard, Enforcement::Soft);
        let max = Units::MAX.get();
        let cases = [
            // limit, taken, enforcement, asked -> admitted
            (Some(5), 0, hard, 5, true),
            (Some(5), 4, hard, 1, true),
            (Some(5), 5, hard, 1, false),
            (Some(5), 7, hard, 1, false),
            (Some(0), 0, hard, 1, false),
            (Some(5), 5, soft, 1, true),
            (None, 5, hard, 1, true),
            (None, max, hard, 1, false),
            (None, max, soft, 1, false),
        ];
        for (limit, taken, enforcement, asked, admitted) in cases {
            let allowance = Allowance {
                limit: limit.and_then(Units::new),
                taken: Units::new(taken).unwrap(),
                enforcement,
                resets_at: None,
            };
            let charge = Charge::of(MeterId::new("tokens").unwrap(), Units::from(asked));
            let decision = admit(&charge, |_| Some(allowance));
            assert_eq!(decision.is_ok(), admitted, "{allowance:?} asked {asked}");
        }
    }

    #[test]
    fn a_refusal_names_the_meter_and_what_is_left_of_it() {
        let charge = Charge::new([
            (MeterId::new("credits").unwrap(), Units::from(1)),
            (MeterId::new("tokens").unwrap(), Units::from(9)),
        ]);
        let refusal = admit(&charge.unwrap(), |meter| {
            (meter.as_str() == "credits" || meter.as_str() == "tokens").then_some(Allowance {
                limit: Some(Units::from(10)),
                taken: Units::from(3),
                enforcement: Enforcement::Hard,
                resets_at: None,
            })
        });
        let refusal = refusal.unwrap_err();
        assert_eq!((refusal.meter.as_str(), refusal.remaining), ("tokens", Units::from(7)));
    }

    #[test]
    fn a_meter_that_the_plan_does_not_know_admits_nothing() {
        let charge = Charge::of(MeterId::new("tokens").unwrap(), Units::from(1));
        assert!(admit(&charge, |_| None).is_err());
    }
}
