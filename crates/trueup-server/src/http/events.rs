//! `GET /v1/usage/events`: server push.

use std::time::Duration;

use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderName, HeaderValue, header};
use axum::response::{IntoResponse, Response};
use tokio::time::Instant;
use trueup_core::Version;
use trueup_protocol::error::ErrorEnvelope;
use trueup_protocol::snapshot::Snapshot;
use trueup_protocol::{ErrorCode, Malformed};

use super::query::{Parameters, Query, QueryString};
use super::{AppState, extract};
use crate::auth::{Caller, once};
use crate::error::ApiError;
use crate::metrics::Present;
use crate::push::Events;

/// No stream lasts longer: what balances load must have something to balance.
const LONGEST: Duration = Duration::from_secs(3600);
/// Who was cut off comes back after at least this, and after up to nine times as long, each at a
/// moment of their own.
const RETRY: Duration = Duration::from_millis(500);

#[derive(Debug, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct EventsQuery {
    /// The version that the caller has: the first event tells what happened since.
    #[param(minimum = 0, maximum = 9_007_199_254_740_991_u64)]
    since: Option<u64>,
}

impl Parameters for EventsQuery {
    fn read(query: &mut Query) -> Result<Self, Malformed> {
        Ok(Self { since: query.number("since")? })
    }
}

/// An account's usage, pushed
///
/// A stream of server-sent events. Each is `event: usage`, with the snapshot as its data and the
/// account's version as its id; the first comes at once, the others when something has changed.
/// Every snapshot tells what happened since the one before it, so that none is needed twice: a
/// reader that is slow skips to the newest. A stream ends with its token, after an hour at the
/// latest, and when the server stops. `Last-Event-ID` takes it up again, and wins over `since`.
#[utoipa::path(
    get,
    path = "/v1/usage/events",
    operation_id = "usage_events",
    tag = "usage",
    security(("browser" = []), ("backend" = [])),
    params(
        EventsQuery,
        ("Last-Event-ID" = Option<u64>, Header, description = "The id of the last event that was received"),
        ("Trueup-Account" = Option<String>, Header, description = "With an API key: whose usage"),
        ("Trueup-Actor" = Option<String>, Header, description = "With an API key: as whom to look"),
    ),
    responses(
        (status = 200, description = "The events; each one's data is a snapshot",
         content_type = "text/event-stream", body = Snapshot),
        (status = 400, description = "`since` or `Last-Event-ID` is malformed", body = ErrorEnvelope),
        (status = 401, description = "No valid credentials", body = ErrorEnvelope),
        (status = 503, description = "The ledger cannot be read now, or too many streams of the account are open", body = ErrorEnvelope),
    ),
)]
pub async fn usage_events(
    State(state): State<AppState>,
    caller: Caller,
    QueryString(query): QueryString<EventsQuery>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let since = match last_event_id(&headers)? {
        Some(version) => Some(version),
        None => extract::version("since", query.since)?,
    };
    let Some(watcher) = state.feed.watch(&caller.account) else {
        let message = "Too many push streams of this account are open; poll GET /v1/usage instead.";
        return Err(ApiError::new(ErrorCode::Unavailable, message));
    };
    let draw = draw();
    // Not all at once, even when all of them began at once.
    let mut lasts = LONGEST - LONGEST / 512 * draw;
    if let Some(expires_at) = caller.expires_at {
        let left_ms = u64::try_from(expires_at.since(state.clock.now())).unwrap_or(0);
        lasts = lasts.min(Duration::from_millis(left_ms));
    }
    let events = Events {
        ledger: state.ledger.clone(),
        watcher,
        account: caller.account,
        actor: caller.actor,
        since,
        ends_at: Instant::now() + lasts,
        keep_alive: state.settings.keep_alive,
        retry: RETRY + RETRY / 32 * draw,
        present: Present::of(&state.metrics.push_streams),
        shutdown: state.shutdown.clone(),
    };
    Ok(stream(Body::from_stream(events.open().await?)))
}

/// An answer that goes on.
pub(super) fn stream(body: Body) -> Response {
    let mut response = body.into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache, no-transform"));
    // nginx would otherwise gather what is to be seen at once into pages.
    headers.insert(HeaderName::from_static("x-accel-buffering"), HeaderValue::from_static("no"));
    response
}

fn last_event_id(headers: &HeaderMap) -> Result<Option<Version>, ApiError> {
    let value = once(headers, "last-event-id")?.filter(|value| !value.is_empty());
    value.map(|value| extract::version_of("Last-Event-ID", value)).transpose()
}

/// One of 256 numbers; without randomness, the same one for everybody.
fn draw() -> u32 {
    let mut byte = [0];
    let _ = getrandom::fill(&mut byte);
    let [byte] = byte;
    u32::from(byte)
}
