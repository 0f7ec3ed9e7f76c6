//! What a batch changes: one statement a table, its rows in arrays, so that the text of a statement
//! never changes and is planned once a connection.

use std::collections::BTreeMap;

use sqlx::PgConnection;
use trueup_core::ledger::{Entry, EntryLine};
use trueup_core::operation::OperationRecord;
use trueup_core::{AccountId, ActorId, MeterBalance, MeterId, ModelId, Timestamp, Units};
use trueup_protocol::column;
use trueup_protocol::snapshot::enforcement_word;

use crate::store::rows::signed;
use crate::store::{SavedMessage, StoreError, StoredAccount, Writes, title};

pub(super) async fn all(
    connection: &mut PgConnection,
    writes: &Writes,
    now: Timestamp,
) -> Result<(), StoreError> {
    accounts(connection, &writes.accounts).await?;
    balances(connection, &writes.accounts).await?;
    removed_meters(connection, &writes.removed_meters).await?;
    operations(connection, &writes.operations, now).await?;
    entries(connection, &writes.entries, now).await?;
    conversations(connection, &writes.messages, now).await?;
    messages(connection, &writes.messages, now).await
}

/// One field of every row.
fn each<'a, T, C>(rows: &'a [T], field: impl Fn(&'a T) -> C) -> Vec<C> {
    rows.iter().map(field).collect()
}

/// The rows are there, and locked: see [`super::load::lock_accounts`].
async fn accounts(
    connection: &mut PgConnection,
    accounts: &[StoredAccount],
) -> Result<(), StoreError> {
    if accounts.is_empty() {
        return Ok(());
    }
    sqlx::query(
        "UPDATE account SET version = new.version, plan = new.plan, time_zone = new.time_zone, \
         anchor_at = new.anchor_at, overrides = new.overrides \
         FROM UNNEST($1::text[], $2::bigint[], $3::text[], $4::text[], $5::bigint[], $6::text[]) \
         AS new (account_id, version, plan, time_zone, anchor_at, overrides) \
         WHERE account.account_id = new.account_id",
    )
    .bind(each(accounts, |it| it.account.id.as_str()))
    .bind(each(accounts, |it| signed(it.account.version.0)))
    .bind(each(accounts, |it| it.terms.plan.as_deref()))
    .bind(each(accounts, |it| it.terms.time_zone.as_deref()))
    .bind(each(accounts, |it| it.terms.anchor.map(Timestamp::millis)))
    .bind(each(accounts, |it| column::overrides(&it.terms.overrides)))
    .execute(connection)
    .await?;
    Ok(())
}

async fn balances(
    connection: &mut PgConnection,
    accounts: &[StoredAccount],
) -> Result<(), StoreError> {
    type Row<'a> = (&'a AccountId, &'a MeterId, &'a MeterBalance);
    let rows: Vec<Row<'_>> = accounts
        .iter()
        .flat_map(|StoredAccount { account, .. }| {
            account.meters.iter().map(|(meter, balance)| (&account.id, meter, balance))
        })
        .collect();
    if rows.is_empty() {
        return Ok(());
    }
    sqlx::query(
        "INSERT INTO balance (account_id, meter, window_number, window_start, window_end, \
         plan_limit, enforcement, granted, used, held) \
         SELECT * FROM UNNEST($1::text[], $2::text[], $3::bigint[], $4::bigint[], $5::bigint[], \
         $6::bigint[], $7::text[], $8::bigint[], $9::bigint[], $10::bigint[]) \
         ON CONFLICT (account_id, meter) DO UPDATE SET \
         window_number = excluded.window_number, window_start = excluded.window_start, \
         window_end = excluded.window_end, plan_limit = excluded.plan_limit, \
         enforcement = excluded.enforcement, granted = excluded.granted, \
         used = excluded.used, held = excluded.held",
    )
    .bind(each(&rows, |(account, ..)| account.as_str()))
    .bind(each(&rows, |(_, meter, _)| meter.as_str()))
    .bind(each(&rows, |(.., it)| signed(it.window_number)))
    .bind(each(&rows, |(.., it)| it.terms.window.start.millis()))
    .bind(each(&rows, |(.., it)| it.terms.window.end.millis()))
    .bind(each(&rows, |(.., it)| it.terms.limit.map(Units::signed)))
    .bind(each(&rows, |(.., it)| enforcement_word(it.terms.enforcement)))
    .bind(each(&rows, |(.., it)| it.granted.signed()))
    .bind(each(&rows, |(.., it)| it.used.signed()))
    .bind(each(&rows, |(.., it)| it.held.signed()))
    .execute(connection)
    .await?;
    Ok(())
}

