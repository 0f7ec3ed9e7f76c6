//! What outlives a reload. A host without storage, or with a full or forbidden one, just forgets.

use std::collections::BTreeMap;

use trueup_core::client::Saved;
use trueup_core::{MeterId, Units};
use trueup_protocol::storage;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::Storage;

use crate::host;

const VISITOR: &str = "trueup:1:visitor";

/// What the account kept under `key`.
pub fn load(key: &str) -> Option<Saved> {
    storage::decode(&read("sessionStorage", key)?)
}

/// Keeps it; tabs keep apart what they began.
pub fn save(key: &str, saved: &Saved) {
    write("sessionStorage", key, &storage::encode(saved));
}

/// What an anonymous visitor has used up, in any tab.
pub fn load_visitor() -> Option<BTreeMap<MeterId, Units>> {
    storage::decode_visitor(&read("localStorage", VISITOR)?)
}

/// Keeps what an anonymous visitor has used up.
pub fn save_visitor(used: &BTreeMap<MeterId, Units>) {
    write("localStorage", VISITOR, &storage::encode_visitor(used));
}

fn area(name: &str) -> Option<Storage> {
    let area = host::global(name);
    area.is_object().then(|| JsValue::unchecked_into(area))
}

fn read(name: &str, key: &str) -> Option<String> {
    area(name)?.get_item(key).ok()?
}

fn write(name: &str, key: &str, text: &str) {
    if let Some(area) = area(name) {
        let _ = area.set_item(key, text);
    }
}
