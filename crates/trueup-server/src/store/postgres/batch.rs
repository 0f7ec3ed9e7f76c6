//! One batch, one transaction.

use sqlx::{Postgres, Transaction};
use trueup_core::{AccountId, Epoch, OperationId, Timestamp};

use super::{load, write};
use crate::store::{Glance, Loaded, Sight, StoreError, Writes, snapshot};

/// A batch in the making. Dropped without `commit`, nothing of it has happened.
pub struct PostgresBatch<'a> {
    transaction: Transaction<'a, Postgres>,
    epoch: &'a Epoch,
}

impl<'a> PostgresBatch<'a> {
    pub(super) fn new(transaction: Transaction<'a, Postgres>, epoch: &'a Epoch) -> Self {
        Self { transaction, epoch }
    }

    pub(in crate::store) async fn load(
        &mut self,
        accounts: &[&AccountId],
        operations: &[(&AccountId, OperationId)],
        now: Timestamp,
    ) -> Result<Loaded, StoreError> {
        let accounts = load::lock_accounts(&mut self.transaction, accounts, now).await?;
        let operations = load::operations(&mut self.transaction, operations).await?;
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
