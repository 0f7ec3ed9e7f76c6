//! What a browser keeps over a reload. It is read back as hostile input: anybody can write there.

use std::collections::BTreeMap;

use trueup_core::client::{MAX_PENDING, Saved, SavedOperation};
use trueup_core::pending::Record;
use trueup_core::reconcile::Base;
use trueup_core::{Charge, MeterId, MeterReading, OperationState, Timestamp, Units, Version};

use crate::json::Json;
use crate::snapshot::enforcement_word;
use crate::{read, time};

/// Rises when older stored text could be misread; text of another version is not read.
const STORAGE_VERSION: i64 = 1;

/// Writes an account's figures and undecided operations, with a checksum.
pub fn encode(saved: &Saved) -> String {
    let mut members = vec![
        member("v", Json::Number(Some(STORAGE_VERSION))),
        member("account", text(saved.account.as_str())),
        member("pending", Json::List(saved.pending.iter().map(write_operation).collect())),
    ];
    if let Some(base) = &saved.base {
        members.push(member("base", write_base(base)));
    }
    seal(&Json::Object(members))
}

/// Reads what [`encode`] wrote; `None` for anything else.
pub fn decode(text: &str) -> Option<Saved> {
    let stored = open(text)?;
    Some(Saved {
        account: stored.get("account")?.text()?.parse().ok()?,
        base: match stored.get("base") {
            None => None,
            Some(base) => Some(read_base(base)?),
        },
        pending: read::all(stored.get("pending")?, read_operation)
            .filter(|pending| pending.len() <= MAX_PENDING)?,
    })
}

/// Writes what an anonymous visitor used, with a checksum.
pub fn encode_visitor(used: &BTreeMap<MeterId, Units>) -> String {
    let used = used.iter().map(|(meter, units)| member(meter.as_str(), number(units.get())));
    seal(&Json::Object(vec![
        member("v", Json::Number(Some(STORAGE_VERSION))),
        member("used", Json::Object(used.collect())),
    ]))
}

/// Reads what [`encode_visitor`] wrote; `None` for anything else.
pub fn decode_visitor(text: &str) -> Option<BTreeMap<MeterId, Units>> {
    open(text)?.get("used")?.members()?.iter().map(read::line).collect()
}

fn write_base(base: &Base) -> Json {
    let meter = |(meter, reading)| member(MeterId::as_str(meter), write_meter(reading));
    Json::Object(vec![
        member("epoch", text(base.epoch.as_str())),
        member("version", number(base.version.0)),
        member("as_of", instant(base.as_of)),
        member("meters", Json::Object(base.meters.iter().map(meter).collect())),
    ])
}

fn read_base(json: &Json) -> Option<Base> {
    Some(Base {
        epoch: json.get("epoch")?.text()?.parse().ok()?,
        version: read::version(json.get("version")?)?,
        as_of: read::instant(json.get("as_of")?)?,
        received_at: Timestamp::default(),
        meters: read::meters(json.get("meters")?)?,
    })
}

fn write_meter(reading: &MeterReading) -> Json {
    Json::Object(vec![
        member("limit", reading.limit.map_or(Json::Null, |limit| number(limit.get()))),
        member("used", number(reading.used.get())),
        member("held", number(reading.held.get())),
        member("enforcement", text(enforcement_word(reading.enforcement))),
        member(
            "window",
            Json::Object(vec![
                member("start", instant(reading.window.start)),
                member("end", instant(reading.window.end)),
            ]),
        ),
    ])
}

fn write_operation(operation: &SavedOperation) -> Json {
    let mut members = vec![
        member("id", text(&operation.id.to_string())),
        member("predicted", write_charge(&operation.prediction)),
    ];
    // The hold of one whose record the figures count.
    if let Some(Record { version: Version(version), counted, .. }) = &operation.record {
        let held = vec![member("version", number(*version)), member("units", write_charge(counted))];
        members.push(member("held", Json::Object(held)));
    }
    Json::Object(members)
}

