//! `POST /v1/operations`: set units aside before an operation starts.

use axum::extract::State;
use axum::http::StatusCode;
use trueup_core::error::Rejection;
use trueup_core::ledger::Command;
use trueup_core::operation::OperationRecord;
use trueup_core::{AccountId, ActorId, OperationState};
use trueup_protocol::error::ErrorEnvelope;
use trueup_protocol::request::HoldRequest;
use trueup_protocol::snapshot::Snapshot;
use trueup_protocol::{Malformed, decode};

use super::{carried_out, expiry, price, view};
use crate::auth::Backend;
use crate::engine::{Answer, Request};
use crate::error::ApiError;
use crate::http::AppState;
use crate::http::extract::{self, Json};

/// Hold units
///
/// Call it before the work begins. `op_id` is made once per user action and reused by every retry:
/// sending the same request again gives the same answer and holds nothing twice.
#[utoipa::path(
    post,
    path = "/v1/operations",
    operation_id = "hold",
    tag = "operations",
    security(("backend" = [])),
    request_body = HoldRequest,
    responses(
        (status = 201, description = "Held", body = Snapshot),
        (status = 200, description = "Held before, by the same request", body = Snapshot),
        (status = 400, description = "Malformed, or the id is too old or ahead", body = ErrorEnvelope),
        (status = 401, description = "No valid credentials", body = ErrorEnvelope),
        (status = 402, description = "The plan has no room", body = ErrorEnvelope),
        (status = 403, description = "A browser may not hold", body = ErrorEnvelope),
        (status = 404, description = "No such model or meter", body = ErrorEnvelope),
        (status = 409, description = "The id was used for something else, or has ended", body = ErrorEnvelope),
        (status = 410, description = "The id was fenced", body = ErrorEnvelope),
        (status = 503, description = "The ledger cannot be written now", body = ErrorEnvelope),
    ),
)]
pub async fn hold(
    State(state): State<AppState>,
    _: Backend,
    Json(request): Json<HoldRequest>,
) -> Result<(StatusCode, axum::Json<Snapshot>), ApiError> {
    let (status, snapshot) = told(state.ledger.run(asked(&state, &request)?).await?)?;
    Ok((status, axum::Json(snapshot)))
}

/// What the request asks of the engine.
pub(super) fn asked(state: &AppState, request: &HoldRequest) -> Result<Request, ApiError> {
    let operation = extract::operation_id("op_id", &request.op_id)?;
    let account: AccountId = decode::id("account", &request.account)?;
    let actor: ActorId = match &request.actor {
        Some(actor) => decode::id("actor", actor)?,
        None => account.personal_actor(),
    };
    let priced = price(&state.settings.catalog, request.model.as_deref(), request.charge.as_ref())?;
    if request.charge.is_some() && priced.charge.is_empty() {
        return Err(Malformed::new("charge", "must name at least one meter").into());
    }
    let ttl_s = request.ttl_s.unwrap_or_else(|| u64::from(state.settings.hold_ttl_s));
    let expires_at = expiry(state.clock.now(), ttl_s)?;
    let view = view(actor.clone(), extract::version("since", request.since)?);
    let command = Command::Hold {
        operation,
        actor,
        model: priced.model,
        charge: priced.charge,
        content: None,
        expires_at,
    };
    Ok(Request::command(account, view, command, Vec::new()))
}

/// What became of the hold. A retry of an operation that ended since is turned down: one id must
/// not run twice.
pub(super) fn told(answer: Answer) -> Result<(StatusCode, Snapshot), ApiError> {
    let usage = answer.snapshot.clone();
    let (done, snapshot) = carried_out(answer)?;
    match done.record {
        Some(record) if record.state == OperationState::Held => {
            let status = if done.replayed { StatusCode::OK } else { StatusCode::CREATED };
            Ok((status, snapshot))
        }
        Some(OperationRecord { id: operation, state, .. }) => {
            Err(ApiError::rejected(Rejection::Ended { operation, state }, &usage))
        }
        None => Err(ApiError::internal("a hold was carried out without a record")),
    }
}
