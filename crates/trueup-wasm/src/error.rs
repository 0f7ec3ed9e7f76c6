//! Errors as JavaScript sees them: an `Error` with a `code` to branch on.

use std::borrow::Cow;

use wasm_bindgen::JsValue;

use crate::host;

/// What went wrong, for programs and for people.
#[derive(Debug)]
pub struct Fault {
    /// A stable word.
    pub code: Cow<'static, str>,
    /// A fragment that fits after "failed to …:".
    pub message: Cow<'static, str>,
}

impl Fault {
    /// A fault of that code.
    pub fn new(code: impl Into<Cow<'static, str>>, message: impl Into<Cow<'static, str>>) -> Self {
        Self { code: code.into(), message: message.into() }
    }
}

impl From<Fault> for JsValue {
    fn from(fault: Fault) -> Self {
        let error = js_sys::Error::new(&fault.message);
        host::set_text(&error, "code", &fault.code);
        error.into()
    }
}
