//! A second ledger: what the figures of one account must be, at every version of one history.

use std::collections::{BTreeMap, BTreeSet};

use super::expect::{Expected, Moves};
use super::history::{
    Amounts, Cause, Command, CommandKind, Entry, Figures, Line, Meter, Ms, Op, Outcome, PlanLine,
    Standing, State, Terms,
};
use super::{Invariant, Violation};

/// How long an operation's id may be accepted, and how far it may lie ahead.
pub(super) const ACCEPTED_FOR_MS: Ms = 7 * 24 * 3_600_000;
pub(super) const ACCEPTED_AHEAD_MS: Ms = 600_000;

/// One account in one history.
#[derive(Clone, Debug, Default)]
pub struct Book {
    pub(super) gauges: Vec<Gauge>,
    pub(super) records: BTreeMap<Op, Record>,
    /// The figures at every version above zero.
    images: Vec<Vec<Figures>>,
    /// Which operation changed at each of those versions.
    changed: Vec<Option<Op>>,
    /// When each of them was written.
    written_at: Vec<Ms>,
    open: BTreeSet<Op>,
    /// What led here, to begin another history from an earlier version.
    steps: Vec<Step>,
    /// When the last change was written.
    pub(super) changed_at: Ms,
}

#[derive(Clone, Debug)]
enum Step {
    Aligned(Ms, Vec<PlanLine>, Entry),
    Decided(Ms, Command, Outcome, Entry),
}

/// One meter as it stands.
#[derive(Clone, Copy, Debug)]
pub(super) struct Gauge {
    pub meter: Meter,
    pub terms: Terms,
    pub window: u64,
    pub granted: u64,
    pub used: u64,
    pub held: u64,
}

impl Gauge {
    pub fn limit(&self) -> Option<u64> {
        Some(self.terms.limit? + self.granted)
    }

    pub fn figures(&self) -> Figures {
        Figures {
            meter: self.meter,
            limit: self.limit(),
            hard: self.terms.hard,
            used: self.used,
            held: self.held,
            end: self.terms.end,
        }
    }
}

/// One operation.
#[derive(Clone, Debug)]
pub(super) struct Record {
    pub actor: u8,
    pub made_at: Ms,
    pub asked: Amounts,
    pub content: u8,
    pub settled_content: Option<u8>,
    pub is_grant: bool,
    pub state: State,
    pub cause: Cause,
    /// (meter, window, units).
    pub holds: Vec<(Meter, u64, u64)>,
    pub charged: Amounts,
    pub expires_at: Ms,
    /// Where it stood, oldest first.
    pub log: Vec<Standing>,
    pub pruned: bool,
}

impl Record {
    pub fn counted(&self) -> Amounts {
        match self.state {
            State::Held => self.holds.iter().map(|(meter, _, units)| (*meter, *units)).collect(),
            _ => self.charged.clone(),
        }
    }

    /// Its latest state up to `version`.
    pub fn at(&self, version: u64) -> Option<&Standing> {
        self.log.iter().rev().find(|it| it.version <= version)
    }
}

impl Book {
    /// How many changes there were.
    pub fn version(&self) -> u64 {
        self.images.len() as u64
    }

    /// The figures at `version`.
    pub fn image(&self, version: u64) -> Option<&[Figures]> {
        match version.checked_sub(1) {
            None => Some(&[]),
            Some(at) => self.images.get(usize::try_from(at).ok()?).map(Vec::as_slice),
        }
    }

    /// Another history that begins as this one was at `version`.
    pub(super) fn up_to(&self, version: u64, at: Ms) -> Result<Self, Violation> {
        let known = version <= self.version();
        Invariant::OneImage
            .check(known, || format!("restored to version {version}, which never was"))?;
        let mut book = Self { changed_at: at, ..Self::default() };
        for step in self.steps.iter().take(usize::try_from(version).unwrap_or(usize::MAX)) {
            match step {
                Step::Aligned(clock, plan, entry) => book.align(*clock, plan, entry)?,
                Step::Decided(clock, command, outcome, entry) => {
                    book.decide(*clock, command, *outcome, Some(entry))?;
                }
            }
        }
        for (op, record) in &mut book.records {
            record.pruned = self.records.get(op).is_some_and(|it| it.pruned);
        }
        Ok(book)
    }

