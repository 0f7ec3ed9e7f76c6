//! What was said.

use trueup_core::{AccountId, ActorId, Timestamp};
use trueup_protocol::response::{ConversationResponse, MessageResponse};
use trueup_protocol::time;

use super::{SqliteStore, StoreError};

const MAX_CONVERSATIONS: i64 = 200;
const MAX_MESSAGES: i64 = 1_000;

#[derive(sqlx::FromRow)]
struct ConversationRow {
    conversation_id: String,
    title: String,
    created_at: i64,
    updated_at: i64,
}

#[derive(sqlx::FromRow)]
struct MessageRow {
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
    ) -> Result<Vec<ConversationResponse>, StoreError> {
        let rows: Vec<ConversationRow> = sqlx::query_as(
            "SELECT conversation_id, title, created_at, updated_at FROM conversation \
             WHERE account_id = ? AND actor_id = ? ORDER BY updated_at DESC LIMIT ?",
        )
        .bind(account.as_str())
        .bind(actor.as_str())
        .bind(MAX_CONVERSATIONS)
        .fetch_all(&self.readers)
        .await?;
        let conversation = |row: ConversationRow| ConversationResponse {
            id: row.conversation_id,
            title: row.title,
            created_at: time::format(Timestamp::from_millis(row.created_at)),
            updated_at: time::format(Timestamp::from_millis(row.updated_at)),
        };
        Ok(rows.into_iter().map(conversation).collect())
    }

    pub(crate) async fn read_messages(
        &self,
        account: &AccountId,
        actor: &ActorId,
        conversation: &str,
    ) -> Result<Option<Vec<MessageResponse>>, StoreError> {
        let rows: Vec<MessageRow> = sqlx::query_as(
            "SELECT op_id, role, content, model, created_at FROM message WHERE account_id = ? \
             AND actor_id = ? AND conversation_id = ? ORDER BY version, line LIMIT ?",
        )
        .bind(account.as_str())
        .bind(actor.as_str())
        .bind(conversation)
        .bind(MAX_MESSAGES)
        .fetch_all(&self.readers)
        .await?;
        // A conversation is made by its first message, so one without messages does not exist.
        if rows.is_empty() {
            return Ok(None);
        }
        let message = |row: MessageRow| MessageResponse {
            operation: row.op_id,
            role: row.role,
            content: row.content,
            model: row.model,
            created_at: time::format(Timestamp::from_millis(row.created_at)),
        };
        Ok(Some(rows.into_iter().map(message).collect()))
    }
}
