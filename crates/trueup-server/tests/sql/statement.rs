//! The rules of statements.

use std::collections::BTreeSet;
use std::ops::ControlFlow;

use sqlparser::ast::{
    Assignment, AssignmentTarget, ConflictTarget, Delete, Expr, FromTable, Function, Ident, Insert,
    JoinConstraint, JoinOperator, LockClause, NonBlock, OnConflict, OnConflictAction, OnInsert,
    OrderByKind, Query, Select, SetExpr, Statement, TableFactor, TableObject, TableWithJoins,
    Update, UpdateTableFromKind, Visit, Visitor,
};

use super::exceptions::{REFERENCE_TABLES, SYSTEM_TABLES};
use super::key::{KEY, Named, plain, unpinned, value};
use super::{Breach, Dialect, Rule};

/// What tells another time, or another number, whenever it is asked.
const VOLATILE: [&str; 27] = [
    "now",
    "current_timestamp",
    "current_time",
    "current_date",
    "localtime",
    "localtimestamp",
    "clock_timestamp",
    "statement_timestamp",
    "transaction_timestamp",
    "timeofday",
    "random",
    "random_normal",
    "setseed",
    "gen_random_uuid",
    "uuid_generate_v1",
    "uuid_generate_v4",
    "uuidv4",
    "uuidv7",
    "randomblob",
    "datetime",
    "date",
    "time",
    "julianday",
    "unixepoch",
    "strftime",
    "txid_current",
    "pg_current_xact_id",
];
const SEQUENCES: [&str; 5] = ["nextval", "currval", "setval", "lastval", "last_insert_rowid"];
/// What may be worked out while a row is changed: always the same of the same.
const STABLE: [&str; 5] = ["coalesce", "nullif", "greatest", "least", "abs"];

/// What a statement breaks.
pub fn check(dialect: Dialect, sql: &str) -> Vec<Breach> {
    let parsed = match dialect.parse(sql) {
        Ok(parsed) => parsed,
        Err(breach) => return vec![breach],
    };
    let mut breaches = Vec::new();
    if parsed.len() != 1 {
        breaches.push(Breach::new(Rule::Kind, "it must be one statement"));
    }
    for statement in &parsed {
        let is_known = matches!(
            statement,
            Statement::Query(_)
                | Statement::Insert(_)
                | Statement::Update(_)
                | Statement::Delete(_)
                | Statement::StartTransaction { .. }
                | Statement::NOTIFY { .. }
                | Statement::LISTEN { .. }
                | Statement::UNLISTEN { .. }
        );
        if !is_known {
            breaches.push(Breach::new(Rule::Kind, "it is no statement that the ledger knows"));
        }
        breaches.extend(check_parsed(statement));
    }
    breaches
}

/// What a statement breaks, wherever it stands.
pub fn check_parsed(statement: &Statement) -> Vec<Breach> {
    let mut checker = Checker::default();
    let _ = statement.visit(&mut checker);
    checker.breaches.sort();
    checker.breaches.dedup();
    checker.breaches
}

/// Whether rows of a table belong to accounts.
pub fn is_of_accounts(table: &str) -> bool {
    !REFERENCE_TABLES.contains(&table) && !SYSTEM_TABLES.contains(&table)
}

#[derive(Default)]
struct Checker {
    breaches: Vec<Breach>,
    /// Names that `WITH` gives.
    named: BTreeSet<String>,
}

impl Visitor for Checker {
    type Break = ();

    fn pre_visit_statement(&mut self, statement: &Statement) -> ControlFlow<()> {
        match statement {
            Statement::Insert(insert) => self.insert(insert),
            Statement::Update(update) => self.update(update),
            Statement::Delete(delete) => self.delete(delete),
            Statement::NOTIFY { .. } | Statement::LISTEN { .. } | Statement::UNLISTEN { .. } => {
                self.breach(Rule::Notify, "it announces, or listens");
            }
            Statement::Truncate(_) => self.breach(Rule::Ledger, "it empties a table"),
            _ => {}
        }
        ControlFlow::Continue(())
    }

    fn pre_visit_query(&mut self, query: &Query) -> ControlFlow<()> {
        let tables = query.with.iter().flat_map(|with| &with.cte_tables);
        self.named.extend(tables.map(|table| value(&table.alias.name)));
        self.locks(query);
        ControlFlow::Continue(())
    }

