//! Bringing an account up to date with its plan and the calendar before anything is decided.

use super::{
    Account, BTreeMap, Cause, Entry, EntryKind, EntryLine, MeterBalance, MeterId, MeterTerms,
    Timestamp, Units,
};

impl Account {
    /// Opens an account that has seen no change.
    pub fn new(id: super::AccountId) -> Self {
        Self { id, version: super::Version(0), meters: BTreeMap::new() }
    }

    /// Makes the account agree with what its plan says at `now`: meters appear, limits change, and a
    /// window that has ended gives way to the one that `terms` have, also when the plan cuts its
    /// windows in another way since: what was used in a window that is over counts in no other.
    /// Each difference is a version of its own with its entry. An empty answer means that nothing is
    /// to be written.
    ///
    /// A meter that left the plan is gone at once; what is held of it is settled or given back in
    /// its last window, which nobody sees.
    ///
    /// A window never gives way to an earlier one while the plan cuts windows the same way: a
    /// server clock that was set back does not give used units back.
    pub fn align(&mut self, terms: &BTreeMap<MeterId, MeterTerms>, now: Timestamp) -> Vec<Entry> {
        let mut entries = Vec::new();
        for (meter, wanted) in terms {
            // Versions never repeat, so a window named by the version that opened it never does.
            let number = self.version.next().0;
            let entry = match self.meters.get_mut(meter) {
                None => {
                    self.meters.insert(meter.clone(), MeterBalance::open(wanted.clone(), number));
                    let mut line = EntryLine::still(meter, number);
                    line.limit = wanted.limit.map_or(0, Units::signed);
                    Some((EntryKind::Terms, Cause::PlanChanged, line))
                }
                Some(balance) => align_meter(meter, balance, wanted, (number, now)),
            };
            entries.extend(entry.map(|it| self.stamp(it)));
        }
        let gone = self.meters.keys().filter(|meter| !terms.contains_key(meter));
        for meter in gone.cloned().collect::<Vec<_>>() {
            if let Some(balance) = self.meters.remove(&meter) {
                let mut line = EntryLine::still(&meter, balance.window_number);
                line.limit = -balance.limit().map_or(0, Units::signed);
                line.seen = -taken(&balance);
                entries.push(self.stamp((EntryKind::Terms, Cause::PlanChanged, line)));
            }
        }
        entries
    }

    /// Until when nothing will be to align as long as neither the account nor its plan changes: the
    /// end of the first window that ends. `None` when something is to be aligned now, and when the
    /// clock was set back behind a window, since then it depends on where the clock goes.
    pub fn aligned_until(&self, terms: &BTreeMap<MeterId, MeterTerms>) -> Option<Timestamp> {
        let agrees = |(meter, wanted): (&MeterId, &MeterTerms)| {
            self.meters.get(meter).is_some_and(|balance| balance.terms == *wanted)
        };
        let is_aligned = self.meters.len() == terms.len() && terms.iter().all(agrees);
        let ends = terms.values().map(|terms| terms.window.end);
        is_aligned.then(|| ends.min().unwrap_or(Timestamp::from_millis(i64::MAX)))
    }

    fn stamp(&mut self, (kind, cause, line): (EntryKind, Cause, EntryLine)) -> Entry {
        self.version = self.version.next();
        let lines = vec![line];
        Entry { version: self.version, kind, cause, operation: None, actor: None, lines }
    }
}

fn align_meter(
    meter: &MeterId,
    balance: &mut MeterBalance,
    wanted: &MeterTerms,
    (next_number, now): (u64, Timestamp),
) -> Option<(EntryKind, Cause, EntryLine)> {
    let (have, want) = (balance.terms.window, wanted.window);
    let same_terms =
        balance.terms.limit == wanted.limit && balance.terms.enforcement == wanted.enforcement;
    let next_window = have != want && have.is_over(now);
    let clock_set_back = want.end <= have.start;
    let same_window = have == want || clock_set_back;
    if same_terms && same_window {
        return None;
    }
    let before = balance.clone();
    balance.terms =
        MeterTerms { window: if clock_set_back { have } else { want }, ..wanted.clone() };
    let (kind, cause) = if next_window {
        balance.window_number = next_number;
        balance.granted = Units::ZERO;
        balance.used = Units::ZERO;
        balance.held = Units::ZERO;
        (EntryKind::Window, Cause::WindowReset)
    } else {
        // The plan cuts its windows in another way now. What was used in this one stays used.
        (EntryKind::Terms, Cause::PlanChanged)
    };
    let mut line = EntryLine::still(meter, balance.window_number);
    line.seen = taken(balance) - taken(&before);
    line.limit = match (before.limit(), balance.limit()) {
        (Some(old), Some(new)) => new.signed() - old.signed(),
        _ => 0,
    };
    Some((kind, cause, line))
}

fn taken(balance: &MeterBalance) -> i64 {
    balance.used.saturating_add(balance.held).signed()
}
