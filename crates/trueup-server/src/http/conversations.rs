//! `GET /v1/conversations` and what they hold: what the gateway saved.

use core::str::FromStr;

use axum::Json;
use axum::extract::{Path, State};
use trueup_protocol::error::ErrorEnvelope;
use trueup_protocol::response::{ConversationsResponse, MessagesResponse};
use trueup_protocol::{ErrorCode, Malformed};

use super::AppState;
use super::chat::is_conversation;
use super::query::{Parameters, Query, QueryString};
use crate::auth::Caller;
use crate::error::ApiError;
use crate::store::{ConversationPlace, MessagePlace};

/// Which page of a list.
#[derive(Debug)]
pub struct PageQuery<T> {
    before: Option<T>,
}

impl<T: FromStr> Parameters for PageQuery<T> {
    fn read(query: &mut Query) -> Result<Self, Malformed> {
        let before = query.text("before").map(|text| text.parse()).transpose();
        let before = before.map_err(|_| {
            Malformed::new("before", "must be next_before of the page that was read last")
        })?;
        Ok(Self { before })
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
    QueryString(page): QueryString<PageQuery<ConversationPlace>>,
) -> Result<Json<ConversationsResponse>, ApiError> {
    let before = page.before.as_ref();
    Ok(Json(state.ledger.conversations(&caller.account, &caller.actor, before).await?))
}

/// List a conversation's messages
///
/// Its newest messages, oldest first, at most 1,000 a page; `before` asks for older ones. What was
/// said is saved when it is admitted, an answer when it is charged: an answer that is missing here
/// was not charged.
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
    QueryString(page): QueryString<PageQuery<MessagePlace>>,
) -> Result<Json<MessagesResponse>, ApiError> {
    let page = if is_conversation(&id) {
        state.ledger.messages(&caller.account, &caller.actor, &id, page.before).await?
    } else {
        None
    };
    let page = page.ok_or_else(|| {
        let message = "You have no such conversation; GET /v1/conversations lists them.";
        ApiError::new(ErrorCode::UnknownConversation, message).at("id")
    })?;
    Ok(Json(page))
}
