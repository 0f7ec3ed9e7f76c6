//! The auditor: recomputes from what happened what every page may show, and checks the protocol's
//! eight invariants after every event.
//!
//! It shares no code with what it audits. What happened reaches it as plain numbers and words
//! ([`history`]), and its ledger ([`book`]) is a second one, written from the protocol's text.

pub mod book;
mod expect;
pub mod history;
mod measure;
mod pages;
mod reads;
mod reasons;
mod resetting;
mod sight;
mod verdict;
mod visitor;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use book::Book;
use history::{CommandKind, Event, Ms, Op, Outcome, Place, PlanLine};
pub use measure::Tally;
use pages::{Page, Who};
pub use verdict::PATIENCE_MS;

/// An invariant that does not hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// Which of the eight.
    pub invariant: Invariant,
    /// What is wrong.
    pub what: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "invariant {} ({}): {}", self.invariant as u8, self.invariant.name(), self.what)
    }
}

/// The protocol's invariants, by their numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Invariant {
    /// An operation contributes its prediction until its first record, and its record after.
    ExactlyOnce = 1,
    /// A place applied by a page never falls; what is stale changes nothing.
    NeverBack = 2,
    /// Counters and outcomes are of one instant, and counters are sums.
    OneImage = 3,
    /// Admission never passes a hard limit; what a charge takes past it is recorded.
    WithinLimit = 4,
    /// An operation ends once; a retry gets the same answer.
    EndsOnce = 5,
    /// Once faults stop, every page is right soon.
    Heals = 6,
    /// No hold outlives its expiry; nothing undecided is lost.
    NothingLost = 7,
    /// Nothing crosses accounts.
    Apart = 8,
}

impl Invariant {
    /// A few words for it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::ExactlyOnce => "exactly once",
            Self::NeverBack => "never back",
            Self::OneImage => "one image",
            Self::WithinLimit => "within the limit",
            Self::EndsOnce => "ends once",
            Self::Heals => "heals",
            Self::NothingLost => "nothing is lost",
            Self::Apart => "accounts apart",
        }
    }

    fn broken<T>(self, what: impl Into<String>) -> Result<T, Violation> {
        Err(Violation { invariant: self, what: what.into() })
    }

    fn check(self, holds: bool, what: impl FnOnce() -> String) -> Result<(), Violation> {
        if holds { Ok(()) } else { self.broken(what()) }
    }
}

/// What is known of an operation from the moment it was begun.
#[derive(Clone, Debug)]
struct Begun {
    who: Who,
    /// The page that gave it up was told that it can never happen.
    given_up: bool,
}

/// Sees everything that happens, and judges it.
#[derive(Debug, Default)]
pub struct Auditor {
    /// Account by account, history by history.
    books: Vec<Vec<Book>>,
    plans: Vec<Vec<PlanLine>>,
    pages: Vec<Page>,
    /// What pages kept: by page and by who looked.
    kept: BTreeMap<(u8, Who), Page>,
    begun: BTreeMap<Op, Begun>,
    /// What backends began.
    by_hand: BTreeSet<Op>,
    /// When faults stopped.
    stopped_at: Option<Ms>,
    /// How far the server's clock was ahead of the simulation's then.
    clock_ahead: Ms,
    /// How many events were seen.
    seen: u64,
    visitors: visitor::Visitors,
    /// There when pages are measured and not judged.
    jury: Option<measure::Jury>,
}

