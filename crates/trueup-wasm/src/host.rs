//! The few globals of the host, bound by name and not through `window`, so that they are also found
//! in a worker or in node.

use js_sys::{Function, Promise};
use trueup_core::Timestamp;
use wasm_bindgen::prelude::*;

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(catch)]
    pub fn fetch(url: &str, init: &JsValue) -> Result<Promise, JsValue>;

    // The handle is a number in browsers and an object in node.
    #[wasm_bindgen(js_name = setTimeout)]
    pub fn set_timeout(callback: &Function, delay_ms: f64) -> JsValue;

    #[wasm_bindgen(js_name = clearTimeout)]
    pub fn clear_timeout(handle: &JsValue);
}

/// A property; `undefined` where there is none or reading it is forbidden.
pub fn get(object: &JsValue, name: &str) -> JsValue {
    js_sys::Reflect::get(object, &name.into()).unwrap_or(JsValue::UNDEFINED)
}

/// A global; `undefined` where the host has none or forbids it, as a sandboxed frame does.
pub fn global(name: &str) -> JsValue {
    get(&js_sys::global(), name)
}

/// The host's own clock.
pub fn now() -> Timestamp {
    Timestamp::from_millis(whole(js_sys::Date::now()))
}

/// Cuts a fraction off; what is no number is 0.
#[expect(clippy::cast_possible_truncation, reason = "the cast saturates")]
pub fn whole(number: f64) -> i64 {
    number as i64
}

/// Units and instants fit: they are at most 2^53 - 1.
#[expect(clippy::cast_precision_loss, reason = "at most 2^53 - 1")]
pub fn number(count: u64) -> JsValue {
    JsValue::from_f64(count as f64)
}
