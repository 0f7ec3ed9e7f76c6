//! Finds the statements in Rust sources: every text that is handed to the database, put together
//! from literals, `concat!`, macros that are nothing but texts, constants, and what a query builder
//! is told. What cannot be read is a complaint, and never passed over.

use std::collections::{BTreeMap, BTreeSet};

use proc_macro2::{Span, TokenStream, TokenTree};
use quote::ToTokens as _;
use syn::punctuated::Punctuated;
use syn::spanned::Spanned as _;
use syn::visit::{self, Visit};
use syn::{Expr, ExprMethodCall, Lit, Pat, Token};

use super::known::Known;
use super::text::is_sql;

/// A statement, as the database is told it.
#[derive(Clone, Debug)]
pub struct Statement {
    pub file: String,
    /// The function that has it, with its modules from the store on.
    pub place: String,
    pub text: String,
}

#[derive(Debug, Default)]
pub struct Reading {
    pub statements: Vec<Statement>,
    pub complaints: Vec<String>,
    /// Texts that look like SQL, by where they stand.
    suspects: BTreeMap<Place, String>,
    read: BTreeSet<Place>,
}

/// Functions that take a statement first.
const QUERIES: [&str; 7] = [
    "query",
    "query_as",
    "query_scalar",
    "query_with",
    "query_as_with",
    "query_scalar_with",
    "raw_sql",
];
/// Methods that take one, if it is a text.
const EXECUTORS: [&str; 9] = [
    "begin_with",
    "execute",
    "execute_many",
    "fetch",
    "fetch_many",
    "fetch_all",
    "fetch_one",
    "fetch_optional",
    "prepare",
];
/// What may be asked of a builder once its statement is complete.
const BUILDS: [&str; 3] = ["build", "build_query_as", "build_query_scalar"];

/// Reads sources, given by their paths in `src`.
pub fn read(files: &[(String, String)]) -> Reading {
    let mut parsed = Vec::new();
    let mut reading = Reading::default();
    for (path, text) in files {
        match syn::parse_file(text) {
            Ok(file) => parsed.push((path, file)),
            Err(error) => reading.complaints.push(format!("{path}: {error}")),
        }
    }
    let mut known = Known::default();
    for (path, file) in &parsed {
        known.path = (*path).clone();
        known.visit_file(file);
    }
    for (path, file) in &parsed {
        let mut finder = Finder::new(path, &known);
        finder.visit_file(file);
        finder.finish(&mut reading);
    }
    for ((path, line, _), text) in
        reading.suspects.iter().filter(|(it, _)| !reading.read.contains(*it))
    {
        let what = "SQL that reaches no query that can be read";
        reading.complaints.push(format!("{path}:{line}: {what}: {text}"));
    }
    reading
}

/// File, line and column.
type Place = (String, usize, usize);

struct Finder<'a> {
    path: &'a str,
    /// The file that an expression stands in which is being resolved.
    origin: String,
    known: &'a Known,
    functions: Vec<String>,
    /// Texts that have a name in the function that is read.
    texts: BTreeMap<String, Expr>,
    /// What builders have been told, by their names.
    builders: BTreeMap<String, String>,
    /// Builders of somebody else: they must be complete.
    given_builders: BTreeSet<String>,
    /// Builders that are made where their name is known.
    named_builders: BTreeSet<Place>,
    statements: Vec<Statement>,
    complaints: Vec<String>,
    suspects: BTreeMap<Place, String>,
    read: BTreeSet<Place>,
}

impl<'a> Finder<'a> {
    fn new(path: &'a str, known: &'a Known) -> Self {
        Self {
            path,
            origin: path.to_owned(),
            known,
            functions: Vec::new(),
            texts: BTreeMap::new(),
            builders: BTreeMap::new(),
            given_builders: BTreeSet::new(),
            named_builders: BTreeSet::new(),
            statements: Vec::new(),
            complaints: Vec::new(),
            suspects: BTreeMap::new(),
            read: BTreeSet::new(),
        }
    }

