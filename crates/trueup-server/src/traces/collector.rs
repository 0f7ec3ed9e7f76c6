//! The way to the collector: OTLP over HTTP, from a queue that is full before it is large.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use opentelemetry::KeyValue;
use opentelemetry::trace::TracerProvider as _;
use opentelemetry_http::{Bytes, HttpClient, HttpError, Request, Response};
use opentelemetry_otlp::{Protocol, SpanExporter, WithExportConfig as _, WithHttpConfig as _};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::resource::{EnvResourceDetector, TelemetryResourceDetector};
use opentelemetry_sdk::trace::{SdkTracer, SdkTracerProvider};
use tokio::runtime::Handle;

use crate::chain::chain;
use crate::config::TracesSettings;
use crate::hex::hex;
use crate::server::ServeError;

/// A collector that does not answer for so long is given up for this time.
const SEND_TIMEOUT: Duration = Duration::from_secs(10);
/// What is left when the server stops may take so long.
const STOP_TIMEOUT: Duration = Duration::from_secs(3);
/// A collector has no more to say.
const ANSWER_BYTES: usize = 64 * 1024;

/// Where traces go; cheap to clone. The exporter has a thread of its own and takes from a queue of
/// 2,048 spans; what finds it full is dropped, so that nobody waits for a collector.
#[derive(Clone, Debug)]
pub(super) struct Collector {
    tracer: SdkTracer,
    provider: SdkTracerProvider,
}

impl Collector {
    pub(super) fn start(settings: &TracesSettings) -> Result<Self, ServeError> {
        let client = reqwest::Client::builder()
            .timeout(SEND_TIMEOUT)
            // A redirect would carry the headers to whatever address a collector names.
            .redirect(reqwest::redirect::Policy::none())
            .build()?;
        let courier = Courier { client, runtime: Handle::current(), is_failing: Arc::default() };
        let exporter = SpanExporter::builder()
            .with_http()
            .with_http_client(courier)
            .with_endpoint(settings.endpoint.as_str())
            .with_protocol(Protocol::HttpBinary)
            .build()
            .map_err(|error| ServeError::Traces(error.to_string()))?;
        let provider = SdkTracerProvider::builder()
            .with_resource(resource(settings))
            .with_batch_exporter(exporter)
            .build();
        Ok(Self { tracer: provider.tracer("trueup"), provider })
    }

    pub(super) fn tracer(&self) -> &SdkTracer {
        &self.tracer
    }

    /// Sends what waits, and nothing after that.
    pub(super) fn stop(&self) {
        if self.provider.shutdown_with_timeout(STOP_TIMEOUT).is_err() {
            tracing::warn!("stopping: the last traces could not be sent");
        }
    }
}

/// Who speaks. What the operator says in OpenTelemetry's own variables wins.
fn resource(settings: &TracesSettings) -> Resource {
    let mut instance = [0; 16];
    // Without randomness servers look alike; that is no reason not to start.
    let _ = getrandom::fill(&mut instance);
    let resource = Resource::builder_empty()
        .with_service_name("trueup")
        .with_attributes([
            KeyValue::new("service.version", env!("CARGO_PKG_VERSION")),
            KeyValue::new("service.instance.id", hex(&instance)),
        ])
        .with_detectors(&[
            Box::new(TelemetryResourceDetector),
            Box::new(EnvResourceDetector::new()),
        ]);
    match &settings.service_name {
        Some(name) => resource.with_service_name(name.clone()).build(),
        None => resource.build(),
    }
}

/// Carries requests of the exporter's thread on the server's runtime.
#[derive(Debug)]
struct Courier {
    client: reqwest::Client,
    runtime: Handle,
    is_failing: Arc<AtomicBool>,
}

#[async_trait]
impl HttpClient for Courier {
    async fn send_bytes(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let (client, request) = (self.client.clone(), request.try_into()?);
        let is_failing = Arc::clone(&self.is_failing);
        let sending = async move {
            let answer = send(client, request).await.map_err(reqwest::Error::without_url);
            tell(&is_failing, answer.as_ref());
            answer
        };
        Ok(self.runtime.spawn(sending).await??)
    }
}

/// One line when it begins to fail, and one when that is over.
fn tell(is_failing: &AtomicBool, answer: Result<&Response<Bytes>, &reqwest::Error>) {
    let problem = match answer {
        Ok(response) if response.status().is_success() => None,
        Ok(response) => Some(format!("it answered {}", response.status())),
        Err(error) => Some(chain(error)),
    };
    let has_failed = is_failing.swap(problem.is_some(), Ordering::Relaxed);
    match problem {
        Some(problem) if !has_failed => {
            tracing::warn!(problem, "traces cannot be sent to the collector and get lost");
        }
        None if has_failed => tracing::info!("traces are sent to the collector again"),
        _ => {}
    }
}

async fn send(
    client: reqwest::Client,
    request: reqwest::Request,
) -> Result<Response<Bytes>, reqwest::Error> {
    let mut answer = client.execute(request).await?;
    let mut response = Response::new(Bytes::new());
    *response.status_mut() = answer.status();
    *response.headers_mut() = std::mem::take(answer.headers_mut());
    let mut body = Vec::new();
    while let Some(piece) = answer.chunk().await? {
        if body.len() + piece.len() > ANSWER_BYTES {
            break;
        }
        body.extend_from_slice(&piece);
    }
    *response.body_mut() = body.into();
    Ok(response)
}
