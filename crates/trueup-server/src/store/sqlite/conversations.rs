//! What was said, a page at a time.

use futures::TryStreamExt as _;
use trueup_core::{AccountId, ActorId, Timestamp, Version};
use trueup_protocol::response::{
    ConversationResponse, ConversationsResponse, MessageResponse, MessagesResponse,
};
use trueup_protocol::time;

use super::rows::signed;
use super::{SqliteStore, StoreError};
use crate::store::{ConversationPlace, MessagePlace};

const CONVERSATIONS: usize = 200;
const MESSAGES: usize = 1_000;
/// Messages can be long: a page ends early when it has so much text.
const PAGE_BYTES: usize = 4 * 1024 * 1024;

#[derive(sqlx::FromRow)]
struct ConversationRow {
    conversation_id: String,
    title: String,
    created_at: i64,
    updated_at: i64,
}

#[derive(sqlx::FromRow)]
struct MessageRow {
    version: i64,
    line: i64,
    op_id: String,
    role: String,
    content: String,
    model: Option<String>,
    created_at: i64,
}

impl SqliteStore {
    pub(crate) async fn read_conversations(
        &self,
        account: &AccountId,
        actor: &ActorId,
        before: Option<&ConversationPlace>,
    ) -> Result<ConversationsResponse, StoreError> {
        let mut rows: Vec<ConversationRow> = sqlx::query_as(
            "SELECT conversation_id, title, created_at, updated_at FROM conversation \
             WHERE account_id = ? AND actor_id = ? AND (updated_at, conversation_id) < (?, ?) \
             ORDER BY updated_at DESC, conversation_id DESC LIMIT ?",
        )
        .bind(account.as_str())
        .bind(actor.as_str())
        .bind(before.map_or(i64::MAX, |place| place.updated_at.millis()))
        .bind(before.map_or("", |place| place.id.as_str()))
        .bind(one_more_than(CONVERSATIONS))
        .fetch_all(&self.readers)
        .await?;
        let more = rows.len() > CONVERSATIONS;
        rows.truncate(CONVERSATIONS);
        let next_before = rows.last().filter(|_| more).map(ConversationRow::place);
        Ok(ConversationsResponse {
            conversations: rows.into_iter().map(ConversationRow::into_response).collect(),
            next_before: next_before.map(|place| place.to_string()),
        })
    }

    pub(crate) async fn read_messages(
        &self,
        account: &AccountId,
        actor: &ActorId,
        conversation: &str,
        before: Option<MessagePlace>,
    ) -> Result<Option<MessagesResponse>, StoreError> {
        let (rows, more) = self.page(account, actor, conversation, before).await?;
        // A conversation is made by its first message, so one without messages does not exist.
        if rows.is_empty() && before.is_none() {
            return Ok(None);
        }
        if rows.is_empty() && !self.has_conversation(account, actor, conversation).await? {
            return Ok(None);
        }
        let next_before = match rows.last() {
            Some(oldest) if more => Some(oldest.place()?.to_string()),
            _ => None,
        };
        let messages = rows.into_iter().rev().map(MessageRow::into_response).collect();
        Ok(Some(MessagesResponse { messages, next_before }))
    }

    /// The newest messages before a place, newest first, and whether there are older ones.
    async fn page(
        &self,
        account: &AccountId,
        actor: &ActorId,
        conversation: &str,
        before: Option<MessagePlace>,
    ) -> Result<(Vec<MessageRow>, bool), StoreError> {
        let mut found = sqlx::query_as(
            "SELECT version, line, op_id, role, content, model, created_at FROM message \
             WHERE account_id = ? AND actor_id = ? AND conversation_id = ? \
             AND (version, line) < (?, ?) ORDER BY version DESC, line DESC LIMIT ?",
        )
        .bind(account.as_str())
        .bind(actor.as_str())
        .bind(conversation)
        .bind(before.map_or(i64::MAX, |place| signed(place.version.0)))
        .bind(before.map_or(0, |place| place.line))
        .bind(one_more_than(MESSAGES))
        .fetch(&self.readers);
        let mut rows: Vec<MessageRow> = Vec::new();
        let mut bytes = 0;
        while let Some(row) = found.try_next().await? {
            let row: MessageRow = row;
            bytes += row.content.len();
            let is_full = rows.len() == MESSAGES || bytes > PAGE_BYTES;
            if is_full && !rows.is_empty() {
                return Ok((rows, true));
            }
            rows.push(row);
        }
        Ok((rows, false))
    }

    async fn has_conversation(
        &self,
        account: &AccountId,
        actor: &ActorId,
        conversation: &str,
    ) -> Result<bool, StoreError> {
        let found: Option<(i64,)> = sqlx::query_as(
            "SELECT 1 FROM conversation \
             WHERE account_id = ? AND actor_id = ? AND conversation_id = ?",
        )
        .bind(account.as_str())
        .bind(actor.as_str())
        .bind(conversation)
        .fetch_optional(&self.readers)
        .await?;
        Ok(found.is_some())
    }

    /// The answer that was saved in the change that made `version`.
    pub(crate) async fn read_answer(
        &self,
        account: &AccountId,
        actor: &ActorId,
        conversation: &str,
        version: Version,
    ) -> Result<Option<MessageResponse>, StoreError> {
        let row: Option<MessageRow> = sqlx::query_as(
            "SELECT version, line, op_id, role, content, model, created_at FROM message \
             WHERE account_id = ? AND actor_id = ? AND conversation_id = ? AND version = ? \
             AND role = 'assistant' ORDER BY line DESC LIMIT 1",
        )
        .bind(account.as_str())
        .bind(actor.as_str())
        .bind(conversation)
        .bind(signed(version.0))
        .fetch_optional(&self.readers)
        .await?;
        Ok(row.map(MessageRow::into_response))
    }
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
    fn place(&self) -> Result<MessagePlace, StoreError> {
        let damaged = |_| StoreError::Damaged("message");
        let version = Version(u64::try_from(self.version).map_err(damaged)?);
        Ok(MessagePlace { version, line: u32::try_from(self.line).map_err(damaged)? })
    }

    fn into_response(self) -> MessageResponse {
        MessageResponse {
            operation: self.op_id,
            role: self.role,
            content: self.content,
            model: self.model,
            created_at: time::format(Timestamp::from_millis(self.created_at)),
        }
    }
}

fn one_more_than(page: usize) -> i64 {
    i64::try_from(page + 1).unwrap_or(i64::MAX)
}
