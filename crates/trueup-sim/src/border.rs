//! Where the core's types become plain numbers, for the auditor to read.

use std::sync::LazyLock;

use trueup_core::correction::{self, Correction, Movement};
use trueup_core::error::{Refusal, Rejection};
use trueup_core::ledger::{self, Entry};
use trueup_core::operation::OperationState;
use trueup_core::view::{MeterView, View};
use trueup_core::{
    AccountId, ActorId, Charge, Enforcement, Epoch, MeterBalance, MeterId, OperationId,
    OperationOutcome, Snapshot, Timestamp, Units,
};

use crate::audit::history::{
    self, Amounts, Change, CommandKind, Denial, Figures, Line, Meter, Moved, Op, Outcome, Read,
    Seen, Standing, State, Terms,
};

/// When every simulation begins, by an unmoved clock.
pub const START: Timestamp = Timestamp::from_millis(1_795_489_200_000);

const METER_NAMES: [&str; 3] = ["premium_messages", "standard_messages", "tokens"];

static METERS: LazyLock<Vec<MeterId>> =
    LazyLock::new(|| METER_NAMES.iter().filter_map(|name| MeterId::new(name).ok()).collect());

/// The number in a name such as `account-1`.
fn number(name: &str) -> u32 {
    name.rsplit('-').next().and_then(|digits| digits.parse().ok()).unwrap_or(u32::MAX)
}

fn small(number: u32) -> u8 {
    u8::try_from(number).unwrap_or(u8::MAX)
}

macro_rules! named {
    ($function:ident, $kind:ty, $prefix:literal) => {
        /// The id with that number.
        pub fn $function(number: impl std::fmt::Display) -> $kind {
            format!(concat!($prefix, "-{}"), number).parse().expect("a short ASCII name")
        }
    };
}

named!(account_id, AccountId, "account");
named!(actor_id, ActorId, "actor");
named!(epoch_id, Epoch, "epoch");

/// An account's number.
pub fn account(id: &AccountId) -> u8 {
    small(number(id.as_str()))
}

/// An actor's number.
pub fn actor(id: &ActorId) -> u8 {
    small(number(id.as_str()))
}

/// A history's number.
pub fn epoch(id: &Epoch) -> u32 {
    number(id.as_str())
}

/// The meter with that number.
pub fn meter_id(meter: Meter) -> &'static MeterId {
    #[expect(clippy::indexing_slicing, reason = "plans and models name these meters only")]
    &METERS[usize::from(meter)]
}

/// A meter's number.
pub fn meter(id: &MeterId) -> Meter {
    small(
        METER_NAMES
            .iter()
            .position(|name| *name == id.as_str())
            .map_or(u32::MAX, |at| u32::try_from(at).unwrap_or(u32::MAX)),
    )
}

/// A meter's name.
pub fn meter_name(meter: Meter) -> &'static str {
    METER_NAMES.get(usize::from(meter)).copied().unwrap_or("?")
}

/// The operation with that number, made at that time by its maker's clock.
pub fn operation_id(op: Op, made_at: Timestamp) -> OperationId {
    let [a, b, c, d] = op.to_be_bytes();
    OperationId::new_v7(made_at, [0, 0, 0, 0, 0, 0, a, b, c, d])
}

/// An operation's number.
pub fn op(id: OperationId) -> Op {
    Op::try_from(id.as_u128() & 0xffff_ffff).unwrap_or_default()
}

/// The charge of those amounts.
pub fn charge(amounts: &[(Meter, u64)]) -> Charge {
    let lines = amounts
        .iter()
        .filter_map(|(meter, units)| Some((meter_id(*meter).clone(), Units::new(*units)?)));
    Charge::new(lines).unwrap_or_default()
}

/// A charge's amounts.
pub fn amounts(charge: &Charge) -> Amounts {
    charge.iter().map(|(id, units)| (meter(id), units.get())).collect()
}

/// Where an operation stands.
pub fn state(state: OperationState) -> State {
    match state {
        OperationState::Held => State::Held,
        OperationState::Settled => State::Settled,
        OperationState::Released => State::Released,
        OperationState::Expired => State::Expired,
        OperationState::Refused => State::Refused,
        OperationState::Fenced => State::Fenced,
    }
}

/// A command, as the auditor reads it.
pub fn command(command: &ledger::Command) -> history::Command {
    use ledger::Command as C;
    let id = command.operation();
    let content = |content: &Option<trueup_core::Fingerprint>| {
        content.map_or(0, |print| print.0.first().copied().unwrap_or_default())
    };
    let kind = match command {
        C::Hold { actor: by, charge, content: said, expires_at, .. } => {
            CommandKind::Hold(actor(by), amounts(charge), content(said), expires_at.millis())
        }
        C::Rehold { charge, .. } => CommandKind::Rehold(amounts(charge)),
        C::Settle { charge, content: said, cause, .. } => {
            let cause = cause.map(trueup_core::Cause::as_str);
            CommandKind::Settle(amounts(charge), content(said), cause)
        }
        C::Release { cause, .. } => CommandKind::Release(cause.as_str()),
        C::Extend { expires_at, .. } => CommandKind::Extend(expires_at.millis()),
        C::Expire { charged, .. } => CommandKind::Expire(*charged),
        C::Fence { actor: by, .. } => CommandKind::Fence(actor(by)),
        C::Grant { actor: by, charge, .. } => CommandKind::Grant(actor(by), amounts(charge)),
    };
    history::Command { op: op(id), made_at: id.created_at().millis(), kind }
}

