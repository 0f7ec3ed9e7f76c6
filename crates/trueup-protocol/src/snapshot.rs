//! The versioned outcome delta as JSON: the body that travels everywhere, unchanged.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use trueup_core::{self as core, Cause, OperationState, Timestamp, Version};

use crate::decode::{self, Malformed};
use crate::time;

/// An account's usage at one version, and what led there since another.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "server", derive(utoipa::ToSchema))]
pub struct Snapshot {
    /// Whose usage it is.
    pub account: String,
    /// The identity of the database's history.
    pub epoch: String,
    /// `operations` and `changes` tell everything after this version.
    pub since: u64,
    /// The version of the figures.
    pub version: u64,
    /// When the server read them, RFC 3339.
    pub as_of: String,
    /// True when the range could not be told: replace everything.
    #[serde(default)]
    pub reset: bool,
    /// Every meter of the account's plan.
    pub meters: BTreeMap<String, Meter>,
    /// The calling actor's operations that changed in (since, version].
    pub operations: Vec<Operation>,
    /// What else moved in (since, version].
    pub changes: Vec<Change>,
}

/// One meter's figures, in whole units.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "server", derive(utoipa::ToSchema))]
pub struct Meter {
    /// Grants included; null is unlimited.
    pub limit: Option<u64>,
    /// Charged in the window.
    pub used: u64,
    /// Set aside for open operations.
    pub held: u64,
    /// What happens at the limit: `hard` stops, `soft` counts on.
    pub enforcement: String,
    /// The period that the limit covers.
    pub window: Window,
}

/// A period, `start <= t < end`, RFC 3339.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "server", derive(utoipa::ToSchema))]
pub struct Window {
    /// The first instant inside.
    pub start: String,
    /// The first instant after.
    pub end: String,
}

/// The latest state of one operation.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "server", derive(utoipa::ToSchema))]
pub struct Operation {
    /// A `UUIDv7`.
    pub id: String,
    /// The account's version when the operation came to this state.
    pub version: u64,
    /// `held`, `settled`, `released`, `expired`, `refused` or `fenced`.
    pub state: String,
    /// Why.
    pub cause: String,
    /// What it asked for, meter -> units.
    pub requested: BTreeMap<String, u64>,
    /// What is set aside for it (while `held`), meter -> units.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub held: Option<BTreeMap<String, u64>>,
    /// What it was charged (once it ended; left out when nothing was), meter -> units.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub charged: Option<BTreeMap<String, u64>>,
}

/// A movement that no operation of the calling actor explains.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "server", derive(utoipa::ToSchema))]
pub struct Change {
    /// The account's version after it.
    pub version: u64,
    /// `other_device`, `grant`, `plan_changed` or `window_reset`.
    pub cause: String,
    /// Which meter.
    pub meter: String,
    /// By how many units: of used + held, or of the limit for a grant or plan change.
    pub units: i64,
}

impl From<&core::Snapshot> for Snapshot {
    fn from(it: &core::Snapshot) -> Self {
        let meter = |(name, reading): (&core::MeterId, &core::MeterReading)| {
            (name.as_str().to_owned(), Meter::from(reading))
        };
        Self {
            account: it.account.as_str().to_owned(),
            epoch: it.epoch.as_str().to_owned(),
            since: it.since.0,
            version: it.version.0,
            as_of: time::format(it.as_of),
            reset: it.reset,
            meters: it.meters.iter().map(meter).collect(),
            operations: it.operations.iter().map(Operation::from).collect(),
            changes: it.changes.iter().map(Change::from).collect(),
        }
    }
}

impl From<&core::MeterReading> for Meter {
    fn from(it: &core::MeterReading) -> Self {
        Self {
            limit: it.limit.map(core::Units::get),
            used: it.used.get(),
            held: it.held.get(),
            enforcement: enforcement_word(it.enforcement).to_owned(),
            window: Window {
                start: time::format(it.window.start),
                end: time::format(it.window.end),
            },
        }
    }
}

impl From<&core::OperationOutcome> for Operation {
    fn from(it: &core::OperationOutcome) -> Self {
        let counted = (!it.counted.is_empty()).then(|| decode::charge_lines(&it.counted));
        let (held, charged) = if it.state.is_end() { (None, counted) } else { (counted, None) };
        Self {
            id: it.id.to_string(),
            version: it.version.0,
            state: it.state.as_str().to_owned(),
            cause: it.cause.as_str().to_owned(),
            requested: decode::charge_lines(&it.requested),
            held,
            charged,
        }
    }
}

