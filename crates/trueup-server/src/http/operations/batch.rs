//! `POST /v1/operations/batch`: many of the single calls in one, and an answer for each.

use axum::extract::{DefaultBodyLimit, State};
use axum::http::StatusCode;
use trueup_protocol::ErrorCode;
use trueup_protocol::batch::{
    BatchRequest, BatchResponse, Item, MAX_OPERATIONS, OperationAnswer, OperationRequest,
};
use trueup_protocol::error::ErrorEnvelope;
use trueup_protocol::snapshot::Snapshot;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::{extend, hold, release, settle, told};
use crate::auth::Backend;
use crate::engine::{Answer, EngineError, Request};
use crate::error::ApiError;
use crate::http::extract::{self, Json};
use crate::http::{AppState, RequestId};

const BODY_LIMIT_BYTES: usize = 1024 * 1024;
/// Each of these may be told of a thousand operations; the rest, of their own alone.
const MAX_SINCE: usize = 50;

/// The route, with its own limit of what a body may hold.
pub fn routes() -> OpenApiRouter<AppState> {
    let limit = DefaultBodyLimit::max(BODY_LIMIT_BYTES);
    OpenApiRouter::new().routes(routes!(batch)).layer(limit)
}

/// Hold, settle, release and extend in one call
///
/// Each operation is what its single call would be sent, with its `kind` and its `op_id`, and gets
/// the answer of that call: one that fails stops no other. Those of one account are decided in
/// their order. Sending the whole again is safe, as sending each again is. `since` may be given by
/// 50 of the 500.
#[utoipa::path(
    post,
    path = "/v1/operations/batch",
    operation_id = "batch",
    tag = "operations",
    security(("backend" = [])),
    request_body = BatchRequest,
    responses(
        (status = 200, description = "An answer for each, in the same order", body = BatchResponse),
        (status = 400, description = "Malformed as a whole, or too many", body = ErrorEnvelope),
        (status = 401, description = "No valid credentials", body = ErrorEnvelope),
        (status = 403, description = "A browser may not", body = ErrorEnvelope),
        (status = 413, description = "The body is larger than 1 MiB", body = ErrorEnvelope),
        (status = 503, description = "The server has more work than it takes", body = ErrorEnvelope),
    ),
)]
pub async fn batch(
    State(state): State<AppState>,
    _: Backend,
    request_id: RequestId,
    Json(request): Json<BatchRequest>,
) -> Result<axum::Json<BatchResponse>, ApiError> {
    check_size(&request.operations)?;
    let (mut requests, mut tellers) = (Vec::new(), Vec::new());
    for (at, item) in request.operations.into_iter().enumerate() {
        tellers.push(asked(&state, at, item).map(|(request, tell)| {
            requests.push(request);
            tell
        }));
    }
    let mut answers = state.ledger.run_all(requests).await.into_iter();
    let told = tellers.into_iter().map(|tell| {
        // Only what could be read was asked, and is answered.
        let told = tell.and_then(|tell| tell(answers.next().unwrap_or(Err(EngineError::Stopped))?));
        written(told, &request_id)
    });
    Ok(axum::Json(BatchResponse { answers: told.collect() }))
}

fn check_size(operations: &[Item]) -> Result<(), ApiError> {
    let since = operations.iter().filter_map(|item| item.0.as_ref().ok()?.since()).count();
    let message = if operations.len() > MAX_OPERATIONS {
        format!("operations may hold at most {MAX_OPERATIONS}; send the rest in another call.")
    } else if since > MAX_SINCE {
        format!("since may be given by at most {MAX_SINCE} operations of one call; leave it out.")
    } else {
        return Ok(());
    };
    Err(ApiError::new(ErrorCode::InvalidValue, message).at("operations"))
}

/// Turns the engine's answer into that of the single call.
type Tell = fn(Answer) -> Result<(StatusCode, Snapshot), ApiError>;

/// What one of them asks of the engine, and how its answer is told.
fn asked(state: &AppState, at: usize, item: Item) -> Result<(Request, Tell), ApiError> {
    let request = item.0.map_err(|malformed| extract::misshapen("The body", malformed))?;
    let operation = |text: &str| extract::operation_id("op_id", text);
    let asked = || {
        Ok(match request {
            OperationRequest::Hold(request) => (hold::asked(state, &request)?, hold::told as Tell),
            OperationRequest::Settle(id, request) => {
                (settle::asked(state, operation(&id)?, &request)?, told as Tell)
            }
            OperationRequest::Release(id, request) => {
                (release::asked(operation(&id)?, &request)?, told as Tell)
            }
            OperationRequest::Extend(id, request) => {
                (extend::asked(state, operation(&id)?, &request)?, told as Tell)
            }
        })
    };
    asked().map_err(|error: ApiError| error.within(&format!("operations[{at}]")))
}

fn written(
    told: Result<(StatusCode, Snapshot), ApiError>,
    request_id: &RequestId,
) -> OperationAnswer {
    match told {
        Ok((status, usage)) => {
            OperationAnswer { status: status.as_u16(), error: None, usage: Some(usage) }
        }
        Err(error) => {
            // The boundary sees a success and would say nothing of it.
            error.log();
            let ErrorEnvelope { error: body, usage } = error.envelope(request_id.as_str());
            OperationAnswer { status: error.status().as_u16(), error: Some(body), usage }
        }
    }
}
