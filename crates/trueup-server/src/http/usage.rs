//! `GET /v1/usage`: the snapshot.

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use sha2::{Digest, Sha256};
use trueup_core::{Epoch, OperationId, Version};
use trueup_protocol::error::ErrorEnvelope;
use trueup_protocol::snapshot::Snapshot;
use trueup_protocol::{ErrorCode, Malformed, corrections};

use super::AppState;
use super::etag::{ETag, KnownTags};
use super::extract;
use super::query::{Parameters, Query, QueryString};
use crate::auth::Caller;
use crate::error::ApiError;
use crate::hex::hex;

/// How many operations one call may ask for by id.
const MAX_ASKED: usize = 100;

#[derive(Debug, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct UsageQuery {
    /// The version that the caller has: the answer tells what happened since.
    #[param(minimum = 0, maximum = 9_007_199_254_740_991_u64)]
    since: Option<u64>,
    /// Operation ids, separated by commas, at most 100: their outcomes are told in any case.
    ask: Option<String>,
    /// From a browser: the causes by which its view was corrected since it last said so, separated
    /// by commas, at most 100. They are counted for operators; what cannot be read is ignored.
    corrected: Option<String>,
}

impl Parameters for UsageQuery {
    fn read(query: &mut Query) -> Result<Self, Malformed> {
        Ok(Self {
            since: query.number("since")?,
            ask: query.text("ask"),
            corrected: query.text("corrected"),
        })
    }
}

/// An account's usage
///
/// Every meter of the account at one version, read at once with the outcomes that led there: the
/// caller's own operations one by one, everything else summed by meter. Poll it with
/// `If-None-Match`: a 304 means that nothing changed.
#[utoipa::path(
    get,
    path = "/v1/usage",
    operation_id = "get_usage",
    tag = "usage",
    security(("browser" = []), ("backend" = [])),
    params(
        UsageQuery,
        ("Trueup-Account" = Option<String>, Header, description = "With an API key: whose usage"),
        ("Trueup-Actor" = Option<String>, Header, description = "With an API key: as whom to look"),
        ("If-None-Match" = Option<String>, Header, description = "The ETag of an earlier answer"),
    ),
    responses(
        (status = 200, description = "The snapshot", body = Snapshot,
         headers(("ETag" = String, description = "Opaque: it names the account's state as this \
            caller sees it, as `\"epoch-caller-version\"`. `If-None-Match` also takes \
            `\"epoch-version\"`, which a client can make of a snapshot that it has"))),
        (status = 304, description = "Nothing changed"),
        (status = 400, description = "`since` or `ask` is malformed", body = ErrorEnvelope),
        (status = 401, description = "No valid credentials", body = ErrorEnvelope),
        (status = 503, description = "The ledger cannot be read now", body = ErrorEnvelope),
    ),
)]
pub async fn get_usage(
    State(state): State<AppState>,
    caller: Caller,
    QueryString(query): QueryString<UsageQuery>,
    known: KnownTags,
) -> Result<Response, ApiError> {
    let since = extract::version("since", query.since)?;
    let ask = asked(query.ask.as_deref().unwrap_or(""))?;
    // Only a measure: nothing that stands there can cost the poll its answer. A backend shows nobody
    // anything.
    if let Some(report) = query.corrected.filter(|_| caller.expires_at.is_some()) {
        state.metrics.corrected(&corrections::read(&report).unwrap_or_default());
    }
    let ledger = &state.ledger;
    let name = name_of(&caller);
    let tags = |version| Tags::of(ledger.epoch(), &name, version);
    // Who asks by id waits for an answer, also when nothing changed.
    let may_be_spared = ask.is_empty() && !known.is_empty();
    if may_be_spared {
        let recognise = |version| Some(tags(version)).filter(|tags| tags.is_known_to(&known));
        if let Some(tags) = ledger.unchanged(&caller.account, recognise).await {
            return Ok(tags.full.not_modified());
        }
    }
    // In a place of its own, so that most polls do not carry its size around.
    let read = Box::pin(ledger.snapshot(&caller.account, &caller.actor, since, &ask));
    let snapshot = read.await?;
    let tags = tags(snapshot.version);
    if may_be_spared && tags.is_known_to(&known) {
        return Ok(tags.full.not_modified());
    }
    Ok(tags.full.mark(Json(Snapshot::from(&snapshot)).into_response()))
}

/// What an account's state is called.
struct Tags {
    /// Accounts share this address and may be at the same version. A browser's cache shows the tag
    /// that it kept to whoever signs in next, and a 304 would hand them the kept body.
    full: ETag,
    /// What a client makes that knows by itself whose snapshot it has.
    bare: ETag,
}

impl Tags {
    fn of(epoch: &Epoch, name: &str, version: Version) -> Self {
        let full = ETag::new(&format!("{epoch}-{name}-{version}"));
        Self { full, bare: ETag::new(&format!("{epoch}-{version}")) }
    }

    fn is_known_to(&self, caller: &KnownTags) -> bool {
        self.full.is_known_to(caller) || self.bare.is_known_to(caller)
    }
}

/// A short name for who looks: a tag may hold only some characters, ids all that are visible.
fn name_of(caller: &Caller) -> String {
    // Neither id has a space in it, so no two callers are written alike.
    let digest = Sha256::digest(format!("{} {}", caller.account, caller.actor).as_bytes());
    hex(digest.iter().take(8))
}

fn asked(list: &str) -> Result<Vec<OperationId>, ApiError> {
    let ids = list.split(',').filter(|id| !id.is_empty());
    let ids: Vec<_> =
        ids.map(|id| extract::operation_id("ask", id)).collect::<Result<_, ApiError>>()?;
    if ids.len() > MAX_ASKED {
        let message =
            format!("ask may name at most {MAX_ASKED} operations; ask for them in turns.");
        return Err(ApiError::new(ErrorCode::InvalidValue, message).at("ask"));
    }
    Ok(ids)
}
