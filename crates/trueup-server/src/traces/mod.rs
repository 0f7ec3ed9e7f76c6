//! What single requests did, for a collector of OpenTelemetry; nothing where no collector is named.
//!
//! Everything that leaves the server this way is written in this file: routes, models, outcomes,
//! sizes and the ids of requests. No account, actor, operation, token or text of anybody is among it.
//!
//! The span that work belongs to travels with the work, in OpenTelemetry's own context, so that the
//! engine and the gateway need not be told. Where there is none, nothing is made and nothing counted.

mod collector;

use std::borrow::Cow;

use axum::http::{HeaderMap, StatusCode};
use futures::future::Either;
use opentelemetry::propagation::TextMapPropagator as _;
use opentelemetry::trace::{
    FutureExt as _, Link, SpanBuilder, SpanKind, Status, TraceContextExt as _, Tracer as _,
};
use opentelemetry::{Context, KeyValue};
use opentelemetry_http::HeaderExtractor;
use opentelemetry_sdk::propagation::TraceContextPropagator;

use crate::config::TracesSettings;
use crate::server::ServeError;
use collector::Collector;

/// Makes traces, or does not; cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Traces(Option<Collector>);

impl Traces {
    /// Traces for the collector of the settings, if they name one. To be called inside the runtime
    /// that is to send them.
    ///
    /// # Errors
    /// When the system's TLS or resolver cannot be set up.
    pub fn of(settings: Option<&TracesSettings>) -> Result<Self, ServeError> {
        settings.map(Collector::start).transpose().map(Self)
    }

    /// A call of the API begins. It continues the trace that its caller began, if there is one.
    pub(crate) fn call(
        &self,
        headers: &HeaderMap,
        route: Option<&str>,
        method: &'static str,
        id: &str,
    ) -> Span {
        // What operators ask, again and again, is no news to them.
        let route = route.filter(|route| route.starts_with("/v1/"));
        let (Some(collector), Some(route)) = (&self.0, route) else { return Span(None) };
        let caller = TraceContextPropagator::new().extract(&HeaderExtractor(headers));
        let builder = SpanBuilder::from_name(format!("{method} {route}"))
            .with_kind(SpanKind::Server)
            .with_attributes([
                KeyValue::new("http.request.method", method),
                KeyValue::new("http.route", route.to_owned()),
                KeyValue::new("trueup.request_id", id.to_owned()),
            ]);
        Span::begin(builder, &caller.with_value(collector.clone()))
    }

    /// Sends what has not been sent, for a short while.
    pub(crate) async fn stop(&self) {
        if let Some(collector) = self.0.clone() {
            // It blocks, and what it waits for is sent by this runtime.
            let _ = tokio::task::spawn_blocking(move || collector.stop()).await;
        }
    }
}

/// Something that takes its time, from its making until it is ended or the last of it is dropped.
#[derive(Debug)]
pub(crate) struct Span(Option<Context>);

impl Span {
    /// A model is asked, on behalf of the work that asks.
    pub(crate) fn model(provider: &'static str, model: &str) -> Self {
        Origin::here().0.map_or(Self(None), |context| {
            let builder = SpanBuilder::from_name(format!("chat {model}"))
                .with_kind(SpanKind::Client)
                .with_attributes([
                    KeyValue::new("gen_ai.operation.name", "chat"),
                    KeyValue::new("gen_ai.provider.name", provider),
                    KeyValue::new("gen_ai.request.model", model.to_owned()),
                ]);
            Self::begin(builder, &context)
        })
    }

    /// A transaction of requests from there. It is told in the trace of the first whose trace is
    /// kept, and names the others.
    pub(crate) fn batch<'a>(origins: impl ExactSizeIterator<Item = &'a Origin>) -> Self {
        let size = i64::try_from(origins.len()).unwrap_or(i64::MAX);
        let mut origins = origins.filter_map(|origin| origin.0.as_ref());
        origins.next().map_or(Self(None), |first| {
            let others = origins.map(|it| Link::with_context(it.span().span_context().clone()));
            let builder = SpanBuilder::from_name("batch")
                .with_links(others.collect())
                .with_attributes([KeyValue::new("trueup.batch.requests", size)]);
            Self::begin(builder, first)
        })
    }

    /// A part of this.
    pub(crate) fn part(&self, name: &'static str) -> Self {
        let begun =
            self.0.as_ref().map(|context| Self::begin(SpanBuilder::from_name(name), context));
        begun.unwrap_or(Self(None))
    }

    fn begin(builder: SpanBuilder, context: &Context) -> Self {
        Self(context.get::<Collector>().map(|collector| {
            context.with_span(collector.tracer().build_with_context(builder, context))
        }))
    }

    /// The trace that it belongs to, for the log.
    pub(crate) fn trace_id(&self) -> Option<String> {
        self.0.as_ref().map(|context| context.span().span_context().trace_id().to_string())
    }

    /// Work that belongs to it.
    pub(crate) fn around<F: Future>(&self, work: F) -> impl Future<Output = F::Output> + use<F> {
        match &self.0 {
            Some(context) => Either::Left(work.with_context(context.clone())),
            None => Either::Right(work),
        }
    }

    /// The call was answered.
    pub(crate) fn answered(&self, status: StatusCode) {
        self.set("http.response.status_code", i64::from(status.as_u16()));
        self.end(status.is_server_error());
    }

    /// The model gave its first token.
    pub(crate) fn first_token(&self) {
        if let Some(context) = &self.0 {
            context.span().add_event("first token", Vec::new());
        }
    }

    /// It ended, with this outcome.
    pub(crate) fn ended(&self, outcome: &'static str, has_failed: bool) {
        self.set("trueup.outcome", outcome);
        self.end(has_failed);
    }

    fn set(&self, key: &'static str, value: impl Into<opentelemetry::Value>) {
        if let Some(context) = &self.0 {
            context.span().set_attribute(KeyValue::new(key, value));
        }
    }

    fn end(&self, has_failed: bool) {
        if let Some(context) = &self.0 {
            if has_failed {
                context.span().set_status(Status::Error { description: Cow::Borrowed("") });
            }
            context.span().end();
        }
    }
}

/// The span that a piece of work belongs to, if its trace is kept.
#[derive(Clone, Debug, Default)]
pub(crate) struct Origin(Option<Context>);

impl Origin {
    /// Of the work that asks.
    pub(crate) fn here() -> Self {
        Self(Context::map_current(|context| {
            let is_kept = context.span().span_context().is_sampled();
            is_kept.then(|| context.clone())
        }))
    }

    /// Work elsewhere that belongs there as well.
    pub(crate) fn around<F: Future>(self, work: F) -> impl Future<Output = F::Output> + use<F> {
        Span(self.0).around(work)
    }
}
