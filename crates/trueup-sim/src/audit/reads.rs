//! Whether a snapshot, as it left the server, is one image of one instant.

use std::collections::BTreeSet;

use super::book::Book;
use super::history::{Change, Figures, Meter, Op, Read};
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
        for (op, standing) in &read.outcomes {
            let record = book.records.get(op);
            let own = record.is_some_and(|record| record.actor == read.actor && !record.is_grant);
            Invariant::Apart.check(own, || {
                format!(
                    "a snapshot for actor {} of account {} tells of op {op}",
                    read.actor, read.account
                )
            })?;
            let known = record.and_then(|record| record.at(read.version));
            Invariant::OneImage.check(known == Some(standing), || {
                format!("op {op} is {known:?} at version {}, told {standing:?}", read.version)
            })?;
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
        adds_up(book, read, from)?;
        let changes = book.changes(from, read.version, read.actor);
        Invariant::OneImage.check(read.changes == changes, || {
            format!("{:?} is told in {read:?}, not {changes:?}", read.changes)
        })
    }
}

/// How one change moved one meter, as a reader sees it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Shift {
    pub meter: Meter,
    /// Nothing from or to unlimited.
    limit: i64,
    /// Used and held together.
    taken: i64,
}

impl Book {
    /// What moved at `version`: the difference of two images.
    pub(super) fn shifts(&self, version: u64) -> Vec<Shift> {
        let before = self.image(version.saturating_sub(1)).unwrap_or_default();
        let after = self.image(version).unwrap_or_default();
        let mut meters: Vec<Meter> = before.iter().chain(after).map(|it| it.meter).collect();
        meters.sort_unstable();
        meters.dedup();
        let shift = |meter| {
            let (was, is) = (find(before, meter), find(after, meter));
            let limits = was.map_or(Some(0), |it| it.limit).zip(is.map_or(Some(0), |it| it.limit));
            let limit = limits.map_or(0, |(was, is)| is.cast_signed() - was.cast_signed());
            Shift { meter, limit, taken: is.map_or(0, taken) - was.map_or(0, taken) }
        };
        meters.into_iter().map(shift).filter(|it| (it.limit, it.taken) != (0, 0)).collect()
    }

    /// Whether what happened at `version` is an operation of `actor`; nothing when no operation is
    /// the reason, or a grant.
    fn is_own(&self, version: u64, actor: u8) -> Option<bool> {
        let (_, op) = self.made_by(version)?;
        let record = self.records.get(&op?).filter(|record| !record.is_grant)?;
        Some(record.actor == actor)
    }

    /// What moved in (since, version] and is no operation of `actor`: grants, plans and windows one
    /// by one, operations of others summed by meter, in the order of their last versions.
    fn changes(&self, since: u64, version: u64, actor: u8) -> Vec<Change> {
        let mut told = Vec::<Change>::new();
        let mut others = Vec::<Change>::new();
        for version in since + 1..=version {
            let is_own = self.is_own(version, actor);
            let kind = self.made_by(version).map_or("", |(kind, _)| kind);
            for Shift { meter, limit, taken } in self.shifts(version) {
                let (cause, units) = match (is_own, kind) {
                    (Some(true), _) => continue,
                    (Some(false), _) => ("other_device", taken),
                    (None, "grant") => ("grant", limit),
                    (None, "window") => ("window_reset", taken),
                    (None, _) => ("plan_changed", limit),
                };
                let known = others.iter_mut().find(|it| is_own.is_some() && it.meter == meter);
                if let Some(known) = known {
                    (known.version, known.units) = (version, known.units + units);
                } else {
                    let list = if is_own.is_some() { &mut others } else { &mut told };
                    list.push(Change { version, cause, meter, units });
                }
            }
        }
        told.extend(others.into_iter().filter(|it| it.units != 0));
        told.sort_by_key(|it| (it.version, it.meter));
        told
    }
}

/// Figures of before, operations of the reader and what else is told to have moved make the figures
/// of now. Where a window or a plan is named as the reason, a limit may have moved with it.
fn adds_up(book: &Book, read: &Read, since: u64) -> Result<(), Violation> {
    let own = || (since + 1..=read.version).filter(|at| book.is_own(*at, read.actor) == Some(true));
    let own: Vec<Shift> = own().flat_map(|at| book.shifts(at)).collect();
    let present = |meter| {
        (since..=read.version).all(|at| book.image(at).is_some_and(|it| find(it, meter).is_some()))
    };
    for now in read.figures.iter().filter(|now| present(now.meter)) {
        let Some(was) = find(book.image(since).unwrap_or_default(), now.meter) else { continue };
        let said = |causes: &[&str]| -> i64 {
            let of_meter = read.changes.iter().filter(|it| it.meter == now.meter);
            of_meter.filter(|it| causes.contains(&it.cause)).map(|it| it.units).sum()
        };
        let by_own: i64 = own.iter().filter(|it| it.meter == now.meter).map(|it| it.taken).sum();
        let explained = by_own + said(&["other_device", "window_reset"]);
        Invariant::OneImage.check(taken(was) + explained == taken(now), || {
            format!("{explained} explain how {was:?} became {now:?}: {read:?}")
        })?;
        let named = |it: &&Change| it.meter == now.meter && it.cause == "window_reset";
        let was_unlimited = (since..=read.version).any(|at| {
            find(book.image(at).unwrap_or_default(), now.meter).is_some_and(|it| it.limit.is_none())
        });
        let explained = said(&["grant", "plan_changed"]);
        let moved =
            now.limit.zip(was.limit).map(|(now, was)| now.cast_signed() - was.cast_signed());
        let is_free = was_unlimited || read.changes.iter().any(|it| named(&it));
        Invariant::OneImage.check(is_free || moved == Some(explained), || {
            format!("{explained} explain how the limit of {was:?} became that of {now:?}: {read:?}")
        })?;
    }
    Ok(())
}

fn find(image: &[Figures], meter: Meter) -> Option<&Figures> {
    image.iter().find(|it| it.meter == meter)
}

fn taken(figures: &Figures) -> i64 {
    (figures.used + figures.held).cast_signed()
}
