//! What operators watch: counts, times and levels of one server, in Prometheus' words.
//!
//! Every server has a registry of its own, so that several in one process never mix. Labels have few
//! values, all of them known beforehand: no account, no actor and no id is ever one.

mod labels;

pub use labels::ChatEnd;

use std::sync::Arc;
use std::time::Duration;

use axum::extract::MatchedPath;
use axum::http::{Method, StatusCode};
use prometheus_client::encoding::prometheus_text;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::Registry;
use tokio::time::Instant;
use trueup_core::Cause;

use crate::engine::{Action, Answer, EngineError};
use crate::store::{OpenHolds, Store, StoreError};
use labels::{
    BatchLabels, BuildLabels, CallLabels, ChatLabels, CorrectionLabels, OperationLabels,
    PoolLabels, Route, RouteLabels,
};

/// What a text of metrics is.
pub const CONTENT_TYPE: &str = prometheus_text::CONTENT_TYPE;

type Times<L> = Family<L, Histogram, fn() -> Histogram>;

/// One a server.
#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    operations: Family<OperationLabels, Counter>,
    corrections: Family<CorrectionLabels, Counter>,
    batch_requests: Histogram,
    batch_duration: Histogram,
    commit_duration: Histogram,
    batch_failures: Family<BatchLabels, Counter>,
    queue_depth: Gauge,
    queue_wait: Histogram,
    holds_open: Gauge,
    holds_overdue: Gauge,
    http_requests: Family<CallLabels, Counter>,
    http_duration: Times<RouteLabels>,
    http_running: Gauge,
    chats: Family<ChatLabels, Counter>,
    chat_fallbacks: Counter,
    chat_first_token: Histogram,
    /// Chats that run.
    pub chats_running: Gauge,
    /// Clients that are sent every change; see [`Present`].
    pub push_streams: Gauge,
    pool_connections: Family<PoolLabels, Gauge>,
    build: Family<BuildLabels, Gauge>,
}

impl Default for Metrics {
    fn default() -> Self {
        let mut metrics = Self {
            registry: Registry::default(),
            operations: Family::default(),
            corrections: Family::default(),
            batch_requests: Histogram::new(exponential_buckets(1.0, 2.0, 10)),
            batch_duration: seconds(),
            commit_duration: seconds(),
            batch_failures: Family::default(),
            queue_depth: Gauge::default(),
            queue_wait: seconds(),
            holds_open: Gauge::default(),
            holds_overdue: Gauge::default(),
            http_requests: Family::default(),
            http_duration: Family::new_with_constructor(seconds),
            http_running: Gauge::default(),
            chats: Family::default(),
            chat_fallbacks: Counter::default(),
            chat_first_token: seconds(),
            chats_running: Gauge::default(),
            push_streams: Gauge::default(),
            pool_connections: Family::default(),
            build: Family::default(),
        };
        let mut registry = Registry::default();
        metrics.register(registry.sub_registry_with_prefix("trueup"));
        metrics.registry = registry;
        metrics.begin();
        metrics
    }
}

/// From a tenth of a millisecond to a minute and a half.
fn seconds() -> Histogram {
    Histogram::new(exponential_buckets(0.0001, 2.5, 16))
}

impl Metrics {
    fn register(&self, into: &mut Registry) {
        let m = self;
        into.register(
            "operations",
            "Ledger commands, by kind and by what became of them",
            m.operations.clone(),
        );
        into.register(
            "corrections",
            "Times that pages had shown another figure than was so, by cause, as they report it",
            m.corrections.clone(),
        );
        into.register("batch_requests", "Requests a transaction", m.batch_requests.clone());
        into.register(
            "batch_duration_seconds",
            "Time that a transaction took, from its begin to its end",
            m.batch_duration.clone(),
        );
        into.register(
            "commit_duration_seconds",
            "Time that the database took to commit",
            m.commit_duration.clone(),
        );
        into.register(
            "batch_failures",
            "Transactions that were rolled back, by reason",
            m.batch_failures.clone(),
        );
        into.register("queue_depth", "Requests that wait for the engine", m.queue_depth.clone());
        into.register(
            "queue_wait_seconds",
            "Time that requests waited for the engine",
            m.queue_wait.clone(),
        );
        into.register(
            "holds_open",
            "Holds that are open in the whole ledger: every server over it tells the same",
            m.holds_open.clone(),
        );
        into.register(
            "holds_overdue_seconds",
            "How long ago the oldest open hold should have expired",
            m.holds_overdue.clone(),
        );
        self.register_calls(into);
        self.register_chats(into);
        into.register(
            "pool_connections",
            "Connections to the database, by who uses them and whether anybody does",
            m.pool_connections.clone(),
        );
        into.register("build_info", "The server's version, and its database", m.build.clone());
    }

    fn register_calls(&self, into: &mut Registry) {
        into.register(
            "http_requests",
            "HTTP requests, by route, method and class of status; gone when the client left first",
            self.http_requests.clone(),
        );
        into.register(
            "http_request_duration_seconds",
            "Time until an answer began, by route and method",
            self.http_duration.clone(),
        );
        into.register(
            "http_requests_running",
            "HTTP requests whose answer has not begun",
            self.http_running.clone(),
        );
        into.register(
            "push_streams",
            "Clients that are sent every change",
            self.push_streams.clone(),
        );
    }

    fn register_chats(&self, into: &mut Registry) {
        into.register("chats", "Chats, by how they ended", self.chats.clone());
        into.register(
            "chat_fallbacks",
            "Chats that another model answered than the one asked for",
            self.chat_fallbacks.clone(),
        );
        into.register(
            "chat_first_token_seconds",
            "Time from a hold to the model's first token",
            self.chat_first_token.clone(),
        );
        into.register("chats_running", "Chats that run", self.chats_running.clone());
    }

