//! Events as plain, frozen objects.

use trueup_core::correction::{Correction, Figures, Movement};
use trueup_core::{Cause, OperationId, OperationState};
use wasm_bindgen::JsValue;

use crate::error::Fault;
use crate::record::{Record, limit, units};

/// The view moved in a way that was not predicted.
pub fn correction(correction: &Correction) -> JsValue {
    let movements: js_sys::Array =
        correction.movements.iter().map(|it| movement(Record::new(), it).freeze()).collect();
    js_sys::Object::freeze(&movements);
    let event = Record::new()
        .set("type", "correction")
        .set("cause", correction.cause.as_str())
        .set_some("opId", correction.operation.map(|id| id.to_string()))
        .set("text", &correction.text)
        .set("movements", movements);
    match correction.movements.first() {
        Some(main) => movement(event, main).freeze(),
        None => event.freeze(),
    }
}

/// One of the client's operations ended.
pub fn decided(operation: OperationId, state: OperationState, cause: Cause) -> JsValue {
    Record::new()
        .set("type", "decided")
        .set("opId", operation.to_string())
        .set("state", state.as_str())
        .set("cause", cause.as_str())
        .freeze()
}

/// Something failed that will be tried again.
pub fn error(fault: &Fault) -> JsValue {
    Record::new()
        .set("type", "error")
        .set("code", &fault.code)
        .set("message", &fault.message)
        .freeze()
}

fn movement(record: Record, movement: &Movement) -> Record {
    record
        .set("meter", movement.meter.as_str())
        .set("before", figures(&movement.before))
        .set("after", figures(&movement.after))
}

fn figures(figures: &Figures) -> JsValue {
    Record::new()
        .set("used", units(figures.used))
        .set("limit", limit(figures.limit))
        .set("remaining", limit(figures.remaining))
        .freeze()
}
