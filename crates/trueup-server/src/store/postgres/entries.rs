//! The ledger, a page at a time.

use trueup_core::{AccountId, Version};
use trueup_protocol::response::EntriesResponse;

use super::{PostgresStore, StoreError};
use crate::store::pages;
use crate::store::rows::{entry_columns, signed};

impl PostgresStore {
    pub(in crate::store) async fn read_entries(
        &self,
        account: &AccountId,
        after: Version,
    ) -> Result<EntriesResponse, StoreError> {
        let query = sqlx::query_as(concat!(
            "SELECT ",
            entry_columns!("op_id::text AS op_id"),
            " FROM entry WHERE account_id = $1 AND version > $2 AND version <= $3 \
             ORDER BY version, line"
        ))
        .bind(account.as_str())
        .bind(signed(after.0))
        .bind(signed(after.0.saturating_add(pages::ENTRIES)));
        let rows = self.readers.ask(async |reader| query.fetch_all(reader).await);
        pages::entries(rows.await?)
    }
}
