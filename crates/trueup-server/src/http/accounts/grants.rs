//! `POST /v1/accounts/{id}/grants`: more units, until the window ends.

use axum::extract::State;
use axum::http::StatusCode;
use trueup_core::ActorId;
use trueup_core::ledger::Command;
use trueup_core::{Charge, MeterId};
use trueup_protocol::error::ErrorEnvelope;
use trueup_protocol::request::GrantRequest;
use trueup_protocol::snapshot::Snapshot;
use trueup_protocol::{Malformed, decode};

use crate::auth::Backend;
use crate::engine::View;
use crate::error::ApiError;
use crate::http::AppState;
use crate::http::extract::{self, AccountPath, Json};
use crate::http::operations::carried_out;

/// Who grants: no person of the account, so that every member sees the grant as a change from
/// outside.
const GRANTOR: &str = "trueup:backend";

/// Grant units
///
/// Adds units to a meter's limit until its window ends. Granting twice under one `grant_id` grants
/// once.
#[utoipa::path(
    post,
    path = "/v1/accounts/{id}/grants",
    operation_id = "grant",
    tag = "accounts",
    security(("backend" = [])),
    params(("id" = String, Path, description = "The account")),
    request_body = GrantRequest,
    responses(
        (status = 201, description = "Granted", body = Snapshot),
        (status = 200, description = "Granted before, by the same request", body = Snapshot),
        (status = 400, description = "Malformed, or the id is too old or ahead", body = ErrorEnvelope),
        (status = 401, description = "No valid credentials", body = ErrorEnvelope),
        (status = 403, description = "A browser may not grant", body = ErrorEnvelope),
        (status = 404, description = "The account's plan has no such meter", body = ErrorEnvelope),
        (status = 409, description = "The id was used for something else", body = ErrorEnvelope),
        (status = 422, description = "The limit would pass 2^53-1", body = ErrorEnvelope),
        (status = 503, description = "The ledger cannot be written now", body = ErrorEnvelope),
    ),
)]
pub async fn grant(
    State(state): State<AppState>,
    _: Backend,
    AccountPath(account): AccountPath,
    Json(request): Json<GrantRequest>,
) -> Result<(StatusCode, axum::Json<Snapshot>), ApiError> {
    let operation = extract::operation_id("grant_id", &request.grant_id)?;
    let meter = MeterId::new(&request.meter).map_err(|_| {
        Malformed::new("meter", "must be a meter name: a-z, 0-9 and _, starting with a letter")
    })?;
    let units = decode::units("units", request.units)?;
    if units.is_zero() {
        return Err(Malformed::new("units", "must be at least 1").into());
    }
    let actor: ActorId = GRANTOR.parse()?;
    let view = View { actor: account.personal_actor(), since: None, ask: Vec::new() };
    let command = Command::Grant { operation, actor, charge: Charge::of(meter, units) };
    let answer = state.ledger.command(&account, view, command, Vec::new()).await?;
    let (done, snapshot) = carried_out(answer)?;
    let status = if done.replayed { StatusCode::OK } else { StatusCode::CREATED };
    Ok((status, axum::Json(snapshot)))
}