    fn pre_visit_select(&mut self, select: &Select) -> ControlFlow<()> {
        self.rows(&select.from, select.selection.as_ref());
        ControlFlow::Continue(())
    }

    fn pre_visit_expr(&mut self, expr: &Expr) -> ControlFlow<()> {
        if let Expr::Function(function) = expr {
            self.function(function);
        }
        ControlFlow::Continue(())
    }

    fn pre_visit_table_factor(&mut self, table: &TableFactor) -> ControlFlow<()> {
        if let TableFactor::Table { name, args: Some(_), .. } = table {
            self.function_named(&plain(name));
        }
        ControlFlow::Continue(())
    }
}

impl Checker {
    fn breach(&mut self, rule: Rule, what: impl Into<String>) {
        self.breaches.push(Breach::new(rule, what));
    }

    fn function(&mut self, function: &Function) {
        self.function_named(&plain(&function.name));
    }

    fn function_named(&mut self, name: &str) {
        let name = name.trim_start_matches("pg_catalog.");
        if VOLATILE.contains(&name) {
            self.breach(Rule::Bound, format!("{name} is asked; bind the time, or what it makes"));
        }
        if SEQUENCES.contains(&name) {
            self.breach(Rule::Sequence, format!("{name} is asked"));
        }
        if name.starts_with("pg_advisory") || name.starts_with("pg_try_advisory") {
            self.breach(Rule::AdvisoryLock, format!("{name} is asked"));
        }
        if name == "pg_notify" {
            self.breach(Rule::Notify, "it announces");
        }
    }

    /// Rows of accounts are found by their account.
    fn rows(&mut self, from: &[TableWithJoins], selection: Option<&Expr>) {
        let (mut tables, mut conditions) = (Vec::new(), Vec::new());
        conditions.extend(selection);
        for table in from {
            self.collect(&table.relation, &mut tables);
            for join in &table.joins {
                self.collect(&join.relation, &mut tables);
                if let Some(JoinConstraint::On(condition)) = constraint(&join.join_operator) {
                    conditions.push(condition);
                }
            }
        }
        for table in unpinned(&tables, &conditions) {
            self.breach(Rule::Key, format!("{KEY} of {} is not named in a WHERE", table.table));
        }
    }

    fn collect(&mut self, table: &TableFactor, tables: &mut Vec<Named>) {
        match table {
            TableFactor::Table { name, alias, args: None, .. } => {
                let table = plain(name);
                if is_of_accounts(&table) && !self.named.contains(&table) {
                    let alias = alias.as_ref().map_or_else(|| table.clone(), |it| value(&it.name));
                    tables.push(Named { table, alias });
                }
            }
            TableFactor::NestedJoin { table_with_joins, .. } => {
                self.rows(std::slice::from_ref(table_with_joins), None);
            }
            // Subqueries are looked at by themselves; functions have no accounts.
            _ => {}
        }
    }

    fn insert(&mut self, insert: &Insert) {
        let TableObject::TableName(name) = &insert.table else {
            return self.breach(Rule::Kind, "rows are added to what is no table");
        };
        let table = plain(name);
        if insert.or.is_some() || insert.replace_into {
            self.breach(Rule::Kind, "rows that are there would be replaced or ignored in silence");
        }
        if is_of_accounts(&table) && insert.columns.first().map(plain).as_deref() != Some(KEY) {
            self.breach(Rule::Key, format!("{KEY} must lead the columns of {table}"));
        }
        match &insert.on {
            Some(OnInsert::OnConflict(conflict)) => self.conflict(&table, conflict),
            Some(_) => self.breach(Rule::Kind, "it has a clause of another database"),
            None => {}
        }
    }

    fn conflict(&mut self, table: &str, conflict: &OnConflict) {
        let leads = match &conflict.conflict_target {
            Some(ConflictTarget::Columns { columns, .. }) => columns.first().map(value),
            _ => None,
        };
        if is_of_accounts(table) && leads.as_deref() != Some(KEY) {
            self.breach(Rule::Key, format!("ON CONFLICT must name a key that {KEY} leads"));
        }
        if let OnConflictAction::DoUpdate(update) = &conflict.action {
            self.changes(table, &update.assignments);
        }
    }

