//! `GET /v1/conversations` and what they hold: what the gateway saved.

use axum::Json;
use axum::extract::{Path, State};
use serde::Deserialize;
use trueup_protocol::ErrorCode;
use trueup_protocol::error::ErrorEnvelope;
use trueup_protocol::response::{ConversationsResponse, MessagesResponse};

use super::AppState;
use super::chat::is_conversation;
use super::extract::QueryString;
use crate::auth::Caller;
use crate::error::ApiError;

/// Which page of a list.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PageQuery {
    before: Option<String>,
}

impl PageQuery {
    fn place<T: std::str::FromStr>(&self) -> Result<Option<T>, ApiError> {
        let place = self.before.as_deref().map(str::parse).transpose();
        place.map_err(|_| {
            let message = "before must be next_before of the page that was read last.";
            ApiError::new(ErrorCode::InvalidValue, message).at("before")
        })
    }
}

/// List conversations
///
/// The calling actor's conversations, newest first, 200 a page.
#[utoipa::path(
    get,
    path = "/v1/conversations",
    operation_id = "list_conversations",
    tag = "chat",
    security(("browser" = []), ("backend" = [])),
    params(
        ("before" = Option<String>, Query, description = "`next_before` of the page before"),
        ("Trueup-Account" = Option<String>, Header, description = "With an API key: whose conversations"),
        ("Trueup-Actor" = Option<String>, Header, description = "With an API key: as whom to look"),
    ),
    responses(
        (status = 200, description = "Newest first", body = ConversationsResponse),
        (status = 400, description = "`before` is no place in the list", body = ErrorEnvelope),
        (status = 401, description = "No valid credentials", body = ErrorEnvelope),
        (status = 503, description = "The store cannot be read now", body = ErrorEnvelope),
    ),
)]
pub async fn list_conversations(
    State(state): State<AppState>,
    caller: Caller,
    QueryString(query): QueryString<PageQuery>,
) -> Result<Json<ConversationsResponse>, ApiError> {
    let before = query.place()?;
    Ok(Json(state.ledger.conversations(&caller.account, &caller.actor, before.as_ref()).await?))
}

/// List a conversation's messages
///
/// Its newest messages, oldest first, at most 1,000 a page; `before` asks for older ones. What was said is saved when it is admitted, an answer when it is
/// charged: an answer that is missing here was not charged.
#[utoipa::path(
    get,
    path = "/v1/conversations/{id}/messages",
    operation_id = "list_messages",
    tag = "chat",
    security(("browser" = []), ("backend" = [])),
    params(
        ("id" = String, Path, description = "The conversation"),
        ("before" = Option<String>, Query, description = "`next_before` of the page before"),
        ("Trueup-Account" = Option<String>, Header, description = "With an API key: whose conversation"),
        ("Trueup-Actor" = Option<String>, Header, description = "With an API key: as whom to look"),
    ),
    responses(
        (status = 200, description = "Oldest first", body = MessagesResponse),
        (status = 400, description = "`before` is no place in the conversation", body = ErrorEnvelope),
        (status = 401, description = "No valid credentials", body = ErrorEnvelope),
        (status = 404, description = "The actor has no such conversation", body = ErrorEnvelope),
        (status = 503, description = "The store cannot be read now", body = ErrorEnvelope),
    ),
)]
pub async fn list_messages(
    State(state): State<AppState>,
    caller: Caller,
    Path(id): Path<String>,
    QueryString(query): QueryString<PageQuery>,
) -> Result<Json<MessagesResponse>, ApiError> {
    let before = query.place()?;
    let page = if is_conversation(&id) {
        state.ledger.messages(&caller.account, &caller.actor, &id, before).await?
    } else {
        None
    };
    let page = page.ok_or_else(|| {
        let message = "You have no such conversation; GET /v1/conversations lists them.";
        ApiError::new(ErrorCode::UnknownConversation, message).at("id")
    })?;
    Ok(Json(page))
}
