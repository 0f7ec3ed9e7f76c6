//! What may do without the key, and why.

use super::Rule;

/// Tables that are small and the same everywhere: reference tables of a cluster.
pub const REFERENCE_TABLES: &[&str] = &["meta"];

/// What the database and the migrations keep about themselves.
pub const SYSTEM_TABLES: &[&str] = &[
    "_sqlx_migrations",
    "information_schema.tables",
    "sqlite_schema",
    "pragma_journal_mode",
    "pg_extension",
];

/// A statement, by the function that has it, or an item of the schema, by its name.
pub struct Exception {
    pub place: &'static str,
    pub rule: Rule,
    #[expect(dead_code, reason = "it is for readers: who adds one must be able to write it down")]
    pub reason: &'static str,
}

pub const EXCEPTIONS: &[Exception] = &[
    Exception {
        place: "sqlite::due_holds",
        rule: Rule::Key,
        reason: "the sweep: which holds are due is asked across accounts, and nothing is locked",
    },
    Exception {
        place: "postgres::due_holds",
        rule: Rule::Key,
        reason: "the sweep: which holds are due is asked across accounts, and nothing is locked",
    },
    Exception {
        place: "sqlite::open_holds",
        rule: Rule::Key,
        reason: "what operators watch: open holds are counted, in the sweep's index",
    },
    Exception {
        place: "postgres::open_holds",
        rule: Rule::Key,
        reason: "what operators watch: open holds are counted, in the sweep's index",
    },
    Exception {
        place: "index operation_due",
        rule: Rule::Key,
        reason: "the sweep's index: it has open holds only",
    },
    Exception {
        place: "postgres::notices::notify",
        rule: Rule::Notify,
        reason: "the bus: it speaks after the commit, on a connection that changes no ledger",
    },
];
