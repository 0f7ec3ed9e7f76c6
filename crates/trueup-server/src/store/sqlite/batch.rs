//! One batch, one transaction.

use sqlx::{Sqlite, Transaction};
use trueup_core::{AccountId, Epoch, OperationId, Timestamp};

use super::{load, snapshot, write};
use crate::store::{Glance, Loaded, Sight, StoreError, Writes};

/// A batch in the making. Dropped without [`Batch::commit`], nothing of it has happened.
pub struct Batch<'a> {
    transaction: Transaction<'a, Sqlite>,
    epoch: &'a Epoch,
}

impl<'a> Batch<'a> {
    pub(super) fn new(transaction: Transaction<'a, Sqlite>, epoch: &'a Epoch) -> Self {
        Self { transaction, epoch }
    }

    /// Reads what the batch's requests are about.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn load(
        &mut self,
        accounts: &[&AccountId],
        operations: &[(&AccountId, OperationId)],
    ) -> Result<Loaded, StoreError> {
        let keys: Vec<(String, String)> =
            operations.iter().map(|(account, id)| (account.to_string(), id.to_string())).collect();
        let accounts = load::accounts(&mut self.transaction, accounts).await?;
        let operations = if keys.is_empty() {
            Default::default()
        } else {
            load::operations(&mut self.transaction, &keys).await?
        };
        Ok(Loaded { accounts, operations })
    }

    /// Writes everything that the batch changes.
    ///
    /// # Errors
    /// When the database refuses any of it; the batch must be dropped then.
    pub async fn write(&mut self, writes: &Writes, now: Timestamp) -> Result<(), StoreError> {
        write::all(&mut self.transaction, writes, now).await
    }

    /// Reads the account as it is with the batch's changes.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn snapshot(&mut self, glance: Glance<'_>) -> Result<Option<Sight>, StoreError> {
        snapshot::read(&mut self.transaction, self.epoch, glance).await
    }

    /// Makes the batch's changes true.
    ///
    /// # Errors
    /// When the database refuses; then nothing of the batch has happened.
    pub async fn commit(self) -> Result<(), StoreError> {
        Ok(self.transaction.commit().await?)
    }
}
