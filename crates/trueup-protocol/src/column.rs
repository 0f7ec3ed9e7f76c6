//! What a database keeps as JSON text in one column.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use trueup_core::operation::HoldLine;
use trueup_core::{Charge, MeterId, Units};

use crate::decode;

#[derive(Serialize, Deserialize)]
struct StoredHold {
    meter: String,
    units: u64,
    window: u64,
}

/// Writes meter -> units.
pub fn charge(charge: &Charge) -> String {
    text(&decode::charge_lines(charge))
}

/// Reads what [`charge`] wrote; `None` for anything else.
pub fn read_charge(text: &str) -> Option<Charge> {
    let lines: BTreeMap<String, u64> = serde_json::from_str(text).ok()?;
    decode::charge("charge", &lines).ok()
}

/// Writes what is set aside, and in which windows.
pub fn holds(holds: &[HoldLine]) -> String {
    let hold = |line: &HoldLine| StoredHold {
        meter: line.meter.as_str().to_owned(),
        units: line.units.get(),
        window: line.window_number,
    };
    text(&holds.iter().map(hold).collect::<Vec<_>>())
}

/// Reads what [`holds`] wrote; `None` for anything else.
pub fn read_holds(text: &str) -> Option<Vec<HoldLine>> {
    let stored: Vec<StoredHold> = serde_json::from_str(text).ok()?;
    let hold = |it: &StoredHold| {
        Some(HoldLine {
            meter: MeterId::new(&it.meter).ok()?,
            units: Units::new(it.units)?,
            window_number: it.window,
        })
    };
    stored.iter().map(hold).collect()
}

/// Writes an account's own limits; null is unlimited.
pub fn overrides(overrides: &BTreeMap<MeterId, Option<Units>>) -> String {
    let limit = |(meter, limit): (&MeterId, &Option<Units>)| {
        (meter.as_str().to_owned(), limit.map(Units::get))
    };
    text(&overrides.iter().map(limit).collect::<BTreeMap<_, _>>())
}

/// Reads what [`overrides`] wrote; `None` for anything else.
pub fn read_overrides(text: &str) -> Option<BTreeMap<MeterId, Option<Units>>> {
    let stored: BTreeMap<String, Option<u64>> = serde_json::from_str(text).ok()?;
    let limit = |(name, limit): (&String, &Option<u64>)| {
        let limit = match limit {
            None => None,
            Some(count) => Some(Units::new(*count)?),
        };
        Some((MeterId::new(name).ok()?, limit))
    };
    stored.iter().map(limit).collect()
}

/// Writes a list of texts, for a statement that takes many keys in one parameter.
pub fn list<T: AsRef<str>>(items: &[T]) -> String {
    text(&items.iter().map(AsRef::as_ref).collect::<Vec<&str>>())
}

/// Writes a list of pairs of texts, for a statement that takes many keys in one parameter.
pub fn pairs(items: &[(String, String)]) -> String {
    text(&items)
}

fn text(value: &impl Serialize) -> String {
    // Texts, numbers and maps with text keys always serialise.
    serde_json::to_string(value).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::{charge, holds, overrides, read_charge, read_holds, read_overrides};
    use std::collections::BTreeMap;
    use trueup_core::operation::HoldLine;
    use trueup_core::{Charge, MeterId, Units};

    #[test]
    fn columns_are_read_back() {
        let meter = MeterId::new("tokens").unwrap();
        let taken = Charge::of(meter.clone(), Units::MAX);
        assert_eq!(read_charge(&charge(&taken)), Some(taken));
        let held = vec![HoldLine { meter: meter.clone(), units: Units::from(1), window_number: 9 }];
        assert_eq!(read_holds(&holds(&held)), Some(held));
        let own = BTreeMap::from([(meter, None)]);
        assert_eq!(read_overrides(&overrides(&own)), Some(own));
    }

    #[test]
    fn damaged_columns_are_not_read() {
        for text in ["", "[]", "{\"tokens\":0}", "{\"tokens\":-1}", "{\"T\":1}"] {
            assert_eq!(read_charge(text), None, "{text}");
        }
        assert_eq!(read_holds("[{\"meter\":\"tokens\"}]"), None);
        assert_eq!(read_overrides("{\"tokens\":9007199254740992}"), None);
    }
}
