//! The two names in a browser token. Reading them verifies nothing.

use serde::Deserialize;

/// Who a token says that it speaks for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct Claims {
    /// `acct`: whose quota it is, when that is not the subject's own.
    #[serde(default, rename = "acct")]
    pub account: Option<String>,
    /// `sub`: who acts.
    #[serde(default, rename = "sub")]
    pub subject: Option<String>,
}

/// Reads a token's payload; `None` when it is no object with such names.
pub fn read(payload: &str) -> Option<Claims> {
    serde_json::from_str(payload).ok()
}
