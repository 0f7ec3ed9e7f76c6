//! What every page may show.

use super::history::{
    Amounts, Cause, Denial, Event, Figures, Meter, Ms, Op, Place, Seen, Shown, State,
};
use super::resetting::Reckoning;
use super::verdict::ONE_POLL_MS;
use super::{Auditor, Begun, Invariant, Violation};

/// A page can ask for no more than that at once.
const MOST_UNDECIDED: usize = 100;

/// An operation, how it ended and why.
type Ended = (Op, State, Cause);

/// (account, actor).
pub(super) type Who = (u8, u8);

/// A page, as far as it can be known from outside.
#[derive(Clone, Debug, Default)]
pub(super) struct Page {
    pub who: Option<Who>,
    /// What its figures are based on.
    pub place: Option<Place>,
    /// What was begun here, or restored, and whose end was not seen.
    pub own: Vec<Own>,
    /// What it showed last.
    view: View,
    /// An equal or earlier snapshot came: nothing may move.
    stale: bool,
    /// Operations given up since the page was last looked at.
    given_up: Vec<Op>,
    /// Until when faults of before may still be felt.
    pub troubled_until: Ms,
    /// Since when push reaches it undisturbed.
    pub listens_since: Option<Ms>,
    pub live: bool,
    pub undecided: Vec<Op>,
    /// A snapshot that came since the page was last looked at: its place, and the server's clock.
    pub arrived: Option<(Place, Ms)>,
    pub reckoning: Option<Reckoning>,
    /// Whether it was begun from what was kept, and not looked at since.
    pub reopened: bool,
    /// Until when its timer may be late.
    pub dozes_until: Ms,
    /// Whether its clock was set since it was last looked at.
    pub clock_set: bool,
}

/// Whose name, which version, every meter, and those whose window is said to be over.
type View = (Option<u8>, Option<u64>, Vec<Seen>, Vec<Meter>);

/// An operation of a page that has not ended there.
#[derive(Clone, Debug)]
pub(super) struct Own {
    pub op: Op,
    pub predicted: Amounts,
    /// Whether it may have left the page.
    pub sent: bool,
    /// When something was last heard of it.
    pub heard_at: Ms,
}

impl Auditor {
    pub(super) fn page(&mut self, at: Ms, event: &Event) -> Result<(), Violation> {
        if self.visit(at, event)? {
            return Ok(());
        }
        match event {
            Event::Opened { tab, account, actor, kept } => {
                self.opened(at, *tab, (*account, *actor), *kept);
            }
            Event::Copied { from, to } => {
                let of_original = self.kept.iter().filter(|((tab, _), _)| tab == from);
                let copies: Vec<_> =
                    of_original.map(|((_, who), page)| ((*to, *who), page.clone())).collect();
                self.kept.retain(|(tab, _), _| tab != to);
                self.kept.extend(copies);
            }
            Event::Left { tab } => {
                let page = self.page_mut(*tab);
                *page = Page { dozes_until: page.dozes_until, ..Page::default() };
            }
            Event::Began { tab, op, asked, predicted, refusal } => {
                self.began(at, *tab, *op, (asked, predicted, *refusal))?;
            }
            Event::Withdrawn { tab, op } => {
                self.page_mut(*tab).own.retain(|own| own.op != *op);
            }
            Event::Kept { tab } => self.keep(*tab),
            Event::Leaving { tab, op } => {
                let own = self.page_mut(*tab).own.iter_mut();
                own.filter(|own| own.op == *op).for_each(|own| own.sent = true);
            }
            Event::Sent { tab, op } => self.sent(at, *tab, *op)?,
            Event::Heard { tab, op } => {
                if let Some(own) = self.page_mut(*tab).own.iter_mut().find(|own| own.op == *op) {
                    own.heard_at = at;
                }
            }
            Event::Failed { tab, retry_after } => {
                let page = self.page_mut(*tab);
                page.troubled_until = page.troubled_until.max(at + retry_after);
            }
            Event::ClockSet { tab } => {
                let page = self.page_mut(*tab);
                page.troubled_until = page.troubled_until.max(at + ONE_POLL_MS);
                page.clock_set = true;
            }
            Event::GivenUp { tab, op } => {
                let page = self.page_mut(*tab);
                if page.own.iter().any(|own| own.op == *op) {
                    page.given_up.push(*op);
                    if let Some(begun) = self.begun.get_mut(op) {
                        begun.given_up = true;
                    }
                }
            }
            Event::Dozes { tab, until } => {
                let page = self.page_mut(*tab);
                page.dozes_until = page.dozes_until.max(*until);
            }
            Event::Received { tab, account, place, as_of } => {
                let page = self.page_mut(*tab);
                let other = page.who.is_none_or(|(own, _)| own != *account);
                page.stale = other || page.place.is_some_and(|known| *place <= known);
                page.arrived = Some((*place, *as_of)).filter(|_| !other);
            }
            Event::Listening { tab } => self.page_mut(*tab).listens_since = Some(at),
            Event::Undecided { tab, ops } => self.page_mut(*tab).undecided = ops.clone(),
            Event::Shown(shown) => self.shown(at, shown)?,
            _ => {}
        }
        Ok(())
    }

