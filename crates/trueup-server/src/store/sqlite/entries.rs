//! The ledger, a page at a time.

use trueup_core::{AccountId, Version};
use trueup_protocol::response::EntriesResponse;

use super::{SqliteStore, StoreError};
use crate::store::pages;
use crate::store::rows::{entry_columns, signed};

impl SqliteStore {
    pub(in crate::store) async fn read_entries(
        &self,
        account: &AccountId,
        after: Version,
    ) -> Result<EntriesResponse, StoreError> {
        let rows = sqlx::query_as(concat!(
            "SELECT ",
            entry_columns!("op_id"),
            " FROM entry WHERE account_id = ? AND version > ? AND version <= ? \
             ORDER BY version, line"
        ))
        .bind(account.as_str())
        .bind(signed(after.0))
        .bind(signed(after.0.saturating_add(pages::ENTRIES)))
        .fetch_all(self.readers()?)
        .await?;
        pages::entries(rows)
    }
}
