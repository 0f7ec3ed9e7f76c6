//! Whether a snapshot, as it left the server, is one image of one instant.

use std::collections::BTreeSet;

use super::history::{Op, Read};
use super::{Auditor, Invariant, Violation};

impl Auditor {
    pub(super) fn read(&self, read: &Read) -> Result<(), Violation> {
        let book = self.book(read.account, read.epoch)?;
        let image = book.image(read.version);
        Invariant::OneImage.check(image == Some(read.figures.as_slice()), || {
            format!("a snapshot of version {} has {:?}, not {image:?}", read.version, read.figures)
        })?;
        Invariant::OneImage.check(read.since <= read.version, || {
            format!("a snapshot from {} to {}", read.since, read.version)
        })?;
        let mut told = BTreeSet::<Op>::new();
        for (op, version, state, counted) in &read.outcomes {
            let record = book.records.get(op);
            let own = record.is_some_and(|record| record.actor == read.actor && !record.is_grant);
            Invariant::Apart.check(own, || {
                format!(
                    "a snapshot for actor {} of account {} tells of op {op}",
                    read.actor, read.account
                )
            })?;
            let known = record.and_then(|record| record.at(read.version));
            Invariant::OneImage.check(
                known == Some(&(*version, *state, counted.clone())),
                || {
                    format!(
                        "op {op} is {known:?} at version {}, told {state:?}, {version}",
                        read.version
                    )
                },
            )?;
            Invariant::OneImage.check(told.insert(*op), || format!("op {op} is told twice"))?;
        }
        let from = if read.reset { read.version } else { read.since };
        for op in book.changed_in(from, read.version).chain(read.ask.iter().copied()) {
            let record = book.records.get(&op);
            let own = record.filter(|it| it.actor == read.actor && !it.is_grant && !it.pruned);
            let wanted = own.is_some_and(|record| record.at(read.version).is_some());
            Invariant::OneImage.check(told.contains(&op) || !wanted, || {
                format!("op {op} is missing from {read:?}; {own:?}")
            })?;
        }
        Ok(())
    }
}
