//! From JSON to the core's types on the client's side: lenient about what it does not know, strict
//! about what it does.

use trueup_core::error::InvalidId;
use trueup_core::{
    Change, Charge, Map, MeterId, MeterReading, OperationOutcome, OperationState, Snapshot,
    Timestamp, Units, Version, Window,
};

use crate::json::Json;
use crate::snapshot::{cause, enforcement};
use crate::time;

/// A snapshot.
pub fn snapshot(json: &Json) -> Option<Snapshot> {
    Some(Snapshot {
        account: json.get("account")?.text()?.parse().ok()?,
        epoch: json.get("epoch")?.text()?.parse().ok()?,
        since: version(json.get("since")?)?,
        version: version(json.get("version")?)?,
        as_of: instant(json.get("as_of")?)?,
        reset: json.get("reset").and_then(Json::bool).unwrap_or_default(),
        meters: members(json.get("meters")?, MeterId::new, meter)?,
        operations: items(json.get("operations")?, operation)?,
        changes: items(json.get("changes")?, change)?,
    })
}

/// One meter's figures.
pub fn meter(json: &Json) -> Option<MeterReading> {
    let window = json.get("window")?;
    Some(MeterReading {
        limit: optional(json.get("limit"), units)?,
        used: units(json.get("used")?)?,
        held: units(json.get("held")?)?,
        enforcement: enforcement(json.get("enforcement")?.text()?).ok()?,
        window: Window { start: instant(window.get("start")?)?, end: instant(window.get("end")?)? },
    })
}

fn operation(json: &Json) -> Option<OperationOutcome> {
    let counted = json.get("held").or_else(|| json.get("charged"));
    Some(OperationOutcome {
        id: json.get("id")?.text()?.parse().ok()?,
        version: version(json.get("version")?)?,
        state: OperationState::from_word(json.get("state")?.text()?)?,
        cause: cause(json.get("cause")?.text()?),
        requested: charge(json.get("requested")?)?,
        counted: optional(counted, charge)?.unwrap_or_default(),
    })
}

fn change(json: &Json) -> Option<Change> {
    Some(Change {
        version: version(json.get("version")?)?,
        cause: cause(json.get("cause")?.text()?),
        meter: json.get("meter")?.text()?.parse().ok()?,
        units: json.get("units")?.whole()?,
    })
}

/// Meter -> units, none of them zero.
pub fn charge(json: &Json) -> Option<Charge> {
    let mut lines = Vec::new();
    for (name, count) in json.members()? {
        lines.push((MeterId::new(name).ok()?, units(count)?));
    }
    Charge::new(lines)
}

/// Whole units, 0 to 2^53 - 1.
pub fn units(json: &Json) -> Option<Units> {
    Units::new(u64::try_from(json.whole()?).ok()?)
}

/// An account's version.
pub fn version(json: &Json) -> Option<Version> {
    units(json).map(|number| Version(number.get()))
}

/// An instant.
pub fn instant(json: &Json) -> Option<Timestamp> {
    time::parse(json.text()?)
}

/// Every member of an object, when all of them can be read.
pub fn members<K: Ord, V>(
    json: &Json,
    key: fn(&str) -> Result<K, InvalidId>,
    value: fn(&Json) -> Option<V>,
) -> Option<Map<K, V>> {
    let mut read = Map::new();
    for (name, json) in json.members()? {
        read.insert(key(name).ok()?, value(json)?);
    }
    Some(read)
}

/// Every item of a list, when all of them can be read.
pub fn items<T>(json: &Json, read: impl Fn(&Json) -> Option<T>) -> Option<Vec<T>> {
    let mut items = Vec::new();
    for item in json.list()? {
        items.push(read(item)?);
    }
    Some(items)
}

/// Something that may be left out, but not be malformed.
pub fn optional<T>(json: Option<&Json>, read: impl Fn(&Json) -> Option<T>) -> Option<Option<T>> {
    json.map_or(Some(None), |json| read(json).map(Some))
}
