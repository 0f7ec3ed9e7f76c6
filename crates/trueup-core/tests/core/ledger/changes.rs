//! What a reader is told of movements that its own operations do not explain.

use trueup_core::ledger::{EntryKind, Movement, changes};
use trueup_core::{MeterId, Version};

/// A movement as "version kind meter limit seen".
fn movement(line: &str) -> Movement {
    let words: Vec<&str> = line.split_whitespace().collect();
    let [version, kind, meter, limit, seen] = words[..] else { panic!("{line}") };
    Movement {
        version: Version(version.parse().unwrap()),
        kind: EntryKind::from_word(kind).unwrap(),
        meter: MeterId::new(meter).unwrap(),
        limit: limit.parse().unwrap(),
        seen: seen.parse().unwrap(),
    }
}

#[track_caller]
fn check(movements: &[&str], told: &[&str]) {
    let changes = changes(movements.iter().map(|line| movement(line)));
    let lines = changes.iter().map(|it| {
        format!("{} {} {} {}", it.version.0, it.cause.as_str(), it.meter.as_str(), it.units)
    });
    assert_eq!(lines.collect::<Vec<_>>(), told);
}

#[test]
fn what_others_took_is_one_sum_a_meter_at_its_newest_version() {
    check(
        &["1 hold b 0 2", "2 hold a 0 1", "3 settle b 0 -1", "4 expire a 0 3", "4 expire b 0 1"],
        &["4 other_device a 4", "4 other_device b 2"],
    );
}

#[test]
fn grants_plan_changes_and_resets_stand_for_themselves_in_their_place() {
    check(
        &["1 grant a 5 0", "2 hold a 0 1", "3 grant a 5 0", "4 terms a -3 0", "5 window a 0 -1"],
        &[
            "1 grant a 5",
            "2 other_device a 1",
            "3 grant a 5",
            "4 plan_changed a -3",
            "5 window_reset a -1",
        ],
    );
}

#[test]
fn what_moved_nothing_or_back_again_is_not_told() {
    check(&["1 hold a 0 2", "2 terms a 0 0", "3 grant a 0 0", "4 release a 0 -2"], &[]);
    // A meter that left its plan took what was used with it, whatever its limit was.
    check(&["1 terms a 0 -2"], &["1 plan_changed a 0"]);
}