async fn removed_meters(
    connection: &mut PgConnection,
    removed: &[(AccountId, MeterId)],
) -> Result<(), StoreError> {
    if removed.is_empty() {
        return Ok(());
    }
    sqlx::query(
        "DELETE FROM balance WHERE (account_id, meter) IN \
         (SELECT * FROM UNNEST($1::text[], $2::text[]))",
    )
    .bind(each(removed, |(account, _)| account.as_str()))
    .bind(each(removed, |(_, meter)| meter.as_str()))
    .execute(connection)
    .await?;
    Ok(())
}

async fn operations(
    connection: &mut PgConnection,
    rows: &[(AccountId, OperationRecord)],
    now: Timestamp,
) -> Result<(), StoreError> {
    if rows.is_empty() {
        return Ok(());
    }
    sqlx::query(
        "INSERT INTO operation (account_id, op_id, actor_id, model, state, cause, version, \
         requested, held_content, settled_content, holds, charged, expires_at, changed_at) \
         SELECT *, $14::bigint FROM UNNEST($1::text[], $2::text[]::uuid[], $3::text[], $4::text[], \
         $5::text[], $6::text[], $7::bigint[], $8::text[], $9::bytea[], $10::bytea[], \
         $11::text[], $12::text[], $13::bigint[]) \
         ON CONFLICT (account_id, op_id) DO UPDATE SET state = excluded.state, \
         cause = excluded.cause, version = excluded.version, holds = excluded.holds, \
         charged = excluded.charged, settled_content = excluded.settled_content, \
         expires_at = excluded.expires_at, changed_at = excluded.changed_at",
    )
    .bind(each(rows, |(account, _)| account.as_str()))
    .bind(each(rows, |(_, it)| it.id.to_string()))
    .bind(each(rows, |(_, it)| it.actor.as_str()))
    .bind(each(rows, |(_, it)| it.model.as_ref().map(ModelId::as_str)))
    .bind(each(rows, |(_, it)| it.state.as_str()))
    .bind(each(rows, |(_, it)| it.cause.as_str()))
    .bind(each(rows, |(_, it)| signed(it.version.0)))
    .bind(each(rows, |(_, it)| column::charge(&it.requested)))
    .bind(each(rows, |(_, it)| it.held_content.map(|content| content.0.to_vec())))
    .bind(each(rows, |(_, it)| it.settled_content.map(|content| content.0.to_vec())))
    .bind(each(rows, |(_, it)| column::holds(&it.holds)))
    .bind(each(rows, |(_, it)| column::charge(&it.charged)))
    .bind(each(rows, |(_, it)| it.expires_at.millis()))
    .bind(now.millis())
    .execute(connection)
    .await?;
    Ok(())
}

