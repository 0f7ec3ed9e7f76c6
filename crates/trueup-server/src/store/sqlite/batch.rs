//! One batch, one transaction.

use sqlx::{Sqlite, Transaction};
use trueup_core::{AccountId, Epoch, OperationId, Timestamp};

use super::{load, write};
use crate::store::{Glance, Loaded, Sight, StoreError, Writes, snapshot};

/// A batch in the making. Dropped without `commit`, nothing of it has happened.
pub struct SqliteBatch<'a> {
    transaction: Transaction<'a, Sqlite>,
    epoch: &'a Epoch,
}

impl<'a> SqliteBatch<'a> {
    pub(super) fn new(transaction: Transaction<'a, Sqlite>, epoch: &'a Epoch) -> Self {
        Self { transaction, epoch }
    }

    pub(in crate::store) async fn load(
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

    pub(in crate::store) async fn write(
        &mut self,
        writes: &Writes,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        write::all(&mut self.transaction, writes, now).await
    }

    pub(in crate::store) async fn snapshot(
        &mut self,
        glance: Glance<'_>,
    ) -> Result<Option<Sight>, StoreError> {
        snapshot::read(&mut *self.transaction, self.epoch, glance).await
    }

    pub(in crate::store) async fn commit(self) -> Result<(), StoreError> {
        Ok(self.transaction.commit().await?)
    }
}