    /// What has not happened yet is told as zero, so that its first time is seen as a change.
    fn begin(&self) {
        for (kind, outcome) in labels::COMMON_OUTCOMES {
            drop(self.operations.get_or_create(&OperationLabels { kind, outcome }));
        }
        for cause in Cause::ALL {
            drop(self.corrections.get_or_create(&CorrectionLabels { cause: cause.as_str() }));
        }
        for end in ChatEnd::ALL {
            drop(self.chats.get_or_create(&ChatLabels { end }));
        }
        for reason in [BatchLabels::CONFLICT, BatchLabels::LOCKED, BatchLabels::FAILED] {
            drop(self.batch_failures.get_or_create(&reason));
        }
    }

    /// Says what serves.
    pub(crate) fn built(&self, store: &Store) {
        let labels = BuildLabels { version: env!("CARGO_PKG_VERSION"), database: store.kind() };
        self.build.get_or_create(&labels).set(1);
    }

    /// Everything, as Prometheus reads it; `waiting` requests wait for the engine.
    pub fn text(&self, store: &Store, waiting: usize) -> String {
        self.queue_depth.set(signed(waiting));
        for pool in store.pools() {
            let level = |state, connections: usize| {
                let labels = PoolLabels { pool: pool.name, state };
                self.pool_connections.get_or_create(&labels).set(signed(connections));
            };
            level("idle", pool.idle);
            level("in_use", pool.open.saturating_sub(pool.idle));
        }
        let mut text = String::new();
        // Writing into a text cannot fail.
        let _ = prometheus_text::encode(&mut text, &self.registry);
        text
    }

    /// A request was answered.
    pub(crate) fn answered(&self, action: &Action, answer: &Result<Answer, EngineError>) {
        if let Some(labels) = OperationLabels::of(action, answer) {
            self.operations.get_or_create(&labels).inc();
        }
    }

    /// A page reports its corrections, by cause.
    pub(crate) fn corrected(&self, report: &[Cause]) {
        for cause in report {
            self.corrections.get_or_create(&CorrectionLabels { cause: cause.as_str() }).inc();
        }
    }

    /// A request waited since then.
    pub(crate) fn waited_since(&self, asked_at: Instant) {
        self.queue_wait.observe(asked_at.elapsed().as_secs_f64());
    }

    /// A transaction was committed.
    pub(crate) fn committed(&self, requests: usize, batch: Duration, commit: Duration) {
        // No batch is so large that this would lose anything.
        self.batch_requests.observe(u32::try_from(requests).map_or(f64::MAX, f64::from));
        self.batch_duration.observe(batch.as_secs_f64());
        self.commit_duration.observe(commit.as_secs_f64());
    }

    /// A transaction was rolled back.
    pub(crate) fn rolled_back(&self, error: &StoreError) {
        let reason = match error {
            error if error.is_conflict() => BatchLabels::CONFLICT,
            error if error.is_locked() => BatchLabels::LOCKED,
            _ => BatchLabels::FAILED,
        };
        self.batch_failures.get_or_create(&reason).inc();
    }

    /// The ledger was looked through for open holds.
    pub(crate) fn holds(&self, open: OpenHolds, overdue_ms: i64) {
        self.holds_open.set(open.count);
        self.holds_overdue.set(overdue_ms.max(0) / 1000);
    }

    /// An HTTP request came in.
    pub(crate) fn call(self: &Arc<Self>, route: Option<&MatchedPath>, method: &Method) -> Call {
        let present = Present::of(&self.http_running);
        Call {
            metrics: Arc::clone(self),
            route: Route(route.cloned()),
            method: labels::method(method),
            status: "gone",
            began_at: Instant::now(),
            _present: present,
        }
    }

    /// A chat ended.
    pub(crate) fn chat(&self, end: ChatEnd) {
        self.chats.get_or_create(&ChatLabels { end }).inc();
    }

    /// A model gave its first token, so long after the hold.
    pub(crate) fn first_token(&self, held_at: Instant, is_fallback: bool) {
        self.chat_first_token.observe(held_at.elapsed().as_secs_f64());
        self.chat_fallbacks.inc_by(u64::from(is_fallback));
    }
}

fn signed(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

/// One that is counted in a level for as long as this is kept.
#[derive(Debug)]
pub struct Present(Gauge);

impl Present {
    /// One more.
    pub fn of(level: &Gauge) -> Self {
        level.inc();
        Self(level.clone())
    }
}

impl Drop for Present {
    fn drop(&mut self) {
        self.0.dec();
    }
}

/// An HTTP request, counted when its answer begins, or when it is dropped without one.
pub(crate) struct Call {
    metrics: Arc<Metrics>,
    route: Route,
    method: &'static str,
    status: &'static str,
    began_at: Instant,
    _present: Present,
}

impl Call {
    /// What its method is called here.
    pub(crate) fn method(&self) -> &'static str {
        self.method
    }

    /// Its answer begins.
    pub(crate) fn answered(mut self, status: StatusCode) {
        self.status = labels::class(status);
    }
}

impl Drop for Call {
    fn drop(&mut self) {
        let (route, method, status) = (self.route.clone(), self.method, self.status);
        let took = self.began_at.elapsed().as_secs_f64();
        let of = RouteLabels { route: route.clone(), method };
        self.metrics.http_duration.get_or_create(&of).observe(took);
        self.metrics.http_requests.get_or_create(&CallLabels { route, method, status }).inc();
    }
}