impl From<&core::Change> for Change {
    fn from(it: &core::Change) -> Self {
        Self {
            version: it.version.0,
            cause: it.cause.as_str().to_owned(),
            meter: it.meter.as_str().to_owned(),
            units: it.units,
        }
    }
}

impl TryFrom<&Snapshot> for core::Snapshot {
    type Error = Malformed;

    fn try_from(it: &Snapshot) -> Result<Self, Malformed> {
        let meter = |(name, meter): (&String, &Meter)| {
            Ok((decode::id(&format!("meters.{name}"), name)?, meter.try_into()?))
        };
        Ok(Self {
            account: decode::id("account", &it.account)?,
            epoch: decode::id("epoch", &it.epoch)?,
            since: version("since", it.since)?,
            version: version("version", it.version)?,
            as_of: instant("as_of", &it.as_of)?,
            reset: it.reset,
            meters: it.meters.iter().map(meter).collect::<Result<_, Malformed>>()?,
            operations: it.operations.iter().map(TryInto::try_into).collect::<Result<_, _>>()?,
            changes: it.changes.iter().map(TryInto::try_into).collect::<Result<_, _>>()?,
        })
    }
}

impl TryFrom<&Meter> for core::MeterReading {
    type Error = Malformed;

    fn try_from(it: &Meter) -> Result<Self, Malformed> {
        Ok(Self {
            limit: it.limit.map(|limit| decode::units("limit", limit)).transpose()?,
            used: decode::units("used", it.used)?,
            held: decode::units("held", it.held)?,
            enforcement: enforcement(&it.enforcement)?,
            window: core::Window {
                start: instant("window.start", &it.window.start)?,
                end: instant("window.end", &it.window.end)?,
            },
        })
    }
}

impl TryFrom<&Operation> for core::OperationOutcome {
    type Error = Malformed;

    fn try_from(it: &Operation) -> Result<Self, Malformed> {
        let counted = it.held.as_ref().or(it.charged.as_ref());
        Ok(Self {
            id: decode::operation_id("operations.id", &it.id)?,
            version: version("operations.version", it.version)?,
            state: OperationState::from_word(&it.state)
                .ok_or_else(|| Malformed::new("operations.state", "is no state of an operation"))?,
            cause: cause(&it.cause),
            requested: decode::charge("operations.requested", &it.requested)?,
            counted: counted
                .map(|lines| decode::charge("operations.charged", lines))
                .transpose()?
                .unwrap_or_default(),
        })
    }
}

impl TryFrom<&Change> for core::Change {
    type Error = Malformed;

    fn try_from(it: &Change) -> Result<Self, Malformed> {
        Ok(Self {
            version: version("changes.version", it.version)?,
            cause: cause(&it.cause),
            meter: decode::id("changes.meter", &it.meter)?,
            units: it.units,
        })
    }
}

/// The word for an enforcement in JSON and SQL.
pub const fn enforcement_word(enforcement: core::Enforcement) -> &'static str {
    match enforcement {
        core::Enforcement::Hard => "hard",
        core::Enforcement::Soft => "soft",
    }
}

/// The enforcement of that word.
///
/// # Errors
/// When the word is neither `hard` nor `soft`.
pub fn enforcement(word: &str) -> Result<core::Enforcement, Malformed> {
    match word {
        "hard" => Ok(core::Enforcement::Hard),
        "soft" => Ok(core::Enforcement::Soft),
        _ => Err(Malformed::new("enforcement", "must be \"hard\" or \"soft\"")),
    }
}

// A cause that this build does not know is still a cause: the figures do not depend on it.
pub(crate) fn cause(word: &str) -> Cause {
    Cause::from_word(word).unwrap_or(Cause::Reset)
}

fn version(param: &str, number: u64) -> Result<Version, Malformed> {
    decode::units(param, number).map(|units| Version(units.get()))
}

fn instant(param: &str, text: &str) -> Result<Timestamp, Malformed> {
    time::parse(text)
        .ok_or_else(|| Malformed::new(param, "must be an RFC 3339 instant in UTC, ending in Z"))
}
