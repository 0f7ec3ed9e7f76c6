//! Conditional requests.

use std::convert::Infallible;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};

/// The states that a caller has already (`If-None-Match`).
#[derive(Clone, Debug)]
pub struct KnownTags(Vec<HeaderValue>);

impl KnownTags {
    fn of(headers: &HeaderMap) -> Self {
        Self(headers.get_all(header::IF_NONE_MATCH).iter().cloned().collect())
    }

    /// Whether the caller has none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl<S: Sync> FromRequestParts<S> for KnownTags {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(Self::of(&parts.headers))
    }
}

/// Names one state of a resource.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ETag(String);

impl ETag {
    /// Quotes `name`, which must be visible ASCII without quotes.
    pub fn new(name: &str) -> Self {
        Self(format!("\"{name}\""))
    }

    /// Whether the caller has this state already.
    pub fn is_known_to(&self, caller: &KnownTags) -> bool {
        let tags =
            caller.0.iter().filter_map(|value| value.to_str().ok()).flat_map(|it| it.split(','));
        tags.map(str::trim).any(|tag| tag == "*" || tag.trim_start_matches("W/") == self.0)
    }

    /// The answer for a caller who has this state.
    pub fn not_modified(&self) -> Response {
        self.mark(StatusCode::NOT_MODIFIED.into_response())
    }

    /// Adds the headers that let a browser keep the answer and ask whether it still holds.
    pub fn mark(&self, mut response: Response) -> Response {
        let headers = response.headers_mut();
        if let Ok(value) = HeaderValue::from_str(&self.0) {
            headers.insert(header::ETAG, value);
        }
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("private, no-cache"));
        headers.append(header::VARY, HeaderValue::from_static("Authorization"));
        response
    }
}

#[cfg(test)]
mod tests {
    use axum::http::{HeaderMap, HeaderValue, header};

    use super::{ETag, KnownTags};

    #[test]
    fn a_state_is_known_when_one_of_the_tags_names_it() {
        for (given, known) in [
            (r#""e-4""#, true),
            (r#"W/"e-4""#, true),
            (r#""e-3", "e-4""#, true),
            ("*", true),
            (r#""e-3""#, false),
            ("e-4", false),
            ("", false),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(header::IF_NONE_MATCH, HeaderValue::from_str(given).unwrap());
            assert_eq!(ETag::new("e-4").is_known_to(&KnownTags::of(&headers)), known, "{given}");
        }
        assert!(!ETag::new("e-4").is_known_to(&KnownTags::of(&HeaderMap::new())));
    }
}
