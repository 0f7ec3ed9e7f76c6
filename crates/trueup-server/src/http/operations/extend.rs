//! `POST /v1/operations/{op_id}/extend`: keep the hold open longer.

use axum::extract::State;
use trueup_core::ledger::Command;
use trueup_core::{AccountId, OperationId};
use trueup_protocol::decode;
use trueup_protocol::error::ErrorEnvelope;
use trueup_protocol::request::ExtendRequest;
use trueup_protocol::snapshot::Snapshot;

use super::{expiry, holders_view, told};
use crate::auth::Backend;
use crate::engine::Request;
use crate::error::ApiError;
use crate::http::AppState;
use crate::http::extract::{self, Json, OperationPath};

/// Extend a hold
///
/// For work that takes long: renew at half the hold's life, so that it never ends by itself. An
/// earlier end than the hold has changes nothing.
#[utoipa::path(
    post,
    path = "/v1/operations/{op_id}/extend",
    operation_id = "extend",
    tag = "operations",
    security(("backend" = [])),
    params(("op_id" = String, Path, description = "The operation, a UUIDv7")),
    request_body = ExtendRequest,
    responses(
        (status = 200, description = "It lives at least that long", body = Snapshot),
        (status = 400, description = "Malformed", body = ErrorEnvelope),
        (status = 401, description = "No valid credentials", body = ErrorEnvelope),
        (status = 403, description = "A browser may not extend", body = ErrorEnvelope),
        (status = 404, description = "No such operation", body = ErrorEnvelope),
        (status = 409, description = "It ended already", body = ErrorEnvelope),
        (status = 410, description = "The id was fenced", body = ErrorEnvelope),
        (status = 503, description = "The ledger cannot be written now", body = ErrorEnvelope),
    ),
)]
pub async fn extend(
    State(state): State<AppState>,
    _: Backend,
    OperationPath(operation): OperationPath,
    Json(request): Json<ExtendRequest>,
) -> Result<axum::Json<Snapshot>, ApiError> {
    let (_, snapshot) = told(state.ledger.run(asked(&state, operation, &request)?).await?)?;
    Ok(axum::Json(snapshot))
}

/// What the request asks of the engine.
pub(super) fn asked(
    state: &AppState,
    operation: OperationId,
    request: &ExtendRequest,
) -> Result<Request, ApiError> {
    let account: AccountId = decode::id("account", &request.account)?;
    let expires_at = expiry(state.clock.now(), request.ttl_s)?;
    let view = holders_view(&account, extract::version("since", request.since)?);
    let command = Command::Extend { operation, expires_at };
    Ok(Request::command(account, view, command, Vec::new()))
}
