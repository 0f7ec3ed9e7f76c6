//! `POST /v1/operations/{op_id}/settle`: charge what was really used.

use axum::extract::State;
use trueup_core::ledger::Command;
use trueup_core::{AccountId, ModelId, OperationId};
use trueup_protocol::decode;
use trueup_protocol::error::ErrorEnvelope;
use trueup_protocol::request::{MessageRequest, SettleRequest};
use trueup_protocol::snapshot::Snapshot;
use trueup_protocol::{ErrorCode, Malformed};

use super::{holders_view, price, told};
use crate::auth::Backend;
use crate::engine::{NewMessage, Request};
use crate::error::ApiError;
use crate::fingerprint;
use crate::http::AppState;
use crate::http::chat::is_conversation;
use crate::http::extract::{self, Json, OperationPath};

/// How many messages one call may save.
const MAX_MESSAGES: usize = 100;

/// Settle an operation
///
/// Charges what was really used, by model or meter by meter, and gives the rest of the hold back.
/// Messages given along are saved in the same transaction: both are there, or neither is. The
/// provider's real use may be higher than the hold; what passes the limit is recorded as overage.
#[utoipa::path(
    post,
    path = "/v1/operations/{op_id}/settle",
    operation_id = "settle",
    tag = "operations",
    security(("backend" = [])),
    params(("op_id" = String, Path, description = "The operation, a UUIDv7")),
    request_body = SettleRequest,
    responses(
        (status = 200, description = "Settled, now or before with the same charge and messages", body = Snapshot),
        (status = 400, description = "Malformed", body = ErrorEnvelope),
        (status = 401, description = "No valid credentials", body = ErrorEnvelope),
        (status = 403, description = "A browser may not settle", body = ErrorEnvelope),
        (status = 404, description = "No such operation, model or meter", body = ErrorEnvelope),
        (status = 409, description = "Settled with another charge or other messages, or ended in another way", body = ErrorEnvelope),
        (status = 410, description = "The id was fenced", body = ErrorEnvelope),
        (status = 422, description = "A meter would pass the largest count there is", body = ErrorEnvelope),
        (status = 503, description = "The ledger cannot be written now", body = ErrorEnvelope),
    ),
)]
pub async fn settle(
    State(state): State<AppState>,
    _: Backend,
    OperationPath(operation): OperationPath,
    Json(request): Json<SettleRequest>,
) -> Result<axum::Json<Snapshot>, ApiError> {
    let (_, snapshot) = told(state.ledger.run(asked(&state, operation, &request)?).await?)?;
    Ok(axum::Json(snapshot))
}

/// What the request asks of the engine.
pub(super) fn asked(
    state: &AppState,
    operation: OperationId,
    request: &SettleRequest,
) -> Result<Request, ApiError> {
    let account: AccountId = decode::id("account", &request.account)?;
    let priced = price(&state.settings.catalog, request.model.as_deref(), request.charge.as_ref())?;
    let view = holders_view(&account, extract::version("since", request.since)?);
    let messages = messages(&request.messages)?;
    let content = fingerprint::of_messages(&messages);
    let command = Command::Settle { operation, charge: priced.charge, content, cause: None };
    Ok(Request::command(account, view, command, messages))
}

fn messages(requests: &[MessageRequest]) -> Result<Vec<NewMessage>, ApiError> {
    if requests.len() > MAX_MESSAGES {
        let message = format!("messages may hold at most {MAX_MESSAGES}.");
        return Err(ApiError::new(ErrorCode::InvalidValue, message).at("messages"));
    }
    let read = |(at, request): (usize, &MessageRequest)| {
        let param = |name: &str| format!("messages[{at}].{name}");
        if !["user", "assistant", "system", "tool"].contains(&request.role.as_str()) {
            let message = "must be user, assistant, system or tool";
            return Err(Malformed::new(param("role"), message).into());
        }
        if !is_conversation(&request.conversation) {
            let message = "must be 1 to 128 visible ASCII characters";
            return Err(Malformed::new(param("conversation"), message).into());
        }
        let model = request.model.as_deref();
        let model: Option<ModelId> =
            model.map(|model| decode::id(&param("model"), model)).transpose()?;
        Ok(NewMessage {
            conversation: request.conversation.clone(),
            role: request.role.clone(),
            content: request.content.clone(),
            model: model.map(|model| model.to_string()),
        })
    };
    requests.iter().enumerate().map(read).collect()
}
