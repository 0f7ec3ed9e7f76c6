//! What the server answers beside [`crate::snapshot::Snapshot`].

use std::collections::BTreeMap;

use serde::Serialize;
use utoipa::ToSchema;

/// `GET /v1/catalog`: what models charge, so that a browser can predict.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct CatalogResponse {
    /// Model -> what it charges and who answers in its place.
    pub models: BTreeMap<String, CatalogModel>,
    /// Every meter that some model charges.
    pub meters: Vec<String>,
}

/// One model of the catalog.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct CatalogModel {
    /// Meter -> units of one operation.
    pub charge: BTreeMap<String, u64>,
    /// The models that answer, in this order, when it fails before its first token.
    pub fallback: Vec<String>,
}

/// `GET|PUT /v1/accounts/{id}`: an account's terms and figures.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct AccountResponse {
    /// Whose.
    pub account: String,
    /// The plan in force.
    pub plan: String,
    /// Where calendar windows begin.
    pub time_zone: String,
    /// Where anchored windows are counted from, RFC 3339.
    pub anchor: Option<String>,
    /// Limits of this account alone; null is unlimited.
    pub overrides: BTreeMap<String, Option<u64>>,
    /// The figures now.
    pub usage: crate::snapshot::Snapshot,
}

/// `GET /v1/accounts/{id}/entries`: a page of the ledger, oldest first.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct EntriesResponse {
    /// At most 1,000 entries.
    pub entries: Vec<EntryResponse>,
    /// Ask with this as `after` for the next page; null at the end.
    pub next_after: Option<u64>,
}

/// One immutable entry of the ledger.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct EntryResponse {
    /// The account's version that it made.
    pub version: u64,
    /// `hold`, `settle`, `release`, `expire`, `refuse`, `fence`, `extend`, `grant`, `terms`, `window`.
    pub kind: String,
    /// Why.
    pub cause: String,
    /// Which operation.
    pub operation: Option<String>,
    /// Whose action.
    pub actor: Option<String>,
    /// When, RFC 3339.
    pub at: String,
    /// How each meter moved.
    pub lines: Vec<EntryLineResponse>,
}

/// How one meter moved; differences in units.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct EntryLineResponse {
    /// Which meter.
    pub meter: String,
    /// In which of its windows: the version that opened it.
    pub window_number: u64,
    /// Charged.
    pub used: i64,
    /// Set aside.
    pub held: i64,
    /// Granted on top of the plan.
    pub granted: i64,
    /// Of `used`, what passed the limit.
    pub overage: u64,
}

/// `GET /v1/conversations`: newest first.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct ConversationsResponse {
    /// At most 200 conversations of the calling actor.
    pub conversations: Vec<ConversationResponse>,
    /// Ask with this as `before` for older ones; null when there are none.
    pub next_before: Option<String>,
}

/// One conversation.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct ConversationResponse {
    /// Its id.
    pub id: String,
    /// The beginning of its first message.
    pub title: String,
    /// RFC 3339.
    pub created_at: String,
    /// RFC 3339.
    pub updated_at: String,
}

/// `GET /v1/conversations/{id}/messages`: a page, oldest first.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct MessagesResponse {
    /// At most 1,000 messages: the newest ones, or the newest before `before`.
    pub messages: Vec<MessageResponse>,
    /// Ask with this as `before` for older ones; null when there are none.
    pub next_before: Option<String>,
}

/// One saved message.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct MessageResponse {
    /// The operation that it belongs to.
    pub operation: String,
    /// `user`, `assistant`, `system` or `tool`.
    pub role: String,
    /// The text.
    pub content: String,
    /// The model that wrote it.
    pub model: Option<String>,
    /// RFC 3339.
    pub created_at: String,
}