fn read_operation(json: &Json) -> Option<SavedOperation> {
    let record = |held: &Json| {
        Some(Record {
            version: read::version(held.get("version")?)?,
            // What has ended is not kept.
            state: OperationState::Held,
            counted: read::charge(held.get("units")?)?,
        })
    };
    Some(SavedOperation {
        id: json.get("id")?.text()?.parse().ok()?,
        prediction: read::charge(json.get("predicted")?)?,
        record: match json.get("held") {
            None => None,
            Some(held) => Some(record(held)?),
        },
    })
}

fn write_charge(charge: &Charge) -> Json {
    Json::Object(charge.iter().map(|(meter, units)| member(meter.as_str(), number(units.get()))).collect())
}

fn member(name: &str, value: Json) -> (String, Json) {
    (name.to_owned(), value)
}

fn text(text: &str) -> Json {
    Json::Text(text.to_owned())
}

/// Units and versions are at most 2^53 - 1.
fn number(count: u64) -> Json {
    Json::Number(i64::try_from(count).ok())
}

fn instant(at: Timestamp) -> Json {
    Json::Text(time::format(at))
}

fn seal(stored: &Json) -> String {
    let mut json = String::new();
    stored.write(&mut json);
    checksum(&json).to_string() + &json
}

fn open(text: &str) -> Option<Json> {
    let (sum, json) = text.split_at_checked(text.find('{')?)?;
    if sum != checksum(json).to_string() {
        return None;
    }
    Json::read(json).filter(|stored| stored.get("v") == Some(&Json::Number(Some(STORAGE_VERSION))))
}

/// FNV-1a: finds what was cut off or overwritten by accident. Whoever forges on purpose only
/// changes what this one browser shows until the next fetch.
fn checksum(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

#[cfg(test)]
mod tests {
    use super::{decode, decode_visitor, encode, encode_visitor};
    use std::collections::BTreeMap;
    use trueup_core::client::{Saved, SavedOperation};
    use trueup_core::pending::Record;
    use trueup_core::reconcile::Base;
    use trueup_core::{
        AccountId, Charge, Enforcement, Epoch, MeterId, MeterReading, OperationId, OperationState,
        Timestamp, Units, Version, Window,
    };

    fn saved() -> Saved {
        let meter = MeterId::new("premium_messages").unwrap();
        let window =
            Window { start: Timestamp::from_millis(0), end: Timestamp::from_millis(99_000) };
        let reading = MeterReading {
            limit: Some(Units::from(5)),
            used: Units::from(2),
            held: Units::from(1),
            enforcement: Enforcement::Hard,
            window,
        };
        Saved {
            account: AccountId::new("acct_7").unwrap(),
            base: Some(Base {
                epoch: Epoch::new("e1").unwrap(),
                version: Version(44),
                as_of: Timestamp::from_millis(1_000),
                received_at: Timestamp::default(),
                meters: BTreeMap::from([(meter.clone(), reading)]),
            }),
            pending: vec![
                SavedOperation {
                    id: OperationId::new_v7(Timestamp::from_millis(5), [3; 10]),
                    prediction: Charge::of(meter.clone(), Units::from(1)),
                    record: Some(Record {
                        version: Version(43),
                        state: OperationState::Held,
                        counted: Charge::of(meter, Units::from(1)),
                    }),
                },
                SavedOperation {
                    id: OperationId::new_v7(Timestamp::from_millis(6), [3; 10]),
                    prediction: Charge::empty(),
                    record: None,
                },
            ],
        }
    }

    #[test]
    fn what_is_stored_is_read_back() {
        assert_eq!(decode(&encode(&saved())), Some(saved()));
        let used = BTreeMap::from([(MeterId::new("tokens").unwrap(), Units::MAX)]);
        assert_eq!(decode_visitor(&encode_visitor(&used)), Some(used));
    }

    #[test]
    fn text_that_was_cut_or_changed_anywhere_is_not_read() {
        let text = encode(&saved());
        for at in 0..text.len() {
            assert_eq!(decode(&text[..at]), None, "cut at {at}");
            let mut bytes = text.clone().into_bytes();
            bytes[at] ^= 1;
            assert_eq!(decode(&String::from_utf8_lossy(&bytes)), None, "changed at {at}");
        }
        assert_eq!(decode(""), None);
        assert_eq!(decode("äöüäöüäöüäöüäöü{}"), None);
    }
}