    /// A meter appears, changes, leaves, or begins another window.
    pub(super) fn align(
        &mut self,
        clock: Ms,
        plan: &[PlanLine],
        entry: &Entry,
    ) -> Result<(), Violation> {
        self.next_version(entry)?;
        let [line] = entry.lines.as_slice() else {
            return Invariant::OneImage.broken(format!("not one meter a change: {entry:?}"));
        };
        let why = if entry.kind == "window" { "window_reset" } else { "plan_changed" };
        Invariant::OneImage.check(entry.cause == why, || format!("not for {why}: {entry:?}"))?;
        let still = line.used == 0 && line.held == 0 && line.granted == 0 && line.overage == 0;
        Invariant::OneImage.check(still, || format!("terms moved figures: {entry:?}"))?;
        let wanted = plan.iter().find(|it| it.meter == line.meter);
        let at = self.gauges.iter().position(|gauge| gauge.meter == line.meter);
        match (at.and_then(|at| self.gauges.get_mut(at)), entry.terms, wanted) {
            (None, Some(terms), Some(wanted)) => {
                agrees(&terms, wanted, clock, None)?;
                let (meter, window) = (line.meter, entry.version);
                let gauge = Gauge { meter, terms, window, granted: 0, used: 0, held: 0 };
                self.gauges.push(gauge);
                self.gauges.sort_by_key(|gauge| gauge.meter);
            }
            (Some(_), None, None) => self.gauges.retain(|gauge| gauge.meter != line.meter),
            (Some(gauge), Some(terms), Some(wanted)) => {
                agrees(&terms, wanted, clock, Some(&gauge.terms))?;
                let same = (gauge.terms.start, gauge.terms.end) == (terms.start, terms.end);
                let is_next = !same && gauge.terms.end <= clock;
                let kind = if is_next { "window" } else { "terms" };
                Invariant::OneImage
                    .check(entry.kind == kind, || format!("a {kind} is told as {entry:?}"))?;
                gauge.terms = terms;
                if is_next {
                    *gauge =
                        Gauge { window: entry.version, granted: 0, used: 0, held: 0, ..*gauge };
                }
            }
            (gauge, terms, wanted) => {
                let what = format!("{gauge:?} became {terms:?}, and the plan says {wanted:?}");
                return Invariant::OneImage.broken(what);
            }
        }
        self.steps.push(Step::Aligned(clock, plan.to_vec(), entry.clone()));
        self.remember(None);
        Ok(())
    }

    /// A command was decided: it must have come out as this ledger would have it.
    pub(super) fn decide(
        &mut self,
        clock: Ms,
        command: &Command,
        outcome: Outcome,
        entry: Option<&Entry>,
    ) -> Result<(), Violation> {
        let over = self.gauges.iter().find(|gauge| gauge.terms.end <= clock);
        Invariant::OneImage.check(over.is_none(), || {
            format!("decided in a window that is over: {over:?} at {clock}")
        })?;
        let expected = self.expect(clock, command);
        let law = match command.kind {
            CommandKind::Hold(..) | CommandKind::Rehold(..) => Invariant::WithinLimit,
            CommandKind::Expire(_) => Invariant::NothingLost,
            _ => Invariant::EndsOnce,
        };
        law.check(outcome == expected.outcome, || {
            let record = self.records.get(&command.op);
            format!("{command:?} came out as {outcome:?}, not {:?}; {record:?}", expected.outcome)
        })?;
        let writes = matches!(outcome, Outcome::Changed | Outcome::Refused(_));
        Invariant::EndsOnce.check(writes == entry.is_some(), || {
            format!("{command:?} was {outcome:?} and wrote {entry:?}")
        })?;
        let (Some(entry), Some(record)) = (entry, expected.record.clone()) else { return Ok(()) };
        self.next_version(entry)?;
        Invariant::EndsOnce
            .check(entry.kind == expected.kind, || format!("{command:?} wrote {entry:?}"))?;
        Invariant::OneImage.check(entry.cause == record.cause, || {
            format!("{command:?} is due to {}, and wrote {entry:?}", record.cause)
        })?;
        self.move_by(command, entry, &expected)?;
        let logged = Standing {
            version: entry.version,
            state: record.state,
            cause: record.cause,
            requested: record.asked.clone(),
            counted: record.counted(),
        };
        let known = self.records.remove(&command.op).map(|known| known.log).unwrap_or_default();
        let log = known.into_iter().chain([logged]).collect();
        if record.state == State::Held {
            self.open.insert(command.op);
        } else {
            self.open.remove(&command.op);
        }
        self.records.insert(command.op, Record { log, ..record });
        self.steps.push(Step::Decided(clock, command.clone(), outcome, entry.clone()));
        self.remember(Some(command.op));
        Ok(())
    }

    fn next_version(&self, entry: &Entry) -> Result<(), Violation> {
        let next = self.version() + 1;
        Invariant::NeverBack.check(entry.version == next, || {
            format!("a change made version {} where {next} is next: {entry:?}", entry.version)
        })
    }

