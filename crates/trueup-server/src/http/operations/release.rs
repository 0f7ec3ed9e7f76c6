//! `POST /v1/operations/{op_id}/release`: give the units back.

use axum::extract::State;
use trueup_core::ledger::Command;
use trueup_core::{AccountId, Cause, OperationId};
use trueup_protocol::error::ErrorEnvelope;
use trueup_protocol::request::ReleaseRequest;
use trueup_protocol::snapshot::Snapshot;
use trueup_protocol::{Malformed, decode};

use super::{holders_view, told};
use crate::auth::Backend;
use crate::engine::Request;
use crate::error::ApiError;
use crate::http::AppState;
use crate::http::extract::{self, Json, OperationPath};

/// Release an operation
///
/// For an operation that failed or was given up before it was of use: nothing is charged.
#[utoipa::path(
    post,
    path = "/v1/operations/{op_id}/release",
    operation_id = "release",
    tag = "operations",
    security(("backend" = [])),
    params(("op_id" = String, Path, description = "The operation, a UUIDv7")),
    request_body = ReleaseRequest,
    responses(
        (status = 200, description = "Released, now or before", body = Snapshot),
        (status = 400, description = "Malformed", body = ErrorEnvelope),
        (status = 401, description = "No valid credentials", body = ErrorEnvelope),
        (status = 403, description = "A browser may not release", body = ErrorEnvelope),
        (status = 404, description = "No such operation", body = ErrorEnvelope),
        (status = 409, description = "Ended in another way", body = ErrorEnvelope),
        (status = 410, description = "The id was fenced", body = ErrorEnvelope),
        (status = 503, description = "The ledger cannot be written now", body = ErrorEnvelope),
    ),
)]
pub async fn release(
    State(state): State<AppState>,
    _: Backend,
    OperationPath(operation): OperationPath,
    Json(request): Json<ReleaseRequest>,
) -> Result<axum::Json<Snapshot>, ApiError> {
    let (_, snapshot) = told(state.ledger.run(asked(operation, &request)?).await?)?;
    Ok(axum::Json(snapshot))
}

/// What the request asks of the engine.
pub(super) fn asked(operation: OperationId, request: &ReleaseRequest) -> Result<Request, ApiError> {
    let account: AccountId = decode::id("account", &request.account)?;
    let cause = match request.cause.as_deref() {
        None | Some("cancelled") => Cause::Cancelled,
        Some("aborted") => Cause::Aborted,
        Some("provider_failed") => Cause::ProviderFailed,
        Some(_) => {
            let message = "must be provider_failed, aborted or cancelled";
            return Err(Malformed::new("cause", message).into());
        }
    };
    let view = holders_view(&account, extract::version("since", request.since)?);
    let command = Command::Release { operation, cause };
    Ok(Request::command(account, view, command, Vec::new()))
}
