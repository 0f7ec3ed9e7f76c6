//! What a batch changes: one statement a table, as many rows as it takes.

use sqlx::{QueryBuilder, Sqlite, SqliteConnection};
use trueup_core::ledger::{Entry, EntryLine};
use trueup_core::operation::OperationRecord;
use trueup_core::{AccountId, MeterId, Timestamp, Units};
use trueup_protocol::column;
use trueup_protocol::snapshot::enforcement_word;

use crate::store::rows::signed;
use crate::store::{SavedMessage, StoreError, StoredAccount, Writes, title};

/// The most rows that one statement takes, and how many may differ by one: each number of rows is a text
/// of its own, which is planned once a connection, and each statement a trip to the connection's thread.
const MOST_ROWS: usize = 128;
const EVERY_NUMBER: usize = 32;

pub(super) async fn all(
    connection: &mut SqliteConnection,
    writes: &Writes,
    now: Timestamp,
) -> Result<(), StoreError> {
    accounts(connection, &writes.accounts, now).await?;
    balances(connection, &writes.accounts).await?;
    for (account, meter) in &writes.removed_meters {
        remove_meter(connection, account, meter).await?;
    }
    operations(connection, &writes.operations, now).await?;
    entries(connection, &writes.entries, now).await?;
    messages(connection, &writes.messages, now).await
}

/// All the rows, in their order, cut into pieces of those sizes.
fn chunks<T>(mut rows: &[T]) -> impl Iterator<Item = &[T]> {
    std::iter::from_fn(move || {
        let left = rows.len().min(MOST_ROWS);
        let size = if left > EVERY_NUMBER { left - left % EVERY_NUMBER } else { left };
        let (chunk, rest) = rows.split_at_checked(size).filter(|(chunk, _)| !chunk.is_empty())?;
        rows = rest;
        Some(chunk)
    })
}

async fn accounts(
    connection: &mut SqliteConnection,
    accounts: &[StoredAccount],
    now: Timestamp,
) -> Result<(), StoreError> {
    for chunk in chunks(accounts) {
        let mut query = QueryBuilder::<Sqlite>::new(
            "INSERT INTO account \
             (account_id, version, plan, time_zone, anchor_at, overrides, created_at) ",
        );
        query.push_values(chunk, |mut row, StoredAccount { account, terms }| {
            row.push_bind(account.id.as_str())
                .push_bind(signed(account.version.0))
                .push_bind(terms.plan.as_deref())
                .push_bind(terms.time_zone.as_deref())
                .push_bind(terms.anchor.map(Timestamp::millis))
                .push_bind(column::overrides(&terms.overrides))
                .push_bind(now.millis());
        });
        query.push(
            " ON CONFLICT (account_id) DO UPDATE SET version = excluded.version, \
             plan = excluded.plan, time_zone = excluded.time_zone, \
             anchor_at = excluded.anchor_at, overrides = excluded.overrides",
        );
        execute(query, connection).await?;
    }
    Ok(())
}

async fn balances(
    connection: &mut SqliteConnection,
    accounts: &[StoredAccount],
) -> Result<(), StoreError> {
    let rows: Vec<_> = accounts
        .iter()
        .flat_map(|StoredAccount { account, .. }| {
            account.meters.iter().map(|(meter, balance)| (&account.id, meter, balance))
        })
        .collect();
    for chunk in chunks(&rows) {
        let mut query = QueryBuilder::<Sqlite>::new(
            "INSERT INTO balance (account_id, meter, window_number, window_start, window_end, \
             plan_limit, enforcement, granted, used, held) ",
        );
        query.push_values(chunk, |mut row, (account, meter, balance)| {
            row.push_bind(account.as_str())
                .push_bind(meter.as_str())
                .push_bind(signed(balance.window_number))
                .push_bind(balance.terms.window.start.millis())
                .push_bind(balance.terms.window.end.millis())
                .push_bind(balance.terms.limit.map(Units::signed))
                .push_bind(enforcement_word(balance.terms.enforcement))
                .push_bind(balance.granted.signed())
                .push_bind(balance.used.signed())
                .push_bind(balance.held.signed());
        });
        query.push(
            " ON CONFLICT (account_id, meter) DO UPDATE SET \
             window_number = excluded.window_number, window_start = excluded.window_start, \
             window_end = excluded.window_end, plan_limit = excluded.plan_limit, \
             enforcement = excluded.enforcement, granted = excluded.granted, \
             used = excluded.used, held = excluded.held",
        );
        execute(query, connection).await?;
    }
    Ok(())
}

async fn remove_meter(
    connection: &mut SqliteConnection,
    account: &AccountId,
    meter: &MeterId,
) -> Result<(), StoreError> {
    sqlx::query("DELETE FROM balance WHERE account_id = ? AND meter = ?")
        .bind(account.as_str())
        .bind(meter.as_str())
        .execute(connection)
        .await?;
    Ok(())
}

