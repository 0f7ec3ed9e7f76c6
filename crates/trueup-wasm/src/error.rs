//! Errors as JavaScript sees them: an `Error` with a `code` to branch on.

use wasm_bindgen::JsValue;

/// What went wrong, for programs and for people.
#[derive(Debug)]
pub struct Fault {
    /// A stable word.
    pub code: String,
    /// A fragment that fits after "failed to …:".
    pub message: String,
}

impl Fault {
    /// A fault of that code.
    pub fn new(code: &str, message: &str) -> Self {
        Self { code: code.to_owned(), message: message.to_owned() }
    }
}

impl From<Fault> for JsValue {
    fn from(fault: Fault) -> Self {
        let error = Self::from(js_sys::Error::new(&fault.message));
        // A fresh Error takes any property.
        let _ = js_sys::Reflect::set(&error, &"code".into(), &fault.code.into());
        error
    }
}