    fn update(&mut self, update: &Update) {
        let mut from = vec![update.table.clone()];
        match &update.from {
            Some(UpdateTableFromKind::AfterSet(more) | UpdateTableFromKind::BeforeSet(more)) => {
                from.extend(more.iter().cloned());
            }
            None => {}
        }
        self.rows(&from, update.selection.as_ref());
        if let TableFactor::Table { name, .. } = &update.table.relation {
            self.changes(&plain(name), &update.assignments);
        }
    }

    fn delete(&mut self, delete: &Delete) {
        let (FromTable::WithFromKeyword(from) | FromTable::WithoutKeyword(from)) = &delete.from;
        let mut from = from.clone();
        from.extend(delete.using.iter().flatten().cloned());
        self.rows(&from, delete.selection.as_ref());
        if let Some(TableFactor::Table { name, .. }) = from.first().map(|it| &it.relation)
            && plain(name) == "entry"
        {
            self.breach(Rule::Ledger, "an entry is taken away");
        }
    }

    fn changes(&mut self, table: &str, assignments: &[Assignment]) {
        if table == "entry" {
            self.breach(Rule::Ledger, "an entry is changed");
        }
        for Assignment { target, value: to } in assignments {
            let columns = match target {
                AssignmentTarget::ColumnName(name) => vec![plain(name)],
                AssignmentTarget::Tuple(names) => names.iter().map(plain).collect(),
            };
            if columns.iter().any(|column| column == KEY) {
                self.breach(Rule::Key, format!("{KEY} of a row never changes"));
            }
            if columns.iter().any(|column| column == "version") && !mentions(to, "version") {
                self.breach(Rule::Version, "a version comes from a version and nothing else");
            }
            for function in functions(to).into_iter().filter(|it| !STABLE.contains(&it.as_str())) {
                self.breach(Rule::Bound, format!("{function} is asked in a SET; bind the value"));
            }
        }
    }

    /// Those who lock the rows of several accounts meet in the same order.
    fn locks(&mut self, query: &Query) {
        let SetExpr::Select(select) = &*query.body else { return };
        if query.locks.is_empty() {
            return;
        }
        let first = query.order_by.as_ref().and_then(|order| match &order.kind {
            OrderByKind::Expressions(by) => by.first().map(|it| &it.expr),
            OrderByKind::All(_) => None,
        });
        let column = |it: &Ident| value(it) == KEY;
        let is_ordered = first.is_some_and(|it| match it {
            Expr::Identifier(name) => column(name),
            Expr::CompoundIdentifier(names) => names.last().is_some_and(column),
            _ => false,
        });
        if !is_ordered {
            self.breach(Rule::LockOrder, format!("rows are locked without ORDER BY {KEY}"));
        }
        let skips = |it: &LockClause| it.nonblock == Some(NonBlock::SkipLocked);
        if query.locks.iter().any(skips) {
            let mut probe = Self { named: self.named.clone(), ..Self::default() };
            probe.rows(&select.from, select.selection.as_ref());
            if !probe.breaches.is_empty() {
                self.breach(Rule::LockOrder, "SKIP LOCKED without the key");
            }
        }
    }
}

fn constraint(operator: &JoinOperator) -> Option<&JoinConstraint> {
    match operator {
        JoinOperator::Join(it)
        | JoinOperator::Inner(it)
        | JoinOperator::Left(it)
        | JoinOperator::LeftOuter(it)
        | JoinOperator::Right(it)
        | JoinOperator::RightOuter(it)
        | JoinOperator::FullOuter(it)
        | JoinOperator::CrossJoin(it) => Some(it),
        _ => None,
    }
}

fn mentions(expr: &Expr, column: &str) -> bool {
    let found = sqlparser::ast::visit_expressions(expr, |it| {
        let is_it = match it {
            Expr::Identifier(name) => value(name) == column,
            Expr::CompoundIdentifier(names) => names.last().is_some_and(|it| value(it) == column),
            _ => false,
        };
        if is_it { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    });
    found.is_break()
}

fn functions(expr: &Expr) -> Vec<String> {
    let mut found = Vec::new();
    let _ = sqlparser::ast::visit_expressions(expr, |it| {
        if let Expr::Function(function) = it {
            found.push(plain(&function.name));
        }
        ControlFlow::<()>::Continue(())
    });
    found
}
