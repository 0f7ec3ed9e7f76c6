//! Accounts and operations, as a batch needs them.

use std::collections::HashMap;

use sqlx::SqliteConnection;
use trueup_core::operation::OperationRecord;
use trueup_core::{AccountId, OperationId};
use trueup_protocol::column;

use crate::store::rows::{self, OperationRow, operation_columns};
use crate::store::{StoreError, StoredAccount};

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
    let found = sqlx::query_as(
        "SELECT account_id, version, plan, time_zone, anchor_at, overrides FROM account \
         WHERE account_id IN (SELECT value FROM json_each(?))",
    )
    .bind(&keys)
    .fetch_all(&mut *connection)
    .await?;
    let balances = sqlx::query_as(
        "SELECT account_id, meter, window_number, window_start, window_end, plan_limit, \
         enforcement, granted, used, held FROM balance \
         WHERE account_id IN (SELECT value FROM json_each(?))",
    )
    .bind(&keys)
    .fetch_all(connection)
    .await?;
    rows::accounts(found, balances)
}

pub(super) async fn operations(
    connection: &mut SqliteConnection,
    keys: &[(String, String)],
) -> Result<HashMap<(AccountId, OperationId), OperationRecord>, StoreError> {
    let rows: Vec<OperationRow> = sqlx::query_as(concat!(
        "SELECT ",
        operation_columns!("op_id"),
        " FROM operation WHERE (account_id, op_id) IN \
         (SELECT value ->> 0, value ->> 1 FROM json_each(?))"
    ))
    .bind(column::pairs(keys))
    .fetch_all(connection)
    .await?;
    rows.into_iter().map(OperationRow::into_keyed_record).collect()
}
