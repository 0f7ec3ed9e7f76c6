//! How often a page of any design shows a wrong number, judged with every doubt in its favour.
//!
//! A number is right when *some* image of the account explains it: one no older than what the page
//! has shown already, with what was begun on the page and is not in that image added to it. What has
//! not left the page, or whose reply failed, may be counted or not. Being late is never wrong.

use std::collections::BTreeMap;

use super::Auditor;
use super::book::Book;
use super::history::{Amounts, Event, Figures, Meter, Ms, Op, Place, Shown, State};
use super::pages::Who;

/// What pages of one design showed, summed up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Times that somebody looked at a page and sent something there.
    pub sessions: u64,
    /// Those in which a wrong number was shown.
    pub wrong: u64,
    /// Those open at the end in which it stayed, long after all faults had stopped.
    pub unhealed: u64,
    /// What was sent.
    pub messages: u64,
    /// Milliseconds with a wrong number on the screen.
    pub wrong_ms: u64,
}

impl Tally {
    /// The sum of several.
    pub fn of(tallies: &[Self]) -> Self {
        let mut sum = Self::default();
        tallies.iter().for_each(|tally| sum.add(tally));
        sum
    }

    /// Takes another sum in.
    pub fn add(&mut self, other: &Self) {
        self.sessions += other.sessions;
        self.wrong += other.wrong;
        self.unhealed += other.unhealed;
        self.messages += other.messages;
        self.wrong_ms += other.wrong_ms;
    }
}

/// Measures instead of judging.
#[derive(Debug, Default)]
pub(super) struct Jury {
    /// Whether pages show what is held, or only what is used.
    counts_held: bool,
    pub tally: Tally,
    sessions: BTreeMap<u8, Session>,
    /// What was begun on a page by somebody who does not look at it now.
    left: BTreeMap<(u8, Who), Vec<Own>>,
}

/// Somebody looking at a page.
#[derive(Clone, Debug)]
struct Session {
    who: Who,
    own: Vec<Own>,
    /// The earliest image that explains what was shown last.
    from: Place,
    totals: Vec<(Meter, u64)>,
    /// Since when the number has been wrong.
    wrong_since: Option<Ms>,
    wrong_ms: u64,
    messages: u64,
}

#[derive(Clone, Debug)]
struct Own {
    op: Op,
    predicted: Amounts,
    /// It may be counted or not: it has not left, or nobody can say what became of it.
    doubtful: bool,
}

fn taken(counts_held: bool, figures: &Figures) -> u64 {
    figures.used + if counts_held { figures.held } else { 0 }
}

impl Auditor {
    /// The auditor, but it measures what pages show, and judges only the server.
    pub fn into_measuring(self, counts_held: bool) -> Self {
        Self { jury: Some(Jury { counts_held, ..Jury::default() }), ..self }
    }

    /// What was measured, up to `at`.
    pub fn tally(&mut self, at: Ms) -> Tally {
        let Some(mut jury) = self.jury.take() else { return Tally::default() };
        let tabs: Vec<_> = jury.sessions.keys().copied().collect();
        for tab in tabs {
            let Some(session) = jury.sessions.get(&tab) else { continue };
            let unhealed = session.messages > 0 && !self.is_newest(jury.counts_held, session);
            jury.tally.unhealed += u64::from(unhealed);
            jury.close(at, tab);
        }
        jury.tally
    }

    fn is_newest(&self, counts_held: bool, session: &Session) -> bool {
        let books = self.books.get(usize::from(session.who.0));
        let Some(book) = books.and_then(|books| books.last()) else { return true };
        book.image(book.version()).is_none_or(|image| {
            image
                .iter()
                .map(|it| (it.meter, taken(counts_held, it)))
                .eq(session.totals.iter().copied())
        })
    }

    pub(super) fn measure(&mut self, at: Ms, event: &Event) {
        let Some(mut jury) = self.jury.take() else { return };
        match event {
            Event::Aligned { account, .. } | Event::Decided { account, entry: Some(_), .. } => {
                for session in jury.sessions.values_mut() {
                    if session.who.0 == *account && session.wrong_since.is_some() {
                        self.look(at, jury.counts_held, session);
                    }
                }
            }
            Event::Shown(shown) => {
                if let Some(session) = jury.sessions.get_mut(&shown.tab) {
                    session.show(shown);
                    self.look(at, jury.counts_held, session);
                }
            }
            page => jury.follow(at, page),
        }
        self.jury = Some(jury);
    }

    fn look(&self, at: Ms, counts_held: bool, session: &mut Session) {
        let found = session.totals.is_empty().then_some(session.from);
        let found = found.or_else(|| self.explain(counts_held, session));
        session.end_wrong(at);
        match found {
            Some(place) => session.from = place,
            None => session.wrong_since = Some(at),
        }
    }