impl Auditor {
    /// Takes in one event.
    ///
    /// # Errors
    /// [`Violation`] when it breaks an invariant.
    pub fn observe(&mut self, at: Ms, event: &Event) -> Result<(), Violation> {
        self.seen += 1;
        match event {
            Event::Planned { account, plan } => self.plan(*account, plan),
            Event::Aligned { account, epoch, clock, entry } => {
                let plan = self.plans.get(usize::from(*account)).cloned().unwrap_or_default();
                let book = self.book_mut((*account, *epoch))?;
                book.changed_at = at;
                book.align(*clock, &plan, entry)?;
            }
            Event::Decided { account, epoch, clock, command, outcome, entry } => {
                let begun = self.begun.get(&command.op);
                let runs =
                    matches!(command.kind, CommandKind::Hold(..)) && *outcome == Outcome::Changed;
                let late = begun.is_some_and(|it| it.given_up) && runs;
                Invariant::EndsOnce.check(!late, || {
                    format!("op {} was given up as one that never happens, and happens", command.op)
                })?;
                if let (Some(begun), Some(actor), Some(_)) = (begun, command.kind.actor(), entry) {
                    let by = (*account, actor);
                    Invariant::Apart.check(begun.who == by, || {
                        format!("op {} of {:?} acts for {by:?}", command.op, begun.who)
                    })?;
                }
                let nobodys = begun.is_none() && !self.by_hand.contains(&command.op);
                Invariant::EndsOnce.check(!nobodys, || {
                    format!("op {} was begun by nobody: {command:?}", command.op)
                })?;
                let book = self.book_mut((*account, *epoch))?;
                book.changed_at = if entry.is_some() { at } else { book.changed_at };
                book.decide(*clock, command, *outcome, entry.as_ref())?;
            }
            Event::Restored { epoch, from, versions } => {
                self.restore(at, (*epoch, *from), versions)?;
            }
            Event::Pruned { account, op, clock } => {
                self.newest_mut(*account)?.prune(*op, *clock)?;
            }
            Event::Swept { clock } => {
                for books in &self.books {
                    books.last().map_or(Ok(()), |book| book.swept(*clock))?;
                }
            }
            Event::ByHand { op } => {
                self.by_hand.insert(*op);
            }
            Event::Unchanged { known, place } => {
                Invariant::Heals.check(known == place, || {
                    format!("who has {known:?} is told that nothing is newer, at {place:?}")
                })?;
            }
            Event::Read(read) => self.read(read)?,
            Event::FaultsStopped { clock } => {
                self.stopped_at = Some(at);
                self.clock_ahead = clock - at;
            }
            Event::Judged if self.jury.is_none() => self.judge(at)?,
            page if self.jury.is_none() => self.page(at, page)?,
            page => self.register(page),
        }
        self.keeps_up(at)?;
        self.measure(at, event);
        Ok(())
    }

    /// What is begun on a page is no news to the ledger, whoever judges the page.
    fn register(&mut self, event: &Event) {
        match event {
            Event::Opened { tab, account, actor, .. } => {
                self.page_mut(*tab).who = Some((*account, *actor));
            }
            Event::Began { tab, op, .. } => {
                if let Some(who) = self.page_mut(*tab).who {
                    self.begun.insert(*op, Begun { who, given_up: false });
                }
            }
            _ => {}
        }
    }

    /// How many events were seen.
    pub fn seen(&self) -> u64 {
        self.seen
    }

    fn plan(&mut self, account: u8, plan: &[PlanLine]) {
        let at = usize::from(account);
        if self.plans.len() <= at {
            self.plans.resize(at + 1, Vec::new());
            self.books.resize_with(at + 1, || vec![Book::default()]);
        }
        if let Some(known) = self.plans.get_mut(at) {
            *known = plan.to_vec();
        }
    }

    fn restore(
        &mut self,
        at: Ms,
        (epoch, from): (u32, u32),
        versions: &[u64],
    ) -> Result<(), Violation> {
        for (books, version) in self.books.iter_mut().zip(versions) {
            let Some(before) = books.get(from as usize) else { continue };
            Invariant::OneImage.check(books.len() == epoch as usize, || {
                format!("history {epoch} begins, and {} were known", books.len())
            })?;
            let book = before.up_to(*version, at)?;
            books.push(book);
        }
        Ok(())
    }

    fn book(&self, account: u8, epoch: u32) -> Result<&Book, Violation> {
        let book = self.books.get(usize::from(account)).and_then(|it| it.get(epoch as usize));
        match book {
            Some(book) => Ok(book),
            None => Invariant::OneImage.broken(format!("there is no history {epoch}")),
        }
    }

    fn book_mut(&mut self, (account, epoch): (u8, u32)) -> Result<&mut Book, Violation> {
        let books = self.books.get_mut(usize::from(account));
        let is_newest = books.as_ref().is_some_and(|books| books.len() == epoch as usize + 1);
        match books.and_then(|books| books.last_mut()).filter(|_| is_newest) {
            Some(book) => Ok(book),
            None => Invariant::OneImage.broken(format!("history {epoch} is not the newest")),
        }
    }

    fn newest_mut(&mut self, account: u8) -> Result<&mut Book, Violation> {
        match self.books.get_mut(usize::from(account)).and_then(|books| books.last_mut()) {
            Some(book) => Ok(book),
            None => Invariant::OneImage.broken("there is no such account"),
        }
    }

    fn newest_place(&self, account: u8) -> Option<Place> {
        let books = self.books.get(usize::from(account))?;
        let epoch = u32::try_from(books.len().checked_sub(1)?).ok()?;
        Some((epoch, books.last()?.version()))
    }
}
