//! Plain JavaScript objects, built and read by hand: a generic serialiser would outweigh them.

use js_sys::{Array, Object, Reflect};
use trueup_core::{Charge, Units};
use wasm_bindgen::{JsCast, JsValue};

use crate::host;

/// A plain object under construction.
pub struct Record(Object);

impl Record {
    pub fn new() -> Self {
        Self(Object::new())
    }

    /// Sets a property.
    pub fn set(self, name: &str, value: impl Into<JsValue>) -> Self {
        // A fresh plain object takes any property.
        let _ = Reflect::set(&self.0, &name.into(), &value.into());
        self
    }

    /// Sets a property unless there is no value: then it is left out.
    pub fn set_some(self, name: &str, value: Option<impl Into<JsValue>>) -> Self {
        match value {
            Some(value) => self.set(name, value),
            None => self,
        }
    }

    /// The object, frozen.
    pub fn freeze(self) -> JsValue {
        Object::freeze(&self.0).into()
    }

    /// The object, open to changes.
    pub fn into_object(self) -> JsValue {
        self.0.into()
    }
}

/// Units as a number.
pub fn units(units: Units) -> JsValue {
    host::number(units.get())
}

/// Units as a number, `null` for unlimited.
pub fn limit(limit: Option<Units>) -> JsValue {
    limit.map_or(JsValue::NULL, units)
}

/// Meter -> units, frozen.
pub fn charge(charge: &Charge) -> JsValue {
    let set = |record: Record, (meter, count): (&trueup_core::MeterId, Units)| {
        record.set(meter.as_str(), units(count))
    };
    charge.iter().fold(Record::new(), set).freeze()
}

/// The own properties of an object; `None` when it is none.
pub fn entries(value: &JsValue) -> Option<Vec<(String, JsValue)>> {
    if !value.is_object() || Array::is_array(value) {
        return None;
    }
    let entry = |pair: JsValue| {
        let pair: Array = pair.unchecked_into();
        Some((pair.get(0).as_string()?, pair.get(1)))
    };
    let pairs = Object::entries_typed::<JsValue>(value.unchecked_ref()).ok()?;
    pairs.unchecked_ref::<Array>().iter().map(entry).collect()
}

/// Whole units, 0 ..= 2^53-1.
pub fn as_units(value: &JsValue) -> Option<Units> {
    let number = value.as_f64()?;
    let whole = host::whole(number);
    #[expect(clippy::cast_precision_loss, reason = "compared to see whether anything was lost")]
    let exact = whole as f64 == number;
    u64::try_from(whole).ok().filter(|_| exact).and_then(Units::new)
}
