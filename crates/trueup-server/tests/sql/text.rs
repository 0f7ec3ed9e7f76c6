//! What counts as SQL among the texts of a program.

use super::Dialect;

/// How a statement may begin, in whatever case.
const VERBS: [&str; 10] = [
    "select", "insert", "update", "delete", "with", "create", "alter", "drop", "replace",
    "truncate",
];
/// The same, for words that prose begins with as well: only in capitals.
const LOUD_VERBS: [&str; 18] = [
    "BEGIN",
    "COMMIT",
    "ROLLBACK",
    "SAVEPOINT",
    "LOCK",
    "NOTIFY",
    "LISTEN",
    "UNLISTEN",
    "COPY",
    "PRAGMA",
    "SET",
    "VACUUM",
    "MERGE",
    "VALUES",
    "DO",
    "CALL",
    "ATTACH",
    "GRANT",
];

/// Whether a text is a statement, or the beginning of one.
pub fn is_sql(text: &str) -> bool {
    let mut words = text.split_whitespace();
    let (Some(first), Some(_)) = (words.next(), words.next()) else { return false };
    if LOUD_VERBS.contains(&first) || VERBS.iter().any(|verb| verb.to_uppercase() == first) {
        return true;
    }
    let parses = |dialect: Dialect| dialect.parse(text).is_ok_and(|found| !found.is_empty());
    VERBS.contains(&first.to_lowercase().as_str())
        && (parses(Dialect::Postgres) || parses(Dialect::Sqlite))
}

#[test]
fn prose_is_no_sql() {
    for (text, expected) in [
        ("SELECT 1", true),
        ("select version from account", true),
        ("update account set version = 1", true),
        ("INSERT INTO account ", true),
        ("BEGIN IMMEDIATE", true),
        ("update the settings", false),
        ("select", false),
        ("set the time zone", false),
        ("begin with a letter", false),
        ("account_id, version", false),
    ] {
        assert_eq!(is_sql(text), expected, "{text}");
    }
}
