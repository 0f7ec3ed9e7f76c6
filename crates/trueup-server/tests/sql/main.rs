//! The rules that SQL keeps here, so that the same schema can be spread over many machines: every
//! migration and every statement of the server is read, and held against them.
//!
//! Reading order: [`exceptions`] lists what may break which rule and why, [`source`] finds the
//! statements, [`statement`] and [`migration`] hold the rules.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test that cannot go on should say where"
)]

mod breaches;
mod exceptions;
mod key;
mod known;
mod migration;
mod source;
mod statement;
mod text;
mod unreadable;

use std::collections::BTreeSet;
use std::fmt;
use std::path::{Path, PathBuf};

use exceptions::EXCEPTIONS;

/// What a rule is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Rule {
    /// `account_id` leads every key and stands in every WHERE.
    Key,
    /// Versions are counted in the row that has them.
    Version,
    /// Times and chance are bound by the caller, and nothing is worked out in a SET.
    Bound,
    /// No sequences and no identity columns.
    Sequence,
    /// No triggers and no code in the database.
    Trigger,
    /// No advisory locks.
    AdvisoryLock,
    /// Rows are locked in the order of their accounts, and skipped within one account only.
    LockOrder,
    /// Nothing is announced in a transaction of the ledger.
    Notify,
    /// Entries are only ever added.
    Ledger,
    /// No other kinds of statements.
    Kind,
    /// What cannot be parsed cannot be checked.
    Unreadable,
}

/// A rule that is not kept.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Breach {
    rule: Rule,
    what: String,
}

impl Breach {
    fn new(rule: Rule, what: impl Into<String>) -> Self {
        Self { rule, what: what.into() }
    }
}

impl fmt::Display for Breach {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}: {}", self.rule, self.what)
    }
}

/// Whose SQL it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Dialect {
    Sqlite,
    Postgres,
}

impl Dialect {
    /// What a file under `store/` or `migrations/` is written in; both when it does not say.
    fn of(path: &str) -> Vec<Self> {
        match (path.contains("sqlite"), path.contains("postgres")) {
            (true, false) => vec![Self::Sqlite],
            (false, true) => vec![Self::Postgres],
            _ => vec![Self::Sqlite, Self::Postgres],
        }
    }

    fn parse(self, sql: &str) -> Result<Vec<sqlparser::ast::Statement>, Breach> {
        let parsed = match self {
            Self::Sqlite => {
                sqlparser::parser::Parser::parse_sql(&sqlparser::dialect::SQLiteDialect {}, sql)
            }
            Self::Postgres => {
                sqlparser::parser::Parser::parse_sql(&sqlparser::dialect::PostgreSqlDialect {}, sql)
            }
        };
        parsed.map_err(|error| Breach::new(Rule::Unreadable, error.to_string()))
    }
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// Every file under `folder` that ends so, with its path from there.
fn files(folder: &Path, end: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_path_buf()];
    while let Some(next) = folders.pop() {
        for entry in std::fs::read_dir(&next).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.to_str().unwrap().ends_with(end) {
                let name = path.strip_prefix(folder).unwrap().to_str().unwrap().to_owned();
                found.push((name, std::fs::read_to_string(&path).unwrap()));
            }
        }
    }
    found.sort();
    found
}

fn sources() -> source::Reading {
    source::read(&files(&root().join("crates/trueup-server/src"), ".rs"))
}

#[test]
fn every_statement_of_the_server_is_read_and_stands_in_the_store() {
    let reading = sources();
    assert!(reading.complaints.is_empty(), "{}", reading.complaints.join("\n"));
    // Both stores ask the same, so neither can be without statements.
    for store in ["sqlite", "postgres"] {
        let found = reading.statements.iter().filter(|it| it.place.starts_with(store)).count();
        assert!(found >= 20, "{store}: only {found} statements were found");
    }
}

#[test]
fn every_statement_and_migration_keeps_the_rules() {
    let mut found = Vec::new();
    for statement in sources().statements {
        for dialect in Dialect::of(&statement.file) {
            for breach in statement::check(dialect, &statement.text) {
                found.push((statement.place.clone(), breach, statement.text.clone()));
            }
        }
    }
    for (name, sql) in files(&root().join("migrations"), ".sql") {
        for dialect in Dialect::of(&name) {
            for (item, breach) in migration::check(dialect, &sql) {
                found.push((item, breach, format!("in migrations/{name}")));
            }
        }
    }
    let mut used = BTreeSet::new();
    let mut complaints = Vec::new();
    for (place, breach, text) in found {
        match EXCEPTIONS.iter().position(|it| it.place == place && it.rule == breach.rule) {
            Some(at) => {
                used.insert(at);
            }
            None => complaints.push(format!("{place} breaks {breach}\n    {text}")),
        }
    }
    assert!(complaints.is_empty(), "{}", complaints.join("\n"));
    let unused = EXCEPTIONS.iter().enumerate().filter(|(at, _)| !used.contains(at));
    let unused: Vec<_> = unused.map(|(_, it)| it.place).collect();
    assert!(unused.is_empty(), "exceptions that nothing needs any more: {unused:?}");
}

#[test]
fn every_migration_is_read() {
    let migrations = files(&root().join("migrations"), ".sql");
    for store in ["sqlite/", "postgres/"] {
        assert!(migrations.iter().any(|(name, _)| name.starts_with(store)), "{store}");
    }
    let of_a_store = |name: &str| name.starts_with("sqlite/") || name.starts_with("postgres/");
    assert!(
        migrations.iter().all(|(name, _)| of_a_store(name)),
        "a store's migrations lie in its folder"
    );
}
