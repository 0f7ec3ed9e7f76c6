//! One batch, one transaction.

use tokio::sync::SemaphorePermit;
use trueup_core::{AccountId, Epoch, OperationId, Timestamp};

use super::pool::{Lent, heard};
use super::{load, write};
use crate::store::{Glance, Loaded, Patience, Sight, StoreError, Writes, snapshot};

/// A batch in the making. Dropped without `commit`, nothing of it has happened.
pub struct PostgresBatch<'a> {
    writer: Lent,
    /// Of those who wait for what somebody keeps locked.
    _turn: Option<SemaphorePermit<'a>>,
    patience: Patience,
    epoch: &'a Epoch,
}

impl<'a> PostgresBatch<'a> {
    pub(super) async fn begin(
        mut writer: Lent,
        turn: Option<SemaphorePermit<'a>>,
        patience: Patience,
        epoch: &'a Epoch,
    ) -> Result<Self, StoreError> {
        writer.begin_with("BEGIN ISOLATION LEVEL READ COMMITTED").await?;
        Ok(Self { writer, _turn: turn, patience, epoch })
    }

    pub(in crate::store) async fn load(
        &mut self,
        accounts: &[&AccountId],
        operations: &[(&AccountId, OperationId)],
        now: Timestamp,
    ) -> Result<Loaded, StoreError> {
        let accounts = match self.patience {
            Patience::None => heard(load::lock_free_accounts(&mut self.writer, accounts)).await?,
            _ => heard(load::lock_accounts(&mut self.writer, accounts, now)).await?,
        };
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
