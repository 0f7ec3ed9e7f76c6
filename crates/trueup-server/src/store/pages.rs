//! Pages of the ledger and of conversations, put together from rows.

use std::pin::pin;

use futures::{Stream, TryStreamExt as _};
use trueup_core::{Timestamp, Version};
use trueup_protocol::response::{
    ConversationResponse, ConversationsResponse, EntriesResponse, EntryLineResponse, EntryResponse,
    MessageResponse,
};
use trueup_protocol::time;

use super::rows::EntryRow;
use super::{ConversationPlace, MessagePlace, StoreError};

/// Every version has an entry, so a page of versions is a page of entries.
pub(super) const ENTRIES: u64 = 1_000;
const CONVERSATIONS: usize = 200;
const MESSAGES: usize = 1_000;
/// Messages can be long: a page ends early when it has so much text.
const PAGE_BYTES: usize = 4 * 1024 * 1024;

/// As many as a page has, and one that tells whether there are more.
pub(super) const CONVERSATIONS_ASKED: i64 = 201;
/// As many as a page has, and one that tells whether there are more.
pub(super) const MESSAGES_ASKED: i64 = 1_001;

#[derive(sqlx::FromRow)]
pub(super) struct ConversationRow {
    conversation_id: String,
    title: String,
    created_at: i64,
    updated_at: i64,
}

#[derive(sqlx::FromRow)]
pub(super) struct MessageRow {
    version: i64,
    line: i64,
    op_id: String,
    role: String,
    content: String,
    model: Option<String>,
    created_at: i64,
}

/// A page of the ledger, from its lines in order.
pub(super) fn entries(rows: Vec<EntryRow>) -> Result<EntriesResponse, StoreError> {
    let mut entries: Vec<EntryResponse> = Vec::new();
    for row in rows {
        let version = u64::try_from(row.version).map_err(|_| StoreError::Damaged("entry"))?;
        if entries.last().is_none_or(|last| last.version != version) {
            entries.push(EntryResponse {
                version,
                kind: row.kind.clone(),
                cause: row.cause.clone(),
                operation: row.op_id.clone(),
                actor: row.actor_id.clone(),
                at: time::format(Timestamp::from_millis(row.made_at)),
                lines: Vec::new(),
            });
        }
        if let (Some(entry), Some(meter)) = (entries.last_mut(), row.meter) {
            entry.lines.push(EntryLineResponse {
                meter,
                window_number: row.window_number.unsigned_abs(),
                used: row.used,
                held: row.held,
                granted: row.granted,
                overage: row.overage.unsigned_abs(),
            });
        }
    }
    let full = u64::try_from(entries.len()).unwrap_or(u64::MAX) >= ENTRIES;
    let next_after = entries.last().filter(|_| full).map(|entry| entry.version);
    Ok(EntriesResponse { entries, next_after })
}

/// A page of conversations, newest first.
pub(super) fn conversations(mut rows: Vec<ConversationRow>) -> ConversationsResponse {
    let more = rows.len() > CONVERSATIONS;
    rows.truncate(CONVERSATIONS);
    let next_before = rows.last().filter(|_| more).map(ConversationRow::place);
    ConversationsResponse {
        conversations: rows.into_iter().map(ConversationRow::into_response).collect(),
        next_before: next_before.map(|place| place.to_string()),
    }
}

/// A page of messages, newest first, as long as there is room; and whether there are older ones.
pub(super) async fn messages(
    found: impl Stream<Item = Result<MessageRow, sqlx::Error>> + Send,
) -> Result<(Vec<MessageRow>, bool), StoreError> {
    let mut found = pin!(found);
    let mut rows: Vec<MessageRow> = Vec::new();
    let mut bytes = 0;
    while let Some(row) = found.try_next().await? {
        bytes += row.content.len();
        let is_full = rows.len() == MESSAGES || bytes > PAGE_BYTES;
        if is_full && !rows.is_empty() {
            return Ok((rows, true));
        }
        rows.push(row);
    }
    Ok((rows, false))
}

impl ConversationRow {
    fn place(&self) -> ConversationPlace {
        let updated_at = Timestamp::from_millis(self.updated_at);
        ConversationPlace { updated_at, id: self.conversation_id.clone() }
    }

    fn into_response(self) -> ConversationResponse {
        ConversationResponse {
            id: self.conversation_id,
            title: self.title,
            created_at: time::format(Timestamp::from_millis(self.created_at)),
            updated_at: time::format(Timestamp::from_millis(self.updated_at)),
        }
    }
}

impl MessageRow {
    pub fn place(&self) -> Result<MessagePlace, StoreError> {
        let damaged = |_| StoreError::Damaged("message");
        let version = Version(u64::try_from(self.version).map_err(damaged)?);
        Ok(MessagePlace { version, line: u32::try_from(self.line).map_err(damaged)? })
    }

    pub fn into_response(self) -> MessageResponse {
        MessageResponse {
            operation: self.op_id,
            role: self.role,
            content: self.content,
            model: self.model,
            created_at: time::format(Timestamp::from_millis(self.created_at)),
        }
    }
}