    fn opened(&mut self, at: Ms, tab: u8, who: Who, kept: bool) {
        let found = self.kept.get(&(tab, who)).filter(|_| kept).cloned();
        let mut page = found.unwrap_or_default();
        page.who = Some(who);
        // A page that is handed on shows what it did until the machine says otherwise.
        let before = std::mem::take(self.page_mut(tab));
        page.view = before.view;
        page.dozes_until = before.dozes_until;
        page.reopened = true;
        page.troubled_until = at;
        page.own.iter_mut().for_each(|own| (own.sent, own.heard_at) = (true, at));
        *self.page_mut(tab) = page;
    }

    fn keep(&mut self, tab: u8) {
        let Page { who, place, mut own, reckoning, .. } = self.page_mut(tab).clone();
        // What counts for nothing and never left is not kept.
        own.retain(|own| own.sent || !own.predicted.is_empty());
        if let Some(known) = who {
            let kept = Page { who, place, own, reckoning, ..Page::default() };
            self.kept.insert((tab, known), kept);
        }
    }

    fn sent(&mut self, at: Ms, tab: u8, op: Op) -> Result<(), Violation> {
        let page = self.page_mut(tab);
        let who = page.who;
        let own = page.own.iter_mut().find(|own| own.op == op);
        let is_over = own.is_none();
        if let Some(own) = own {
            (own.sent, own.heard_at) = (true, at);
        }
        let kept = who.and_then(|who| self.kept.get(&(tab, who)));
        let is_kept = kept.is_some_and(|kept| kept.own.iter().any(|own| own.op == op));
        // A copy of the page may have fenced it in the meantime.
        Invariant::NothingLost.check(is_kept || is_over, || {
            format!("op {op} left page {tab} before the page had kept it")
        })
    }

    fn began(
        &mut self,
        at: Ms,
        tab: u8,
        op: Op,
        (asked, predicted, refusal): (&Amounts, &Amounts, Option<Denial>),
    ) -> Result<(), Violation> {
        let page = self.page_mut(tab);
        let shown = &page.view.2;
        let denial = asked.iter().find_map(|it| denial(shown, *it)).filter(|_| !shown.is_empty());
        let expected = if denial.is_some() { Vec::new() } else { asked.clone() };
        Invariant::ExactlyOnce.check(*predicted == expected, || {
            format!("page {tab} predicts {predicted:?} for {asked:?} over {shown:?}")
        })?;
        Invariant::WithinLimit.check(refusal == denial, || {
            format!("page {tab} tells {refusal:?}, not {denial:?}, of {asked:?} over {shown:?}")
        })?;
        take_up(&mut page.own, op, predicted, at);
        let who = page.who;
        if let Some(who) = who {
            let twice = self.begun.insert(op, Begun { who, given_up: false });
            Invariant::EndsOnce.check(twice.is_none(), || format!("op {op} was begun twice"))?;
        }
        Ok(())
    }

    fn shown(&mut self, at: Ms, shown: &Shown) -> Result<(), Violation> {
        let tab = shown.tab;
        let mut page = std::mem::take(self.page_mut(tab));
        let judged = self.shown_on(&mut page, at, shown);
        *self.page_mut(tab) = page;
        judged
    }

    fn shown_on(&self, page: &mut Page, at: Ms, shown: &Shown) -> Result<(), Violation> {
        let tab = shown.tab;
        let Some((account, _)) = page.who else {
            return Invariant::Apart.check(shown.meters.is_empty(), || {
                format!("nobody looks at page {tab}: {shown:?}")
            });
        };
        let named = shown.account.is_none_or(|shown| shown == account);
        Invariant::Apart.check(named, || format!("page {tab} of account {account}: {shown:?}"))?;
        let falls = page.place > shown.place;
        Invariant::NeverBack.check(!falls, || {
            format!("page {tab} fell from {:?} to {:?}", page.place, shown.place)
        })?;
        let expected = self.expect_shown(page, account, shown.place)?;
        Invariant::ExactlyOnce.check(shown.meters == expected.0, || {
            let own = &page.own;
            let expected = expected.0;
            format!(
                "page {tab} shows {:?}, not {expected:?}; undecided there: {own:?}",
                shown.meters
            )
        })?;
        page.check_resetting(at, shown)?;
        explained(page, shown)?;
        self.check_reasons(page, account, shown, &expected.1)?;
        let mut ended = expected.1;
        ended.sort_unstable();
        let mut told = shown.ended.clone();
        told.sort_unstable();
        Invariant::ExactlyOnce
            .check(told == ended, || format!("page {tab} told the ends {told:?}, not {ended:?}"))?;
        let moved = page.view.2 != shown.meters;
        Invariant::NeverBack.check(!(page.stale && moved), || {
            format!("a stale snapshot moved page {tab} from {:?} to {:?}", page.view, shown.meters)
        })?;
        let version = shown.place.map(|(_, version)| version);
        let view = (shown.account, version, shown.meters.clone(), shown.resetting.clone());
        Invariant::ExactlyOnce.check(shown.told || page.view == view, || {
            format!("page {tab} shows something else, and the app was not told: {shown:?}")
        })?;
        page.stale = false;
        page.place = shown.place;
        page.view = view;
        page.live = shown.live;
        Ok(())
    }

