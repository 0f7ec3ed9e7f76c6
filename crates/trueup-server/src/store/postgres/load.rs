//! Accounts and operations, as a batch needs them.

use std::collections::HashMap;

use sqlx::PgConnection;
use trueup_core::operation::OperationRecord;
use trueup_core::{AccountId, OperationId, Timestamp};
use trueup_protocol::column;

use crate::store::rows::{self, AccountRow, OperationRow, operation_columns};
use crate::store::{AccountTerms, StoreError, StoredAccount};

/// The accounts of a batch, locked until it ends, in the order of their ids: batches that meet wait
/// for each other and never in a circle. New ones are opened first, since what is not there cannot
/// be locked.
pub(super) async fn lock_accounts(
    connection: &mut PgConnection,
    ids: &[&AccountId],
    now: Timestamp,
) -> Result<HashMap<AccountId, StoredAccount>, StoreError> {
    let keys: Vec<&str> = ids.iter().map(|id| id.as_str()).collect();
    let mut rows = lock(connection, &keys).await?;
    if rows.len() < keys.len() {
        sqlx::query(
            "INSERT INTO account (account_id, version, overrides, created_at) \
             SELECT id, 0, $2, $3 FROM UNNEST($1::text[]) AS new (id) ORDER BY id \
             ON CONFLICT (account_id) DO NOTHING",
        )
        .bind(&keys)
        .bind(column::overrides(&AccountTerms::default().overrides))
        .bind(now.millis())
        .execute(&mut *connection)
        .await?;
        rows = lock(connection, &keys).await?;
    }
    with_balances(connection, rows).await
}

/// The accounts of a batch that nobody else has locked, locked until it ends. It waits for nobody, and
/// so is no part of any circle.
pub(super) async fn lock_free_accounts(
    connection: &mut PgConnection,
    ids: &[&AccountId],
) -> Result<HashMap<AccountId, StoredAccount>, StoreError> {
    let keys: Vec<&str> = ids.iter().map(|id| id.as_str()).collect();
    let rows = sqlx::query_as(
        "SELECT account_id, version, plan, time_zone, anchor_at, overrides FROM account \
         WHERE account_id = ANY($1) ORDER BY account_id FOR UPDATE SKIP LOCKED",
    )
    .bind(&keys)
    .fetch_all(&mut *connection)
    .await?;
    with_balances(connection, rows).await
}

async fn lock(connection: &mut PgConnection, keys: &[&str]) -> Result<Vec<AccountRow>, StoreError> {
    let rows = sqlx::query_as(
        "SELECT account_id, version, plan, time_zone, anchor_at, overrides FROM account \
         WHERE account_id = ANY($1) ORDER BY account_id FOR UPDATE",
    )
    .bind(keys)
    .fetch_all(connection)
    .await?;
    Ok(rows)
}

pub(super) async fn account(
    connection: &mut PgConnection,
    account: &AccountId,
) -> Result<Option<StoredAccount>, StoreError> {
    let rows = sqlx::query_as(
        "SELECT account_id, version, plan, time_zone, anchor_at, overrides FROM account \
         WHERE account_id = $1",
    )
    .bind(account.as_str())
    .fetch_all(&mut *connection)
    .await?;
    Ok(with_balances(connection, rows).await?.remove(account))
}

async fn with_balances(
    connection: &mut PgConnection,
    found: Vec<AccountRow>,
) -> Result<HashMap<AccountId, StoredAccount>, StoreError> {
    let keys: Vec<&str> = found.iter().map(|row| row.account_id.as_str()).collect();
    let balances = sqlx::query_as(
        "SELECT account_id, meter, window_number, window_start, window_end, plan_limit, \
         enforcement, granted, used, held FROM balance WHERE account_id = ANY($1)",
    )
    .bind(keys)
    .fetch_all(connection)
    .await?;
    rows::accounts(found, balances)
}

pub(super) async fn operations(
    connection: &mut PgConnection,
    keys: &[(&AccountId, OperationId)],
) -> Result<HashMap<(AccountId, OperationId), OperationRecord>, StoreError> {
    if keys.is_empty() {
        return Ok(HashMap::new());
    }
    let accounts: Vec<&str> = keys.iter().map(|(account, _)| account.as_str()).collect();
    let ids: Vec<String> = keys.iter().map(|(_, id)| id.to_string()).collect();
    let rows: Vec<OperationRow> = sqlx::query_as(concat!(
        "SELECT ",
        operation_columns!("op_id::text AS op_id"),
        " FROM operation WHERE (account_id, op_id) IN \
         (SELECT * FROM UNNEST($1::text[], $2::text[]::uuid[]))"
    ))
    .bind(accounts)
    .bind(ids)
    .fetch_all(connection)
    .await?;
    rows.into_iter().map(OperationRow::into_keyed_record).collect()
}
