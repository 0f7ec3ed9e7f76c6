//! `POST /v1/chat/completions`: the gateway's door.

use axum::body::Body;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use trueup_core::OperationId;
use trueup_protocol::body::Unreadable;
use trueup_protocol::error::ErrorEnvelope;
use trueup_protocol::{CONVERSATION_HEADER, ErrorCode, OPERATION_HEADER};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::extract::{self, Json, JsonBody, SinceHeader};
use super::{AppState, RequestId};
use crate::auth::{Caller, once};
use crate::error::ApiError;
use crate::gateway::members::Members;
use crate::gateway::request::ChatRequest;
use crate::gateway::{Call, ChatReply, ReplyBody};

const BODY_LIMIT_BYTES: usize = 1024 * 1024;
const CONVERSATION_LIMIT: usize = 128;

/// The route, with its own limit of what a body may hold.
pub fn routes() -> OpenApiRouter<AppState> {
    let limit = DefaultBodyLimit::max(BODY_LIMIT_BYTES);
    OpenApiRouter::new().routes(routes!(chat_completions)).layer(limit)
}

/// A chat as OpenAI's clients ask for it. Members that are not named here pass to the provider.
#[derive(ToSchema)]
#[expect(dead_code, reason = "the gateway reads bodies member by member; this describes them")]
struct ChatCompletionRequest {
    /// A model of the catalog.
    model: String,
    /// The conversation so far, at least one message.
    messages: Vec<ChatMessage>,
    /// Whether the answer comes as server-sent events.
    stream: Option<bool>,
    /// At most 1: an operation is charged for one answer.
    n: Option<u64>,
}

/// One message of a chat.
#[derive(ToSchema)]
#[expect(dead_code, reason = "the gateway reads bodies member by member; this describes them")]
struct ChatMessage {
    /// `system`, `developer`, `user`, `assistant`, `tool` or `function`.
    role: String,
    /// A text, or an array of parts.
    content: Option<serde_json::Value>,
}

/// Chat with a model
///
/// OpenAI's chat completions, streaming and not, with the quota kept exact: the model's charge is
/// set aside before any model is asked, and charged in the transaction that saves the answer. The
/// last chunk (`choices: []`) and a whole answer carry `usage` and `trueup`, the account's snapshot.
#[utoipa::path(
    post,
    path = "/v1/chat/completions",
    operation_id = "chat_completions",
    tag = "chat",
    security(("browser" = []), ("backend" = [])),
    params(
        ("Trueup-Operation" = Option<String>, Header, description = "The operation, a UUIDv7 made once per user action; made by the server when left out"),
        ("Trueup-Since" = Option<u64>, Header, description = "The version that the caller has"),
        ("Trueup-Conversation" = Option<String>, Header, description = "Where messages are saved, 1 to 128 visible ASCII characters; the operation's own when left out"),
        ("Trueup-Account" = Option<String>, Header, description = "With an API key: whose quota"),
        ("Trueup-Actor" = Option<String>, Header, description = "With an API key: who acts"),
    ),
    request_body = ChatCompletionRequest,
    responses(
        (status = 200, description = "The completion, or its chunks as `text/event-stream`",
         body = serde_json::Value,
         headers(("Trueup-Conversation" = String, description = "Where the messages are saved"),
                 ("Trueup-Operation" = String, description = "What it is charged to"))),
        (status = 400, description = "Malformed", body = ErrorEnvelope),
        (status = 401, description = "No valid credentials", body = ErrorEnvelope),
        (status = 402, description = "The plan has no room; no model was asked", body = ErrorEnvelope),
        (status = 404, description = "No such model", body = ErrorEnvelope),
        (status = 409, description = "The operation is running, ended, or was sent with other content", body = ErrorEnvelope),
        (status = 410, description = "The operation was fenced", body = ErrorEnvelope),
        (status = 413, description = "The body is larger than 1 MiB", body = ErrorEnvelope),
        (status = 502, description = "The model and its fallbacks failed; nothing was charged", body = ErrorEnvelope),
        (status = 503, description = "The ledger cannot be written now, or the server stops", body = ErrorEnvelope),
    ),
)]
pub async fn chat_completions(
    State(state): State<AppState>,
    caller: Caller,
    request_id: RequestId,
    SinceHeader(since): SinceHeader,
    headers: HeaderMap,
    Json(members): Json<Members>,
) -> Result<Response, ApiError> {
    let call = Call {
        account: caller.account,
        actor: caller.actor,
        operation: operation(&headers)?,
        since,
        conversation: conversation(&headers)?,
        request_id: request_id.as_str().to_owned(),
        request: ChatRequest::read(members)?,
    };
    Ok(respond(state.gateway.chat(call).await?))
}

impl JsonBody for Members {
    fn from_json(bytes: &[u8]) -> Result<Self, Unreadable> {
        Self::read_body(bytes)
    }
}

fn respond(reply: ChatReply) -> Response {
    let mut response = match reply.body {
        ReplyBody::Whole(body) => json(StatusCode::OK, body),
        ReplyBody::Blamed(status, body) => {
            json(StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_REQUEST), body)
        }
        ReplyBody::Stream(events) => super::events::stream(Body::from_stream(events)),
        ReplyBody::Cut => crate::demo::cut_connection(),
    };
    let headers = response.headers_mut();
    for (name, text) in
        [(CONVERSATION_HEADER, reply.conversation), (OPERATION_HEADER, reply.operation.to_string())]
    {
        if let Ok(value) = HeaderValue::try_from(text) {
            headers.insert(HeaderName::from_static(name), value);
        }
    }
    response
}

fn json(status: StatusCode, body: bytes::Bytes) -> Response {
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static("application/json")),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
    ];
    (status, headers, body).into_response()
}

fn operation(headers: &HeaderMap) -> Result<Option<OperationId>, ApiError> {
    let Some(value) = once(headers, OPERATION_HEADER)? else { return Ok(None) };
    // What is no text is no id either: the empty one is refused with the right words.
    let text = value.to_str().unwrap_or_default();
    extract::operation_id(OPERATION_HEADER, text).map(Some)
}

fn conversation(headers: &HeaderMap) -> Result<Option<String>, ApiError> {
    let Some(value) = once(headers, CONVERSATION_HEADER)? else { return Ok(None) };
    let text = value.to_str().ok().filter(|text| is_conversation(text));
    let text = text.ok_or_else(|| {
        let message = "Trueup-Conversation must be 1 to 128 visible ASCII characters.";
        ApiError::new(ErrorCode::InvalidValue, message).at(CONVERSATION_HEADER)
    })?;
    Ok(Some(text.to_owned()))
}

/// Whether a conversation may have this id.
pub fn is_conversation(text: &str) -> bool {
    (1..=CONVERSATION_LIMIT).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_graphic())
}