    /// The earliest image, from what was shown last on, that explains what is shown now.
    fn explain(&self, counts_held: bool, session: &Session) -> Option<Place> {
        let books = self.books.get(usize::from(session.who.0))?;
        let (epoch, version) = session.from;
        books.iter().enumerate().skip(epoch as usize).find_map(|(at, book)| {
            let history = u32::try_from(at).ok()?;
            let first = if history == epoch { version } else { 0 };
            let before = books.get(..at).unwrap_or_default();
            let fits = |version: &u64| session.fits(counts_held, (before, book), *version);
            (first..=book.version()).find(fits).map(|version| (history, version))
        })
    }
}

impl Jury {
    fn follow(&mut self, at: Ms, event: &Event) {
        match event {
            Event::Opened { tab, account, actor, .. } => {
                self.close(at, *tab);
                let who = (*account, *actor);
                let own = self.left.get(&(*tab, who)).cloned().unwrap_or_default();
                let session = Session {
                    who,
                    own,
                    from: (0, 0),
                    totals: Vec::new(),
                    wrong_since: None,
                    wrong_ms: 0,
                    messages: 0,
                };
                self.sessions.insert(*tab, session);
            }
            Event::Left { tab } => self.close(at, *tab),
            Event::Copied { from, to } => {
                self.put_aside(*from);
                let copies = self.left.iter().filter(|((tab, _), _)| tab == from);
                let copies: Vec<_> =
                    copies.map(|((_, who), own)| ((*to, *who), own.clone())).collect();
                for (key, own) in copies {
                    self.left.entry(key).or_default().extend(own);
                }
            }
            Event::Began { tab, op, predicted, .. } => {
                if let Some(session) = self.sessions.get_mut(tab) {
                    let predicted = predicted.clone();
                    session.own.push(Own { op: *op, predicted, doubtful: true });
                }
            }
            Event::Leaving { tab, op } => {
                if let Some(session) = self.sessions.get_mut(tab) {
                    session.messages += 1;
                    session.doubt(*op, false);
                }
            }
            // A page that dies before it keeps that finds what was withdrawn there again.
            Event::Withdrawn { tab, op }
            | Event::Broke { tab, op }
            | Event::GivenUp { tab, op } => {
                if let Some(session) = self.sessions.get_mut(tab) {
                    session.doubt(*op, true);
                }
            }
            _ => {}
        }
    }

    /// What was begun on a page outlives it: whoever looks there next may count it or not.
    fn put_aside(&mut self, tab: u8) {
        let Some(session) = self.sessions.get(&tab) else { return };
        let mut own = session.own.clone();
        own.iter_mut().for_each(|own| own.doubtful = true);
        self.left.insert((tab, session.who), own);
    }

    fn close(&mut self, at: Ms, tab: u8) {
        self.put_aside(tab);
        let Some(mut session) = self.sessions.remove(&tab) else { return };
        session.end_wrong(at);
        self.tally.wrong_ms += session.wrong_ms;
        self.tally.messages += session.messages;
        if session.messages > 0 {
            self.tally.sessions += 1;
            self.tally.wrong += u64::from(session.wrong_ms > 0);
        }
    }
}

impl Session {
    fn show(&mut self, shown: &Shown) {
        self.totals = shown.meters.iter().map(|seen| (seen.figures.meter, seen.total)).collect();
    }

    /// If a number has been wrong, it was until now.
    fn end_wrong(&mut self, at: Ms) {
        if let Some(since) = self.wrong_since.take() {
            self.wrong_ms += u64::try_from(at - since).unwrap_or_default();
        }
    }

    fn doubt(&mut self, op: Op, doubtful: bool) {
        let own = self.own.iter_mut().filter(|own| own.op == op);
        own.for_each(|own| own.doubtful = doubtful);
    }

    /// Whether the image at `version` explains what is shown.
    fn fits(&self, counts_held: bool, (before, book): (&[Book], &Book), version: u64) -> bool {
        let Some(image) = book.image(version) else { return false };
        if image.len() != self.totals.len() {
            return false;
        }
        let taken = |it: &Figures| taken(counts_held, it);
        let mut ranges: Vec<_> = image.iter().map(|it| (it.meter, taken(it), taken(it))).collect();
        for own in &self.own {
            let known = book.records.get(&own.op).and_then(|record| record.at(version));
            if known.is_some_and(|it| counts_held || it.state != State::Held) {
                continue;
            }
            // What became of it in a history that was left may have been seen, or not.
            let doubtful = own.doubtful || before.iter().any(|it| it.records.contains_key(&own.op));
            for (meter, units) in &own.predicted {
                for (_, least, most) in ranges.iter_mut().filter(|(at, ..)| at == meter) {
                    *least += if doubtful { 0 } else { *units };
                    *most += units;
                }
            }
        }
        ranges.iter().zip(&self.totals).all(|((meter, least, most), (shown, total))| {
            meter == shown && least <= total && total <= most
        })
    }
}
