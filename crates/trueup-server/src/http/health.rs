//! `GET /healthz` and `/readyz`: for those who watch over the server.

use std::time::Duration;

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use trueup_protocol::ErrorCode;
use trueup_protocol::error::ErrorEnvelope;
use utoipa::ToSchema;

use super::AppState;
use crate::engine::EngineError;
use crate::error::ApiError;

/// A ledger that takes longer to write is of no use to a request either.
const PATIENCE: Duration = Duration::from_secs(2);

/// That all is well.
#[derive(Debug, Serialize, ToSchema)]
pub struct HealthResponse {
    /// Always `ok`; anything else is an error.
    status: &'static str,
}

const OK: Json<HealthResponse> = Json(HealthResponse { status: "ok" });

/// Whether the process runs
///
/// Needs nothing else to be well: restart the process when this fails.
#[utoipa::path(
    get,
    path = "/healthz",
    operation_id = "live",
    tag = "operators",
    responses((status = 200, description = "It runs", body = HealthResponse)),
)]
pub async fn live() -> Json<HealthResponse> {
    OK
}

/// Whether requests can be served
///
/// Fails while the ledger cannot be read and written, which is tried, and once the server was asked
/// to stop: send requests elsewhere when it does.
#[utoipa::path(
    get,
    path = "/readyz",
    operation_id = "ready",
    tag = "operators",
    responses(
        (status = 200, description = "Requests can be served", body = HealthResponse),
        (status = 503, description = "They cannot, now", body = ErrorEnvelope),
    ),
)]
pub async fn ready(State(state): State<AppState>) -> Result<Json<HealthResponse>, ApiError> {
    if state.shutdown.is_asked() {
        let message = "The server is stopping; send requests to another one.";
        return Err(ApiError::new(ErrorCode::Unavailable, message));
    }
    match tokio::time::timeout(PATIENCE, state.ledger.ready()).await {
        Ok(ready) => ready?,
        Err(_) => Err(EngineError::Unwritable("it takes too long".to_owned()))?,
    }
    Ok(OK)
}
