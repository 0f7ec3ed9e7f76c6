//! What a browser keeps over a reload. It is read back as hostile input: anybody can write there.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use trueup_core::client::Saved;
use trueup_core::reconcile::Base;
use trueup_core::{MeterId, Timestamp, Units, Version};

use crate::decode;
use crate::snapshot::Meter;
use crate::time;

/// Rises when older stored text could be misread; text of another version is not read.
const STORAGE_VERSION: u32 = 1;

#[derive(Serialize, Deserialize)]
struct StoredClient {
    v: u32,
    account: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    base: Option<StoredBase>,
    pending: Vec<StoredOperation>,
}

#[derive(Serialize, Deserialize)]
struct StoredBase {
    epoch: String,
    version: u64,
    as_of: String,
    meters: BTreeMap<String, Meter>,
}

#[derive(Serialize, Deserialize)]
struct StoredOperation {
    id: String,
    predicted: BTreeMap<String, u64>,
}

#[derive(Serialize, Deserialize)]
struct StoredVisitor {
    v: u32,
    used: BTreeMap<String, u64>,
}

/// Writes an account's figures and undecided operations, with a checksum.
pub fn encode(saved: &Saved) -> String {
    let base = saved.base.as_ref().map(|base| StoredBase {
        epoch: base.epoch.as_str().to_owned(),
        version: base.version.0,
        as_of: time::format(base.as_of),
        meters: base
            .meters
            .iter()
            .map(|(meter, reading)| (meter.as_str().to_owned(), Meter::from(reading)))
            .collect(),
    });
    let operation = |(id, charge): &(trueup_core::OperationId, trueup_core::Charge)| {
        StoredOperation { id: id.to_string(), predicted: decode::charge_lines(charge) }
    };
    seal(&StoredClient {
        v: STORAGE_VERSION,
        account: saved.account.as_str().to_owned(),
        base,
        pending: saved.pending.iter().map(operation).collect(),
    })
}

/// Reads what [`encode`] wrote; `None` for anything else.
pub fn decode(text: &str) -> Option<Saved> {
    let stored: StoredClient = open(text)?;
    if stored.v != STORAGE_VERSION || stored.pending.len() > trueup_core::client::MAX_PENDING {
        return None;
    }
    let base = match stored.base {
        None => None,
        Some(base) => Some(Base {
            epoch: decode::id("epoch", &base.epoch).ok()?,
            version: Version(Units::new(base.version)?.get()),
            as_of: time::parse(&base.as_of)?,
            received_at: Timestamp::default(),
            meters: base
                .meters
                .iter()
                .map(|(name, meter)| Some((MeterId::new(name).ok()?, meter.try_into().ok()?)))
                .collect::<Option<_>>()?,
        }),
    };
    let operation = |it: &StoredOperation| {
        Some((it.id.parse().ok()?, decode::charge("predicted", &it.predicted).ok()?))
    };
    Some(Saved {
        account: decode::id("account", &stored.account).ok()?,
        base,
        pending: stored.pending.iter().map(operation).collect::<Option<_>>()?,
    })
}

/// Writes what an anonymous visitor used, with a checksum.
pub fn encode_visitor(used: &BTreeMap<MeterId, Units>) -> String {
    let used = used.iter().map(|(meter, units)| (meter.as_str().to_owned(), units.get())).collect();
    seal(&StoredVisitor { v: STORAGE_VERSION, used })
}

/// Reads what [`encode_visitor`] wrote; `None` for anything else.
pub fn decode_visitor(text: &str) -> Option<BTreeMap<MeterId, Units>> {
    let stored: StoredVisitor = open(text)?;
    if stored.v != STORAGE_VERSION {
        return None;
    }
    stored
        .used
        .iter()
        .map(|(name, units)| Some((MeterId::new(name).ok()?, Units::new(*units)?)))
        .collect()
}

fn seal(stored: &impl Serialize) -> String {
    // Maps with text keys and plain numbers always serialise.
    let json = serde_json::to_string(stored).unwrap_or_default();
    format!("{:016x}{json}", checksum(&json))
}

fn open<T: for<'a> Deserialize<'a>>(text: &str) -> Option<T> {
    let (sum, json) = text.split_at_checked(16)?;
    let intact = u64::from_str_radix(sum, 16).ok()? == checksum(json);
    if intact { serde_json::from_str(json).ok() } else { None }
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
    use trueup_core::client::Saved;
    use trueup_core::reconcile::Base;
    use trueup_core::{
        AccountId, Charge, Enforcement, Epoch, MeterId, MeterReading, OperationId, Timestamp,
        Units, Version, Window,
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
                (
                    OperationId::new_v7(Timestamp::from_millis(5), [3; 10]),
                    Charge::of(meter, Units::from(1)),
                ),
                (OperationId::new_v7(Timestamp::from_millis(6), [3; 10]), Charge::empty()),
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
