//! What outlives a reload. A host without storage, or with a full or forbidden one, just forgets.

use trueup_core::client::Saved;
use trueup_core::{Map, MeterId, Units};
use trueup_protocol::storage;
use wasm_bindgen::JsCast;
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
pub fn load_visitor() -> Option<Map<MeterId, Units>> {
    storage::decode_visitor(&read("localStorage", VISITOR)?)
}

/// Keeps what an anonymous visitor has used up.
pub fn save_visitor(used: &Map<MeterId, Units>) {
    write("localStorage", VISITOR, &storage::encode_visitor(used));
}

// Methods of an area that is not there fail like those of one that is full.
fn area(name: &str) -> Storage {
    host::global(name).unchecked_into()
}

fn read(name: &str, key: &str) -> Option<String> {
    area(name).get_item(key).ok()?
}

fn write(name: &str, key: &str, text: &str) {
    let _ = area(name).set_item(key, text);
}
