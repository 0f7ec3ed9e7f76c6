//! Snapshots that are no image of one instant.

use trueup_core::operation::OperationRecord;
use trueup_core::{Cause, Snapshot};

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
        _ => {}
    }
}
