//! Events, and the answer to `begin`, as plain, frozen objects.

use js_sys::{Array, Object};
use trueup_core::client::Begun;
use trueup_core::correction::{Correction, Figures, Movement};
use trueup_core::{Cause, OperationId, OperationState};
use trueup_protocol::{text, time};
use wasm_bindgen::JsValue;

use crate::error::Fault;
use crate::record::{self, Record};

/// The view moved in a way that was not predicted.
pub fn correction(correction: &Correction) -> JsValue {
    let movements = Array::new();
    for it in &correction.movements {
        movements.push(&movement(Record::new(), it).freeze());
    }
    let id = correction.operation.map(text::operation_id);
    let event = Record::new()
        .text("type", "correction")
        .text("cause", correction.cause.as_str())
        .some_text("opId", id.as_deref())
        .text("text", &correction.text)
        .set("movements", Object::freeze(&movements).as_ref());
    match correction.movements.first() {
        Some(main) => movement(event, main).freeze(),
        None => event.freeze(),
    }
}

/// One of the client's operations ended.
pub fn decided(operation: OperationId, state: OperationState, cause: Cause) -> JsValue {
    Record::new()
        .text("type", "decided")
        .text("opId", &text::operation_id(operation))
        .text("state", state.as_str())
        .text("cause", cause.as_str())
        .freeze()
}

/// Something failed that will be tried again.
pub fn error(fault: &Fault) -> JsValue {
    Record::new()
        .text("type", "error")
        .text("code", &fault.code)
        .text("message", &fault.message)
        .freeze()
}

/// An operation as it was begun.
pub fn begun(id: OperationId, begun: &Begun) -> JsValue {
    let mut record = Record::new()
        .text("id", &text::operation_id(id))
        .set("allowed", &begun.refusal.is_none().into())
        .set("predicted", &record::charge(&begun.predicted));
    if let Some(refusal) = &begun.refusal {
        let resets_at = refusal.resets_at.map(time::format);
        let refusal = Record::new()
            .text("meter", refusal.meter.as_str())
            .units("asked", refusal.asked)
            .units("remaining", refusal.remaining)
            .some_text("resetsAt", resets_at.as_deref());
        record = record.set("refusal", &refusal.freeze());
    }
    record.freeze()
}

fn movement(record: Record, movement: &Movement) -> Record {
    record
        .text("meter", movement.meter.as_str())
        .set("before", &figures(&movement.before))
        .set("after", &figures(&movement.after))
}

fn figures(figures: &Figures) -> JsValue {
    Record::new()
        .units("used", figures.used)
        .limit("limit", figures.limit)
        .limit("remaining", figures.remaining)
        .freeze()
}