async fn entries(
    connection: &mut PgConnection,
    entries: &[(AccountId, Entry)],
    now: Timestamp,
) -> Result<(), StoreError> {
    type Row<'a> = (&'a AccountId, &'a Entry, i64, Option<&'a EntryLine>);
    let mut rows: Vec<Row<'_>> = Vec::new();
    for (account, entry) in entries {
        // A change that moved no number still is a version: it has one line without a meter.
        if entry.lines.is_empty() {
            rows.push((account, entry, 0, None));
        }
        rows.extend((0..).zip(&entry.lines).map(|(at, line)| (account, entry, at, Some(line))));
    }
    if rows.is_empty() {
        return Ok(());
    }
    let number = |line: &Option<&EntryLine>, read: fn(&EntryLine) -> i64| line.map_or(0, read);
    sqlx::query(
        "INSERT INTO entry (account_id, version, line, kind, cause, op_id, actor_id, meter, \
         window_number, used, held, granted, limit_moved, seen_moved, overage, made_at) \
         SELECT *, $16::bigint FROM UNNEST($1::text[], $2::bigint[], $3::bigint[], $4::text[], \
         $5::text[], $6::text[]::uuid[], $7::text[], $8::text[], $9::bigint[], $10::bigint[], \
         $11::bigint[], $12::bigint[], $13::bigint[], $14::bigint[], $15::bigint[])",
    )
    .bind(each(&rows, |(account, ..)| account.as_str()))
    .bind(each(&rows, |(_, entry, ..)| signed(entry.version.0)))
    .bind(each(&rows, |(_, _, at, _)| *at))
    .bind(each(&rows, |(_, entry, ..)| entry.kind.as_str()))
    .bind(each(&rows, |(_, entry, ..)| entry.cause.as_str()))
    .bind(each(&rows, |(_, entry, ..)| entry.operation.map(|id| id.to_string())))
    .bind(each(&rows, |(_, entry, ..)| entry.actor.as_ref().map(ActorId::as_str)))
    .bind(each(&rows, |(.., line)| line.map(|line| line.meter.as_str())))
    .bind(each(&rows, |(.., line)| number(line, |it| signed(it.window_number))))
    .bind(each(&rows, |(.., line)| number(line, |it| it.used)))
    .bind(each(&rows, |(.., line)| number(line, |it| it.held)))
    .bind(each(&rows, |(.., line)| number(line, |it| it.granted)))
    .bind(each(&rows, |(.., line)| number(line, |it| it.limit)))
    .bind(each(&rows, |(.., line)| number(line, |it| it.seen)))
    .bind(each(&rows, |(.., line)| number(line, |it| it.overage.signed())))
    .bind(now.millis())
    .execute(connection)
    .await?;
    Ok(())
}

async fn conversations(
    connection: &mut PgConnection,
    messages: &[SavedMessage],
    now: Timestamp,
) -> Result<(), StoreError> {
    // One statement must not meet a row twice; the first message gives the title.
    let mut rows = BTreeMap::new();
    for it in messages {
        let key = (it.account.as_str(), it.actor.as_str(), it.message.conversation.as_str());
        rows.entry(key).or_insert_with(|| title(&it.message.content));
    }
    if rows.is_empty() {
        return Ok(());
    }
    let rows: Vec<_> = rows.into_iter().collect();
    sqlx::query(
        "INSERT INTO conversation \
         (account_id, actor_id, conversation_id, title, created_at, updated_at) \
         SELECT *, $5::bigint, $5::bigint \
         FROM UNNEST($1::text[], $2::text[], $3::text[], $4::text[]) \
         ON CONFLICT (account_id, actor_id, conversation_id) \
         DO UPDATE SET updated_at = excluded.updated_at",
    )
    .bind(each(&rows, |((account, ..), _)| *account))
    .bind(each(&rows, |((_, actor, _), _)| *actor))
    .bind(each(&rows, |((.., conversation), _)| *conversation))
    .bind(each(&rows, |(_, title)| title.as_str()))
    .bind(now.millis())
    .execute(connection)
    .await?;
    Ok(())
}

async fn messages(
    connection: &mut PgConnection,
    rows: &[SavedMessage],
    now: Timestamp,
) -> Result<(), StoreError> {
    if rows.is_empty() {
        return Ok(());
    }
    let numbered: Vec<_> = (0_i64..).zip(rows).map(|(line, _)| line).collect();
    sqlx::query(
        "INSERT INTO message (account_id, actor_id, conversation_id, version, line, op_id, \
         role, content, model, created_at) \
         SELECT *, $10::bigint FROM UNNEST($1::text[], $2::text[], $3::text[], $4::bigint[], \
         $5::bigint[], $6::text[]::uuid[], $7::text[], $8::text[], $9::text[])",
    )
    .bind(each(rows, |it| it.account.as_str()))
    .bind(each(rows, |it| it.actor.as_str()))
    .bind(each(rows, |it| it.message.conversation.as_str()))
    .bind(each(rows, |it| signed(it.version.0)))
    .bind(numbered)
    .bind(each(rows, |it| it.operation.to_string()))
    .bind(each(rows, |it| it.message.role.as_str()))
    .bind(each(rows, |it| it.message.content.as_str()))
    .bind(each(rows, |it| it.message.model.as_deref()))
    .bind(now.millis())
    .execute(connection)
    .await?;
    Ok(())
}
