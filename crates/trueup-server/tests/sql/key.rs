//! Whether a condition names the accounts that it is about.

use sqlparser::ast::{BinaryOperator, Expr, Ident, ObjectName};

pub const KEY: &str = "account_id";

/// A table that rows are taken from, as the statement calls it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Named {
    pub table: String,
    pub alias: String,
}

/// The name, without quotes.
pub fn plain(name: &ObjectName) -> String {
    let part =
        |part: &sqlparser::ast::ObjectNamePart| part.as_ident().map(value).unwrap_or_default();
    name.0.iter().map(part).collect::<Vec<_>>().join(".")
}

pub fn value(name: &Ident) -> String {
    name.value.to_lowercase()
}

/// The tables among `tables` that `conditions`, which hold together, do not pin to accounts.
pub fn unpinned<'a>(tables: &'a [Named], conditions: &[&Expr]) -> Vec<&'a Named> {
    let mut pinned: Vec<bool> =
        tables.iter().map(|table| conditions.iter().any(|it| pins(it, table, tables))).collect();
    // What is joined to a pinned table on the key is pinned as well.
    for _ in tables {
        for condition in conditions {
            for (left, right) in equal_keys(condition) {
                let at = |alias: &str| tables.iter().position(|it| it.alias == alias);
                if let (Some(left), Some(right)) = (at(&left), at(&right)) {
                    let both = pinned[left] || pinned[right];
                    (pinned[left], pinned[right]) = (both, both);
                }
            }
        }
    }
    tables.iter().zip(pinned).filter(|(_, pinned)| !pinned).map(|(table, _)| table).collect()
}

/// Whether every row of `table` for which `condition` holds is of an account that is named.
fn pins(condition: &Expr, table: &Named, tables: &[Named]) -> bool {
    let is_key = |it: &Expr| leads_with_key(it, table, tables);
    match condition {
        Expr::Nested(it) => pins(it, table, tables),
        Expr::BinaryOp { left, op: BinaryOperator::And, right } => {
            pins(left, table, tables) || pins(right, table, tables)
        }
        Expr::BinaryOp { left, op: BinaryOperator::Or, right } => {
            pins(left, table, tables) && pins(right, table, tables)
        }
        Expr::BinaryOp { left, op: BinaryOperator::Eq, right } => {
            (is_key(left) && !is_of(right, tables)) || (is_key(right) && !is_of(left, tables))
        }
        Expr::AnyOp { left, compare_op: BinaryOperator::Eq, .. } => is_key(left),
        Expr::In { expr, negated: false, .. } => is_key(expr),
        _ => false,
    }
}

/// Pairs of tables whose keys the condition makes equal.
fn equal_keys(condition: &Expr) -> Vec<(String, String)> {
    match condition {
        Expr::Nested(it) => equal_keys(it),
        Expr::BinaryOp { left, op: BinaryOperator::And, right } => {
            equal_keys(left).into_iter().chain(equal_keys(right)).collect()
        }
        Expr::BinaryOp { left, op: BinaryOperator::Eq, right } => {
            let alias = |it: &Expr| match it {
                Expr::CompoundIdentifier(names) => match &names[..] {
                    [alias, column] if value(column) == KEY => Some(value(alias)),
                    _ => None,
                },
                _ => None,
            };
            alias(left).zip(alias(right)).into_iter().collect()
        }
        _ => Vec::new(),
    }
}

/// The key of that table, or a row that begins with it.
fn leads_with_key(expr: &Expr, table: &Named, tables: &[Named]) -> bool {
    match expr {
        Expr::Nested(it) => leads_with_key(it, table, tables),
        Expr::Tuple(parts) => parts.first().is_some_and(|it| leads_with_key(it, table, tables)),
        Expr::Identifier(column) => value(column) == KEY && tables.len() == 1,
        Expr::CompoundIdentifier(names) => match &names[..] {
            [alias, column] => value(column) == KEY && value(alias) == table.alias,
            _ => false,
        },
        _ => false,
    }
}

/// A column of one of those tables: it names no account by itself.
fn is_of(expr: &Expr, tables: &[Named]) -> bool {
    match expr {
        Expr::Nested(it) => is_of(it, tables),
        Expr::Identifier(_) => true,
        Expr::CompoundIdentifier(names) => {
            names.first().is_some_and(|alias| tables.iter().any(|it| it.alias == value(alias)))
        }
        _ => false,
    }
}
