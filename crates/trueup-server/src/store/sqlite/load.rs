//! Accounts and operations, as a batch needs them.

use std::collections::HashMap;

use sqlx::{AssertSqlSafe, SqliteConnection};
use trueup_core::operation::OperationRecord;
use trueup_core::{AccountId, OperationId};
use trueup_protocol::column;

use crate::store::rows::{AccountRow, BalanceRow, OperationRow};
use crate::store::{StoreError, StoredAccount};

pub(super) const OPERATION_COLUMNS: &str = "account_id, op_id, actor_id, model, state, cause, \
     version, requested, held_content, settled_content, holds, charged, expires_at";

pub(super) async fn account(
    connection: &mut SqliteConnection,
    account: &AccountId,
) -> Result<Option<StoredAccount>, StoreError> {
    let mut found = accounts(connection, &[account]).await?;
    Ok(found.remove(account))
}

pub(super) async fn accounts(
    connection: &mut SqliteConnection,
    ids: &[&AccountId],
) -> Result<HashMap<AccountId, StoredAccount>, StoreError> {
    let keys = column::list(&ids.iter().map(|id| id.as_str()).collect::<Vec<_>>());
    let rows: Vec<AccountRow> = sqlx::query_as(
        "SELECT account_id, version, plan, time_zone, anchor_at, overrides FROM account \
         WHERE account_id IN (SELECT value FROM json_each(?))",
    )
    .bind(&keys)
    .fetch_all(&mut *connection)
    .await?;
    let mut found = HashMap::with_capacity(rows.len());
    for row in rows {
        let stored = row.into_stored()?;
        found.insert(stored.account.id.clone(), stored);
    }
    let rows: Vec<BalanceRow> = sqlx::query_as(
        "SELECT account_id, meter, window_number, window_start, window_end, plan_limit, \
         enforcement, granted, used, held FROM balance \
         WHERE account_id IN (SELECT value FROM json_each(?))",
    )
    .bind(&keys)
    .fetch_all(connection)
    .await?;
    for row in rows {
        let id = AccountId::new(&row.account_id).map_err(|_| StoreError::Damaged("balance"))?;
        let (meter, balance) = row.into_balance()?;
        if let Some(stored) = found.get_mut(&id) {
            stored.account.meters.insert(meter, balance);
        }
    }
    Ok(found)
}

pub(super) async fn operations(
    connection: &mut SqliteConnection,
    keys: &[(String, String)],
) -> Result<HashMap<(AccountId, OperationId), OperationRecord>, StoreError> {
    let sql = format!(
        "SELECT {OPERATION_COLUMNS} FROM operation WHERE (account_id, op_id) IN \
         (SELECT value ->> 0, value ->> 1 FROM json_each(?))"
    );
    let rows: Vec<OperationRow> =
        sqlx::query_as(AssertSqlSafe(sql)).bind(column::pairs(keys)).fetch_all(connection).await?;
    rows.into_iter().map(OperationRow::into_keyed_record).collect()
}
