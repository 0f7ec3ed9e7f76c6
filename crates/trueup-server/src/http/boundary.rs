//! The edge between HTTP and everything inside: every request gets an id, every failure one log
//! line and one envelope, whatever went wrong and wherever.

use std::any::Any;
use std::sync::Arc;

use axum::Json;
use axum::extract::{FromRequestParts, MatchedPath, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use tracing::Instrument as _;
use trueup_protocol::ErrorCode;

use super::AppState;
use crate::error::ApiError;
use crate::hex::hex;

/// The request's id, in requests that bring one and in every reply.
pub const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// Tells OpenAI's clients whether to send the same request again.
const SHOULD_RETRY: HeaderName = HeaderName::from_static("x-should-retry");

/// The id under which the log tells of this request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestId(Arc<str>);

impl RequestId {
    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The caller's own id when it is short and visible, or a new one.
    fn of(headers: &HeaderMap) -> Self {
        let given = headers.get(REQUEST_ID).and_then(|value| value.to_str().ok());
        let usable = |id: &&str| {
            (1..=128).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_graphic())
        };
        given.filter(usable).map_or_else(Self::random, |id| Self(id.into()))
    }

    fn random() -> Self {
        let mut bytes = [0_u8; 12];
        // Without randomness the ids repeat; that is no reason to turn a request away.
        let _ = getrandom::fill(&mut bytes);
        Self(format!("req_{}", hex(&bytes)).into())
    }
}

impl<S: Sync> FromRequestParts<S> for RequestId {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        let id = parts.extensions.get::<Self>().cloned();
        id.ok_or_else(|| ApiError::internal("the boundary gave the request no id"))
    }
}

/// The outermost middleware. Paths are logged and queries are not: those may name operations.
pub async fn boundary(State(state): State<AppState>, mut request: Request, next: Next) -> Response {
    let id = RequestId::of(request.headers());
    request.extensions_mut().insert(id.clone());
    let span = tracing::info_span!(
        "request",
        id = id.as_str(),
        method = %request.method(),
        path = request.uri().path(),
        trace_id = tracing::field::Empty,
    );
    let route = request.extensions().get::<MatchedPath>();
    let call = state.metrics.call(route, request.method());
    let route = route.map(MatchedPath::as_str);
    let trace = state.traces.call(request.headers(), route, call.method(), id.as_str());
    if let Some(trace_id) = trace.trace_id() {
        span.record("trace_id", trace_id);
    }
    let answer = trace.around(next.run(request));
    async {
        let began_at = state.clock.now();
        let mut response = answer.await;
        if let Some(error) = response.extensions_mut().remove::<Arc<ApiError>>() {
            error.log();
            response = finish(&error, &id, response.headers());
        } else {
            let took_ms = state.clock.now().since(began_at);
            tracing::debug!(status = response.status().as_u16(), took_ms, "answered");
        }
        call.answered(response.status());
        trace.answered(response.status());
        if let Ok(value) = HeaderValue::from_str(id.as_str()) {
            response.headers_mut().insert(REQUEST_ID, value);
        }
        response
    }
    .instrument(span)
    .await
}

/// Writes the envelope, keeping the headers that the failed response had already.
fn finish(error: &ApiError, id: &RequestId, failed: &HeaderMap) -> Response {
    let mut response = (error.status(), Json(error.envelope(id.as_str()))).into_response();
    for (name, value) in failed {
        if *name != header::CONTENT_LENGTH && *name != header::CONTENT_TYPE {
            response.headers_mut().insert(name.clone(), value.clone());
        }
    }
    let headers = response.headers_mut();
    if error.may_retry() {
        headers.insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
    } else {
        headers.insert(SHOULD_RETRY, HeaderValue::from_static("false"));
    }
    if matches!(error.code(), ErrorCode::Unauthorized | ErrorCode::TokenExpired) {
        headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
    }
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// Turns a panic into a failure like any other. Only the log learns what it said.
#[expect(clippy::needless_pass_by_value, reason = "it is the signature of a panic handler")]
pub fn panicked(panic: Box<dyn Any + Send + 'static>) -> Response {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    let text = text.or_else(|| panic.downcast_ref::<&str>().copied());
    ApiError::internal(format!("a handler panicked: {}", text.unwrap_or("?"))).into_response()
}

/// Every address that there is not.
pub async fn not_found() -> ApiError {
    ApiError::new(
        ErrorCode::NotFound,
        "There is nothing at this address; GET /openapi.json lists every call.",
    )
}

/// Every method that an address does not have. The router adds the header that lists those it has.
pub async fn method_not_allowed() -> ApiError {
    ApiError::new(
        ErrorCode::MethodNotAllowed,
        "This address does not take that method; the Allow header lists those that it takes.",
    )
}
