//! Time as data: instants that somebody else read, and the period that a limit covers.

use core::fmt;

/// An instant: milliseconds since 1970-01-01T00:00:00Z, read by somebody else's clock.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

impl Timestamp {
    /// The instant `millis` after 1970.
    pub const fn from_millis(millis: i64) -> Self {
        Self(millis)
    }

    /// Milliseconds since 1970.
    pub const fn millis(self) -> i64 {
        self.0
    }

    /// The instant `millis` later, stopping at the end of time.
    #[must_use]
    pub const fn plus(self, millis: i64) -> Self {
        Self(self.0.saturating_add(millis))
    }

    /// Milliseconds from `earlier` to here; negative when `earlier` is later.
    pub const fn since(self, earlier: Self) -> i64 {
        self.0.saturating_sub(earlier.0)
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ms", self.0)
    }
}

/// The period a limit covers, `start <= t < end`. The calendar that cut it lives on the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Window {
    /// The first instant inside.
    pub start: Timestamp,
    /// The first instant after.
    pub end: Timestamp,
}

impl Window {
    /// Whether `at` lies inside.
    pub fn contains(&self, at: Timestamp) -> bool {
        self.start <= at && at < self.end
    }

    /// Whether the period is over at `at`.
    pub fn is_over(&self, at: Timestamp) -> bool {
        self.end <= at
    }
}

#[cfg(test)]
mod tests {
    use super::{Timestamp, Window};

    #[test]
    fn an_instant_is_told_with_its_unit() {
        assert_eq!(Timestamp::from_millis(-7).to_string(), "-7 ms");
    }

    #[test]
    fn a_window_holds_its_start_and_not_its_end() {
        let window = Window { start: Timestamp::from_millis(10), end: Timestamp::from_millis(20) };
        for (at, inside, over) in
            [(9, false, false), (10, true, false), (19, true, false), (20, false, true)]
        {
            let at = Timestamp::from_millis(at);
            assert_eq!((window.contains(at), window.is_over(at)), (inside, over), "{at}");
        }
    }
}
