//! At which versions accounts are.

use trueup_core::{AccountId, Version};
use trueup_protocol::column;

use super::{SqliteStore, StoreError};
use crate::store::rows;

impl SqliteStore {
    /// Those that there are not are left out.
    pub(in crate::store) async fn read_versions(
        &self,
        accounts: &[AccountId],
    ) -> Result<Vec<(AccountId, Version)>, StoreError> {
        let keys: Vec<&str> = accounts.iter().map(AccountId::as_str).collect();
        let rows = sqlx::query_as(
            "SELECT account_id, version FROM account \
             WHERE account_id IN (SELECT value FROM json_each(?))",
        )
        .bind(column::list(&keys))
        .fetch_all(self.readers()?)
        .await?;
        rows::versions(rows)
    }
}
