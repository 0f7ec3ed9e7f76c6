//! Extractors that fail with our own errors: bodies, queries, paths and the version header.

use std::time::Duration;

use axum::extract::{FromRequest, FromRequestParts, Path, Request};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::IntoResponse as _;
use bytes::Bytes;
use serde::de::DeserializeOwned;
use trueup_core::{AccountId, OperationId, Version};
use trueup_protocol::{ErrorCode, SINCE_HEADER, decode};

use crate::error::ApiError;

/// How long a caller may take to send a body.
const BODY_TIMEOUT: Duration = Duration::from_secs(30);

/// A JSON body, declared as such, of exactly the expected shape. How much is read is set by the
/// route's `DefaultBodyLimit`.
#[derive(Clone, Copy, Debug)]
pub struct Json<T>(pub T);

/// A JSON body that may be left out.
#[derive(Clone, Copy, Debug)]
pub struct OptionalJson<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Json<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &S) -> Result<Self, ApiError> {
        check_content_type(request.headers())?;
        let bytes = read_body(request, state).await?;
        from_json(&bytes).map(Self)
    }
}

impl<S: Send + Sync, T: DeserializeOwned + Default> FromRequest<S> for OptionalJson<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &S) -> Result<Self, ApiError> {
        let typed = check_content_type(request.headers());
        let bytes = read_body(request, state).await?;
        if bytes.is_empty() {
            return Ok(Self(T::default()));
        }
        typed?;
        from_json(&bytes).map(Self)
    }
}

async fn read_body<S: Send + Sync>(request: Request, state: &S) -> Result<Bytes, ApiError> {
    let read = tokio::time::timeout(BODY_TIMEOUT, Bytes::from_request(request, state)).await;
    let read = read.map_err(|_| {
        ApiError::new(ErrorCode::InvalidRequest, "The body took too long; send it faster.")
    })?;
    read.map_err(|rejection| {
        let reason = rejection.body_text();
        if rejection.into_response().status() == StatusCode::PAYLOAD_TOO_LARGE {
            ApiError::new(
                ErrorCode::BodyTooLarge,
                "The body is larger than this call reads: 64 KiB, or 1 MiB for a chat.",
            )
        } else {
            ApiError::new(ErrorCode::InvalidRequest, "The body broke off; send it whole.")
                .because(reason)
        }
    })
}

fn check_content_type(headers: &HeaderMap) -> Result<(), ApiError> {
    let declared = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let essence = declared.and_then(|it| it.split(';').next()).unwrap_or("").trim();
    let json = essence.eq_ignore_ascii_case("application/json")
        || (essence.starts_with("application/") && essence.ends_with("+json"));
    if json {
        return Ok(());
    }
    Err(ApiError::new(
        ErrorCode::UnsupportedMediaType,
        "The body must be declared with the header Content-Type: application/json.",
    ))
}

/// Reads strictly, and says which field is at fault.
pub fn from_json<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, ApiError> {
    let mut json = serde_json::Deserializer::from_slice(bytes);
    let value = serde_path_to_error::deserialize(&mut json).map_err(|error| {
        let path = error.path().to_string();
        let inner = error.into_inner();
        let message = if inner.is_data() {
            format!("The body does not have the expected shape: {inner}.")
        } else {
            format!("The body is no JSON: {inner}.")
        };
        let error = ApiError::new(ErrorCode::InvalidRequest, message);
        if inner.is_data() && path != "." { error.at(path) } else { error }
    })?;
    json.end().map_err(|error| {
        ApiError::new(
            ErrorCode::InvalidRequest,
            format!("The body goes on after its JSON: {error}."),
        )
    })?;
    Ok(value)
}

/// A query string without unknown parameters.
#[derive(Clone, Copy, Debug)]
pub struct QueryString<T>(pub T);

impl<S: Sync, T: DeserializeOwned> FromRequestParts<S> for QueryString<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        let query = axum::extract::Query::try_from_uri(&parts.uri);
        let query = query.map_err(|rejection| {
            let message = format!("The query is not understood: {}.", rejection.body_text());
            ApiError::new(ErrorCode::InvalidRequest, message)
        })?;
        Ok(Self(query.0))
    }
}

/// The operation that the address names.
#[derive(Clone, Copy, Debug)]
pub struct OperationPath(pub OperationId);

impl<S: Send + Sync> FromRequestParts<S> for OperationPath {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        operation_id("op_id", &path_text(parts, state).await?).map(Self)
    }
}

/// The account that the address names.
#[derive(Clone, Debug)]
pub struct AccountPath(pub AccountId);

impl<S: Send + Sync> FromRequestParts<S> for AccountPath {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        Ok(Self(decode::id("id", &path_text(parts, state).await?)?))
    }
}

async fn path_text<S: Send + Sync>(parts: &mut Parts, state: &S) -> Result<String, ApiError> {
    let path = Path::<String>::from_request_parts(parts, state).await;
    let path = path.map_err(|rejection| {
        ApiError::new(ErrorCode::InvalidValue, "The address is not valid UTF-8.")
            .because(rejection.body_text())
    })?;
    Ok(path.0)
}

/// The version that the caller has, from the `Trueup-Since` header.
#[derive(Clone, Copy, Debug)]
pub struct SinceHeader(pub Option<Version>);

impl<S: Sync> FromRequestParts<S> for SinceHeader {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        let Some(value) = parts.headers.get(SINCE_HEADER) else { return Ok(Self(None)) };
        let number = value.to_str().ok().and_then(|text| text.parse().ok());
        let number = number.ok_or_else(|| {
            let message = "Trueup-Since must be a version: a whole number from 0.";
            ApiError::new(ErrorCode::InvalidValue, message).at(SINCE_HEADER)
        })?;
        Ok(Self(version(SINCE_HEADER, Some(number))?))
    }
}

/// Reads a version that may be left out.
pub fn version(param: &str, number: Option<u64>) -> Result<Option<Version>, ApiError> {
    let units = number.map(|number| decode::units(param, number)).transpose()?;
    Ok(units.map(|units| Version(units.get())))
}

/// Reads an operation id; the failure has a code of its own.
pub fn operation_id(param: &str, text: &str) -> Result<OperationId, ApiError> {
    decode::operation_id(param, text).map_err(|malformed| {
        let message = format!("{param} {}.", malformed.message);
        ApiError::new(ErrorCode::InvalidOperationId, message).at(param)
    })
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::from_json;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Body {
        #[expect(dead_code, reason = "only the reading is tested")]
        units: std::collections::BTreeMap<String, u64>,
    }

    #[test]
    fn a_body_that_does_not_fit_names_the_field() {
        for (body, param) in [
            (r#"{"units":{"tokens":-1}}"#, Some("units.tokens")),
            (r#"{"units":{"tokens":1.5}}"#, Some("units.tokens")),
            (r#"{"units":{"tokens":18446744073709551616}}"#, Some("units.tokens")),
            (r#"{"units":{},"unit":1}"#, Some("unit")),
            (r"{}", None),
            (r#"{"units":{}} x"#, None),
            (r#"{"units""#, None),
            ("", None),
        ] {
            let error = from_json::<Body>(body.as_bytes()).unwrap_err().envelope("").error;
            assert_eq!((error.code.as_str(), error.param.as_deref()), ("invalid_request", param));
        }
    }
}
