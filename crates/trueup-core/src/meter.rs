//! What is counted, and how much of it an operation takes.

use core::fmt;
use core::str::FromStr;

use crate::error::InvalidId;
use crate::units::Units;

/// The name of what is counted: `premium_messages`, `tokens`. Lower-case letters, digits and `_`,
/// starting with a letter, at most 64.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MeterId(Box<str>);

impl MeterId {
    /// # Errors
    /// [`InvalidId`] when the text is not such a name.
    pub fn new(text: &str) -> Result<Self, InvalidId> {
        let starts = text.bytes().next().is_some_and(|byte| byte.is_ascii_lowercase());
        let plain = text
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_');
        if starts && plain && text.len() <= 64 {
            Ok(Self(text.into()))
        } else {
            Err(InvalidId { what: "meter name" })
        }
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for MeterId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for MeterId {
    type Err = InvalidId;
    fn from_str(text: &str) -> Result<Self, InvalidId> {
        Self::new(text)
    }
}

/// Meter -> units. One operation may charge several meters at once, at most [`Charge::MAX_METERS`];
/// a charge of nothing is empty, never a zero.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Charge(Vec<(MeterId, Units)>);

impl Charge {
    /// How many meters one operation may charge.
    pub const MAX_METERS: usize = 16;

    /// The charge of nothing.
    pub const fn empty() -> Self {
        Self(Vec::new())
    }

    /// A charge of one meter; of nothing when `units` is zero.
    pub fn of(meter: MeterId, units: Units) -> Self {
        if units.is_zero() { Self::empty() } else { Self(vec![(meter, units)]) }
    }

    /// Sorted by meter. `None` when a meter is named twice, units are zero, or there are too many.
    pub fn new(lines: impl IntoIterator<Item = (MeterId, Units)>) -> Option<Self> {
        let mut charge = Self::empty();
        for (meter, units) in lines {
            let twice = !charge.units(&meter).is_zero();
            if twice || units.is_zero() || charge.0.len() == Self::MAX_METERS {
                return None;
            }
            // A handful of meters: sorted as they come.
            let at = charge.0.iter().take_while(|(before, _)| *before < meter).count();
            charge.0.insert(at, (meter, units));
        }
        Some(charge)
    }

    /// Units of one meter; zero when it is not charged.
    pub fn units(&self, meter: &MeterId) -> Units {
        self.0.iter().find(|(name, _)| name == meter).map_or(Units::ZERO, |(_, units)| *units)
    }

    /// The lines, sorted by meter.
    pub fn iter(&self) -> impl Iterator<Item = (&MeterId, Units)> {
        self.0.iter().map(|(meter, units)| (meter, *units))
    }

    /// Whether nothing is charged.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::{Charge, MeterId};
    use crate::units::Units;

    #[test]
    fn meter_names_are_lower_case_identifiers() {
        for (text, valid) in [
            ("premium_messages", true),
            ("tokens2", true),
            ("2tokens", false),
            ("_tokens", false),
            ("Tokens", false),
            ("premium-messages", false),
            ("", false),
        ] {
            assert_eq!(MeterId::new(text).is_ok(), valid, "{text}");
        }
        assert!(MeterId::new(&"a".repeat(65)).is_err());
    }

    #[test]
    fn a_charge_names_each_meter_once_and_never_charges_zero() {
        let tokens = MeterId::new("tokens").unwrap();
        let credits = MeterId::new("credits").unwrap();
        let one = Units::from(1);
        let both = Charge::new([(tokens.clone(), one), (credits.clone(), one)]).unwrap();
        assert_eq!(both.iter().next().unwrap().0, &credits);
        assert_eq!(both.units(&tokens), one);
        assert_eq!(Charge::new([(tokens.clone(), one), (tokens.clone(), one)]), None);
        assert_eq!(Charge::new([(tokens, Units::ZERO)]), None);
        assert_eq!(Charge::new([]), Some(Charge::empty()));
    }
}
