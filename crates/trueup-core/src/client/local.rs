//! An anonymous visitor: counted here alone, against a limit that the app sets.

use super::{Charge, Map, MeterId, MeterView, Pending, Units};

/// A count without a server.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Local {
    /// Meter -> the app's limit for visitors.
    pub limits: Map<MeterId, Units>,
    /// Meter -> units of what ended well.
    pub used: Map<MeterId, Units>,
    pub(super) pending: Pending,
}

impl Local {
    /// A visitor who has used `used` before.
    pub fn new(limits: Map<MeterId, Units>, used: Map<MeterId, Units>) -> Self {
        Self { limits, used, pending: Pending::default() }
    }

    pub(super) fn meters(&self) -> Map<MeterId, MeterView> {
        let derive = |(meter, limit): (&MeterId, &Units)| {
            let used = self.used.get(meter).copied().unwrap_or_default();
            (meter.clone(), MeterView::local(*limit, used, self.pending.predicted(meter)))
        };
        self.limits.iter().map(derive).collect()
    }

    pub(super) fn count(&mut self, charge: &Charge) {
        for (meter, units) in charge.iter() {
            let used = self.used.get(meter).copied().unwrap_or_default();
            self.used.insert(meter.clone(), used.saturating_add(units));
        }
    }
}
