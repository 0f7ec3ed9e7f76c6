//! When to ask again. Ranges, not instants: the driver draws inside them, so this needs no rng.

use super::{Base, Client, PendingOperation, Session, Settings, Stage, Timestamp};

/// A range in which a timer is to go off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
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
#[derive(Clone, Debug, Default)]
pub(super) struct Tries {
    pub failures: u32,
    /// The last answer.
    pub checked_at: Option<Timestamp>,
    /// No request before this.
    pub rests_until: Option<Deadline>,
    /// The next check for operations whose end is awaited.
    pub confirm: Option<Deadline>,
    confirmations: u32,
}

impl Tries {
    pub fn succeed(&mut self, now: Timestamp) {
        self.failures = 0;
        self.rests_until = None;
        self.checked_at = Some(now);
    }

    /// Full jitter: anywhere from the server's own wish to an exponentially growing pause after it.
    pub fn fail(&mut self, settings: &Settings, retry_after_ms: Option<i64>, now: Timestamp) {
        self.failures = self.failures.saturating_add(1);
        let pause_ms = doubled(500, self.failures, settings.backoff_cap_ms);
        let not_before = now.plus(retry_after_ms.unwrap_or(50).clamp(50, 3_600_000));
        self.rests_until = Some(Deadline::between(not_before, pause_ms));
    }

    /// The network is back: what failed before says nothing now.
    pub fn forgive(&mut self) {
        self.failures = 0;
        self.rests_until = None;
    }

    /// A reply ended without a record: ask after a moment.
    pub fn confirm_from(&mut self, now: Timestamp) {
        self.confirmations = 0;
        // The delay is filled in by the next `next_check`, which knows the settings.
        self.confirm = Some(Deadline::between(now, 0));
    }

    /// Still no end: ask again, less often each time.
    pub fn confirm_again(&mut self, settings: &Settings, now: Timestamp) {
        self.confirmations = self.confirmations.saturating_add(1);
        let delay_ms =
            doubled(settings.confirm_delay_ms, self.confirmations - 1, settings.backoff_cap_ms);
        let not_before = now.plus(delay_ms - settings.confirm_delay_ms);
        self.confirm = Some(Deadline::between(not_before, 0));
    }
}

fn doubled(first_ms: i64, times: u32, cap_ms: i64) -> i64 {
    first_ms.saturating_mul(1_i64 << times.min(20)).min(cap_ms.max(first_ms))
}

/// A window's end by the client's clock: how long it had to go when the server read it.
pub(super) fn window_end(base: &Base, end: Timestamp) -> Timestamp {
    base.received_at.plus(end.since(base.as_of))
}

pub(super) fn earliest<const N: usize>(deadlines: [Option<Deadline>; N]) -> Option<Deadline> {
    deadlines.into_iter().flatten().min_by_key(|deadline| deadline.not_before)
}

impl Client {
    /// The next check of the figures, whatever its reason.
    pub(super) fn next_check(&self) -> Option<Deadline> {
        let Session::Account(knowledge) = &self.session else { return None };
        if self.in_flight.is_some() || !self.online {
            return None;
        }
        let wanted =
            self.wants.check || knowledge.pending.iter().any(|it| it.stage == Stage::Fencing);
        if let Some(rest) = self.tries.rests_until.filter(|_| wanted || self.tries.failures > 0) {
            return Some(rest);
        }
        let settings = &self.settings;
        let confirm = self
            .tries
            .confirm
            .filter(|_| knowledge.pending.iter().any(PendingOperation::awaits_end))
            .map(|from| Deadline::between(from.not_before.plus(settings.confirm_delay_ms), 100));
        let watched = self.visible || !knowledge.pending.is_empty();
        let tenth = settings.poll_interval_ms / 10;
        let regular = self
            .tries
            .checked_at
            .filter(|_| watched)
            .map(|at| Deadline::between(at.plus(settings.poll_interval_ms - tenth), 2 * tenth));
        earliest([confirm, regular, self.next_window_end().filter(|_| watched)])
    }

    /// The first end of a window that the view does not show as over: the next one's figures are
    /// fetched, by everybody at another moment of two seconds.
    pub(super) fn next_window_end(&self) -> Option<Deadline> {
        let base = self.knowledge()?.base.as_ref()?;
        let shown = |meter| self.view.meters.get(meter).is_some_and(|view| view.resetting);
        let open = base.meters.iter().filter(|(meter, _)| !shown(*meter));
        let first = open.map(|(_, reading)| reading.window.end).min()?;
        Some(Deadline::between(window_end(base, first).plus(50), 2_000))
    }

    /// When the quietest running reply has been silent for too long.
    pub(super) fn next_silence(&self) -> Option<Deadline> {
        let running = self.knowledge()?.pending.iter().filter(|it| it.stage == Stage::Sent);
        let quietest = running.map(|operation| operation.active_at).min()?;
        Some(Deadline::between(quietest.plus(self.settings.silence_ms), 1_000))
    }
}
