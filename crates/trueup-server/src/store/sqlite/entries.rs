//! The ledger, a page at a time.

use sqlx::AssertSqlSafe;
use trueup_core::{AccountId, Timestamp, Version};
use trueup_protocol::response::{EntriesResponse, EntryLineResponse, EntryResponse};
use trueup_protocol::time;

use super::rows::{EntryRow, signed};
use super::{SqliteStore, StoreError};

/// Every version has an entry, so a page of versions is a page of entries.
const PAGE: u64 = 1_000;

impl SqliteStore {
    pub(crate) async fn read_entries(
        &self,
        account: &AccountId,
        after: Version,
    ) -> Result<EntriesResponse, StoreError> {
        let sql = format!(
            "SELECT {} FROM entry WHERE account_id = ? AND version > ? AND version <= ? \
             ORDER BY version, line",
            EntryRow::COLUMNS
        );
        let rows: Vec<EntryRow> = sqlx::query_as(AssertSqlSafe(sql))
            .bind(account.as_str())
            .bind(signed(after.0))
            .bind(signed(after.0.saturating_add(PAGE)))
            .fetch_all(&self.readers)
            .await?;
        let mut entries: Vec<EntryResponse> = Vec::new();
        for row in rows {
            let version = u64::try_from(row.version).map_err(|_| StoreError::Damaged("entry"))?;
            if entries.last().is_none_or(|last| last.version != version) {
                entries.push(EntryResponse {
                    version,
                    kind: row.kind.clone(),
                    cause: row.cause.clone(),
                    operation: row.op_id.clone(),
                    actor: row.actor_id.clone(),
                    at: time::format(Timestamp::from_millis(row.made_at)),
                    lines: Vec::new(),
                });
            }
            if let (Some(entry), Some(meter)) = (entries.last_mut(), row.meter) {
                entry.lines.push(EntryLineResponse {
                    meter,
                    window_number: row.window_number.unsigned_abs(),
                    used: row.used,
                    held: row.held,
                    granted: row.granted,
                    overage: row.overage.unsigned_abs(),
                });
            }
        }
        let full = u64::try_from(entries.len()).unwrap_or(u64::MAX) >= PAGE;
        let next_after = entries.last().filter(|_| full).map(|entry| entry.version);
        Ok(EntriesResponse { entries, next_after })
    }
}
