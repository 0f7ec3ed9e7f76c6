//! Every command against every state of an operation.

use trueup_core::ledger::Decision;

use crate::kit::memory::MemoryLedger;
use crate::kit::script::{command, rejected};
use crate::kit::{at, plan};

/// How each state is reached; `a` is the operation that the commands are about.
const STATES: [(&str, &[&str]); 10] = [
    ("unknown", &[]),
    ("held", &["hold a premium=1"]),
    ("settled", &["hold a premium=1", "settle a premium=1"]),
    ("released", &["hold a premium=1", "release a"]),
    ("expired", &["hold a premium=1 until 9", "expire a"]),
    ("refused", &["hold other premium=5", "hold a premium=1", "release other"]),
    ("fenced", &["fence a"]),
    ("granted", &["grant a premium=1"]),
    ("said", &["hold a premium=1 saying hi"]),
    ("answered", &["hold a premium=1 saying hi", "settle a premium=1 saying hello"]),
];

const TABLE: &str = "
                                | unknown | held     | settled  | released | expired  | refused  | fenced   | granted  | said     | answered
hold a premium=1                | held    | replay   | replay   | replay   | replay   | replay   | fenced   | conflict | conflict | conflict
hold a premium=2                | held    | conflict | conflict | conflict | conflict | conflict | fenced   | conflict | conflict | conflict
hold a premium=1 with gpt-5     | held    | conflict | conflict | conflict | conflict | conflict | fenced   | conflict | conflict | conflict
hold a premium=1 by bob         | held    | conflict | conflict | conflict | conflict | conflict | conflict | conflict | conflict | conflict
hold a premium=9                | refused | conflict | conflict | conflict | conflict | conflict | fenced   | conflict | conflict | conflict
hold a votes=1                  | meter   | conflict | conflict | conflict | conflict | conflict | fenced   | conflict | conflict | conflict
hold a premium=1 saying hi      | held    | conflict | conflict | conflict | conflict | conflict | fenced   | conflict | replay   | replay
hold a premium=1 saying no      | held    | conflict | conflict | conflict | conflict | conflict | fenced   | conflict | conflict | conflict
rehold a premium=1              | unknown | replay   | ended    | ended    | ended    | ended    | fenced   | conflict | replay   | ended
rehold a standard=1             | unknown | held     | ended    | ended    | ended    | ended    | fenced   | conflict | held     | ended
rehold a premium=9              | unknown | no room  | ended    | ended    | ended    | ended    | fenced   | conflict | no room  | ended
rehold a votes=1                | unknown | meter    | ended    | ended    | ended    | ended    | fenced   | conflict | meter    | ended
settle a premium=1              | unknown | settled  | replay   | ended    | ended    | ended    | fenced   | conflict | settled  | conflict
settle a standard=1             | unknown | settled  | conflict | ended    | ended    | ended    | fenced   | conflict | settled  | conflict
settle a -                      | unknown | settled  | conflict | ended    | ended    | ended    | fenced   | conflict | settled  | conflict
settle a votes=1                | unknown | meter    | conflict | ended    | ended    | ended    | fenced   | conflict | meter    | conflict
settle a premium=1 saying hello | unknown | settled  | conflict | ended    | ended    | ended    | fenced   | conflict | settled  | replay
settle a premium=1 saying no    | unknown | settled  | conflict | ended    | ended    | ended    | fenced   | conflict | settled  | conflict
release a                       | unknown | released | ended    | replay   | ended    | ended    | fenced   | conflict | released | ended
release a because aborted       | unknown | released | ended    | replay   | ended    | ended    | fenced   | conflict | released | ended
extend a until 99               | unknown | held     | ended    | ended    | ended    | ended    | fenced   | conflict | held     | ended
extend a until 9                | unknown | replay   | ended    | ended    | ended    | ended    | fenced   | conflict | replay   | ended
expire a                        | unknown | expired  | replay   | replay   | replay   | replay   | replay   | conflict | expired  | replay
expire a charged                | unknown | expired  | replay   | replay   | replay   | replay   | replay   | conflict | expired  | replay
fence a                         | fenced  | is held  | replay   | replay   | replay   | replay   | replay   | conflict | is held  | replay
fence a by bob                  | fenced  | conflict | conflict | conflict | conflict | conflict | conflict | conflict | conflict | conflict
grant a premium=1               | settled | conflict | conflict | conflict | conflict | conflict | conflict | replay   | conflict | conflict
grant a premium=2               | settled | conflict | conflict | conflict | conflict | conflict | conflict | conflict | conflict | conflict
grant a premium=1 by bob        | settled | conflict | conflict | conflict | conflict | conflict | conflict | conflict | conflict | conflict
grant a votes=1                 | meter   | conflict | conflict | conflict | conflict | conflict | conflict | conflict | conflict | conflict
";

#[test]
fn every_command_has_one_answer_in_every_state() {
    let mut rows = TABLE.lines().filter(|line| !line.is_empty()).map(cells);
    let states = rows.next().unwrap();
    let mut wrong = Vec::new();
    for row in rows {
        for (state, expected) in states.iter().zip(&row).skip(1) {
            let actual = answer(state, row[0]);
            if actual != *expected {
                wrong.push(format!("{} when {state}: {actual}, not {expected}", row[0]));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

fn cells(line: &str) -> Vec<&str> {
    line.split('|').map(str::trim).collect()
}

fn in_state(name: &str) -> MemoryLedger {
    let (_, steps) = STATES.iter().find(|(state, _)| *state == name).unwrap();
    let mut ledger = MemoryLedger::new("acct_7");
    ledger.plan = plan("premium 5, standard 5");
    ledger.now = at(10_000);
    ledger.align();
    for step in *steps {
        ledger.run(&command(step)).unwrap();
    }
    // Late enough for an expiry.
    ledger.now = at(61_000);
    ledger
}

fn answer(state: &str, line: &str) -> String {
    let mut ledger = in_state(state);
    let before = ledger.clone();
    let decision = ledger.run(&command(line));
    let versions = ledger.account.version.0 - before.account.version.0;
    let written = matches!(decision, Ok(Decision::Changed(_) | Decision::Refused(..)));
    assert_eq!(versions, u64::from(written), "{line} when {state}: one version a change");
    if written {
        let again = ledger.run(&command(line));
        let again_replays = matches!(again, Ok(Decision::Replayed(_)));
        assert!(again_replays, "{line} when {state}: the same again is a replay, not {again:?}");
    } else {
        assert_eq!(ledger.account, before.account, "{line} when {state}: nothing was to change");
        assert_eq!(ledger.operations, before.operations);
    }
    match decision {
        Ok(Decision::Replayed(_)) => "replay".to_owned(),
        Ok(Decision::Changed(written)) => written.operation.unwrap().state.as_str().to_owned(),
        Ok(Decision::Refused(..)) => "refused".to_owned(),
        Err(rejection) => {
            let words = rejected(&rejection);
            match words.split_whitespace().collect::<Vec<_>>()[..] {
                ["no", "room", ..] => "no room".to_owned(),
                ["no", "meter", ..] => "meter".to_owned(),
                ["fenced", "before"] => "fenced".to_owned(),
                [_, "before"] => "ended".to_owned(),
                _ => words,
            }
        }
    }
}
