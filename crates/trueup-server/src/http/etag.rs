//! Conditional requests.

use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};

/// Names one state of a resource.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ETag(String);

impl ETag {
    /// Quotes `name`, which must be visible ASCII without quotes.
    pub fn new(name: &str) -> Self {
        Self(format!("\"{name}\""))
    }

    /// Whether the caller has this state already (`If-None-Match`).
    pub fn is_known_to(&self, headers: &HeaderMap) -> bool {
        let values = headers.get_all(header::IF_NONE_MATCH).iter();
        let tags = values.filter_map(|value| value.to_str().ok()).flat_map(|it| it.split(','));
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

    use super::ETag;

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
            assert_eq!(ETag::new("e-4").is_known_to(&headers), known, "{given}");
        }
        assert!(!ETag::new("e-4").is_known_to(&HeaderMap::new()));
    }
}
