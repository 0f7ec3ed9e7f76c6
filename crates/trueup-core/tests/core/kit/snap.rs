//! Snapshots as texts:
//! `v7 since 5; premium 1+1/5; a settled fallback @7 standard=1; grant premium 3 @7`.

use trueup_core::{
    Cause, Change, Enforcement, Map, MeterReading, OperationOutcome, OperationState, Snapshot,
    Version, Window,
};

use super::{account, at, charge, count_of, epoch, meter, op, units};

/// Reads a snapshot: its head, then in any order meters (used+held/limit, `-` unlimited, a window's
/// end after `until`), operations and changes.
pub(crate) fn snapshot(text: &str, now_ms: i64) -> Snapshot {
    let mut parts = text.split(';').map(str::trim);
    let head: Vec<&str> = parts.next().unwrap().split_whitespace().collect();
    let after = |word: &str| head.iter().position(|it| *it == word).map(|at| head[at + 1]);
    let version = version(head[0]);
    let mut snapshot = Snapshot {
        account: account(after("of").unwrap_or("one")),
        epoch: epoch(after("epoch").map_or(0, |it| it.parse().unwrap())),
        since: after("since").map_or(version, |it| Version(it.parse().unwrap())),
        version,
        as_of: at(after("read").map_or(now_ms, |it| it.parse().unwrap())),
        reset: head.contains(&"reset"),
        meters: Map::new(),
        operations: Vec::new(),
        changes: Vec::new(),
    };
    for part in parts {
        let words: Vec<&str> = part.split_whitespace().collect();
        if part.contains('/') {
            snapshot.meters.insert(meter(words[0]), reading(&words));
        } else if words[0].len() == 1 {
            snapshot.operations.push(outcome(&words, version));
        } else {
            snapshot.changes.push(change(&words, version));
        }
    }
    snapshot
}

/// The operation that one letter stands for.
pub(crate) fn letter(name: &str) -> trueup_core::OperationId {
    op(u16::from(name.as_bytes()[0]))
}

fn version(word: &str) -> Version {
    Version(word.trim_start_matches(['v', '@']).parse().unwrap())
}

fn reading(words: &[&str]) -> MeterReading {
    let (taken, limit) = words[1].split_once('/').unwrap();
    let (used, held) = taken.split_once('+').unwrap();
    let until = words.iter().position(|it| *it == "until");
    let end = until.map_or(1_000_000_000, |at| words[at + 1].parse().unwrap());
    let is_soft = words.contains(&"soft");
    MeterReading {
        limit: (limit != "-").then(|| count_of(limit)),
        used: units(used.parse().unwrap()),
        held: units(held.parse().unwrap()),
        enforcement: if is_soft { Enforcement::Soft } else { Enforcement::Hard },
        window: Window { start: at(-1), end: at(end) },
    }
}

/// `a held @6 premium=1`, `a settled fallback standard=1`; the version is the snapshot's unless
/// given, the cause the usual one.
fn outcome(words: &[&str], newest: Version) -> OperationOutcome {
    let state = OperationState::from_word(words[1]).unwrap();
    let usual = match state {
        OperationState::Held => Cause::Admitted,
        OperationState::Settled => Cause::Finished,
        OperationState::Released => Cause::ProviderFailed,
        OperationState::Expired => Cause::HoldExpired,
        OperationState::Refused => Cause::LimitReached,
        OperationState::Fenced => Cause::NeverArrived,
    };
    let lines: Vec<&str> = words.iter().copied().filter(|word| word.contains('=')).collect();
    OperationOutcome {
        id: letter(words[0]),
        version: words.iter().find(|it| it.starts_with('@')).map_or(newest, |it| version(it)),
        state,
        cause: words.iter().skip(2).find_map(|word| Cause::from_word(word)).unwrap_or(usual),
        // What was asked for explains nothing unless the operation is another device's.
        requested: charge("premium=1"),
        counted: charge(&lines.join(" ")),
    }
}

/// `grant premium 3 @7`.
fn change(words: &[&str], newest: Version) -> Change {
    Change {
        version: words.get(3).map_or(newest, |it| version(it)),
        cause: Cause::from_word(words[0]).unwrap(),
        meter: meter(words[1]),
        units: words[2].parse().unwrap(),
    }
}
