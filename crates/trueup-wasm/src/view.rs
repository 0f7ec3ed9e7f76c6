//! The view as a plain, frozen object.

use trueup_core::Enforcement;
use trueup_core::view::{MeterView, Status, View};
use trueup_protocol::{snapshot, time};
use wasm_bindgen::JsValue;

use crate::host;
use crate::record::{Record, limit, units};

/// The view as JavaScript sees it.
pub fn to_js(view: &View) -> JsValue {
    let meters = view
        .meters
        .iter()
        .fold(Record::new(), |meters, (name, view)| meters.set(name.as_str(), meter(view)));
    Record::new()
        .set("status", status(view.status))
        .set_some("account", view.account.as_ref().map(|account| account.as_str()))
        .set_some("version", view.version.map(|version| host::number(version.0)))
        .set("meters", meters.freeze())
        .freeze()
}

fn meter(view: &MeterView) -> JsValue {
    Record::new()
        .set("limit", limit(view.limit))
        .set("used", units(view.used))
        .set("settled", units(view.settled))
        .set("held", units(view.held))
        .set("pending", units(view.pending))
        .set("remaining", limit(view.remaining))
        .set("enforcement", enforcement(view.enforcement))
        .set_some("resetsAt", view.resets_at.map(time::format))
        .set("resetting", view.resetting)
        .freeze()
}

fn enforcement(enforcement: Enforcement) -> &'static str {
    snapshot::enforcement_word(enforcement)
}

fn status(status: Status) -> &'static str {
    match status {
        Status::Loading => "loading",
        Status::Anonymous => "anonymous",
        Status::Live => "live",
        Status::Offline => "offline",
    }
}
