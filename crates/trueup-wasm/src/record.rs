//! Plain JavaScript objects, built by hand: a generic serialiser would outweigh them.

use js_sys::Object;
use trueup_core::{Charge, Units};
use wasm_bindgen::JsValue;

use crate::host;

/// A plain object under construction.
pub struct Record(Object);

impl Record {
    pub fn new() -> Self {
        Self(Object::new())
    }

    /// Sets a property.
    pub fn set(self, name: &str, value: &JsValue) -> Self {
        host::set_property(&self.0, name, value);
        self
    }

    /// Sets a property to a text.
    pub fn text(self, name: &str, text: &str) -> Self {
        host::set_text(&self.0, name, text);
        self
    }

    /// Sets a property to a text, or leaves it out.
    pub fn some_text(self, name: &str, text: Option<&str>) -> Self {
        if let Some(text) = text { self.text(name, text) } else { self }
    }

    /// Sets a property to a count, at most 2^53 - 1.
    pub fn count(self, name: &str, count: u64) -> Self {
        #[expect(clippy::cast_precision_loss, reason = "at most 2^53 - 1")]
        host::set_number(&self.0, name, count as f64);
        self
    }

    /// Sets a property to units.
    pub fn units(self, name: &str, units: Units) -> Self {
        self.count(name, units.get())
    }

    /// Sets a property to units, or to `null`, which is unlimited.
    pub fn limit(self, name: &str, limit: Option<Units>) -> Self {
        match limit {
            Some(limit) => self.units(name, limit),
            None => self.set(name, &JsValue::NULL),
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

/// Meter -> units, frozen.
pub fn charge(charge: &Charge) -> JsValue {
    let mut record = Record::new();
    for (meter, units) in charge.iter() {
        record = record.units(meter.as_str(), units);
    }
    record.freeze()
}
