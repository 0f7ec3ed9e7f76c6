//! A ledger as a text: one command a line, and after `=>` what became of it.

use trueup_core::error::{Refusal, Rejection};
use trueup_core::ledger::{Command, Decision, Entry};
use trueup_core::{Cause, MeterId, OperationId};

use super::memory::MemoryLedger;
use super::{START, actor, at, charge, fingerprint, model, op_made_at, plan};

/// Runs every line and compares what became of it with what the line says.
pub(crate) fn check(script: &str) {
    let mut ledger = MemoryLedger::new("acct_7");
    let mut actual = String::new();
    let mut expected = String::new();
    for line in script.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let (command, outcome) = line.split_once("=>").unwrap_or((line, ""));
        let command = command.trim();
        expected.push_str(&format!("{command} => {}\n", outcome.trim()));
        actual.push_str(&format!("{command} => {}\n", run(&mut ledger, command)));
    }
    assert!(actual == expected, "\nthe ledger says:\n{actual}\nthe table says:\n{expected}");
}

/// `at 5`, `plan …` or both set the scene and tell what the account became; all else is a command.
fn run(ledger: &mut MemoryLedger, line: &str) -> String {
    let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
    match word {
        "at" => {
            let (seconds, new_plan) = rest.split_once(" plan ").unwrap_or((rest, ""));
            ledger.now = at(seconds.parse::<i64>().unwrap() * 1000);
            if !new_plan.is_empty() {
                ledger.plan = plan(new_plan);
            }
        }
        "plan" => ledger.plan = plan(rest),
        _ => {
            ledger.align();
            let decision = ledger.run(&command(line));
            return outcome(ledger, decision);
        }
    }
    let count = ledger.align();
    let new = &ledger.entries[ledger.entries.len() - count..];
    if new.is_empty() { "nothing".to_owned() } else { entries(ledger, new) }
}

pub(crate) fn command(line: &str) -> Command {
    let words: Vec<&str> = line.split_whitespace().collect();
    let after = |word| words.iter().position(|it| *it == word).map(|at| words[at + 1]);
    let operation = named(words[1]);
    let charge = || {
        let lines: Vec<&str> = words.iter().copied().filter(|word| word.contains('=')).collect();
        charge(&lines.join(" "))
    };
    let said = || after("saying").map(fingerprint);
    let by = actor(after("by").unwrap_or("ann"));
    let because = after("because").map(|word| Cause::from_word(word).unwrap());
    let until = at(after("until").map_or(60_000, |it| it.parse::<i64>().unwrap() * 1000));
    match words[0] {
        "hold" => Command::Hold {
            operation,
            actor: by,
            model: after("with").map(model),
            charge: charge(),
            content: said(),
            expires_at: until,
        },
        "rehold" => Command::Rehold { operation, charge: charge() },
        "settle" => {
            Command::Settle { operation, charge: charge(), content: said(), cause: because }
        }
        "release" => Command::Release { operation, cause: because.unwrap_or(Cause::Cancelled) },
        "extend" => Command::Extend { operation, expires_at: until },
        "expire" => Command::Expire { operation, charged: words.contains(&"charged") },
        "fence" => Command::Fence { operation, actor: by },
        "grant" => Command::Grant { operation, actor: by, charge: charge() },
        word => panic!("{word}: no command"),
    }
}

/// A name is its operation, made at the start, or for a few names at the edges of what is accepted.
fn named(name: &str) -> OperationId {
    let day_ms = 24 * 60 * 60 * 1000;
    let made_at = match name {
        "old" => START.plus(-7 * day_ms),
        "too_old" => START.plus(-7 * day_ms - 1),
        "ahead" => START.plus(10 * 60 * 1000),
        "a_week_ahead" => START.plus(7 * day_ms),
        "over_a_week_ahead" => START.plus(7 * day_ms + 1001),
        "too_far_ahead" => START.plus(10 * 60 * 1000 + 1),
        _ => START,
    };
    op_made_at(
        name.bytes().fold(0_u16, |n, byte| n.wrapping_mul(31).wrapping_add(byte.into())),
        made_at,
    )
}

fn outcome(ledger: &MemoryLedger, decision: Result<Decision, Rejection>) -> String {
    let newest = || entries(ledger, &ledger.entries[ledger.entries.len() - 1..]);
    match decision {
        Ok(Decision::Replayed(record)) => format!("as before: {}", record.state.as_str()),
        Ok(Decision::Changed(_)) => newest(),
        Ok(Decision::Refused(_, refusal)) => format!("{}; {}", newest(), no_room(&refusal)),
        Err(rejection) => rejected(&rejection),
    }
}

pub(crate) fn rejected(rejection: &Rejection) -> String {
    match rejection {
        Rejection::Refused(refusal) => no_room(refusal),
        Rejection::Conflict(_) => "conflict".to_owned(),
        Rejection::Fenced(_) => "fenced before".to_owned(),
        Rejection::Ended { state, .. } => format!("{} before", state.as_str()),
        Rejection::Held(_) => "is held".to_owned(),
        Rejection::Unknown(_) => "unknown".to_owned(),
        Rejection::TooOld(_) => "too old".to_owned(),
        Rejection::FromFuture(_) => "from the future".to_owned(),
        Rejection::UnknownMeter(meter) => format!("no meter {meter}"),
        Rejection::Overflow(meter) => format!("too much {meter}"),
    }
}

fn no_room(refusal: &Refusal) -> String {
    format!("no room for {} {}, {} left", refusal.asked, refusal.meter, refusal.remaining)
}

/// Version, kind and cause of each entry, and the meters it moved: used+held/limit.
fn entries(ledger: &MemoryLedger, entries: &[Entry]) -> String {
    let line = |entry: &Entry| {
        let head = format!("v{} {} {}", entry.version, entry.kind.as_str(), entry.cause.as_str());
        let meters = entry.lines.iter().map(|line| {
            let over = line.overage.get();
            let over = if over > 0 { format!(" over by {over}") } else { String::new() };
            format!(" {}{over}", figures(ledger, &line.meter))
        });
        head + &meters.collect::<String>()
    };
    entries.iter().map(line).collect::<Vec<_>>().join(", ")
}

fn figures(ledger: &MemoryLedger, meter: &MeterId) -> String {
    let Some(balance) = ledger.account.meters.get(meter) else { return format!("{meter} gone") };
    let limit = balance.limit().map_or_else(|| "-".to_owned(), |limit| limit.to_string());
    format!("{meter} {}+{}/{limit}", balance.used, balance.held)
}
