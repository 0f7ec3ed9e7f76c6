//! Planted breaches: each rule catches what it is there for, and lets the right thing pass.

use super::Dialect::{self, Postgres, Sqlite};
use super::Rule::{
    self, AdvisoryLock, Bound, Key, Kind, Ledger, LockOrder, Notify, Sequence, Trigger, Unreadable,
    Version,
};
use super::{migration, statement};

/// A statement and the rules that it breaks.
const STATEMENTS: &[(Dialect, &str, &[Rule])] = &[
    (Postgres, "SELECT version FROM account WHERE account_id = $1", &[]),
    (Postgres, "SELECT version FROM account WHERE account_id = ANY($1)", &[]),
    (
        Sqlite,
        "SELECT version FROM account WHERE account_id IN (SELECT value FROM json_each(?))",
        &[],
    ),
    (
        Sqlite,
        "SELECT version FROM account WHERE (account_id = ?1 AND version > ?2) OR account_id = ?3",
        &[],
    ),
    (Postgres, "SELECT version FROM account", &[Key]),
    (Postgres, "SELECT version FROM account WHERE version > $1", &[Key]),
    (Postgres, "SELECT version FROM account WHERE account_id <> $1", &[Key]),
    (Postgres, "SELECT version FROM account WHERE account_id > $1", &[Key]),
    (Postgres, "SELECT version FROM account WHERE account_id NOT IN ('a')", &[Key]),
    (Postgres, "SELECT version FROM account WHERE account_id = account_id", &[Key]),
    (Postgres, "SELECT version FROM account WHERE account_id = $1 OR version > $2", &[Key]),
    (
        Postgres,
        "SELECT held FROM operation WHERE (op_id, account_id) IN (SELECT * FROM UNNEST($1::uuid[], $2::text[]))",
        &[Key],
    ),
    (
        Postgres,
        "SELECT a.version FROM account a JOIN balance b ON b.account_id = a.account_id WHERE a.account_id = $1",
        &[],
    ),
    (
        Postgres,
        "SELECT a.version FROM account a JOIN balance b ON b.account_id = a.account_id",
        &[Key],
    ),
    (
        Postgres,
        "SELECT a.version FROM account a JOIN balance b ON b.used = a.version WHERE a.account_id = $1",
        &[Key],
    ),
    (Postgres, "SELECT 1 FROM meta WHERE name = 'x' AND EXISTS (SELECT 1 FROM account)", &[Key]),
    (
        Postgres,
        "WITH it AS (SELECT version FROM account WHERE account_id = $1) SELECT version FROM it",
        &[],
    ),
    (Postgres, "WITH it AS (SELECT version FROM account) SELECT version FROM it", &[Key]),
    (
        Postgres,
        "WITH it AS (DELETE FROM balance WHERE used = 0 RETURNING meter) SELECT meter FROM it",
        &[Key],
    ),
    (
        Postgres,
        "SELECT version FROM account WHERE account_id = $1 UNION SELECT version FROM account",
        &[Key],
    ),
    (Postgres, "SELECT version FROM unknown_table", &[Key]),
    (Sqlite, "DELETE FROM balance WHERE meter = ?", &[Key]),
    (Sqlite, "DELETE FROM balance WHERE account_id = ? AND meter = ?", &[]),
    (Sqlite, "INSERT INTO balance (meter, account_id) VALUES (?, ?)", &[Key]),
    (Sqlite, "INSERT INTO balance VALUES (?, ?)", &[Key]),
    (
        Sqlite,
        "INSERT INTO balance (account_id, meter) VALUES (?, ?) ON CONFLICT (meter) DO NOTHING",
        &[Key],
    ),
    (
        Sqlite,
        "INSERT INTO balance (account_id, meter) VALUES (?, ?) ON CONFLICT DO NOTHING",
        &[Key],
    ),
    (Sqlite, "INSERT INTO meta (name, value) VALUES (?, ?) ON CONFLICT DO NOTHING", &[]),
    (Sqlite, "INSERT OR REPLACE INTO balance (account_id, meter) VALUES (?, ?)", &[Kind]),
    (Postgres, "UPDATE account SET account_id = $2 WHERE account_id = $1", &[Key]),
    (
        Postgres,
        "UPDATE account SET version = new.version FROM UNNEST($1::text[], $2::bigint[]) AS new (account_id, version) WHERE account.account_id = new.account_id",
        &[],
    ),
    (
        Postgres,
        "UPDATE account SET version = new.version FROM UNNEST($1::bigint[]) AS new (version)",
        &[Key],
    ),
    (Postgres, "UPDATE account SET version = version + 1 WHERE account_id = $1", &[]),
    (Postgres, "UPDATE account SET version = $2 WHERE account_id = $1", &[Version]),
    (
        Postgres,
        "UPDATE account SET version = (SELECT COUNT(*) FROM entry WHERE account_id = $1) WHERE account_id = $1",
        &[Version, Bound],
    ),
    (
        Postgres,
        "UPDATE account SET version = nextval('versions') WHERE account_id = $1",
        &[Version, Bound, Sequence],
    ),
    (
        Sqlite,
        "INSERT INTO account (account_id, version) VALUES (?, ?) ON CONFLICT (account_id) DO UPDATE SET version = ?",
        &[Version],
    ),
    (Postgres, "UPDATE account SET plan = $2, created_at = now() WHERE account_id = $1", &[Bound]),
    (Postgres, "UPDATE account SET created_at = CURRENT_TIMESTAMP WHERE account_id = $1", &[Bound]),
    (Postgres, "UPDATE account SET plan = lower($2) WHERE account_id = $1", &[Bound]),
    (Postgres, "UPDATE account SET plan = coalesce($2, plan) WHERE account_id = $1", &[]),
    (
        Sqlite,
        "INSERT INTO meta (name, value) VALUES ('a', ?) ON CONFLICT (name) DO UPDATE SET value = datetime('now')",
        &[Bound],
    ),
    (
        Postgres,
        "SELECT op_id FROM operation WHERE account_id = $1 AND expires_at < now()",
        &[Bound],
    ),
    (
        Postgres,
        "INSERT INTO account (account_id, created_at) SELECT id, clock_timestamp() FROM UNNEST($1::text[]) AS new (id)",
        &[Bound],
    ),
    (Sqlite, "SELECT last_insert_rowid()", &[Sequence]),
    (Postgres, "SELECT pg_advisory_xact_lock($1)", &[AdvisoryLock]),
    (
        Postgres,
        "SELECT version FROM account WHERE account_id = $1 AND pg_try_advisory_lock(1)",
        &[AdvisoryLock],
    ),
    (Postgres, "SELECT version FROM account WHERE account_id = ANY($1) FOR UPDATE", &[LockOrder]),
    (
        Postgres,
        "SELECT version FROM account WHERE account_id = ANY($1) ORDER BY version, account_id FOR UPDATE",
        &[LockOrder],
    ),
    (
        Postgres,
        "SELECT version FROM account WHERE account_id = ANY($1) ORDER BY account_id FOR UPDATE",
        &[],
    ),
    (
        Postgres,
        "SELECT op_id FROM operation WHERE state = 'held' ORDER BY account_id LIMIT 9 FOR UPDATE SKIP LOCKED",
        &[Key, LockOrder],
    ),
    (
        Postgres,
        "SELECT op_id FROM operation WHERE account_id = $1 ORDER BY account_id FOR UPDATE SKIP LOCKED",
        &[],
    ),
    (Postgres, "NOTIFY changes, 'acct_7'", &[Notify]),
    (Postgres, "SELECT pg_notify('changes', $1)", &[Notify]),
    (Postgres, "LISTEN changes", &[Notify]),
    (Sqlite, "DELETE FROM entry WHERE account_id = ? AND version = ?", &[Ledger]),
    (Sqlite, "UPDATE entry SET used = 0 WHERE account_id = ?", &[Ledger]),
    (
        Sqlite,
        "INSERT INTO entry (account_id, version, line) VALUES (?, ?, ?) ON CONFLICT (account_id, version, line) DO UPDATE SET used = 0",
        &[Ledger],
    ),
    (Postgres, "TRUNCATE message", &[Ledger, Kind]),
    (Postgres, "CREATE TABLE more (account_id TEXT PRIMARY KEY)", &[Kind]),
    (Postgres, "LOCK TABLE account", &[Kind]),
    (Postgres, "SELECT 1; SELECT 2", &[Kind]),
    (Postgres, "SELEC 1", &[Unreadable]),
    (Postgres, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY", &[]),
    (Sqlite, "BEGIN IMMEDIATE", &[]),
];

/// A migration and the rules that it breaks.
const MIGRATIONS: &[(Dialect, &str, &[Rule])] = &[
    (
        Postgres,
        "CREATE TABLE t (account_id TEXT NOT NULL, n BIGINT, CONSTRAINT t_key PRIMARY KEY (account_id, n))",
        &[],
    ),
    (
        Sqlite,
        "CREATE TABLE t (account_id TEXT NOT NULL, CONSTRAINT t_key PRIMARY KEY (account_id)) STRICT, WITHOUT ROWID",
        &[],
    ),
    (Postgres, "CREATE TABLE t (account_id TEXT, n BIGINT, PRIMARY KEY (n, account_id))", &[Key]),
    (Postgres, "CREATE TABLE t (account_id TEXT, n BIGINT PRIMARY KEY)", &[Key]),
    (Postgres, "CREATE TABLE t (account_id TEXT)", &[Key]),
    (Postgres, "CREATE TABLE t (n BIGINT, PRIMARY KEY (n))", &[Key]),
    (Postgres, "CREATE TABLE t (account_id TEXT PRIMARY KEY, n BIGINT UNIQUE)", &[Key]),
    (Postgres, "CREATE TABLE t (account_id TEXT PRIMARY KEY, n BIGINT, UNIQUE (n))", &[Key]),
    (
        Postgres,
        "CREATE TABLE t (account_id TEXT PRIMARY KEY, n BIGINT, UNIQUE (account_id, n))",
        &[],
    ),
    (
        Postgres,
        "CREATE TABLE t (account_id TEXT PRIMARY KEY, n UUID REFERENCES operation (op_id))",
        &[Key],
    ),
    (
        Postgres,
        "CREATE TABLE t (account_id TEXT PRIMARY KEY, n UUID, FOREIGN KEY (n) REFERENCES operation (op_id))",
        &[Key],
    ),
    (
        Postgres,
        "CREATE TABLE t (account_id TEXT PRIMARY KEY, FOREIGN KEY (account_id) REFERENCES account (account_id))",
        &[],
    ),
    (Postgres, "CREATE TABLE t (account_id TEXT PRIMARY KEY, n BIGSERIAL)", &[Sequence]),
    (
        Postgres,
        "CREATE TABLE t (account_id TEXT PRIMARY KEY, n BIGINT GENERATED ALWAYS AS IDENTITY)",
        &[Sequence],
    ),
    (
        Postgres,
        "CREATE TABLE t (account_id TEXT PRIMARY KEY, n BIGINT DEFAULT nextval('s'))",
        &[Sequence],
    ),
    (
        Postgres,
        "CREATE TABLE t (account_id TEXT PRIMARY KEY, at TIMESTAMPTZ DEFAULT now())",
        &[Bound],
    ),
    (
        Sqlite,
        "CREATE TABLE t (account_id TEXT, n INTEGER PRIMARY KEY AUTOINCREMENT)",
        &[Key, Sequence],
    ),
    (
        Sqlite,
        "CREATE TABLE t (account_id TEXT PRIMARY KEY, at TEXT DEFAULT CURRENT_TIMESTAMP)",
        &[Bound],
    ),
    (Postgres, "CREATE SEQUENCE s", &[Sequence]),
    (
        Postgres,
        "CREATE TRIGGER t AFTER INSERT ON entry FOR EACH ROW EXECUTE FUNCTION f()",
        &[Trigger],
    ),
    (
        Postgres,
        "CREATE FUNCTION f() RETURNS TRIGGER LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$",
        &[Trigger],
    ),
    (
        Sqlite,
        "CREATE TRIGGER t AFTER INSERT ON entry BEGIN DELETE FROM entry WHERE account_id = 'a'; END",
        &[Trigger, Ledger],
    ),
    (Postgres, "CREATE UNIQUE INDEX i ON operation (op_id)", &[Key]),
    (Postgres, "CREATE INDEX i ON operation (op_id)", &[Key]),
    (Postgres, "CREATE INDEX i ON operation (lower(account_id))", &[Key]),
    (Postgres, "CREATE INDEX i ON operation (account_id, op_id)", &[]),
    (Postgres, "ALTER TABLE operation ADD COLUMN n BIGSERIAL", &[Sequence]),
    (Postgres, "ALTER TABLE operation ADD COLUMN n BIGINT", &[]),
    (Postgres, "ALTER TABLE operation ADD CONSTRAINT o UNIQUE (op_id)", &[Key]),
    (Postgres, "ALTER TABLE operation ADD COLUMN at TIMESTAMPTZ DEFAULT now()", &[Bound]),
    (Postgres, "ALTER TABLE operation ALTER COLUMN version SET DEFAULT nextval('s')", &[Sequence]),
    (
        Postgres,
        "ALTER TABLE operation ALTER COLUMN version ADD GENERATED ALWAYS AS IDENTITY",
        &[Sequence],
    ),
    (Postgres, "UPDATE operation SET cause = 'finished'", &[Key]),
    (Postgres, "UPDATE entry SET cause = 'finished' WHERE account_id = 'a'", &[Ledger]),
    (Postgres, "CREATE VIEW v AS SELECT 1", &[Kind]),
    (Postgres, "SELECT pg_advisory_lock(1)", &[Kind, AdvisoryLock]),
    (Postgres, "CREATE TABEL t (n BIGINT)", &[Unreadable]),
];

fn rules(found: impl IntoIterator<Item = super::Breach>) -> Vec<Rule> {
    let mut rules: Vec<_> = found.into_iter().map(|breach| breach.rule).collect();
    rules.sort();
    rules.dedup();
    rules
}

fn sorted(expected: &[Rule]) -> Vec<Rule> {
    let mut expected = expected.to_vec();
    expected.sort();
    expected
}

#[test]
fn a_planted_breach_of_a_statement_is_found() {
    for (dialect, sql, expected) in STATEMENTS {
        assert_eq!(rules(statement::check(*dialect, sql)), sorted(expected), "{sql}");
    }
}

#[test]
fn a_planted_breach_of_a_migration_is_found() {
    for (dialect, sql, expected) in MIGRATIONS {
        let found = migration::check(*dialect, sql).into_iter().map(|(_, breach)| breach);
        assert_eq!(rules(found), sorted(expected), "{sql}");
    }
}

#[test]
fn every_rule_is_planted() {
    let planted = STATEMENTS.iter().chain(MIGRATIONS).flat_map(|(_, _, rules)| *rules);
    let planted: std::collections::BTreeSet<_> = planted.copied().collect();
    for rule in [
        Key,
        Version,
        Bound,
        Sequence,
        Trigger,
        AdvisoryLock,
        LockOrder,
        Notify,
        Ledger,
        Kind,
        Unreadable,
    ] {
        assert!(planted.contains(&rule), "{rule:?}");
    }
}
