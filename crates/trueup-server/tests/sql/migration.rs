//! The rules of the schema.

use sqlparser::ast::{
    AlterColumnOperation, AlterTableOperation, ColumnDef, ColumnOption, CreateIndex, CreateTable,
    Expr, IndexColumn, Statement, TableConstraint,
};

use super::exceptions::REFERENCE_TABLES;
use super::key::{KEY, plain, value};
use super::{Breach, Dialect, Rule, statement};

/// What a migration breaks, and in which item.
pub fn check(dialect: Dialect, sql: &str) -> Vec<(String, Breach)> {
    let parsed = match dialect.parse(sql) {
        Ok(parsed) => parsed,
        Err(breach) => return vec![("the file".to_owned(), breach)],
    };
    let mut breaches = Vec::new();
    for statement in &parsed {
        let (item, mut found) = of(statement);
        found.extend(statement::check_parsed(statement));
        breaches.extend(found.into_iter().map(|breach| (item.clone(), breach)));
    }
    breaches
}

fn of(statement: &Statement) -> (String, Vec<Breach>) {
    match statement {
        Statement::CreateTable(table) => {
            (format!("table {}", plain(&table.name)), create_table(table))
        }
        Statement::CreateIndex(index) => {
            let name = index.name.as_ref().map(plain).unwrap_or_default();
            (format!("index {name}"), create_index(index))
        }
        Statement::AlterTable(alter) => {
            let table = plain(&alter.name);
            let found = alter.operations.iter().flat_map(|it| alter_table(&table, it)).collect();
            (format!("table {table}"), found)
        }
        Statement::CreateTrigger(_)
        | Statement::CreateFunction(_)
        | Statement::CreateProcedure { .. } => {
            ("a trigger".to_owned(), vec![Breach::new(Rule::Trigger, "code runs in the database")])
        }
        Statement::CreateSequence { name, .. } => {
            let breach = Breach::new(Rule::Sequence, "a sequence is made");
            (format!("sequence {}", plain(name)), vec![breach])
        }
        Statement::Insert(_)
        | Statement::Update(_)
        | Statement::Delete(_)
        | Statement::Drop { .. } => ("rows".to_owned(), Vec::new()),
        other => {
            let what = format!("the rules say nothing about it: {other}");
            ("a statement".to_owned(), vec![Breach::new(Rule::Kind, what)])
        }
    }
}

fn create_table(table: &CreateTable) -> Vec<Breach> {
    let name = plain(&table.name);
    let mut breaches = Vec::new();
    let has_key = table.columns.iter().any(|column| value(&column.name) == KEY);
    let is_reference = REFERENCE_TABLES.contains(&name.as_str());
    if has_key == is_reference {
        let what = if has_key {
            "a reference table has no accounts; take it from the list"
        } else {
            "a table without account_id must be a small one that is listed as a reference table"
        };
        breaches.push(Breach::new(Rule::Key, what));
    }
    if table.query.is_some() || table.like.is_some() {
        breaches.push(Breach::new(Rule::Kind, "its columns and keys cannot be read"));
    }
    let is_key = |it: &TableConstraint| matches!(it, TableConstraint::PrimaryKey(_));
    let is_key_option = |it: &ColumnDef| {
        it.options.iter().any(|it| matches!(it.option, ColumnOption::PrimaryKey(_)))
    };
    if !table.constraints.iter().any(is_key) && !table.columns.iter().any(is_key_option) {
        breaches.push(Breach::new(Rule::Key, "it has no primary key"));
    }
    breaches.extend(table.columns.iter().flat_map(|it| column(&name, it)));
    breaches.extend(table.constraints.iter().flat_map(|it| constraint(&name, it)));
    breaches
}

