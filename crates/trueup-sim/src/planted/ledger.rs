//! Decisions that are stored otherwise than the core made them.

use trueup_core::error::{Refusal, Rejection};
use trueup_core::ledger::{Acceptance, Account, Command, Decision, Entry, EntryKind, Written};
use trueup_core::operation::OperationRecord;
use trueup_core::{Cause, Enforcement, OperationState, Timestamp, Units};

use super::Bug;
use crate::server::rows::Rows;

type Decided = Result<Decision, Rejection>;

/// What a server with that bug makes of a command.
pub fn decide(
    bug: Bug,
    rows: &Rows,
    command: &Command,
    clock: Timestamp,
    honest: Decided,
) -> Decided {
    let known = rows.operations.get(&command.operation());
    let anew = |known: Option<&OperationRecord>, command: &Command| {
        rows.account.decide(known, command, clock, Acceptance::default())
    };
    let reopened = |state: OperationState| {
        let record = known.filter(|record| record.state == state)?;
        Some(OperationRecord { state: OperationState::Held, ..record.clone() })
    };
    match (bug, command, honest) {
        (Bug::DoubleSettle, Command::Settle { .. }, Ok(Decision::Replayed(_))) => {
            anew(reopened(OperationState::Settled).as_ref(), command)
        }
        (
            Bug::ExpiredSettles,
            Command::Settle { .. },
            Err(Rejection::Ended { operation, state }),
        ) => match reopened(OperationState::Expired) {
            Some(record) => anew(Some(&record), command),
            None => Err(Rejection::Ended { operation, state }),
        },
        (Bug::OtherSettleReplayed, Command::Settle { .. }, Err(Rejection::Conflict(_))) => {
            known.cloned().map(Decision::Replayed).ok_or(Rejection::Unknown(command.operation()))
        }
        (Bug::FenceEndsHold, Command::Fence { operation, .. }, Err(Rejection::Held(_))) => {
            let cause = Cause::NeverArrived;
            anew(known, &Command::Release { operation: *operation, cause })
        }
        (Bug::FenceRefusedAhead, Command::Fence { operation, .. }, Ok(Decision::Changed(_)))
            if operation.created_at().since(clock) > Acceptance::default().max_ahead_ms =>
        {
            Err(Rejection::FromFuture(*operation))
        }
        (Bug::LateArrivalRuns, Command::Hold { .. }, Err(Rejection::Fenced(_)))
        | (Bug::HoldsAnew, Command::Hold { .. }, Ok(Decision::Replayed(_)))
        | (Bug::GrantsTwice, Command::Grant { .. }, Ok(Decision::Replayed(_))) => {
            anew(None, command)
        }
        (Bug::AdmitsUnseen, Command::Hold { .. }, Ok(Decision::Refused(..))) => {
            admit_unseen(rows, command, clock)
        }
        (Bug::SweeperIsEarly, Command::Expire { .. }, Ok(Decision::Replayed(record)))
            if record.state == OperationState::Held =>
        {
            let due = record.expires_at;
            rows.account.decide(known, command, due, Acceptance::default())
        }
        (Bug::ChargesNewWindow, Command::Settle { .. }, Ok(Decision::Changed(_))) => {
            let mut moved = known.cloned();
            for hold in moved.iter_mut().flat_map(|record| &mut record.holds) {
                if let Some(balance) = rows.account.meters.get(&hold.meter) {
                    // Only charged there: nothing was set aside in it.
                    hold.window_number = balance.window_number;
                    if balance.held < hold.units {
                        hold.units = balance.held;
                    }
                }
            }
            anew(moved.as_ref(), command)
        }
        (_, _, Ok(Decision::Changed(mut written))) => {
            spoil(bug, rows, &mut written);
            Ok(Decision::Changed(written))
        }
        (_, _, Ok(Decision::Refused(mut written, mut refusal))) => {
            spoil_refusal(bug, rows, &mut written, &mut refusal);
            Ok(Decision::Refused(written, refusal))
        }
        (_, _, honest) => honest,
    }
}

fn spoil(bug: Bug, rows: &Rows, written: &mut Written) {
    match (bug, written.entry.kind) {
        (Bug::ReleaseKeepsVersion, EntryKind::Release)
        | (Bug::FenceKeepsVersion, EntryKind::Fence) => keep_version(rows, written),
        (Bug::SettleKeepsHold, EntryKind::Settle) => {
            for (meter, balance) in &mut written.account.meters {
                if let Some(before) = rows.account.meters.get(meter) {
                    balance.held = before.held;
                }
            }
        }
        (Bug::AbortForgotten, EntryKind::Settle) => {
            for cause in written.operation.iter_mut().map(|record| &mut record.cause) {
                if *cause == Cause::Aborted {
                    (*cause, written.entry.cause) = (Cause::Finished, Cause::Finished);
                }
            }
        }
        (Bug::OverageForgotten, _) => {
            written.entry.lines.iter_mut().for_each(|line| line.overage = Units::ZERO);
        }
        _ => {}
    }
}

fn spoil_refusal(bug: Bug, rows: &Rows, written: &mut Written, refusal: &mut Refusal) {
    match bug {
        Bug::RefusalKeepsVersion => keep_version(rows, written),
        Bug::DenialForgetsHeld => {
            let balance = rows.account.meters.get(&refusal.meter);
            let left = balance.and_then(|it| Some(it.limit()?.saturating_sub(it.used)));
            refusal.remaining = left.unwrap_or(refusal.remaining);
        }
        _ => {}
    }
}

fn keep_version(rows: &Rows, written: &mut Written) {
    let version = rows.account.version;
    written.account.version = version;
    written.entry.version = version;
    if let Some(record) = &mut written.operation {
        record.version = version;
    }
}

fn admit_unseen(rows: &Rows, command: &Command, clock: Timestamp) -> Decided {
    let mut blind = rows.account.clone();
    blind.meters.values_mut().for_each(|balance| balance.terms.enforcement = Enforcement::Soft);
    let mut decision = blind.decide(None, command, clock, Acceptance::default())?;
    if let Decision::Changed(written) = &mut decision {
        for (meter, balance) in &mut written.account.meters {
            if let Some(before) = rows.account.meters.get(meter) {
                balance.terms.clone_from(&before.terms);
            }
        }
    }
    Ok(decision)
}

/// What a server with that bug makes of a plan or a calendar.
pub fn align(bug: Bug, rows: &Rows, aligned: &mut Account, entries: &mut [Entry]) {
    let kind = match bug {
        Bug::RollKeepsUsed => EntryKind::Window,
        Bug::PlanForgetsUsed => EntryKind::Terms,
        _ => return,
    };
    for line in entries.iter().filter(|entry| entry.kind == kind).flat_map(|entry| &entry.lines) {
        let before = rows.account.meters.get(&line.meter).map_or(Units::ZERO, |it| it.used);
        if let Some(balance) = aligned.meters.get_mut(&line.meter) {
            balance.used = if bug == Bug::RollKeepsUsed { before } else { Units::ZERO };
        }
    }
}