async fn operations(
    connection: &mut SqliteConnection,
    operations: &[(AccountId, OperationRecord)],
    now: Timestamp,
) -> Result<(), StoreError> {
    for chunk in chunks(operations) {
        let mut query = QueryBuilder::<Sqlite>::new(
            "INSERT INTO operation (account_id, op_id, actor_id, model, state, cause, version, \
             requested, held_content, settled_content, holds, charged, expires_at, changed_at) ",
        );
        query.push_values(chunk, |mut row, (account, record)| {
            row.push_bind(account.as_str())
                .push_bind(record.id.to_string())
                .push_bind(record.actor.as_str())
                .push_bind(record.model.as_ref().map(trueup_core::ModelId::as_str))
                .push_bind(record.state.as_str())
                .push_bind(record.cause.as_str())
                .push_bind(signed(record.version.0))
                .push_bind(column::charge(&record.requested))
                .push_bind(record.held_content.map(|content| content.0.to_vec()))
                .push_bind(record.settled_content.map(|content| content.0.to_vec()))
                .push_bind(column::holds(&record.holds))
                .push_bind(column::charge(&record.charged))
                .push_bind(record.expires_at.millis())
                .push_bind(now.millis());
        });
        query.push(
            " ON CONFLICT (account_id, op_id) DO UPDATE SET state = excluded.state, \
             cause = excluded.cause, version = excluded.version, holds = excluded.holds, \
             charged = excluded.charged, settled_content = excluded.settled_content, \
             expires_at = excluded.expires_at, \
             changed_at = excluded.changed_at",
        );
        execute(query, connection).await?;
    }
    Ok(())
}

async fn entries(
    connection: &mut SqliteConnection,
    entries: &[(AccountId, Entry)],
    now: Timestamp,
) -> Result<(), StoreError> {
    // A change that moved no number still is a version: it has one line without a meter.
    let lines = |(account, entry)| -> Vec<(&AccountId, &Entry, i64, Option<&EntryLine>)> {
        let entry: &Entry = entry;
        let numbered = (0..).zip(&entry.lines).map(|(at, line)| (account, entry, at, Some(line)));
        if entry.lines.is_empty() { vec![(account, entry, 0, None)] } else { numbered.collect() }
    };
    let rows: Vec<_> =
        entries.iter().map(|(account, entry)| (account, entry)).flat_map(lines).collect();
    for chunk in chunks(&rows) {
        let mut query = QueryBuilder::<Sqlite>::new(
            "INSERT INTO entry (account_id, version, line, kind, cause, op_id, actor_id, made_at, \
             meter, window_number, used, held, granted, limit_moved, seen_moved, overage) ",
        );
        query.push_values(chunk, |mut row, (account, entry, at, line)| {
            row.push_bind(account.as_str())
                .push_bind(signed(entry.version.0))
                .push_bind(*at)
                .push_bind(entry.kind.as_str())
                .push_bind(entry.cause.as_str())
                .push_bind(entry.operation.map(|id| id.to_string()))
                .push_bind(entry.actor.as_ref().map(trueup_core::ActorId::as_str))
                .push_bind(now.millis())
                .push_bind(line.map(|line| line.meter.as_str()))
                .push_bind(line.map_or(0, |line| signed(line.window_number)))
                .push_bind(line.map_or(0, |line| line.used))
                .push_bind(line.map_or(0, |line| line.held))
                .push_bind(line.map_or(0, |line| line.granted))
                .push_bind(line.map_or(0, |line| line.limit))
                .push_bind(line.map_or(0, |line| line.seen))
                .push_bind(line.map_or(0, |line| line.overage.signed()));
        });
        execute(query, connection).await?;
    }
    Ok(())
}

async fn messages(
    connection: &mut SqliteConnection,
    messages: &[SavedMessage],
    now: Timestamp,
) -> Result<(), StoreError> {
    for (line, saved) in (0_i64..).zip(messages) {
        let SavedMessage { account, actor, operation, version, message } = saved;
        sqlx::query(
            "INSERT INTO conversation \
             (account_id, actor_id, conversation_id, title, created_at, updated_at) \
             VALUES (?1, ?2, ?3, ?4, ?5, ?5) ON CONFLICT (account_id, actor_id, conversation_id) \
             DO UPDATE SET updated_at = excluded.updated_at",
        )
        .bind(account.as_str())
        .bind(actor.as_str())
        .bind(&message.conversation)
        .bind(title(&message.content))
        .bind(now.millis())
        .execute(&mut *connection)
        .await?;
        sqlx::query(
            "INSERT INTO message (account_id, actor_id, conversation_id, version, line, op_id, \
             role, content, model, created_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        )
        .bind(account.as_str())
        .bind(actor.as_str())
        .bind(&message.conversation)
        .bind(signed(version.0))
        .bind(line)
        .bind(operation.to_string())
        .bind(&message.role)
        .bind(&message.content)
        .bind(message.model.as_deref())
        .bind(now.millis())
        .execute(&mut *connection)
        .await?;
    }
    Ok(())
}

async fn execute(
    mut query: QueryBuilder<Sqlite>,
    connection: &mut SqliteConnection,
) -> Result<(), StoreError> {
    query.build().execute(connection).await?;
    Ok(())
}
