//! What must be true of every ledger, computed from its entries alone.

use std::collections::BTreeMap;

use trueup_core::ledger::{Command, Entry, EntryKind, Movement};
use trueup_core::{Cause, Enforcement, MeterId, OperationState};

use super::memory::MemoryLedger;

/// (used, held, granted) of one window of one meter.
type Sums = (i128, i128, i128);

fn sums(entries: &[Entry]) -> BTreeMap<(MeterId, u64), Sums> {
    let mut sums = BTreeMap::<_, Sums>::new();
    for line in entries.iter().flat_map(|entry| &entry.lines) {
        let sum = sums.entry((line.meter.clone(), line.window_number)).or_default();
        sum.0 += i128::from(line.used);
        sum.1 += i128::from(line.held);
        sum.2 += i128::from(line.granted);
    }
    sums
}

/// Balances are sums of entries, versions count them, operations end once.
pub(crate) fn history(ledger: &MemoryLedger) {
    for (entry, version) in ledger.entries.iter().zip(1..) {
        assert_eq!(entry.version.0, version, "one entry a version, none left out");
    }
    assert_eq!(ledger.account.version.0, ledger.entries.len() as u64);
    let sums = sums(&ledger.entries);
    assert!(sums.values().all(|(used, held, _)| *used >= 0 && *held >= 0), "{sums:?}");
    for (meter, balance) in &ledger.account.meters {
        let sum = sums.get(&(meter.clone(), balance.window_number)).copied().unwrap_or_default();
        let shown = [balance.used, balance.held, balance.granted].map(|it| i128::from(it.get()));
        assert_eq!(
            shown,
            [sum.0, sum.1, sum.2],
            "the balance of {meter} is the sum of its entries"
        );
    }
    open_holds(ledger, &sums);
    charges(ledger, &sums);
    ends(ledger);
}

fn open_holds(ledger: &MemoryLedger, sums: &BTreeMap<(MeterId, u64), Sums>) {
    let mut open = BTreeMap::<(MeterId, u64), i128>::new();
    for record in ledger.operations.values() {
        assert!(record.holds.is_empty() || record.state == OperationState::Held);
        for line in &record.holds {
            *open.entry((line.meter.clone(), line.window_number)).or_default() +=
                i128::from(line.units.get());
        }
    }
    for (window, (_, held, _)) in sums {
        let open = open.remove(window).unwrap_or_default();
        assert_eq!(*held, open, "held of {window:?} is the sum of open holds");
    }
    assert!(open.is_empty(), "a hold without entries: {open:?}");
}

fn charges(ledger: &MemoryLedger, sums: &BTreeMap<(MeterId, u64), Sums>) {
    let mut charged = BTreeMap::<&MeterId, i128>::new();
    for (meter, units) in ledger.operations.values().flat_map(|record| record.charged.iter()) {
        *charged.entry(meter).or_default() += i128::from(units.get());
    }
    let mut used = BTreeMap::<&MeterId, i128>::new();
    for ((meter, _), (units, _, _)) in sums.iter().filter(|(_, sum)| sum.0 != 0) {
        *used.entry(meter).or_default() += units;
    }
    assert_eq!(charged, used, "everything charged is some operation's, once");
}

/// After its end nothing happens to an operation.
fn ends(ledger: &MemoryLedger) {
    for (id, record) in &ledger.operations {
        let own: Vec<_> =
            ledger.entries.iter().filter(|entry| entry.operation == Some(*id)).collect();
        let is_end = |entry: &&Entry| !matches!(entry.kind, EntryKind::Hold | EntryKind::Extend);
        let (last, earlier) = own.split_last().expect("a record without an entry");
        assert!(!earlier.iter().any(is_end), "{id} ended and went on: {own:?}");
        assert_eq!(is_end(last), record.state.is_end(), "{id} is {:?}", record.state);
        assert_eq!(last.version, record.version);
        assert_eq!(last.actor.as_ref(), Some(&record.actor));
        assert!(last.kind == EntryKind::Extend || last.cause == record.cause);
    }
}

/// What the newest entries say that a client saw moving is what a client saw moving.
pub(crate) fn movement(before: &MemoryLedger, after: &MemoryLedger) {
    let movements = |meter: &MeterId| -> Vec<Movement> {
        let new = &after.entries[before.entries.len()..];
        new.iter().flat_map(Entry::movements).filter(|it| it.meter == *meter).collect()
    };
    let all = before.account.meters.keys().chain(after.account.meters.keys());
    for meter in all {
        let movements = movements(meter);
        let seen: i128 = movements.iter().map(|it| i128::from(it.seen)).sum();
        let moved = i128::from(after.taken(meter)) - i128::from(before.taken(meter));
        assert_eq!(seen, moved, "used + held of {meter} moved otherwise than its entries say");
        // A meter that is not there has no units to give; one that is unlimited has no number.
        let limit = |ledger: &MemoryLedger| match ledger.account.meters.get(meter) {
            Some(balance) => balance.limit().map(|limit| i128::from(limit.get())),
            None => Some(0),
        };
        let told: i128 = movements.iter().map(|it| i128::from(it.limit)).sum();
        let moved = limit(before).zip(limit(after)).map_or(0, |(old, new)| new - old);
        assert_eq!(told, moved, "limit of {meter}");
    }
}

/// A hard limit is never passed by admission, and nobody is refused who has room. Overage is what
/// a charge took past the limit.
pub(crate) fn admission(before: &MemoryLedger, after: &MemoryLedger, command: &Command) {
    let entry = after.entries.last().unwrap();
    let record = &after.operations[&command.operation()];
    let largest = u128::from(trueup_core::Units::MAX.get());
    let passes = |ledger: &MemoryLedger, meter: &MeterId, asked: u64| {
        let balance = &ledger.account.meters[meter];
        let taken = u128::from(ledger.taken(meter)) + u128::from(asked);
        let is_hard = balance.terms.enforcement == Enforcement::Hard;
        let over = balance.limit().is_some_and(|limit| taken > u128::from(limit.get()));
        (is_hard && over) || taken > largest
    };
    if let Command::Hold { charge, .. } = command {
        let no_room = charge.iter().any(|(meter, asked)| passes(before, meter, asked.get()));
        let refused = record.state == OperationState::Refused;
        assert_eq!(refused, no_room, "{command:?} at {:?}", before.account);
    }
    if matches!(command, Command::Hold { .. } | Command::Rehold { .. }) && record.state.is_end() {
        assert_eq!(record.cause, Cause::LimitReached);
        assert_eq!(entry.lines, [], "a refusal moves nothing");
    }
    if matches!(command, Command::Rehold { .. }) {
        for line in record.holds.iter().filter(|line| !line.units.is_zero()) {
            assert!(!passes(after, &line.meter, 0), "{command:?} passes a limit");
        }
    }
    for line in &entry.lines {
        let over = |ledger: &MemoryLedger| {
            let balance = ledger.account.meters.get(&line.meter)?;
            let is_open = balance.window_number == line.window_number;
            let past = balance.used.get().saturating_sub(balance.limit()?.get());
            is_open.then_some(past)
        };
        let more = match (over(before), over(after)) {
            (Some(old), Some(new)) if line.used > 0 => new - old,
            _ => 0,
        };
        assert_eq!(line.overage.get(), more, "overage of {line:?}");
    }
}
