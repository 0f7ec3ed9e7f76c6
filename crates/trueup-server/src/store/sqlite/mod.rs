//! The embedded store.

use trueup_core::{AccountId, ActorId, OperationId, Snapshot, Version};
use trueup_protocol::response::{ConversationResponse, EntriesResponse, MessageResponse};

use super::{AccountTerms, StoreError};

/// SQLite in one file.
#[derive(Debug)]
pub struct SqliteStore {}

impl SqliteStore {
    /// Opens or creates the database `url` (`sqlite:FILE`) and applies its migrations.
    ///
    /// # Errors
    /// When the file cannot be opened or is no database of ours.
    pub async fn open(_url: &str) -> Result<Self, StoreError> {
        Ok(Self {})
    }

    pub(crate) async fn read_snapshot(
        &self,
        _account: &AccountId,
        _actor: &ActorId,
        _since: Option<Version>,
        _ask: &[OperationId],
    ) -> Result<Option<Snapshot>, StoreError> {
        Ok(None)
    }

    pub(crate) async fn read_account_terms(
        &self,
        _account: &AccountId,
    ) -> Result<Option<AccountTerms>, StoreError> {
        Ok(None)
    }

    pub(crate) async fn read_entries(
        &self,
        _account: &AccountId,
        _after: Version,
    ) -> Result<EntriesResponse, StoreError> {
        Err(StoreError::Damaged("entry"))
    }

    pub(crate) async fn read_conversations(
        &self,
        _account: &AccountId,
        _actor: &ActorId,
    ) -> Result<Vec<ConversationResponse>, StoreError> {
        Ok(Vec::new())
    }

    pub(crate) async fn read_messages(
        &self,
        _account: &AccountId,
        _actor: &ActorId,
        _conversation: &str,
    ) -> Result<Option<Vec<MessageResponse>>, StoreError> {
        Ok(None)
    }

    pub(crate) async fn ping(&self) -> Result<(), StoreError> {
        Ok(())
    }
}
