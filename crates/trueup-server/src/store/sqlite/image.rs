//! What one transaction shows of an account.

use sqlx::{AssertSqlSafe, SqliteConnection};
use trueup_core::{AccountId, ActorId, OperationId};
use trueup_protocol::column;

use super::load;
use super::load::OPERATION_COLUMNS;
use crate::store::rows::{EntryRow, OperationRow, signed};
use crate::store::snapshot::{Image, Range};
use crate::store::{StoreError, StoredAccount};

pub(super) const ENTRY_COLUMNS: &str = "version, kind, cause, op_id, actor_id, made_at, meter, \
     window_number, used, held, granted, limit_moved, seen_moved, overage";

impl Image for &mut SqliteConnection {
    async fn account(&mut self, account: &AccountId) -> Result<Option<StoredAccount>, StoreError> {
        load::account(self, account).await
    }

    async fn operations_in(
        &mut self,
        account: &AccountId,
        actor: &ActorId,
        range: Range,
        limit: i64,
    ) -> Result<Vec<OperationRow>, StoreError> {
        let sql = format!(
            "SELECT {OPERATION_COLUMNS} FROM operation WHERE account_id = ? AND actor_id = ? \
             AND version > ? AND version <= ? AND cause <> 'grant' ORDER BY version LIMIT ?"
        );
        let rows = sqlx::query_as(AssertSqlSafe(sql))
            .bind(account.as_str())
            .bind(actor.as_str())
            .bind(signed(range.since.0))
            .bind(signed(range.version.0))
            .bind(limit)
            .fetch_all(&mut **self)
            .await?;
        Ok(rows)
    }

    async fn lines_in(
        &mut self,
        account: &AccountId,
        actor: &ActorId,
        range: Range,
        limit: i64,
    ) -> Result<Vec<EntryRow>, StoreError> {
        let sql = format!(
            "SELECT {ENTRY_COLUMNS} FROM entry WHERE account_id = ? AND version > ? \
             AND version <= ? AND (actor_id IS NULL OR actor_id <> ? OR kind = 'grant') \
             AND (seen_moved <> 0 OR limit_moved <> 0) ORDER BY version, line LIMIT ?"
        );
        let rows = sqlx::query_as(AssertSqlSafe(sql))
            .bind(account.as_str())
            .bind(signed(range.since.0))
            .bind(signed(range.version.0))
            .bind(actor.as_str())
            .bind(limit)
            .fetch_all(&mut **self)
            .await?;
        Ok(rows)
    }

    async fn operations_of(
        &mut self,
        account: &AccountId,
        actor: &ActorId,
        ids: &[OperationId],
    ) -> Result<Vec<OperationRow>, StoreError> {
        let sql = format!(
            "SELECT {OPERATION_COLUMNS} FROM operation WHERE account_id = ? AND actor_id = ? \
             AND cause <> 'grant' AND op_id IN (SELECT value FROM json_each(?)) ORDER BY version"
        );
        let ids: Vec<String> = ids.iter().map(ToString::to_string).collect();
        let rows = sqlx::query_as(AssertSqlSafe(sql))
            .bind(account.as_str())
            .bind(actor.as_str())
            .bind(column::list(&ids))
            .fetch_all(&mut **self)
            .await?;
        Ok(rows)
    }
}
