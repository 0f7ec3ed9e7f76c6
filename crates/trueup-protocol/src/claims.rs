//! The two names in a browser token. Reading them verifies nothing.

use crate::json::Json;

/// Who a token says that it speaks for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Claims {
    /// `acct`: whose quota it is, when that is not the subject's own.
    pub account: Option<String>,
    /// `sub`: who acts.
    pub subject: Option<String>,
}

/// Reads a token's payload; `None` when it is no JSON.
pub fn read(payload: &str) -> Option<Claims> {
    let json = Json::read(payload)?;
    let claim = |name| json.get(name).and_then(Json::text).map(str::to_owned);
    Some(Claims { account: claim("acct"), subject: claim("sub") })
}
