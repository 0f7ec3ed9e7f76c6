//! The versioned outcome delta, read in one transaction.

use sqlx::{AssertSqlSafe, SqliteConnection};
use trueup_core::{
    Change, Epoch, MeterId, MeterReading, OperationOutcome, Snapshot, Version, ledger,
};
use trueup_protocol::column;

use super::load;
use super::rows::{EntryRow, OperationRow, signed};
use crate::store::{Glance, Sight, StoreError};

/// How many operations, and how many lines of the ledger, one snapshot tells of. A reader that
/// missed more is told to start over.
const MAX_OPERATIONS: i64 = 1_000;
const MAX_LINES: i64 = 10_000;

pub(super) async fn read(
    connection: &mut SqliteConnection,
    epoch: &Epoch,
    glance: Glance<'_>,
) -> Result<Option<Sight>, StoreError> {
    let Some(stored) = load::account(connection, glance.account).await? else { return Ok(None) };
    let version = stored.account.version;
    let since = glance.since.unwrap_or(version);
    let told = match since {
        since if since == version => Some((Vec::new(), Vec::new())),
        since if since > version => None,
        since => range(connection, glance, since, version).await?,
    };
    let reset = told.is_none();
    let (mut operations, changes) = told.unwrap_or_default();
    add_asked(connection, glance, &mut operations).await?;
    let reading = |(meter, balance)| {
        let (meter, reading): (&MeterId, MeterReading) = (meter, MeterReading::from(balance));
        (meter.clone(), reading)
    };
    let snapshot = Snapshot {
        account: glance.account.clone(),
        epoch: epoch.clone(),
        since: if reset { version } else { since },
        version,
        as_of: glance.now,
        reset,
        meters: stored.account.meters.iter().map(reading).collect(),
        operations,
        changes,
    };
    Ok(Some(Sight { stored, snapshot }))
}

type Told = (Vec<OperationOutcome>, Vec<Change>);

/// Everything in (since, version]; `None` when that is too much to tell.
async fn range(
    connection: &mut SqliteConnection,
    glance: Glance<'_>,
    since: Version,
    version: Version,
) -> Result<Option<Told>, StoreError> {
    let sql = format!(
        "SELECT {} FROM operation WHERE account_id = ? AND actor_id = ? AND version > ? \
         AND version <= ? AND cause <> 'grant' ORDER BY version LIMIT ?",
        OperationRow::COLUMNS
    );
    let operations: Vec<OperationRow> = sqlx::query_as(AssertSqlSafe(sql))
        .bind(glance.account.as_str())
        .bind(glance.actor.as_str())
        .bind(signed(since.0))
        .bind(signed(version.0))
        .bind(MAX_OPERATIONS + 1)
        .fetch_all(&mut *connection)
        .await?;
    let sql = format!(
        "SELECT {} FROM entry WHERE account_id = ? AND version > ? AND version <= ? \
         AND (actor_id IS NULL OR actor_id <> ? OR kind = 'grant') \
         AND (seen_moved <> 0 OR limit_moved <> 0) ORDER BY version, line LIMIT ?",
        EntryRow::COLUMNS
    );
    let lines: Vec<EntryRow> = sqlx::query_as(AssertSqlSafe(sql))
        .bind(glance.account.as_str())
        .bind(signed(since.0))
        .bind(signed(version.0))
        .bind(glance.actor.as_str())
        .bind(MAX_LINES + 1)
        .fetch_all(connection)
        .await?;
    if signed_len(&operations) > MAX_OPERATIONS || signed_len(&lines) > MAX_LINES {
        return Ok(None);
    }
    let outcomes = operations
        .into_iter()
        .map(|row| Ok(row.into_record()?.outcome()))
        .collect::<Result<_, StoreError>>()?;
    let movements = lines.iter().filter_map(|line| line.movement().transpose());
    let movements = movements.collect::<Result<Vec<_>, StoreError>>()?;
    Ok(Some((outcomes, ledger::changes(movements))))
}

/// What asked-for operations came to, unless the range told it already.
async fn add_asked(
    connection: &mut SqliteConnection,
    glance: Glance<'_>,
    operations: &mut Vec<OperationOutcome>,
) -> Result<(), StoreError> {
    let missing: Vec<String> = glance
        .ask
        .iter()
        .filter(|id| !operations.iter().any(|outcome| outcome.id == **id))
        .map(ToString::to_string)
        .collect();
    if missing.is_empty() {
        return Ok(());
    }
    let sql = format!(
        "SELECT {} FROM operation WHERE account_id = ? AND actor_id = ? AND cause <> 'grant' \
         AND op_id IN (SELECT value FROM json_each(?)) ORDER BY version",
        OperationRow::COLUMNS
    );
    let rows: Vec<OperationRow> = sqlx::query_as(AssertSqlSafe(sql))
        .bind(glance.account.as_str())
        .bind(glance.actor.as_str())
        .bind(column::list(&missing))
        .fetch_all(connection)
        .await?;
    for row in rows {
        operations.push(row.into_record()?.outcome());
    }
    Ok(())
}

fn signed_len<T>(rows: &[T]) -> i64 {
    i64::try_from(rows.len()).unwrap_or(i64::MAX)
}