    fn finish(mut self, reading: &mut Reading) {
        if !self.path.starts_with("store/") {
            let (path, outside) = (self.path, "SQL stands only in store/");
            let of = |it: &Statement| format!("{path}: {outside}: {}", it.text);
            self.complaints.extend(self.statements.drain(..).map(|it| of(&it)));
        }
        reading.statements.append(&mut self.statements);
        reading.complaints.append(&mut self.complaints);
        reading.suspects.append(&mut self.suspects);
        reading.read.append(&mut self.read);
    }

    fn place(&self, span: Span) -> Place {
        (self.origin.clone(), span.start().line, span.start().column)
    }

    fn complain(&mut self, span: Span, what: &str) {
        let line = span.start().line;
        self.complaints.push(format!("{}:{line}: {what}", self.path));
    }

    fn found(&mut self, text: String) {
        let modules = self.path.trim_start_matches("store/").trim_end_matches(".rs");
        let modules = modules.trim_end_matches("mod").trim_end_matches('/').replace('/', "::");
        let function = self.functions.last().cloned().unwrap_or_default();
        let place = format!("{modules}::{function}").trim_matches(':').to_owned();
        self.statements.push(Statement { file: self.path.to_owned(), place, text });
    }

    /// The text that an expression is, if it is one.
    fn resolve(&mut self, expr: &Expr) -> Option<String> {
        match expr {
            Expr::Lit(literal) => match &literal.lit {
                Lit::Str(text) => {
                    self.read.insert(self.place(text.span()));
                    Some(text.value())
                }
                Lit::Int(number) => Some(number.base10_digits().to_owned()),
                Lit::Char(character) => Some(character.value().to_string()),
                _ => None,
            },
            Expr::Paren(it) => self.resolve(&it.expr),
            Expr::Group(it) => self.resolve(&it.expr),
            Expr::Reference(it) => self.resolve(&it.expr),
            Expr::Macro(it) => self.resolve_macro(&it.mac),
            Expr::Path(it) => {
                let name = it.path.segments.last()?.ident.to_string();
                if it.path.segments.len() == 1
                    && let Some(named) = self.texts.remove(&name)
                {
                    let text = self.resolve(&named);
                    self.texts.insert(name, named);
                    return text;
                }
                let known = self.known;
                let (path, constant) = known.constants.get(&name)?;
                let origin = std::mem::replace(&mut self.origin, path.clone());
                let text = self.resolve(constant);
                self.origin = origin;
                text
            }
            _ => None,
        }
    }

    fn resolve_macro(&mut self, mac: &syn::Macro) -> Option<String> {
        let arguments =
            mac.parse_body_with(Punctuated::<Expr, Token![,]>::parse_terminated).ok()?;
        let arguments: Vec<Expr> = arguments.into_iter().collect();
        let name = mac.path.segments.last()?.ident.to_string();
        if name == "concat" {
            return arguments.iter().map(|it| self.resolve(it)).collect();
        }
        for argument in &arguments {
            self.resolve(argument);
        }
        let known = self.known;
        self.resolve(&known.macros.get(&name)?.expand(&arguments)?)
    }

    /// A builder is told more.
    fn tell(&mut self, builder: &str, call: &ExprMethodCall) {
        let method = call.method.to_string();
        if BUILDS.contains(&method.as_str()) {
            return;
        }
        let more = match method.as_str() {
            "push" => call.args.first().and_then(|it| self.resolve(it)),
            "push_bind" => Some("?".to_owned()),
            "push_values" => call.args.last().map(|row| {
                let binds = Binds::in_row(row);
                format!("VALUES ({})", vec!["?"; binds].join(", "))
            }),
            _ => None,
        };
        match (more, self.builders.get_mut(builder)) {
            (Some(more), Some(told)) => told.push_str(&more),
            _ => self.complain(call.method.span(), "a query builder is told what cannot be read"),
        }
    }

