//! Whether a page says of each meter, rightly and in time, that its window is over.
//!
//! A page cannot know the server's clock. All it has is what that clock said when the snapshot under
//! its figures was read, and how long ago it came, by a clock of its own.

use super::history::{Ms, Place, Shown};
use super::pages::Page;
use super::{Invariant, Violation};

/// Every page shows that a window is over at another moment of about two seconds.
const SPREAD_MS: Ms = 2_050;

/// What a page can know of the server's clock: a range, since of two snapshots of one version it
/// cannot be seen from outside which one the page goes by.
#[derive(Clone, Copy, Debug)]
pub(super) struct Reckoning {
    /// What the server's clock said when the figures were read.
    as_of: (Ms, Ms),
    /// How far it is ahead of the page's.
    ahead: (Ms, Ms),
    /// The page begins with it: how long ago the figures came is not known.
    is_kept: bool,
}

impl Reckoning {
    fn of(as_of: Ms, clock: Ms) -> Self {
        let ahead = as_of - clock;
        Self { as_of: (as_of, as_of), ahead: (ahead, ahead), is_kept: false }
    }

    /// As if what was kept had come at that moment of the page's clock.
    fn restored(self, clock: Ms) -> Self {
        let (least, most) = self.as_of;
        Self { ahead: (least - clock, most - clock), is_kept: true, ..self }
    }

    /// The same version came again: if it was read later, or confirms what was kept, the page may
    /// go by it from now on.
    fn or(self, as_of: Ms, clock: Ms) -> Self {
        if as_of <= self.as_of.0 && !self.is_kept {
            return self;
        }
        let wider = |(least, most): (Ms, Ms), it: Ms| (least.min(it), most.max(it));
        let ahead = wider(self.ahead, as_of - clock);
        Self { as_of: wider(self.as_of, as_of), ahead, ..self }
    }
}

impl Page {
    /// The page goes on from what was kept, at the moment that it shows it.
    fn follow_clock(&mut self, shown: &Shown) -> bool {
        let arrived = self.arrived.take();
        if std::mem::take(&mut self.reopened) {
            self.reckoning = self.reckoning.map(|it| it.restored(shown.clock));
        }
        let is_new = self.place != shown.place;
        let of_shown = |(place, _): &(Place, Ms)| Some(*place) == shown.place;
        match arrived.filter(of_shown) {
            Some((_, as_of)) if is_new => self.reckoning = Some(Reckoning::of(as_of, shown.clock)),
            Some((_, as_of)) => {
                self.reckoning = self.reckoning.map(|it| it.or(as_of, shown.clock));
            }
            None if is_new => self.reckoning = None,
            None => {}
        }
        is_new
    }

    /// A meter says that its window is over when it is, no earlier and soon after; and at once when
    /// other figures come. Nothing else is said of it: the figures stay what they are.
    pub(super) fn check_resetting(&mut self, at: Ms, shown: &Shown) -> Result<(), Violation> {
        let is_new = self.follow_clock(shown);
        // The timer of a clock that was set is planned anew by whatever comes next.
        if std::mem::take(&mut self.clock_set) {
            self.dozes_until = self.dozes_until.max(at + 1);
        }
        let Some(Reckoning { ahead: (least, most), .. }) = self.reckoning else { return Ok(()) };
        for figures in shown.meters.iter().map(|seen| seen.figures) {
            let (tab, end) = (shown.tab, figures.end);
            let to_go = (end - shown.clock - most, end - shown.clock - least);
            let what = || format!("{figures:?} on page {tab}, with {to_go:?} ms to go");
            if shown.resetting.contains(&figures.meter) {
                Invariant::OneImage
                    .check(to_go.0 <= 0, || format!("is said to be over: {}", what()))?;
            } else {
                let may_wait = !is_new && (to_go.1 >= -SPREAD_MS || at <= self.dozes_until);
                Invariant::OneImage.check(to_go.1 > 0 || may_wait, || {
                    format!("is not said to be over: {}", what())
                })?;
            }
        }
        Ok(())
    }
}
