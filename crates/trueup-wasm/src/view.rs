//! The view as a plain, frozen object.

use trueup_core::AccountId;
use trueup_core::view::{MeterView, Status, View};
use trueup_protocol::snapshot::enforcement_word;
use trueup_protocol::time;
use wasm_bindgen::JsValue;

use crate::record::Record;

/// The view as JavaScript sees it.
pub fn to_js(view: &View) -> JsValue {
    let mut meters = Record::new();
    for (name, view) in view.meters.iter() {
        meters = meters.set(name.as_str(), &meter(view));
    }
    let mut record = Record::new()
        .text("status", status(view.status))
        .some_text("account", view.account.as_ref().map(AccountId::as_str));
    if let Some(version) = view.version {
        record = record.count("version", version.0);
    }
    record.set("meters", &meters.freeze()).freeze()
}

fn meter(view: &MeterView) -> JsValue {
    let resets_at = view.resets_at.map(time::format);
    Record::new()
        .limit("limit", view.limit)
        .units("used", view.used)
        .units("settled", view.settled)
        .units("held", view.held)
        .units("pending", view.pending)
        .limit("remaining", view.remaining)
        .text("enforcement", enforcement_word(view.enforcement))
        .some_text("resetsAt", resets_at.as_deref())
        .set("resetting", &view.resetting.into())
        .freeze()
}

fn status(status: Status) -> &'static str {
    match status {
        Status::Loading => "loading",
        Status::Anonymous => "anonymous",
        Status::Live => "live",
        Status::Offline => "offline",
    }
}