    fn in_function(&mut self, signature: &syn::Signature, read: impl FnOnce(&mut Self)) {
        let texts = std::mem::take(&mut self.texts);
        let builders = std::mem::take(&mut self.builders);
        let given = std::mem::take(&mut self.given_builders);
        for argument in &signature.inputs {
            if let syn::FnArg::Typed(typed) = argument
                && typed.ty.to_token_stream().to_string().contains("QueryBuilder")
                && let Some(name) = name_of(&typed.pat)
            {
                self.given_builders.insert(name);
            }
        }
        self.functions.push(signature.ident.to_string());
        read(self);
        self.functions.pop();
        (self.texts, self.builders, self.given_builders) = (texts, builders, given);
    }
}

fn name_of(pattern: &Pat) -> Option<String> {
    match pattern {
        Pat::Ident(it) => Some(it.ident.to_string()),
        Pat::Type(it) => name_of(&it.pat),
        _ => None,
    }
}

/// The statement's beginning, when an expression makes a builder.
fn new_builder(expr: &Expr) -> Option<&Expr> {
    let Expr::Call(call) = expr else { return None };
    builder_of(call)
}

fn builder_of(call: &syn::ExprCall) -> Option<&Expr> {
    let Expr::Path(function) = &*call.func else { return None };
    let mut names = function.path.segments.iter().rev().map(|it| it.ident.to_string());
    let is_new = names.next()? == "new" && names.next()? == "QueryBuilder";
    is_new.then(|| call.args.first()).flatten()
}

/// What a chain of calls begins with, and whether a statement was built on the way.
fn begins_with(call: &ExprMethodCall) -> (Option<String>, bool) {
    let (mut receiver, mut is_built) = (&*call.receiver, false);
    loop {
        match receiver {
            Expr::MethodCall(inner) => {
                is_built |= BUILDS.contains(&inner.method.to_string().as_str());
                receiver = &inner.receiver;
            }
            Expr::Await(it) => receiver = &it.base,
            Expr::Try(it) => receiver = &it.expr,
            Expr::Path(it) => return (it.path.get_ident().map(ToString::to_string), is_built),
            _ => return (None, is_built),
        }
    }
}

/// How many values a row binds.
#[derive(Default)]
struct Binds(usize);

impl Binds {
    fn in_row(row: &Expr) -> usize {
        let mut binds = Self::default();
        binds.visit_expr(row);
        binds.0
    }
}

impl<'ast> Visit<'ast> for Binds {
    fn visit_expr_method_call(&mut self, call: &'ast ExprMethodCall) {
        self.0 += usize::from(call.method == "push_bind");
        visit::visit_expr_method_call(self, call);
    }
}

