//! `GET /metrics`: what the server counts, for Prometheus.

use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;
use trueup_protocol::error::ErrorEnvelope;

use super::AppState;
use crate::auth::Backend;
use crate::metrics;

/// What the server counts
///
/// In Prometheus' text format. No account and no id is in it, but what a business does is: it takes
/// an API key, which Prometheus sends when `authorization` is in its settings.
#[utoipa::path(
    get,
    path = "/metrics",
    operation_id = "metrics",
    tag = "operators",
    security(("backend" = [])),
    responses(
        (status = 200, description = "Every metric", body = String, content_type = "text/plain"),
        (status = 401, description = "No valid credentials", body = ErrorEnvelope),
        (status = 403, description = "A browser may not read it", body = ErrorEnvelope),
    ),
)]
pub async fn metrics(State(state): State<AppState>, _: Backend) -> impl IntoResponse {
    ([(CONTENT_TYPE, metrics::CONTENT_TYPE)], state.ledger.metrics_text(&state.metrics))
}
