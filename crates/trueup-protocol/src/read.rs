//! From JSON to the core's types on the client's side: lenient about what it does not know, strict
//! about what it does.

use std::collections::BTreeMap;

use trueup_core::{
    Change, Charge, MeterId, MeterReading, OperationOutcome, OperationState, Snapshot,
    Timestamp, Units, Version, Window,
};

use crate::json::Json;
use crate::snapshot::{cause, enforcement};
use crate::time;

pub(crate) fn snapshot(json: &Json) -> Option<Snapshot> {
    Some(Snapshot {
        account: json.get("account")?.text()?.parse().ok()?,
        epoch: json.get("epoch")?.text()?.parse().ok()?,
        since: version(json.get("since")?)?,
        version: version(json.get("version")?)?,
        as_of: instant(json.get("as_of")?)?,
        reset: matches!(json.get("reset"), Some(Json::Bool(true))),
        meters: meters(json.get("meters")?)?,
        operations: all(json.get("operations")?, operation)?,
        changes: all(json.get("changes")?, change)?,
    })
}

pub(crate) fn meters(json: &Json) -> Option<BTreeMap<MeterId, MeterReading>> {
    let meter = |(name, json): &(String, Json)| Some((MeterId::new(name).ok()?, meter(json)?));
    json.members()?.iter().map(meter).collect()
}

fn meter(json: &Json) -> Option<MeterReading> {
    let window = json.get("window")?;
    Some(MeterReading {
        limit: match json.get("limit") {
            None => None,
            Some(limit) => Some(units(limit)?),
        },
        used: units(json.get("used")?)?,
        held: units(json.get("held")?)?,
        enforcement: enforcement(json.get("enforcement")?.text()?).ok()?,
        window: Window { start: instant(window.get("start")?)?, end: instant(window.get("end")?)? },
    })
}

fn operation(json: &Json) -> Option<OperationOutcome> {
    Some(OperationOutcome {
        id: json.get("id")?.text()?.parse().ok()?,
        version: version(json.get("version")?)?,
        state: OperationState::from_word(json.get("state")?.text()?)?,
        cause: json.get("cause")?.text().map(cause)?,
        requested: charge(json.get("requested")?)?,
        counted: match json.get("held").or_else(|| json.get("charged")) {
            None => Charge::empty(),
            Some(counted) => charge(counted)?,
        },
    })
}

fn change(json: &Json) -> Option<Change> {
    Some(Change {
        version: version(json.get("version")?)?,
        cause: json.get("cause")?.text().map(cause)?,
        meter: json.get("meter")?.text()?.parse().ok()?,
        units: json.get("units")?.whole()?,
    })
}

pub(crate) fn charge(json: &Json) -> Option<Charge> {
    let lines: Option<Vec<_>> = json.members()?.iter().map(line).collect();
    Charge::new(lines?)
}

pub(crate) fn line((name, count): &(String, Json)) -> Option<(MeterId, Units)> {
    Some((MeterId::new(name).ok()?, units(count)?))
}

pub(crate) fn version(json: &Json) -> Option<Version> {
    units(json).map(|number| Version(number.get()))
}

pub(crate) fn instant(json: &Json) -> Option<Timestamp> {
    time::parse(json.text()?)
}

pub(crate) fn all<T>(json: &Json, read: impl Fn(&Json) -> Option<T>) -> Option<Vec<T>> {
    json.list()?.iter().map(read).collect()
}

fn units(json: &Json) -> Option<Units> {
    Units::new(u64::try_from(json.whole()?).ok()?)
}