    fn move_by(
        &mut self,
        command: &Command,
        entry: &Entry,
        expected: &Expected,
    ) -> Result<(), Violation> {
        let mut told = Moves::new();
        for line in &entry.lines {
            let sum = told.entry((line.meter, line.window)).or_default();
            *sum = (sum.0 + line.used, sum.1 + line.held, sum.2 + line.granted);
        }
        let told: Moves = told.into_iter().filter(|(_, sum)| *sum != (0, 0, 0)).collect();
        Invariant::OneImage.check(told == expected.moves, || {
            format!("{command:?} moved {told:?}, not {:?}", expected.moves)
        })?;
        for gauge in &mut self.gauges {
            let place = (gauge.meter, gauge.window);
            let Some((used, held, granted)) = expected.moves.get(&place) else { continue };
            let passed =
                |gauge: &Gauge| gauge.limit().map_or(0, |limit| gauge.used.saturating_sub(limit));
            let before = passed(gauge);
            gauge.used = gauge.used.saturating_add_signed(*used);
            gauge.held = gauge.held.saturating_add_signed(*held);
            gauge.granted = gauge.granted.saturating_add_signed(*granted);
            let is_line = |line: &&Line| (line.meter, line.window) == place;
            let overage: u64 = entry.lines.iter().filter(is_line).map(|line| line.overage).sum();
            let over = if *used > 0 { passed(gauge) - before } else { 0 };
            Invariant::WithinLimit.check(overage == over, || {
                format!("{command:?} passed a limit by {over} and recorded {overage}")
            })?;
        }
        Ok(())
    }

    /// A record may go when no request under its id can be accepted any more.
    pub(super) fn prune(&mut self, op: Op, clock: Ms) -> Result<(), Violation> {
        let Some(record) = self.records.get_mut(&op) else { return Ok(()) };
        let age = clock - record.made_at;
        Invariant::EndsOnce.check(age > ACCEPTED_FOR_MS && record.state != State::Held, || {
            format!("the record of op {op} was deleted {age} ms after the id was made: {record:?}")
        })?;
        record.pruned = true;
        Ok(())
    }

    /// The sweeper looked at that time of the server's clock, and found nothing due.
    pub(super) fn swept(&self, clock: Ms) -> Result<(), Violation> {
        let left = self.open_holds().find(|(_, record)| record.expires_at <= clock);
        Invariant::NothingLost
            .check(left.is_none(), || format!("a hold outlived its expiry: {left:?}"))
    }

    pub(super) fn open_holds(&self) -> impl Iterator<Item = (&Op, &Record)> {
        self.open.iter().filter_map(|op| Some((op, self.records.get(op)?)))
    }

    /// The operations that changed in (since, version].
    pub(super) fn changed_in(&self, since: u64, version: u64) -> impl Iterator<Item = Op> {
        let [from, to] = [since, version].map(|it| usize::try_from(it).unwrap_or(usize::MAX));
        self.changed.get(from..to).into_iter().flatten().filter_map(|op| *op)
    }

    /// When the change that made `version` was written.
    pub(super) fn written_at(&self, version: u64) -> Option<Ms> {
        self.written_at.get(usize::try_from(version.checked_sub(1)?).ok()?).copied()
    }

    /// What kind of change made `version`, and which operation changed, if one did.
    pub(super) fn made_by(&self, version: u64) -> Option<(&'static str, Option<Op>)> {
        let at = usize::try_from(version.checked_sub(1)?).ok()?;
        let (Step::Aligned(_, _, entry) | Step::Decided(.., entry)) = self.steps.get(at)?;
        Some((entry.kind, *self.changed.get(at)?))
    }

    fn remember(&mut self, op: Option<Op>) {
        self.changed.push(op);
        self.written_at.push(self.changed_at);
        self.images.push(self.gauges.iter().map(Gauge::figures).collect());
    }
}

fn agrees(
    terms: &Terms,
    wanted: &PlanLine,
    clock: Ms,
    before: Option<&Terms>,
) -> Result<(), Violation> {
    let start = (clock - wanted.offset).div_euclid(wanted.period) * wanted.period + wanted.offset;
    let cut = (start, start + wanted.period);
    // A server's clock that was set back does not bring an earlier window back.
    let window = match before {
        Some(before) if cut.1 <= before.start => (before.start, before.end),
        _ => cut,
    };
    let right = Terms { limit: wanted.limit, hard: wanted.hard, start: window.0, end: window.1 };
    Invariant::OneImage
        .check(*terms == right, || format!("terms are {terms:?}, the plan says {right:?}"))
}
