//! `GET /v1/conversations` and what they hold: what the gateway saved.

use axum::Json;
use axum::extract::{Path, State};
use trueup_protocol::ErrorCode;
use trueup_protocol::error::ErrorEnvelope;
use trueup_protocol::response::{ConversationsResponse, MessagesResponse};

use super::AppState;
use super::chat::is_conversation;
use crate::auth::Caller;
use crate::error::ApiError;

/// List conversations
///
/// The calling actor's newest conversations, at most 200.
#[utoipa::path(
    get,
    path = "/v1/conversations",
    operation_id = "list_conversations",
    tag = "chat",
    security(("browser" = []), ("backend" = [])),
    params(
        ("Trueup-Account" = Option<String>, Header, description = "With an API key: whose conversations"),
        ("Trueup-Actor" = Option<String>, Header, description = "With an API key: as whom to look"),
    ),
    responses(
        (status = 200, description = "Newest first", body = ConversationsResponse),
        (status = 401, description = "No valid credentials", body = ErrorEnvelope),
        (status = 503, description = "The store cannot be read now", body = ErrorEnvelope),
    ),
)]
pub async fn list_conversations(
    State(state): State<AppState>,
    caller: Caller,
) -> Result<Json<ConversationsResponse>, ApiError> {
    let conversations = state.ledger.conversations(&caller.account, &caller.actor).await?;
    Ok(Json(ConversationsResponse { conversations }))
}

/// List a conversation's messages
///
/// Oldest first, at most 1,000. What was said is saved when it is admitted, an answer when it is
/// charged: an answer that is missing here was not charged.
#[utoipa::path(
    get,
    path = "/v1/conversations/{id}/messages",
    operation_id = "list_messages",
    tag = "chat",
    security(("browser" = []), ("backend" = [])),
    params(
        ("id" = String, Path, description = "The conversation"),
        ("Trueup-Account" = Option<String>, Header, description = "With an API key: whose conversation"),
        ("Trueup-Actor" = Option<String>, Header, description = "With an API key: as whom to look"),
    ),
    responses(
        (status = 200, description = "Oldest first", body = MessagesResponse),
        (status = 401, description = "No valid credentials", body = ErrorEnvelope),
        (status = 404, description = "The actor has no such conversation", body = ErrorEnvelope),
        (status = 503, description = "The store cannot be read now", body = ErrorEnvelope),
    ),
)]
pub async fn list_messages(
    State(state): State<AppState>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Json<MessagesResponse>, ApiError> {
    let messages = if is_conversation(&id) {
        state.ledger.messages(&caller.account, &caller.actor, &id).await?
    } else {
        None
    };
    let messages = messages.ok_or_else(|| {
        let message = "You have no such conversation; GET /v1/conversations lists them.";
        ApiError::new(ErrorCode::UnknownConversation, message).at("id")
    })?;
    Ok(Json(MessagesResponse { messages }))
}