fn column(table: &str, column: &ColumnDef) -> Vec<Breach> {
    let name = value(&column.name);
    let mut breaches = Vec::new();
    let kind = column.data_type.to_string().to_lowercase();
    if kind.contains("serial") {
        breaches.push(Breach::new(Rule::Sequence, format!("{name} is a {kind}")));
    }
    for option in &column.options {
        let is_free = REFERENCE_TABLES.contains(&table) || name == KEY;
        match &option.option {
            ColumnOption::PrimaryKey(_) | ColumnOption::Unique(_) if !is_free => {
                breaches.push(Breach::new(Rule::Key, format!("{name} is a key without {KEY}")));
            }
            ColumnOption::ForeignKey(key)
                if !is_free && !REFERENCE_TABLES.contains(&plain(&key.foreign_table).as_str()) =>
            {
                breaches.push(Breach::new(Rule::Key, format!("{name} refers without {KEY}")));
            }
            ColumnOption::Generated { generation_expr: None, .. } | ColumnOption::Identity(_) => {
                breaches.push(Breach::new(Rule::Sequence, format!("{name} counts by itself")));
            }
            ColumnOption::DialectSpecific(words) => {
                let words: Vec<_> = words.iter().map(|it| it.to_string().to_lowercase()).collect();
                if words.iter().any(|it| it.starts_with("auto")) {
                    breaches.push(Breach::new(Rule::Sequence, format!("{name} counts by itself")));
                }
            }
            _ => {}
        }
    }
    breaches
}

fn constraint(table: &str, constraint: &TableConstraint) -> Vec<Breach> {
    let must_lead = |columns: &[IndexColumn]| {
        if REFERENCE_TABLES.contains(&table) { Vec::new() } else { leads(columns) }
    };
    match constraint {
        TableConstraint::PrimaryKey(key) => must_lead(&key.columns),
        TableConstraint::Unique(key) => must_lead(&key.columns),
        TableConstraint::ForeignKey(key) => {
            let is_key =
                |name: Option<&sqlparser::ast::Ident>| name.is_some_and(|it| value(it) == KEY);
            let leads = is_key(key.columns.first()) && is_key(key.referred_columns.first());
            if leads || REFERENCE_TABLES.contains(&plain(&key.foreign_table).as_str()) {
                return Vec::new();
            }
            vec![Breach::new(Rule::Key, format!("a reference is not led by {KEY}"))]
        }
        TableConstraint::Check(_) => Vec::new(),
        other => vec![Breach::new(Rule::Kind, format!("the rules say nothing about {other}"))],
    }
}

fn create_index(index: &CreateIndex) -> Vec<Breach> {
    if REFERENCE_TABLES.contains(&plain(&index.table_name).as_str()) {
        return Vec::new();
    }
    leads(&index.columns)
}

fn leads(columns: &[IndexColumn]) -> Vec<Breach> {
    let first = columns.first().map(|it| &it.column.expr);
    if matches!(first, Some(Expr::Identifier(name)) if value(name) == KEY) {
        return Vec::new();
    }
    let named: Vec<_> = columns.iter().map(|it| it.column.to_string()).collect();
    vec![Breach::new(Rule::Key, format!("{KEY} does not lead ({})", named.join(", ")))]
}

fn alter_table(table: &str, operation: &AlterTableOperation) -> Vec<Breach> {
    match operation {
        AlterTableOperation::AddColumn { column_def, .. } => column(table, column_def),
        AlterTableOperation::AddConstraint { constraint: it, .. } => constraint(table, it),
        AlterTableOperation::AlterColumn {
            op: AlterColumnOperation::AddGenerated { .. }, ..
        } => {
            vec![Breach::new(Rule::Sequence, "a column counts by itself")]
        }
        AlterTableOperation::AlterColumn { .. }
        | AlterTableOperation::DropColumn { .. }
        | AlterTableOperation::DropConstraint { .. }
        | AlterTableOperation::RenameColumn { .. }
        | AlterTableOperation::RenameTable { .. } => Vec::new(),
        other => vec![Breach::new(Rule::Kind, format!("the rules say nothing about {other}"))],
    }
}
