//! What a browser keeps over a reload. It is read back as hostile input: anybody can write there.

use trueup_core::client::{MAX_PENDING, Saved, SavedOperation};
use trueup_core::pending::Record;
use trueup_core::reconcile::Base;
use trueup_core::{Charge, Map, MeterId, MeterReading, OperationState, Timestamp, Units};

use crate::json::Json;
use crate::snapshot::enforcement_word;
use crate::{read, text, time};

/// Rises when older stored text could be misread; text of another version is not read.
const STORAGE_VERSION: u64 = 1;

/// Writes an account's figures and undecided operations, with a checksum.
pub fn encode(saved: &Saved) -> String {
    let mut out = Writer::default();
    out.open("");
    out.number("v", STORAGE_VERSION);
    out.text("account", saved.account.as_str());
    if let Some(base) = &saved.base {
        out.open("base");
        out.text("epoch", base.epoch.as_str());
        out.number("version", base.version.0);
        out.text("as_of", &time::format(base.as_of));
        out.open("meters");
        for (meter, reading) in base.meters.iter() {
            write_meter(&mut out, meter, reading);
        }
        out.close();
        out.close();
    }
    out.open("pending");
    for operation in &saved.pending {
        write_operation(&mut out, operation);
    }
    out.close();
    out.close();
    out.seal()
}

/// Reads what [`encode`] wrote; `None` for anything else.
pub fn decode(text: &str) -> Option<Saved> {
    let stored = open(text)?;
    let pending = stored.get("pending")?.members()?;
    Some(Saved {
        account: stored.get("account")?.text()?.parse().ok()?,
        base: read::optional(stored.get("base"), read_base)?,
        pending: if pending.len() > MAX_PENDING { None } else { read_operations(pending) }?,
    })
}

/// Writes what an anonymous visitor used, with a checksum.
pub fn encode_visitor(used: &Map<MeterId, Units>) -> String {
    let mut out = Writer::default();
    out.open("");
    out.number("v", STORAGE_VERSION);
    out.open("used");
    for (meter, units) in used.iter() {
        out.number(meter.as_str(), units.get());
    }
    out.close();
    out.close();
    out.seal()
}

/// Reads what [`encode_visitor`] wrote; `None` for anything else.
pub fn decode_visitor(text: &str) -> Option<Map<MeterId, Units>> {
    read::members(open(text)?.get("used")?, MeterId::new, read::units)
}

fn read_base(json: &Json) -> Option<Base> {
    Some(Base {
        epoch: json.get("epoch")?.text()?.parse().ok()?,
        version: read::version(json.get("version")?)?,
        as_of: read::instant(json.get("as_of")?)?,
        received_at: Timestamp::default(),
        meters: read::members(json.get("meters")?, MeterId::new, read::meter)?,
    })
}

fn write_meter(out: &mut Writer, meter: &MeterId, reading: &MeterReading) {
    out.open(meter.as_str());
    if let Some(limit) = reading.limit {
        out.number("limit", limit.get());
    }
    out.number("used", reading.used.get());
    out.number("held", reading.held.get());
    out.text("enforcement", enforcement_word(reading.enforcement));
    out.open("window");
    out.text("start", &time::format(reading.window.start));
    out.text("end", &time::format(reading.window.end));
    out.close();
    out.close();
}

/// An operation is a member under its id: what was predicted, and the hold of one whose record the
/// figures count.
fn write_operation(out: &mut Writer, operation: &SavedOperation) {
    out.open(&text::operation_id(operation.id));
    write_charge(out, "predicted", &operation.prediction);
    if let Some(record) = &operation.record {
        out.number("version", record.version.0);
        write_charge(out, "held", &record.counted);
    }
    out.close();
}

fn read_operations(members: &[(String, Json)]) -> Option<Vec<SavedOperation>> {
    let mut operations = Vec::new();
    for (id, json) in members {
        let record = |version: &Json| {
            Some(Record {
                version: read::version(version)?,
                // What has ended is not kept.
                state: OperationState::Held,
                counted: read::charge(json.get("held")?)?,
            })
        };
        operations.push(SavedOperation {
            id: id.parse().ok()?,
            prediction: read::charge(json.get("predicted")?)?,
            record: read::optional(json.get("version"), record)?,
        });
    }
    Some(operations)
}

fn write_charge(out: &mut Writer, name: &str, charge: &Charge) {
    out.open(name);
    for (meter, units) in charge.iter() {
        out.number(meter.as_str(), units.get());
    }
    out.close();
}

/// Writes JSON objects, whose members are numbers, texts and objects.
#[derive(Default)]
struct Writer(String);

impl Writer {
    /// Begins an object; one without a name is the outermost.
    fn open(&mut self, name: &str) {
        if !name.is_empty() {
            self.name(name);
        }
        self.0.push('{');
    }

    fn close(&mut self) {
        self.0.push('}');
    }

    fn number(&mut self, name: &str, number: u64) {
        self.name(name);
        self.0.push_str(&text::decimal(number));
    }

    fn text(&mut self, name: &str, text: &str) {
        self.name(name);
        self.quote(text);
    }

    fn name(&mut self, name: &str) {
        if !self.0.ends_with('{') {
            self.0.push(',');
        }
        self.quote(name);
        self.0.push(':');
    }

    /// Ids are visible ASCII, so nothing but these two needs an escape.
    fn quote(&mut self, text: &str) {
        self.0.push('"');
        for letter in text.chars() {
            if matches!(letter, '"' | '\\') {
                self.0.push('\\');
            }
            self.0.push(letter);
        }
        self.0.push('"');
    }

    fn seal(self) -> String {
        let mut sealed = text::decimal(checksum(&self.0));
        sealed.push_str(&self.0);
        sealed
    }
}

fn open(text: &str) -> Option<Json> {
    let (sum, json) = text.split_at_checked(text.bytes().position(|byte| byte == b'{')?)?;
    if sum != text::decimal(checksum(json)) {
        return None;
    }
    let stored = Json::read(json)?;
    let current = stored.get("v")?.whole() == Some(STORAGE_VERSION.cast_signed());
    if current { Some(stored) } else { None }
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
    use trueup_core::Map;
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
            account: AccountId::new("acct_\\\"7").unwrap(),
            base: Some(Base {
                epoch: Epoch::new("e1").unwrap(),
                version: Version(44),
                as_of: Timestamp::from_millis(1_000),
                received_at: Timestamp::default(),
                meters: Map::from([(meter.clone(), reading)]),
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
        let used = Map::from([(MeterId::new("tokens").unwrap(), Units::MAX)]);
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
