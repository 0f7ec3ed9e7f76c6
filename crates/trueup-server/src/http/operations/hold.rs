//! `POST /v1/operations`: set units aside before an operation starts.

use axum::extract::State;
use axum::http::StatusCode;
use trueup_core::error::Rejection;
use trueup_core::ledger::Command;
use trueup_core::operation::OperationRecord;
use trueup_core::quota;
use trueup_core::snapshot::MeterReading;
use trueup_core::{self as core, AccountId, ActorId, OperationState, Refusal, Units};
use trueup_protocol::decode;
use trueup_protocol::error::ErrorEnvelope;
use trueup_protocol::request::HoldRequest;
use trueup_protocol::snapshot::Snapshot;

use super::{expiry, price, view};
use crate::auth::Backend;
use crate::engine::Answer;
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
    let operation = extract::operation_id("op_id", &request.op_id)?;
    let account: AccountId = decode::id("account", &request.account)?;
    let actor: ActorId = match &request.actor {
        Some(actor) => decode::id("actor", actor)?,
        None => account.personal_actor(),
    };
    let priced =
        price(&state.settings.catalog, request.model.as_deref(), request.charge.as_ref())?;
    let ttl_s = request.ttl_s.unwrap_or_else(|| u64::from(state.settings.hold_ttl_s));
    let expires_at = expiry(state.clock.now(), ttl_s)?;
    let since = extract::version("since", request.since)?;

    let command = Command::Hold {
        operation,
        actor: actor.clone(),
        model: priced.model,
        charge: priced.charge,
        expires_at,
    };
    let answer = state.ledger.command(&account, view(actor, since), command, Vec::new()).await?;
    let (replayed, snapshot) = admitted(answer)?;
    let status = if replayed { StatusCode::OK } else { StatusCode::CREATED };
    Ok((status, axum::Json((&snapshot).into())))
}

/// Whether the answer to a hold lets the operation run, and whether it was admitted before.
///
/// # Errors
/// What the ledger turned down. A retry of an operation that ended is turned down too: the same id
/// must not run twice.
pub fn admitted(answer: Answer) -> Result<(bool, core::Snapshot), ApiError> {
    let Answer { outcome, snapshot } = answer;
    let done = match outcome {
        Ok(done) => done,
        Err(rejection) => return Err(ApiError::rejected(rejection, &snapshot)),
    };
    match &done.record {
        None => Err(ApiError::internal("a hold was carried out without a record")),
        Some(record) => match record.state {
            OperationState::Held => Ok((done.replayed, snapshot)),
            OperationState::Refused => {
                Err(match refusal_again(record, &snapshot) {
                    Some(refusal) => ApiError::from(refusal).with_usage(&snapshot),
                    None => ApiError::internal("an operation that takes nothing was refused"),
                })
            }
            state => {
                let rejection = Rejection::Ended { operation: record.id, state };
                Err(ApiError::rejected(rejection, &snapshot))
            }
        },
    }
}

/// A refused id stays refused, also when there is room again: its refusal is told with the figures
/// of now. `None` for a charge of nothing, which is never refused.
fn refusal_again(record: &OperationRecord, snapshot: &core::Snapshot) -> Option<Refusal> {
    let allowance = |meter: &core::MeterId| snapshot.meters.get(meter).map(MeterReading::allowance);
    if let Err(refusal) = quota::admit(&record.requested, allowance) {
        return Some(refusal);
    }
    let (meter, asked) = record.requested.iter().next()?;
    let allowance = allowance(meter);
    Some(Refusal {
        meter: meter.clone(),
        asked,
        remaining: allowance.and_then(|it| it.remaining()).unwrap_or(Units::ZERO),
        resets_at: allowance.and_then(|it| it.resets_at),
    })
}
