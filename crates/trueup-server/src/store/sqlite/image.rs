//! What one transaction shows of an account.

use sqlx::SqliteConnection;
use trueup_core::{AccountId, ActorId, OperationId};
use trueup_protocol::column;

use super::load;
use crate::store::rows::{EntryRow, OperationRow, entry_columns, operation_columns, signed};
use crate::store::snapshot::{Image, Range};
use crate::store::{StoreError, StoredAccount};

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
        // Every change of an operation is an entry, and entries are kept in the order of versions: they
        // are read first, and no further than to the limit.
        let rows = sqlx::query_as(concat!(
            "SELECT ",
            operation_columns!("op_id"),
            " FROM (SELECT op_id AS changed, version AS at FROM entry WHERE account_id = ?1 \
             AND version > ?3 AND version <= ?4 AND line = 0 AND actor_id = ?2) \
             CROSS JOIN operation WHERE account_id = ?1 AND op_id = changed AND version = at \
             AND cause <> 'grant' ORDER BY at LIMIT ?5"
        ))
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
        let rows = sqlx::query_as(concat!(
            "SELECT ",
            entry_columns!("op_id"),
            " FROM entry WHERE account_id = ? AND version > ? \
             AND version <= ? AND (actor_id IS NULL OR actor_id <> ? OR kind = 'grant') \
             AND (seen_moved <> 0 OR limit_moved <> 0) ORDER BY version, line LIMIT ?"
        ))
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
        let ids: Vec<String> = ids.iter().map(ToString::to_string).collect();
        // The sign keeps SQLite from reading all of the account's operations in the order of an index
        // for the sake of a few that are named.
        let rows = sqlx::query_as(concat!(
            "SELECT ",
            operation_columns!("op_id"),
            " FROM operation WHERE account_id = ? AND actor_id = ? \
             AND cause <> 'grant' AND op_id IN (SELECT value FROM json_each(?)) ORDER BY +version"
        ))
        .bind(account.as_str())
        .bind(actor.as_str())
        .bind(column::list(&ids))
        .fetch_all(&mut **self)
        .await?;
        Ok(rows)
    }
}
