//! What a page may show to a visitor, whom no server knows: what visitors used before, what ended
//! well since, and what is under way. Nothing of it leaves the page, and nothing of it is left when
//! they sign in.

use std::collections::BTreeMap;

use super::history::{Amounts, Denial, Event, Figures, Meter, Ms, Seen, Shown};
use super::pages::{Own, denial, seen, take_up};
use super::{Auditor, Invariant, Violation};

/// Every page that a visitor looks at, and what browsers kept of them.
#[derive(Debug, Default)]
pub(super) struct Visitors {
    pages: BTreeMap<u8, Visitor>,
    kept: BTreeMap<u8, BTreeMap<Meter, u64>>,
}

#[derive(Debug, Default)]
struct Visitor {
    device: u8,
    limits: Amounts,
    used: BTreeMap<Meter, u64>,
    own: Vec<Own>,
    view: Option<Vec<Seen>>,
}

impl Auditor {
    /// Whether the event is about a page that a visitor looks at: then all was said about it here.
    pub(super) fn visit(&mut self, at: Ms, event: &Event) -> Result<bool, Violation> {
        let visitors = &mut self.visitors;
        match event {
            Event::Visited { tab, device, limits, used } => {
                let used: BTreeMap<_, _> = used.iter().copied().collect();
                let kept = visitors.kept.get(device).cloned().unwrap_or_default();
                Invariant::NothingLost.check(used == kept, || {
                    format!("page {tab} begins with {used:?}, and {kept:?} was kept")
                })?;
                let (device, limits) = (*device, limits.clone());
                let visitor = Visitor { device, limits, used, ..Visitor::default() };
                visitors.pages.insert(*tab, visitor);
                Ok(true)
            }
            Event::Opened { tab, .. } | Event::Left { tab } => {
                visitors.pages.remove(tab);
                Ok(false)
            }
            Event::AskedAlone { tab } => {
                Invariant::Apart.broken(format!("page {tab} asks, and nobody is signed in"))
            }
            event => match about(event).and_then(|tab| visitors.pages.get_mut(&tab)) {
                Some(visitor) => {
                    if let Event::Kept { .. } = event {
                        visitors.kept.insert(visitor.device, visitor.used.clone());
                    }
                    visitor.take(at, event).map(|()| true)
                }
                None => Ok(false),
            },
        }
    }
}

fn about(event: &Event) -> Option<u8> {
    match event {
        Event::Began { tab, .. }
        | Event::Withdrawn { tab, .. }
        | Event::Kept { tab }
        | Event::Leaving { tab, .. }
        | Event::Sent { tab, .. }
        | Event::Broke { tab, .. }
        | Event::Heard { tab, .. }
        | Event::Failed { tab, .. }
        | Event::ClockSet { tab }
        | Event::GivenUp { tab, .. }
        | Event::Received { tab, .. }
        | Event::EndedAlone { tab, .. }
        | Event::Shown(Shown { tab, .. }) => Some(*tab),
        _ => None,
    }
}

impl Visitor {
    fn take(&mut self, at: Ms, event: &Event) -> Result<(), Violation> {
        match event {
            Event::Began { tab, op, asked, predicted, refusal } => {
                let seen = self.seen();
                let denial = asked.iter().find_map(|it| denial(&seen, *it));
                // What a visitor has never comes back by itself.
                let denial = denial.map(|it| Denial { resets_at: None, ..it });
                let expected = if denial.is_some() { Amounts::new() } else { asked.clone() };
                Invariant::WithinLimit.check(*refusal == denial, || {
                    format!("page {tab} tells a visitor {refusal:?}, not {denial:?}")
                })?;
                Invariant::ExactlyOnce.check(*predicted == expected, || {
                    format!("page {tab} predicts {predicted:?} for a visitor who has {seen:?}")
                })?;
                take_up(&mut self.own, *op, predicted, at);
            }
            Event::Leaving { op, .. } => {
                let own = self.own.iter_mut().filter(|own| own.op == *op);
                own.for_each(|own| own.sent = true);
            }
            Event::Withdrawn { op, .. } => self.own.retain(|own| own.op != *op),
            Event::EndedAlone { op, well, .. } => {
                if let Some(at) = self.own.iter().position(|own| own.op == *op) {
                    let own = self.own.remove(at);
                    for (meter, units) in own.predicted.iter().filter(|_| *well) {
                        *self.used.entry(*meter).or_default() += units;
                    }
                }
            }
            Event::Shown(shown) => self.shown(shown)?,
            _ => {}
        }
        Ok(())
    }

    fn seen(&self) -> Vec<Seen> {
        let of_meter = |(meter, limit): &(Meter, u64)| {
            let used = self.used.get(meter).copied().unwrap_or_default();
            let predicted = self.own.iter().flat_map(|own| &own.predicted);
            let pending = predicted.filter(|(at, _)| at == meter).map(|(_, units)| units).sum();
            let (meter, limit, hard, held, end) = (*meter, Some(*limit), true, 0, 0);
            seen(Figures { meter, limit, hard, used, held, end }, pending)
        };
        self.limits.iter().map(of_meter).collect()
    }

    fn shown(&mut self, shown: &Shown) -> Result<(), Violation> {
        let is_apart = shown.account.is_none() && shown.place.is_none() && !shown.live;
        Invariant::Apart.check(is_apart, || format!("a visitor is shown {shown:?}"))?;
        let expected = self.seen();
        Invariant::ExactlyOnce.check(shown.meters == expected, || {
            format!("a visitor is shown {:?}, not {expected:?}; {:?}", shown.meters, self.own)
        })?;
        let is_quiet =
            shown.corrected.is_empty() && shown.ended.is_empty() && shown.resetting.is_empty();
        Invariant::ExactlyOnce
            .check(is_quiet, || format!("a visitor is told of a server's doing: {shown:?}"))?;
        let moved = self.view.as_ref() != Some(&expected);
        Invariant::ExactlyOnce.check(shown.told || !moved, || {
            format!("a visitor is shown something else, and the app was not told: {shown:?}")
        })?;
        self.view = Some(expected);
        Ok(())
    }
}