    /// What a page must show over the image at `place`, and what of it ended there: its own operations
    /// that the image knows count in it, the others beside it.
    fn expect_shown(
        &self,
        page: &mut Page,
        account: u8,
        place: Option<Place>,
    ) -> Result<(Vec<Seen>, Vec<Ended>), Violation> {
        let given_up = page.given_up.drain(..);
        let mut ended: Vec<Ended> =
            given_up.map(|op| (op, State::Fenced, "never_arrived")).collect();
        page.own.retain(|own| !ended.iter().any(|(op, ..)| *op == own.op));
        let Some((epoch, version)) = place else { return Ok((Vec::new(), ended)) };
        let book = self.book(account, epoch)?;
        let Some(image) = book.image(version) else {
            let what = format!("version {version} is shown, which nobody could read");
            return Invariant::OneImage.broken(what);
        };
        let mut predicted = [0_u64; 8];
        page.own.retain(|own| {
            let record = book.records.get(&own.op).and_then(|record| record.at(version));
            if let Some(record) = record {
                let is_open = record.state == State::Held;
                ended.extend((!is_open).then_some((own.op, record.state, record.cause)));
                return is_open;
            }
            for (meter, units) in &own.predicted {
                if let Some(sum) = predicted.get_mut(usize::from(*meter)) {
                    *sum += units;
                }
            }
            true
        });
        let pending = |meter| predicted.get(usize::from(meter)).copied().unwrap_or_default();
        Ok((image.iter().map(|it| seen(*it, pending(it.meter))).collect(), ended))
    }

    pub(super) fn page_mut(&mut self, tab: u8) -> &mut Page {
        let at = usize::from(tab);
        if self.pages.len() <= at {
            self.pages.resize_with(at + 1, Page::default);
        }
        #[expect(clippy::indexing_slicing, reason = "the vector was just made long enough")]
        &mut self.pages[at]
    }
}

/// What the app is told of a meter begins where the meter was, goes on where it was left, and ends
/// where the meter is; and a snapshot moves no meter without a word.
fn explained(page: &Page, shown: &Shown) -> Result<(), Violation> {
    let (account, _, before, _) = &page.view;
    let told = |it: &Seen| (it.total, it.figures.limit, it.remaining);
    let of =
        |meters: &[Seen], meter| meters.iter().find(|seen| seen.figures.meter == meter).map(told);
    for now in &shown.meters {
        let meter = now.figures.meter;
        let mut said = shown.corrected.iter().filter(|moved| moved.meter == meter).peekable();
        let Some(was) = of(before, meter).filter(|_| *account == shown.account) else { continue };
        let is_silent = said.peek().is_none();
        let reached = said.try_fold(was, |at, moved| (moved.before == at).then_some(moved.after));
        let by_snapshot = page.place.is_some() && page.place != shown.place;
        let is_right = reached == Some(told(now)) || (is_silent && !by_snapshot);
        Invariant::ExactlyOnce.check(is_right, || {
            format!(
                "page {} told {:?} of meter {meter}, which went from {was:?} to {:?}",
                shown.tab,
                shown.corrected,
                told(now)
            )
        })?;
    }
    Ok(())
}

/// What a page that shows that rightly tells of one meter of a charge, if there is no room for it.
pub(super) fn denial(shown: &[Seen], (meter, asked): (Meter, u64)) -> Option<Denial> {
    let Some(seen) = shown.iter().find(|seen| seen.figures.meter == meter) else {
        return Some(Denial { meter, asked, remaining: 0, resets_at: None });
    };
    let remaining = seen.remaining.filter(|left| seen.figures.hard && *left < asked)?;
    Some(Denial { meter, asked, remaining, resets_at: Some(seen.figures.end) })
}

/// One more operation of a page.
pub(super) fn take_up(own: &mut Vec<Own>, op: Op, predicted: &Amounts, at: Ms) {
    if own.len() >= MOST_UNDECIDED {
        // What counts for nothing and never left makes room, the oldest first.
        let idle = own.iter().position(|own| !own.sent && own.predicted.is_empty());
        idle.map(|at| own.remove(at));
    }
    own.push(Own { op, predicted: predicted.clone(), sent: false, heard_at: at });
}

pub(super) fn seen(figures: Figures, pending: u64) -> Seen {
    let total = figures.used + figures.held + pending;
    let remaining = figures.limit.map(|limit| limit.saturating_sub(total));
    Seen { figures, pending, total, remaining }
}
