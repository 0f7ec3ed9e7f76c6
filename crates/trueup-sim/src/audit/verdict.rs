//! Once faults stopped: how long it may take until every page is right, and whether it is.

use super::history::Ms;
use super::pages::Page;
use super::{Auditor, Invariant, Violation};

/// One poll, a tenth late at most.
pub(super) const ONE_POLL_MS: Ms = 33_000;
/// A page that hears nothing of a reply asks after this.
const SILENCE_MS: Ms = 61_000;
/// The longest way to the server and back when nothing disturbs it.
const ROUND_TRIP_MS: Ms = 250;
/// How long push may take beyond one round trip.
const PUSH_MS: Ms = 250;
/// By then everything stands still, or pages keep changing the server.
pub const PATIENCE_MS: Ms = 1_800_000;
/// A hold that is due is found by the sweeper within that.
const SWEEP_MS: Ms = 11_000;

impl Auditor {
    /// When every page must be right at the latest, as things stand. It moves with every change of
    /// the server: a page that asks what became of its operations may fence them.
    pub fn due(&self) -> Ms {
        let pages = self.pages.iter().filter(|page| page.who.is_some());
        pages.map(|page| self.page_due(page, true)).max().unwrap_or_default()
    }

    /// Whether something is still under way on the server.
    pub fn is_busy(&self) -> bool {
        self.books
            .iter()
            .filter_map(|books| books.last())
            .any(|it| it.open_holds().next().is_some())
    }

    fn page_due(&self, page: &Page, by_push: bool) -> Ms {
        let stopped = self.stopped_at.unwrap_or_default();
        let Some((account, _)) = page.who else { return stopped };
        let book = self.books.get(usize::from(account)).and_then(|books| books.last());
        let changed_at = book.map_or(0, |book| book.changed_at);
        if let Some(since) = page.listens_since.filter(|_| by_push && page.own.is_empty()) {
            return changed_at.max(stopped).max(since) + ROUND_TRIP_MS + PUSH_MS;
        }
        let unheard = page
            .own
            .iter()
            .filter(|own| book.is_some_and(|book| !book.records.contains_key(&own.op)));
        // A clock that was set back while nobody looked hides how long it has been silent.
        let silent =
            unheard.map(|own| own.heard_at.max(stopped) + SILENCE_MS).max().unwrap_or_default();
        let since = changed_at.max(stopped).max(page.troubled_until).max(silent);
        since + ONE_POLL_MS + 2 * ROUND_TRIP_MS
    }

    /// Once faults stopped, every change is on every page within the bound, whatever changes after
    /// it: counted from the change, or from the end of the faults when it was made before.
    pub(super) fn keeps_up(&self, at: Ms) -> Result<(), Violation> {
        let Some(stopped) = self.stopped_at.filter(|_| self.jury.is_none()) else { return Ok(()) };
        for (tab, page) in self.pages.iter().enumerate() {
            let Some((account, _)) = page.who else { continue };
            let newest = self.newest_place(account);
            let seen = page.place.filter(|(epoch, _)| newest.is_some_and(|(it, _)| it == *epoch));
            let unseen = seen.map_or(0, |(_, version)| version) + 1;
            let book = self.books.get(usize::from(account)).and_then(|books| books.last());
            let Some(written_at) = book.and_then(|it| it.written_at(unseen)) else { continue };
            let from = written_at.max(stopped);
            let by_poll = from.max(page.troubled_until) + ONE_POLL_MS + 2 * ROUND_TRIP_MS;
            // By push as well: what overtakes on the way leaves a gap, which is fetched. That push is
            // fast is judged once nothing changes any more.
            Invariant::Heals.check(at <= by_poll, || {
                format!(
                    "page {tab} is at {:?} still, {} ms after version {unseen} was written",
                    page.place,
                    at - written_at
                )
            })?;
        }
        Ok(())
    }

    pub(super) fn judge(&self, at: Ms) -> Result<(), Violation> {
        let stopped = self.stopped_at.unwrap_or_default();
        Invariant::Heals
            .check(at < stopped + PATIENCE_MS, || "pages keep changing the server".to_owned())?;
        for (account, books) in self.books.iter().enumerate() {
            let Some(book) = books.last() else { continue };
            let late = book.open_holds().find(|(_, record)| {
                stopped.max(record.expires_at - self.clock_ahead) + SWEEP_MS < at
            });
            Invariant::NothingLost.check(late.is_none(), || {
                format!("account {account}: a hold outlived its expiry by far: {late:?}")
            })?;
        }
        for (tab, page) in self.pages.iter().enumerate() {
            let Some((account, _)) = page.who else { continue };
            let due = self.page_due(page, true);
            let newest = self.newest_place(account);
            Invariant::Heals.check(due > at || page.place == newest, || {
                format!("page {tab} is at {:?}, the server at {newest:?}, since {due}", page.place)
            })?;
            Invariant::Heals.check(
                due > at || (page.own.is_empty() && page.undecided.is_empty()),
                || {
                    format!(
                        "page {tab} does not know what became of {:?} {:?}",
                        page.own, page.undecided
                    )
                },
            )?;
            // That the server answers is learnt by asking.
            let asked = self.page_due(page, false) <= at;
            Invariant::Heals.check(!asked || page.live, || format!("page {tab} is not live"))?;
        }
        Ok(())
    }
}
