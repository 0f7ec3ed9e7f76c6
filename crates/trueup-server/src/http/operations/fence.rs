//! `POST /v1/operations/{op_id}/fence`: make sure that a lost request never counts.

use axum::extract::State;
use trueup_core::ledger::Command;
use trueup_protocol::error::ErrorEnvelope;
use trueup_protocol::request::FenceRequest;
use trueup_protocol::snapshot::Snapshot;

use super::{carried_out, view};
use crate::auth::Caller;
use crate::error::ApiError;
use crate::http::AppState;
use crate::http::extract::{self, OperationPath, OptionalJson};

/// Fence an operation
///
/// For a client that does not know whether its request arrived and finds no record of it: after the
/// fence a late arrival is refused, so the client may forget it. An operation that ended keeps its
/// end; one that is running cannot be fenced.
#[utoipa::path(
    post,
    path = "/v1/operations/{op_id}/fence",
    operation_id = "fence",
    tag = "usage",
    security(("browser" = []), ("backend" = [])),
    params(
        ("op_id" = String, Path, description = "The operation, a UUIDv7"),
        ("Trueup-Account" = Option<String>, Header, description = "With an API key: whose operation"),
        ("Trueup-Actor" = Option<String>, Header, description = "With an API key: whose action"),
    ),
    request_body(content = Option<FenceRequest>),
    responses(
        (status = 200, description = "Fenced, or ended before; the snapshot tells which", body = Snapshot),
        (status = 400, description = "Malformed, or the id is too old or ahead", body = ErrorEnvelope),
        (status = 401, description = "No valid credentials", body = ErrorEnvelope),
        (status = 409, description = "It is running, or is somebody else's", body = ErrorEnvelope),
        (status = 503, description = "The ledger cannot be written now", body = ErrorEnvelope),
    ),
)]
pub async fn fence(
    State(state): State<AppState>,
    caller: Caller,
    OperationPath(operation): OperationPath,
    OptionalJson(request): OptionalJson<FenceRequest>,
) -> Result<axum::Json<Snapshot>, ApiError> {
    let view = view(caller.actor.clone(), extract::version("since", request.since)?);
    let command = Command::Fence { operation, actor: caller.actor };
    let answer = state.ledger.command(&caller.account, view, command, Vec::new()).await?;
    let (_, snapshot) = carried_out(answer)?;
    Ok(axum::Json(snapshot))
}