impl<'ast> Visit<'ast> for Finder<'_> {
    fn visit_item_fn(&mut self, item: &'ast syn::ItemFn) {
        self.in_function(&item.sig, |this| visit::visit_item_fn(this, item));
    }

    fn visit_impl_item_fn(&mut self, item: &'ast syn::ImplItemFn) {
        self.in_function(&item.sig, |this| visit::visit_impl_item_fn(this, item));
    }

    fn visit_trait_item_fn(&mut self, item: &'ast syn::TraitItemFn) {
        self.in_function(&item.sig, |this| visit::visit_trait_item_fn(this, item));
    }

    /// Documentation is prose.
    fn visit_attribute(&mut self, _: &'ast syn::Attribute) {}

    fn visit_local(&mut self, local: &'ast syn::Local) {
        if let (Some(name), Some(init)) = (name_of(&local.pat), &local.init) {
            if let Some(begin) = new_builder(&init.expr) {
                let place = self.place(init.expr.span());
                self.named_builders.insert(place);
                match self.resolve(begin) {
                    Some(text) => {
                        self.builders.insert(name, text);
                    }
                    None => self.complain(
                        local.let_token.span,
                        "a query builder begins with what cannot be read",
                    ),
                }
            } else {
                self.texts.insert(name, (*init.expr).clone());
            }
        }
        visit::visit_local(self, local);
    }

    fn visit_block(&mut self, block: &'ast syn::Block) {
        let before: BTreeSet<String> = self.builders.keys().cloned().collect();
        visit::visit_block(self, block);
        let made: Vec<String> =
            self.builders.keys().filter(|it| !before.contains(*it)).cloned().collect();
        for name in made {
            let text = self.builders.remove(&name).unwrap_or_default();
            self.found(text);
        }
    }

    fn visit_expr_call(&mut self, call: &'ast syn::ExprCall) {
        if builder_of(call).is_some() && !self.named_builders.contains(&self.place(call.span())) {
            self.complain(call.paren_token.span.open(), "a query builder must have a name");
        }
        if let Expr::Path(function) = &*call.func
            && let Some(last) = function.path.segments.last()
            && QUERIES.contains(&last.ident.to_string().as_str())
        {
            let is_named = function.path.segments.first().is_some_and(|it| it.ident == "sqlx");
            if !is_named {
                self.complain(last.ident.span(), "say sqlx::query, so that it can be found");
            }
            match call.args.first().and_then(|it| self.resolve(it)) {
                Some(text) => self.found(text),
                None => self.complain(last.ident.span(), "a statement that cannot be read"),
            }
        }
        visit::visit_expr_call(self, call);
    }

    fn visit_expr_method_call(&mut self, call: &'ast ExprMethodCall) {
        visit::visit_expr_method_call(self, call);
        let method = call.method.to_string();
        let (begin, is_built) = begins_with(call);
        if let Some(builder) = begin.filter(|_| !is_built) {
            if self.builders.contains_key(&builder) {
                return self.tell(&builder, call);
            }
            if self.given_builders.contains(&builder) && !BUILDS.contains(&method.as_str()) {
                return self
                    .complain(call.method.span(), "a builder that was handed on is told more");
            }
        }
        if EXECUTORS.contains(&method.as_str())
            && let Some(first) = call.args.first()
        {
            match self.resolve_name(first) {
                Some(text) => self.found(text),
                None if method == "begin_with" => {
                    self.complain(
                        call.method.span(),
                        "a transaction that begins with what cannot be read",
                    );
                }
                None => {}
            }
        }
    }

    fn visit_macro(&mut self, mac: &'ast syn::Macro) {
        let name = mac.path.segments.last().map(|it| it.ident.to_string()).unwrap_or_default();
        if QUERIES.iter().any(|it| name.starts_with(it)) {
            self.complain(mac.bang_token.span, "say sqlx::query, so that it can be read");
        }
        self.search(mac.tokens.clone());
    }

    fn visit_item_macro(&mut self, item: &'ast syn::ItemMacro) {
        self.search(item.mac.tokens.clone());
    }

    fn visit_lit_str(&mut self, text: &'ast syn::LitStr) {
        if is_sql(&text.value()) {
            let place = self.place(text.span());
            self.suspects.insert(place, text.value());
        }
    }
}

impl Finder<'_> {
    /// A text, or a name for one; no expression that only happens to be a number.
    fn resolve_name(&mut self, expr: &Expr) -> Option<String> {
        let is_text = |lit: &syn::ExprLit| matches!(lit.lit, Lit::Str(_));
        match expr {
            Expr::Lit(lit) if !is_text(lit) => None,
            expr => {
                let before = self.read.clone();
                let text = self.resolve(expr).filter(|it| is_sql(it));
                // What is no statement was not read.
                if text.is_none() {
                    self.read = before;
                }
                text
            }
        }
    }

    /// Looks into what a macro is given, which is not parsed: it may have no statements in it.
    fn search(&mut self, tokens: TokenStream) {
        let mut last_was_sqlx = false;
        for tree in tokens {
            match tree {
                TokenTree::Group(group) => self.search(group.stream()),
                TokenTree::Ident(name) => {
                    let is_query = QUERIES.iter().any(|it| name == *it);
                    if name == "QueryBuilder" || (is_query && last_was_sqlx) {
                        self.complain(name.span(), "a statement inside a macro cannot be read");
                    }
                    last_was_sqlx = name == "sqlx";
                }
                TokenTree::Literal(literal) => {
                    if let Ok(text) = syn::parse_str::<syn::LitStr>(&literal.to_string())
                        && is_sql(&text.value())
                    {
                        let place = self.place(literal.span());
                        self.suspects.insert(place, text.value());
                    }
                }
                TokenTree::Punct(_) => {}
            }
        }
    }
}