/// Why nothing was written, in a word.
pub fn rejection(rejection: &Rejection) -> &'static str {
    match rejection {
        Rejection::Refused(_) => "refused",
        Rejection::Conflict(_) => "conflict",
        Rejection::Fenced(_) => "fenced",
        Rejection::Ended { .. } => "ended",
        Rejection::Held(_) => "held",
        Rejection::Unknown(_) => "unknown",
        Rejection::TooOld(_) => "too_old",
        Rejection::FromFuture(_) => "from_future",
        Rejection::UnknownMeter(_) => "unknown_meter",
        Rejection::Overflow(_) => "overflow",
    }
}

/// What a plan has no room for.
pub fn denial(refusal: &Refusal) -> Denial {
    Denial {
        meter: meter(&refusal.meter),
        asked: refusal.asked.get(),
        remaining: refusal.remaining.get(),
        resets_at: refusal.resets_at.map(Timestamp::millis),
    }
}

/// What came of a command.
pub fn outcome(decided: &Result<ledger::Decision, Rejection>) -> Outcome {
    match decided {
        Ok(ledger::Decision::Changed(_)) => Outcome::Changed,
        Ok(ledger::Decision::Refused(_, refusal)) => Outcome::Refused(denial(refusal)),
        Ok(ledger::Decision::Replayed(_)) => Outcome::Replayed,
        Err(why) => Outcome::Rejected(rejection(why)),
    }
}

/// A line of the ledger, with the terms that it brought.
pub fn entry(entry: &Entry, terms: Option<Terms>) -> history::Entry {
    let line = |line: &ledger::EntryLine| Line {
        meter: meter(&line.meter),
        window: line.window_number,
        used: line.used,
        held: line.held,
        granted: line.granted,
        overage: line.overage.get(),
    };
    history::Entry {
        version: entry.version.0,
        kind: entry.kind.as_str(),
        cause: entry.cause.as_str(),
        lines: entry.lines.iter().map(line).collect(),
        terms,
    }
}

/// The terms of a meter.
pub fn terms(balance: &MeterBalance) -> Terms {
    Terms {
        limit: balance.terms.limit.map(Units::get),
        hard: balance.terms.enforcement == Enforcement::Hard,
        start: balance.terms.window.start.millis(),
        end: balance.terms.window.end.millis(),
    }
}

/// A snapshot made for somebody.
pub fn read(snapshot: &Snapshot, by: &ActorId, ask: &[OperationId]) -> Read {
    let figures = snapshot.meters.iter().map(|(id, reading)| Figures {
        meter: meter(id),
        limit: reading.limit.map(Units::get),
        hard: reading.enforcement == Enforcement::Hard,
        used: reading.used.get(),
        held: reading.held.get(),
        end: reading.window.end.millis(),
    });
    let standing = |it: &OperationOutcome| Standing {
        version: it.version.0,
        state: state(it.state),
        cause: it.cause.as_str(),
        requested: amounts(&it.requested),
        counted: amounts(&it.counted),
    };
    let change = |it: &trueup_core::Change| Change {
        version: it.version.0,
        cause: it.cause.as_str(),
        meter: meter(&it.meter),
        units: it.units,
    };
    Read {
        account: account(&snapshot.account),
        actor: actor(by),
        epoch: epoch(&snapshot.epoch),
        ask: ask.iter().map(|id| op(*id)).collect(),
        since: snapshot.since.0,
        version: snapshot.version.0,
        reset: snapshot.reset,
        figures: figures.collect(),
        outcomes: snapshot.operations.iter().map(|it| (op(it.id), standing(it))).collect(),
        changes: snapshot.changes.iter().map(change).collect(),
    }
}

/// What a correction says of meters.
pub fn moved(correction: &Correction) -> Vec<Moved> {
    let told = |it: &correction::Figures| {
        (it.used.get(), it.limit.map(Units::get), it.remaining.map(Units::get))
    };
    let moved = |it: &Movement| Moved {
        cause: correction.cause.as_str(),
        op: correction.operation.map(op),
        meter: meter(&it.meter),
        before: told(&it.before),
        after: told(&it.after),
    };
    correction.movements.iter().map(moved).collect()
}

/// The meters of a view whose window is said to be over.
pub fn resetting(view: &View) -> Vec<Meter> {
    view.meters.iter().filter(|(_, it)| it.resetting).map(|(id, _)| meter(id)).collect()
}

/// Every meter of a view.
pub fn seen(view: &View) -> Vec<Seen> {
    let seen = |(id, it): (&MeterId, &MeterView)| Seen {
        figures: Figures {
            meter: meter(id),
            limit: it.limit.map(Units::get),
            hard: it.enforcement == Enforcement::Hard,
            used: it.settled.get(),
            held: it.held.get(),
            end: it.resets_at.map_or(0, Timestamp::millis),
        },
        pending: it.pending.get(),
        total: it.used.get(),
        remaining: it.remaining.map(Units::get),
    };
    view.meters.iter().map(seen).collect()
}
