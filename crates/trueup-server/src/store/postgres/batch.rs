//! One batch, one transaction.

use trueup_core::{AccountId, Epoch, OperationId, Timestamp};

use super::pool::{Lent, heard};
use super::{load, write};
use crate::store::{Glance, Loaded, Sight, StoreError, Writes, snapshot};

/// A batch in the making. Dropped without `commit`, nothing of it has happened.
pub struct PostgresBatch<'a> {
    writer: Lent,
    epoch: &'a Epoch,
}

impl<'a> PostgresBatch<'a> {
    pub(super) async fn begin(mut writer: Lent, epoch: &'a Epoch) -> Result<Self, StoreError> {
        writer.begin_with("BEGIN ISOLATION LEVEL READ COMMITTED").await?;
        Ok(Self { writer, epoch })
    }

    pub(in crate::store) async fn load(
        &mut self,
        accounts: &[&AccountId],
        operations: &[(&AccountId, OperationId)],
        now: Timestamp,
    ) -> Result<Loaded, StoreError> {
        let accounts = heard(load::lock_accounts(&mut self.writer, accounts, now)).await?;
        let operations = heard(load::operations(&mut self.writer, operations)).await?;
        Ok(Loaded { accounts, operations })
    }

    pub(in crate::store) async fn write(
        &mut self,
        writes: &Writes,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        heard(write::all(&mut self.writer, writes, now)).await
    }

    pub(in crate::store) async fn snapshot(
        &mut self,
        glance: Glance<'_>,
    ) -> Result<Option<Sight>, StoreError> {
        heard(snapshot::read(&mut *self.writer, self.epoch, glance)).await
    }

    pub(in crate::store) async fn commit(mut self) -> Result<(), StoreError> {
        self.writer.commit().await
    }
}
