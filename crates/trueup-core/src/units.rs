//! Whole units, 0 ..= 2^53-1: what every JSON reader can hold exactly. Never floats.

use core::fmt;

/// A count of whole units of some meter, 0 ..= [`Units::MAX`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Units(u64);

impl Units {
    /// 2^53-1, the largest whole number that JavaScript holds exactly.
    pub const MAX: Self = Self((1 << 53) - 1);
    /// No units.
    pub const ZERO: Self = Self(0);

    /// `None` above [`Units::MAX`].
    pub const fn new(count: u64) -> Option<Self> {
        if count <= Self::MAX.0 { Some(Self(count)) } else { None }
    }

    /// The count as a plain number.
    pub const fn get(self) -> u64 {
        self.0
    }

    /// The count as a signed number; it always fits.
    pub const fn signed(self) -> i64 {
        self.0.cast_signed()
    }

    /// Whether there are none.
    pub const fn is_zero(self) -> bool {
        self.0 == 0
    }

    /// `None` above [`Units::MAX`].
    pub const fn checked_add(self, other: Self) -> Option<Self> {
        Self::new(self.0 + other.0)
    }

    /// `None` below zero.
    pub const fn checked_sub(self, other: Self) -> Option<Self> {
        match self.0.checked_sub(other.0) {
            Some(rest) => Some(Self(rest)),
            None => None,
        }
    }

    /// The sum, or [`Units::MAX`]. For what is shown, never for what is charged.
    #[must_use]
    pub const fn saturating_add(self, other: Self) -> Self {
        match self.checked_add(other) {
            Some(sum) => sum,
            None => Self::MAX,
        }
    }

    /// The difference, or zero.
    #[must_use]
    pub const fn saturating_sub(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }
}

impl fmt::Display for Units {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl From<u32> for Units {
    fn from(count: u32) -> Self {
        Self(u64::from(count))
    }
}

#[cfg(test)]
mod tests {
    use super::Units;

    #[test]
    fn units_stop_at_what_javascript_holds_exactly() {
        assert_eq!(Units::new(Units::MAX.get()), Some(Units::MAX));
        assert_eq!(Units::new(Units::MAX.get() + 1), None);
        assert_eq!(Units::MAX.checked_add(Units::from(1)), None);
        assert_eq!(Units::MAX.saturating_add(Units::from(1)), Units::MAX);
        assert_eq!(Units::ZERO.checked_sub(Units::from(1)), None);
        assert_eq!(Units::ZERO.saturating_sub(Units::from(1)), Units::ZERO);
        assert_eq!(Units::MAX.signed().unsigned_abs(), Units::MAX.get());
    }
}
