//! A collector of OpenTelemetry: takes OTLP over HTTP and keeps what it was told.

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::routing::post;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue};
use opentelemetry_proto::tonic::trace::v1::Span;
use prost::Message as _;
use tokio::net::TcpListener;

#[derive(Clone, Default)]
pub struct Collector(Arc<Mutex<Told>>);

#[derive(Default)]
struct Told {
    bodies: Vec<Bytes>,
    headers: Vec<HeaderMap>,
}

impl Collector {
    /// Starts one, and says where it listens.
    pub async fn start() -> (Self, String) {
        let collector = Self::default();
        let router = Router::new().route("/v1/traces", post(take)).with_state(collector.clone());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        (collector, format!("http://{address}"))
    }

    fn requests(&self) -> Vec<ExportTraceServiceRequest> {
        let told = self.0.lock().unwrap();
        let read = |body: &Bytes| ExportTraceServiceRequest::decode(body.clone()).unwrap();
        told.bodies.iter().map(read).collect()
    }

    pub fn spans(&self) -> Vec<Span> {
        let resources = self.requests().into_iter().flat_map(|it| it.resource_spans);
        resources.flat_map(|it| it.scope_spans).flat_map(|it| it.spans).collect()
    }

    /// An attribute of the server itself.
    pub fn resource(&self, key: &str) -> Option<String> {
        let spans = self.requests().into_iter().flat_map(|it| it.resource_spans).next()?;
        attribute(&spans.resource?.attributes, key)
    }

    /// Everything that it was told, bodies and headers, as far as that is text.
    pub fn text(&self) -> String {
        let told = self.0.lock().unwrap();
        let bodies = told.bodies.iter().map(|body| String::from_utf8_lossy(body).into_owned());
        bodies.chain(told.headers.iter().map(|it| format!("{it:?}"))).collect()
    }
}

async fn take(State(collector): State<Collector>, headers: HeaderMap, body: Bytes) {
    assert_eq!(headers["content-type"], "application/x-protobuf");
    let mut told = collector.0.lock().unwrap();
    told.bodies.push(body);
    told.headers.push(headers);
}

/// An attribute as text.
pub fn attribute(attributes: &[KeyValue], key: &str) -> Option<String> {
    let found = attributes.iter().find(|it| it.key == key)?;
    match &found.value {
        Some(AnyValue { value: Some(Value::StringValue(text)) }) => Some(text.clone()),
        Some(AnyValue { value: Some(Value::IntValue(number)) }) => Some(number.to_string()),
        other => panic!("{key} is {other:?}"),
    }
}
