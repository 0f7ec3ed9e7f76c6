//! From loose JSON values to the core's types; the one place that says what is malformed.

use std::collections::BTreeMap;

use trueup_core::{Charge, MeterId, OperationId, Units};

/// A value outside what it may be. The text names the mend.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{param}: {message}")]
pub struct Malformed {
    /// Which field.
    pub param: String,
    /// What is wrong, and what it may be.
    pub message: String,
}

impl Malformed {
    /// A complaint about one field.
    pub fn new(param: impl Into<String>, message: impl Into<String>) -> Self {
        Self { param: param.into(), message: message.into() }
    }
}

/// Reads an operation id.
///
/// # Errors
/// When the text is no hyphenated `UUIDv7`.
pub fn operation_id(param: &str, text: &str) -> Result<OperationId, Malformed> {
    text.parse().map_err(|_| {
        Malformed::new(
            param,
            "must be a UUID of version 7 in its hyphenated form, made by the client",
        )
    })
}

/// Reads any id whose text form is checked by the core.
///
/// # Errors
/// When the text is not such an id.
pub fn id<T>(param: &str, text: &str) -> Result<T, Malformed>
where
    T: std::str::FromStr<Err = trueup_core::error::InvalidId>,
{
    text.parse().map_err(|error: trueup_core::error::InvalidId| {
        Malformed::new(
            param,
            format!("is {error}: 1 to 128 visible ASCII characters without spaces"),
        )
    })
}

/// What a count of units must be.
pub(crate) const UNITS_SHAPE: &str = "a whole number from 0 to 9007199254740991";

/// Reads a count of units.
///
/// # Errors
/// Above 2^53-1.
pub fn units(param: &str, count: u64) -> Result<Units, Malformed> {
    Units::new(count).ok_or_else(|| Malformed::new(param, format!("must be {UNITS_SHAPE}")))
}

/// Reads meter -> units.
///
/// # Errors
/// When a name is no meter name, units are 0 or above 2^53-1, or there are more than 16 meters.
pub fn charge(param: &str, lines: &BTreeMap<String, u64>) -> Result<Charge, Malformed> {
    let mut read = Vec::with_capacity(lines.len());
    for (name, count) in lines {
        let param = format!("{param}.{name}");
        let meter = MeterId::new(name).map_err(|_| {
            Malformed::new(
                &param,
                "is not a valid meter name: a-z, 0-9 and _, starting with a letter",
            )
        })?;
        let units = units(&param, *count)?;
        if units.is_zero() {
            return Err(Malformed::new(
                &param,
                "must be at least 1; leave the meter out to charge nothing",
            ));
        }
        read.push((meter, units));
    }
    Charge::new(read).ok_or_else(|| {
        Malformed::new(param, format!("may name at most {} meters", Charge::MAX_METERS))
    })
}

/// Writes meter -> units.
pub fn charge_lines(charge: &Charge) -> BTreeMap<String, u64> {
    charge.iter().map(|(meter, units)| (meter.as_str().to_owned(), units.get())).collect()
}
