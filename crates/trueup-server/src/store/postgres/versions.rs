//! At which versions accounts are.

use trueup_core::{AccountId, Version};

use super::{PostgresStore, StoreError};
use crate::store::rows;

impl PostgresStore {
    /// Those that there are not are left out.
    pub(in crate::store) async fn read_versions(
        &self,
        accounts: &[AccountId],
    ) -> Result<Vec<(AccountId, Version)>, StoreError> {
        let keys: Vec<&str> = accounts.iter().map(AccountId::as_str).collect();
        let query =
            sqlx::query_as("SELECT account_id, version FROM account WHERE account_id = ANY($1)")
                .bind(keys);
        rows::versions(self.readers.ask(async |reader| query.fetch_all(reader).await).await?)
    }
}
