//! The few globals of the host, bound by name and not through `window`, so that they are also found
//! in a worker or in node.

use js_sys::{Array, Function, Object};
use trueup_core::Timestamp;
use wasm_bindgen::prelude::*;

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(thread_local_v2, js_name = globalThis)]
    static GLOBAL: JsValue;

    #[wasm_bindgen(js_namespace = Reflect, js_name = get, catch)]
    fn get_property(object: &JsValue, name: &str) -> Result<JsValue, JsValue>;

    #[wasm_bindgen(js_namespace = Reflect, js_name = set)]
    pub fn set_property(object: &Object, name: &str, value: &JsValue);

    #[wasm_bindgen(js_namespace = Reflect, js_name = set)]
    pub fn set_text(object: &Object, name: &str, value: &str);

    #[wasm_bindgen(js_namespace = Reflect, js_name = set)]
    pub fn set_number(object: &Object, name: &str, value: f64);

    type Settled;

    #[wasm_bindgen(js_namespace = Promise, js_name = allSettled)]
    fn all_settled(values: &Array) -> Settled;

    #[wasm_bindgen(method)]
    fn then(this: &Settled, callback: &JsValue);

    /// A promise of what comes first.
    #[wasm_bindgen(js_namespace = Promise)]
    pub fn race(values: &Array) -> JsValue;

    #[wasm_bindgen(catch)]
    pub fn fetch(url: &str, init: &JsValue) -> Result<JsValue, JsValue>;

    /// A signal that gives a call up.
    #[wasm_bindgen(js_namespace = AbortSignal, js_name = timeout)]
    pub fn time_out(after_ms: u32) -> JsValue;

    // The handle is a number in browsers and an object in node.
    #[wasm_bindgen(js_name = setTimeout)]
    pub fn set_timeout(callback: &Function, delay_ms: f64) -> JsValue;

    /// Milliseconds by the clock that timers go by: nobody sets it.
    #[wasm_bindgen(js_namespace = performance, js_name = now)]
    pub fn ticks() -> f64;

    #[wasm_bindgen(js_name = clearTimeout)]
    pub fn clear_timeout(handle: &JsValue);
}

/// A property; `undefined` where there is none or reading it is forbidden.
pub fn get(object: &JsValue, name: &str) -> JsValue {
    get_property(object, name).unwrap_or(JsValue::UNDEFINED)
}

/// A global; `undefined` where the host has none or forbids it, as a sandboxed frame does.
pub fn global(name: &str) -> JsValue {
    GLOBAL.with(|global| get(global, name))
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

/// A value as JSON text; empty when it has none.
pub fn json(value: &JsValue) -> String {
    let text = js_sys::JSON::stringify(value).map(JsValue::from);
    text.ok().and_then(|text| text.as_string()).unwrap_or_default()
}

/// Calls `done` once a promise has given its value, or has failed. Callbacks and not futures: an
/// executor would be a tenth of the module, for one chain of three steps.
pub fn after(promise: &JsValue, done: impl FnOnce(Option<JsValue>) + 'static) {
    call_after(promise, Box::new(done));
}

fn call_after(promise: &JsValue, done: Box<dyn FnOnce(Option<JsValue>)>) {
    let callback = Closure::once_into_js(move |outcomes: Array| {
        let outcome = outcomes.get(0);
        let failed = get(&outcome, "status").as_string().as_deref() == Some("rejected");
        done(if failed { None } else { Some(get(&outcome, "value")) });
    });
    all_settled(&list(&[promise])).then(&callback);
}

/// An array.
pub fn list(items: &[&JsValue]) -> Array {
    let list = Array::new();
    for item in items {
        list.push(item);
    }
    list
}

/// Calls a function of the app.
pub fn call(function: &Function, argument: &JsValue) -> Result<JsValue, JsValue> {
    function.call1(&JsValue::UNDEFINED, argument)
}
