//! What was said, a page at a time.

use trueup_core::{AccountId, ActorId, Version};
use trueup_protocol::response::{ConversationsResponse, MessageResponse};

use super::{PostgresStore, StoreError};
use crate::store::pages::{self, MessageRow};
use crate::store::rows::signed;
use crate::store::{ConversationPlace, MessagePlace};

impl PostgresStore {
    pub(in crate::store) async fn read_conversations(
        &self,
        account: &AccountId,
        actor: &ActorId,
        before: Option<&ConversationPlace>,
    ) -> Result<ConversationsResponse, StoreError> {
        let query = sqlx::query_as(
            "SELECT conversation_id, title, created_at, updated_at FROM conversation \
             WHERE account_id = $1 AND actor_id = $2 \
             AND (updated_at, conversation_id) < ($3, $4) \
             ORDER BY updated_at DESC, conversation_id DESC LIMIT $5",
        )
        .bind(account.as_str())
        .bind(actor.as_str())
        .bind(before.map_or(i64::MAX, |place| place.updated_at.millis()))
        .bind(before.map_or("", |place| place.id.as_str()))
        .bind(pages::CONVERSATIONS_ASKED);
        let rows = self.readers.ask(async |reader| query.fetch_all(reader).await);
        Ok(pages::conversations(rows.await?))
    }

    /// The newest messages before a place, newest first, and whether there are older ones.
    pub(in crate::store) async fn read_messages(
        &self,
        account: &AccountId,
        actor: &ActorId,
        conversation: &str,
        before: Option<MessagePlace>,
    ) -> Result<(Vec<MessageRow>, bool), StoreError> {
        let query = sqlx::query_as(
            "SELECT version, line, op_id::text AS op_id, role, content, model, created_at FROM message \
             WHERE account_id = $1 AND actor_id = $2 AND conversation_id = $3 \
             AND (version, line) < ($4, $5) ORDER BY version DESC, line DESC LIMIT $6",
        )
        .bind(account.as_str())
        .bind(actor.as_str())
        .bind(conversation)
        .bind(before.map_or(i64::MAX, |place| signed(place.version.0)))
        .bind(before.map_or(0, |place| i64::from(place.line)))
        .bind(pages::MESSAGES_ASKED);
        self.readers.ask(async |reader| pages::messages(query.fetch(reader)).await).await
    }

    pub(in crate::store) async fn has_conversation(
        &self,
        account: &AccountId,
        actor: &ActorId,
        conversation: &str,
    ) -> Result<bool, StoreError> {
        let query = sqlx::query(
            "SELECT 1 FROM conversation \
             WHERE account_id = $1 AND actor_id = $2 AND conversation_id = $3",
        )
        .bind(account.as_str())
        .bind(actor.as_str())
        .bind(conversation);
        let found = self.readers.ask(async |reader| query.fetch_optional(reader).await);
        Ok(found.await?.is_some())
    }

    /// The answer that was saved in the change that made `version`.
    pub(in crate::store) async fn read_answer(
        &self,
        account: &AccountId,
        actor: &ActorId,
        conversation: &str,
        version: Version,
    ) -> Result<Option<MessageResponse>, StoreError> {
        let query = sqlx::query_as(
            "SELECT version, line, op_id::text AS op_id, role, content, model, created_at FROM message \
             WHERE account_id = $1 AND actor_id = $2 AND conversation_id = $3 \
             AND version = $4 AND role = 'assistant' ORDER BY line DESC LIMIT 1",
        )
        .bind(account.as_str())
        .bind(actor.as_str())
        .bind(conversation)
        .bind(signed(version.0));
        let row = self.readers.ask(async |reader| query.fetch_optional(reader).await);
        Ok(row.await?.map(MessageRow::into_response))
    }
}
