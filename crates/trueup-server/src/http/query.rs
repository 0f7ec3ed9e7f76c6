//! Query strings: every parameter once and none unknown.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use trueup_protocol::body::{Read as _, twice};
use trueup_protocol::{ErrorCode, Malformed};

use super::extract::misshapen;
use crate::error::ApiError;

/// The parameters of a call.
pub trait Parameters: Sized {
    /// Takes them out of `query`; what is left over is refused afterwards.
    ///
    /// # Errors
    /// When one is not what it must be.
    fn read(query: &mut Query) -> Result<Self, Malformed>;
}

/// A query string that holds what the call knows and nothing else.
#[derive(Clone, Copy, Debug)]
pub struct QueryString<T>(pub T);

/// A query string that is being read.
#[derive(Debug)]
pub struct Query {
    given: Vec<(String, String)>,
    known: Vec<&'static str>,
}

impl<S: Sync, T: Parameters> FromRequestParts<S> for QueryString<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        let given = axum::extract::Query::try_from_uri(&parts.uri).map_err(|rejection| {
            let message = "The query is not understood; write it as name=value&name=value.";
            ApiError::new(ErrorCode::InvalidRequest, message).because(rejection.body_text())
        })?;
        let mut query = Query { given: given.0, known: Vec::new() };
        let read = T::read(&mut query).and_then(|read| query.end().map(|()| read));
        read.map(Self).map_err(|malformed| misshapen("The query", malformed))
    }
}

impl Query {
    /// A parameter that may be left out.
    pub fn text(&mut self, name: &'static str) -> Option<String> {
        self.known.push(name);
        let at = self.given.iter().position(|(have, _)| have == name)?;
        // Its place is kept: whoever comes twice is found at the end.
        self.given.get_mut(at).map(|(_, text)| std::mem::take(text))
    }

    /// A number that may be left out.
    ///
    /// # Errors
    /// When it is none.
    pub fn number(&mut self, name: &'static str) -> Result<Option<u64>, Malformed> {
        let read = |text: String| {
            whole(&text).ok_or_else(|| Malformed::new(name, format!("must be {}", u64::SHAPE)))
        };
        self.text(name).map(read).transpose()
    }

    fn end(&self) -> Result<(), Malformed> {
        let names = || self.given.iter().map(|(name, _)| &**name);
        if let Some(name) = twice(names()) {
            return Err(Malformed::new(name, "is given twice; give it once"));
        }
        let Some(name) = names().find(|name| !self.known.contains(name)) else { return Ok(()) };
        let known = self.known.join(", ");
        let message = format!("is no parameter of this call; take it out, or use one of {known}");
        Err(Malformed::new(name, message))
    }
}

/// A number in digits and nothing else; `None` when it is none. One that is too large for any of
/// ours stays too large.
pub(super) fn whole(text: &str) -> Option<u64> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    digits.then(|| text.parse().unwrap_or(u64::MAX))
}
