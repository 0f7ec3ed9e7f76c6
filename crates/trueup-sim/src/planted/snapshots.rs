//! Snapshots that are no image of one instant.

use trueup_core::operation::OperationRecord;
use trueup_core::{ActorId, Cause, Change, OperationState, Snapshot};

use super::Bug;
use crate::server::rows::{Glance, Rows};

/// What a server with that bug answers.
pub fn snapshot(bug: Bug, rows: &Rows, glance: Glance<'_>, snapshot: &mut Snapshot) {
    let from = glance.since.unwrap_or(snapshot.version);
    match bug {
        Bug::TornRead => {
            let newest = snapshot.version;
            snapshot.operations.retain(|outcome| outcome.version < newest);
        }
        Bug::RangeStartsLate => {
            let first = from.next();
            snapshot.operations.retain(|outcome| outcome.version != first);
        }
        Bug::CutUntold if snapshot.reset && from <= snapshot.version => {
            snapshot.reset = false;
            snapshot.since = from;
        }
        Bug::TellsAllActors => {
            let others = rows.operations.values().filter(|record| {
                record.version > from
                    && record.actor != *glance.actor
                    && record.cause != Cause::Grant
            });
            snapshot.operations.extend(others.map(OperationRecord::outcome));
        }
        _ => spoil_reasons(bug, rows, glance.actor, snapshot),
    }
}

/// What moved is told, and wrongly why or by how much.
fn spoil_reasons(bug: Bug, rows: &Rows, reader: &ActorId, snapshot: &mut Snapshot) {
    let Snapshot { operations, changes, since, .. } = snapshot;
    match bug {
        Bug::GrantUntold => changes.retain(|change| change.cause != Cause::Grant),
        Bug::OthersOnceOnly => {
            for change in changes.iter_mut().filter(|it| it.cause == Cause::OtherDevice) {
                let last = rows.entries.iter().find(|entry| entry.version == change.version);
                let lines = last.into_iter().flat_map(|entry| &entry.lines);
                change.units = lines.filter(|it| it.meter == change.meter).map(|it| it.seen).sum();
            }
        }
        Bug::OwnAmongOthers => {
            let own = rows.entries.iter().filter(|entry| {
                entry.version > *since && entry.actor.as_ref() == Some(reader) && !snapshot.reset
            });
            let moved = own.flat_map(|entry| entry.lines.iter().map(|it| (entry.version, it)));
            changes.extend(moved.filter(|(_, it)| it.seen != 0).map(|(version, it)| Change {
                version,
                cause: Cause::OtherDevice,
                meter: it.meter.clone(),
                units: it.seen,
            }));
        }
        Bug::RollBlamesOthers => {
            let rolled = changes.iter_mut().filter(|it| it.cause == Cause::WindowReset);
            rolled.for_each(|change| change.cause = Cause::OtherDevice);
        }
        Bug::RequestedIsCounted => {
            let ended = operations.iter_mut().filter(|it| it.state == OperationState::Settled);
            ended.for_each(|it| it.requested = it.counted.clone());
        }
        Bug::CountedIsRequested => {
            let ended = operations.iter_mut().filter(|it| it.state == OperationState::Settled);
            ended.for_each(|it| it.counted = it.requested.clone());
        }
        Bug::FallbackUntold => {
            let settled = operations
                .iter_mut()
                .filter(|it| it.state == OperationState::Settled && it.cause == Cause::Fallback);
            settled.for_each(|it| it.cause = Cause::Finished);
        }
        _ => {}
    }
}
