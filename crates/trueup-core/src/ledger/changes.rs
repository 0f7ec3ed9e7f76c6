//! What a snapshot tells of movements that no operation of its reader explains.

use super::{BTreeMap, Cause, Entry, EntryKind, MeterId, Version};
use crate::snapshot::Change;

/// How an entry moved one meter, as a client sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Movement {
    /// The account's version that the entry made.
    pub version: Version,
    /// What kind of change it was.
    pub kind: EntryKind,
    /// Which meter.
    pub meter: MeterId,
    /// [`super::EntryLine::limit`].
    pub limit: i64,
    /// [`super::EntryLine::seen`].
    pub seen: i64,
}

impl Entry {
    /// How it moved each meter, as a client sees it.
    pub fn movements(&self) -> impl Iterator<Item = Movement> {
        self.lines.iter().map(|line| Movement {
            version: self.version,
            kind: self.kind,
            meter: line.meter.clone(),
            limit: line.limit,
            seen: line.seen,
        })
    }
}

/// Tells of `movements`, which come oldest first and are not of the reader's own operations:
/// grants, plan changes and resets one by one, everything else summed by meter. What moved nothing,
/// or back again, is not told.
pub fn changes(movements: impl IntoIterator<Item = Movement>) -> Vec<Change> {
    let mut changes = Vec::new();
    let mut others: BTreeMap<MeterId, Change> = BTreeMap::new();
    for Movement { version, kind, meter, limit, seen } in movements {
        if limit == 0 && seen == 0 {
            continue;
        }
        let (cause, units) = match kind {
            EntryKind::Grant => (Cause::Grant, limit),
            EntryKind::Terms => (Cause::PlanChanged, limit),
            EntryKind::Window => (Cause::WindowReset, seen),
            _ => {
                let other = others.entry(meter).or_insert_with_key(|meter| Change {
                    version,
                    cause: Cause::OtherDevice,
                    meter: meter.clone(),
                    units: 0,
                });
                other.version = version;
                other.units += seen;
                continue;
            }
        };
        changes.push(Change { version, cause, meter, units });
    }
    changes.extend(others.into_values().filter(|change| change.units != 0));
    changes.sort_by_key(|change| change.version);
    changes
}
