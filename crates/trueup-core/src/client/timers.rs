//! When to ask again. Ranges, not instants: the driver draws inside them, so this needs no rng.

use super::{Base, Client, MeterId, Session, Settings, Stage, Timestamp};

/// A range in which a timer is to go off.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Deadline {
    /// Not before this.
    pub not_before: Timestamp,
    /// Not after this.
    pub not_after: Timestamp,
}

impl Deadline {
    fn between(not_before: Timestamp, spread_ms: i64) -> Self {
        Self { not_before, not_after: not_before.plus(spread_ms) }
    }
}

/// What came of asking so far.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct Tries {
    pub failures: u32,
    /// Fences that settled nothing, in a row, whatever was answered between them.
    pub vain_fences: u32,
    /// When the last request left that was answered: what the server said is as old as that at most,
    /// however long the answer took.
    pub checked_at: Option<Timestamp>,
    /// No request before this.
    pub rests_until: Option<Deadline>,
    /// The next check for operations whose end is awaited.
    pub confirm: Option<Deadline>,
    confirmations: u32,
}

impl Tries {
    /// A request that left at `sent_at` was answered.
    pub fn succeed(&mut self, sent_at: Timestamp) {
        self.forgive();
        self.checked_at = Some(sent_at);
    }

    /// Full jitter: anywhere from the server's own wish to an exponentially growing pause after it.
    pub fn fail(&mut self, settings: &Settings, retry_after_ms: Option<i64>, now: Timestamp) {
        self.failures = self.failures.saturating_add(1);
        let times = self.failures.max(self.vain_fences);
        let pause_ms = doubled(500, times, settings.backoff_cap_ms);
        let not_before = now.plus(retry_after_ms.unwrap_or(50).clamp(50, 3_600_000));
        self.rests_until = Some(Deadline::between(not_before, pause_ms));
    }

    /// The network is back, or the server is: what failed before says nothing now.
    pub fn forgive(&mut self) {
        self.failures = 0;
        self.rests_until = None;
    }

    /// The timer in the range of the rest went off.
    pub fn end_rest(&mut self, now: Timestamp) {
        self.rests_until = self.rests_until.filter(|rest| now < rest.not_before);
    }

    /// A reply ended without a record: ask after a moment, or earlier if others wait already.
    pub fn confirm_from(&mut self, settings: &Settings, others_wait: bool, now: Timestamp) {
        self.confirmations = 0;
        let fresh = Deadline::between(now.plus(settings.confirm_delay_ms), CONFIRM_SPREAD_MS);
        self.confirm = earliest([Some(fresh), self.confirm.filter(|_| others_wait)]);
    }

    /// Still no end: ask again, less often each time.
    pub fn confirm_again(&mut self, settings: &Settings, now: Timestamp) {
        let delay_ms =
            doubled(settings.confirm_delay_ms, self.confirmations, settings.backoff_cap_ms);
        self.confirmations = self.confirmations.saturating_add(1);
        self.confirm = Some(Deadline::between(now.plus(delay_ms), CONFIRM_SPREAD_MS));
    }
}

const CONFIRM_SPREAD_MS: i64 = 100;

fn doubled(first_ms: i64, times: u32, cap_ms: i64) -> i64 {
    first_ms.saturating_mul(1_i64 << times.min(20)).min(cap_ms.max(first_ms))
}

/// A window's end by the client's clock: how long it had to go when the server read it.
pub(super) fn window_end(base: &Base, end: Timestamp) -> Timestamp {
    base.received_at.plus(end.since(base.as_of))
}

/// The range in which the first of several is sure to be due and none of them is late.
pub(super) fn earliest<const N: usize>(deadlines: [Option<Deadline>; N]) -> Option<Deadline> {
    deadlines.into_iter().flatten().reduce(|a, b| Deadline {
        not_before: a.not_before.min(b.not_before),
        not_after: a.not_after.min(b.not_after),
    })
}

impl Client {
    /// The next check of the figures, whatever its reason.
    pub(super) fn next_check(&self) -> Option<Deadline> {
        let Session::Account(knowledge) = &self.session else { return None };
        if self.in_flight.is_some() || !self.online {
            return None;
        }
        // A hidden page watches nothing but its own undecided operations.
        let watched = self.visible || !knowledge.pending.is_idle();
        if let Some(rest) = self.tries.rests_until.filter(|_| self.wants.check || watched) {
            return Some(rest);
        }
        let settings = &self.settings;
        let confirm = self.tries.confirm.filter(|_| knowledge.pending.await_ends());
        let tenth = settings.poll_interval_ms / 10;
        let regular = self
            .tries
            .checked_at
            .filter(|_| watched)
            .map(|at| Deadline::between(at.plus(settings.poll_interval_ms - tenth), 2 * tenth));
        earliest([confirm, regular, self.next_window().filter(|_| watched)])
    }

    /// When a window has ended and the next one's figures are to be fetched: by everybody at
    /// another moment of two seconds, and once.
    fn next_window(&self) -> Option<Deadline> {
        let checked_at = self.tries.checked_at;
        self.window_end(|_, end| checked_at.is_none_or(|at| at < end))
    }

    /// When the view is to show that a window has ended.
    pub(super) fn next_reset(&self) -> Option<Deadline> {
        let shown =
            |meter: &MeterId| self.view.meters.get(meter).is_some_and(|view| view.resetting);
        self.window_end(|meter, _| !shown(meter))
    }

    /// The first end of a window that is `wanted`, by the client's clock.
    fn window_end(&self, wanted: impl Fn(&MeterId, Timestamp) -> bool) -> Option<Deadline> {
        let base = self.knowledge()?.base.as_ref()?;
        let ends = base.meters.iter().map(|(meter, it)| (meter, window_end(base, it.window.end)));
        let first = ends.filter(|(meter, end)| wanted(meter, *end)).map(|(_, end)| end).min()?;
        Some(Deadline::between(first.plus(50), 2_000))
    }

    /// When the quietest running reply has been silent for too long.
    pub(super) fn next_silence(&self) -> Option<Deadline> {
        let running = self.knowledge()?.pending.iter().filter(|it| it.stage == Stage::Sent);
        let quietest = running.map(|operation| operation.active_at).min()?;
        Some(Deadline::between(quietest.plus(self.settings.silence_ms), 1_000))
    }
}
