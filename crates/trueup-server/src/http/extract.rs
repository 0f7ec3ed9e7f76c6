//! Extractors that fail with our own errors: bodies, paths and the version header.

use std::time::Duration;

use axum::extract::{FromRequest, FromRequestParts, Path, Request};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::IntoResponse as _;
use bytes::Bytes;
use trueup_core::{AccountId, OperationId, Version};
use trueup_protocol::body::{self, Body, Unreadable};
use trueup_protocol::{ErrorCode, Malformed, SINCE_HEADER, decode};

use super::layers::CallTimer;
use super::{AppState, query};
use crate::auth::once;
use crate::connections::LINGER;
use crate::error::ApiError;

/// How long a caller may take to send a body.
const BODY_TIMEOUT: Duration = Duration::from_secs(30);

/// What a JSON body can be read as.
pub trait JsonBody: Sized {
    /// Reads the whole body, strictly.
    ///
    /// # Errors
    /// The first thing that is wrong with it.
    fn from_json(bytes: &[u8]) -> Result<Self, Unreadable>;
}

impl<T: Body> JsonBody for T {
    fn from_json(bytes: &[u8]) -> Result<Self, Unreadable> {
        body::read(bytes)
    }
}

/// A JSON body, declared as such, of exactly the expected shape. How much is read is set by the
/// route's `DefaultBodyLimit`.
#[derive(Clone, Copy, Debug)]
pub struct Json<T>(pub T);

/// A JSON body that may be left out.
#[derive(Clone, Copy, Debug)]
pub struct OptionalJson<T>(pub T);

impl<T: JsonBody> FromRequest<AppState> for Json<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &AppState) -> Result<Self, ApiError> {
        check_content_type(request.headers())?;
        let bytes = read_body(request, state).await?;
        Ok(Self(T::from_json(&bytes).map_err(unreadable)?))
    }
}

impl<T: JsonBody + Default> FromRequest<AppState> for OptionalJson<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &AppState) -> Result<Self, ApiError> {
        let typed = check_content_type(request.headers());
        let bytes = read_body(request, state).await?;
        if bytes.is_empty() {
            return Ok(Self(T::default()));
        }
        typed?;
        Ok(Self(T::from_json(&bytes).map_err(unreadable)?))
    }
}

/// Reads the body. Its time is its own: a slow caller takes none from the work that follows.
async fn read_body(request: Request, state: &AppState) -> Result<Bytes, ApiError> {
    check_content_encoding(request.headers())?;
    let _paused = request.extensions().get::<CallTimer>().map(CallTimer::pause);
    let stopping = async {
        state.shutdown.asked().await;
        tokio::time::sleep(LINGER).await;
    };
    let read = tokio::select! {
        biased;
        read = Bytes::from_request(request, state) => read,
        () = tokio::time::sleep(BODY_TIMEOUT) => {
            let seconds = BODY_TIMEOUT.as_secs();
            let message =
                format!("The body did not arrive whole within {seconds} seconds; send it faster.");
            return Err(ApiError::new(ErrorCode::RequestTimeout, message));
        }
        () = stopping => {
            let message = "The server is stopping and waits for no body; send the request again.";
            return Err(ApiError::new(ErrorCode::Unavailable, message));
        }
    };
    read.map_err(|rejection| {
        let reason = rejection.body_text();
        if rejection.into_response().status() == StatusCode::PAYLOAD_TOO_LARGE {
            ApiError::new(
                ErrorCode::BodyTooLarge,
                "The body is larger than this call reads: 64 KiB, or 1 MiB for a chat or a batch.",
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

fn check_content_encoding(headers: &HeaderMap) -> Result<(), ApiError> {
    let plain = |value: &HeaderValue| value.as_bytes().eq_ignore_ascii_case(b"identity");
    if headers.get_all(header::CONTENT_ENCODING).iter().all(plain) {
        return Ok(());
    }
    Err(ApiError::new(
        ErrorCode::UnsupportedMediaType,
        "The body is read as it is: send it uncompressed, without the header Content-Encoding.",
    ))
}

fn unreadable(error: Unreadable) -> ApiError {
    let message = match error {
        Unreadable::Shape(malformed) => return misshapen("The body", malformed),
        Unreadable::Syntax { line, column } => {
            format!("The body cannot be read as JSON from line {line}, column {column} on.")
        }
        Unreadable::Unfinished => "The body ends before its JSON does; send it whole.".to_owned(),
    };
    ApiError::new(ErrorCode::InvalidRequest, message)
}

/// What does not have the shape that the call reads. Without a `param`, the whole is meant.
pub(super) fn misshapen(whole: &str, malformed: Malformed) -> ApiError {
    let Malformed { param, message } = malformed;
    let subject = if param.is_empty() { whole } else { &param };
    let error = ApiError::new(ErrorCode::InvalidRequest, format!("{subject} {message}."));
    if param.is_empty() { error } else { error.at(param) }
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
        let value = once(&parts.headers, SINCE_HEADER)?;
        Ok(Self(value.map(|value| version_of("Trueup-Since", value)).transpose()?))
    }
}

/// Reads a version from the header of that name.
pub fn version_of(header: &str, value: &HeaderValue) -> Result<Version, ApiError> {
    let number = value.to_str().ok().and_then(query::whole);
    let number = number.and_then(|number| decode::units(header, number).ok());
    let number = number.ok_or_else(|| {
        let message = format!("{header} must be a version: a whole number from 0.");
        ApiError::new(ErrorCode::InvalidValue, message).at(header.to_ascii_lowercase())
    })?;
    Ok(Version(number.get()))
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
