//! An upstream that speaks OpenAI's chat completions over HTTP.

use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use futures::StreamExt;
use futures::stream::BoxStream;
use reqwest::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderValue};
use tokio::time::timeout;
use trueup_core::ModelId;

use super::secrets::Secrets;
use super::{ProviderError, Reply};
use crate::chain::chain;
use crate::config::{OpenAiProvider, Secret};
use crate::gateway::request::ChatRequest;
use crate::gateway::sse::EventReader;

const EVENT_LIMIT_BYTES: usize = 1024 * 1024;
const WHOLE_LIMIT_BYTES: usize = 16 * 1024 * 1024;
const ERROR_LIMIT_BYTES: usize = 64 * 1024;

/// How long an upstream may be silent.
#[derive(Clone, Copy, Debug)]
pub struct Timeouts {
    /// Until a connection stands.
    pub connect: Duration,
    /// Until a stream's head is there, and between two pieces of any answer.
    pub idle: Duration,
    /// Until the head of an answer that is not streamed: the model thinks it through first.
    pub whole: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(10),
            idle: Duration::from_secs(90),
            whole: Duration::from_secs(600),
        }
    }
}

/// An OpenAI-compatible upstream; cheap to clone.
#[derive(Clone, Debug)]
pub struct OpenAi(Arc<Upstream>);

#[derive(Debug)]
struct Upstream {
    client: reqwest::Client,
    url: String,
    name: String,
    headers: HeaderMap,
    secrets: Secrets,
    models: Option<Vec<ModelId>>,
    timeouts: Timeouts,
}

type Pieces = BoxStream<'static, reqwest::Result<Bytes>>;

impl OpenAi {
    /// The upstream that the settings describe.
    ///
    /// # Errors
    /// When the system's TLS or resolver cannot be set up.
    pub fn new(settings: &OpenAiProvider, timeouts: Timeouts) -> Result<Self, reqwest::Error> {
        let client = reqwest::Client::builder()
            .connect_timeout(timeouts.connect)
            // A redirect would carry the key to whatever address an upstream names.
            .redirect(reqwest::redirect::Policy::none())
            // The gateway decides what is asked twice: an answer may be paid for already.
            .retry(reqwest::retry::never())
            .user_agent(concat!("trueup/", env!("CARGO_PKG_VERSION")))
            .build()?;
        let url = format!("{}/chat/completions", settings.base_url);
        let host = reqwest::Url::parse(&url).ok().and_then(|url| url.host_str().map(str::to_owned));
        let name = host.unwrap_or_else(|| "openai".to_owned());
        let headers = headers(settings);
        let key = settings.api_key.as_ref().map(Secret::expose);
        let sent = settings
            .headers
            .iter()
            .filter_map(|(_, value)| std::str::from_utf8(value.as_bytes()).ok());
        let secrets = Secrets::new(key.into_iter().chain(sent));
        let models = settings.models.clone();
        let upstream = Upstream { client, url, name, headers, secrets, models, timeouts };
        Ok(Self(Arc::new(upstream)))
    }

    pub(super) fn name(&self) -> &str {
        &self.0.name
    }

    pub(super) fn secrets(&self) -> &Secrets {
        &self.0.secrets
    }

    pub(super) fn serves(&self, model: &ModelId) -> bool {
        self.0.models.as_ref().is_none_or(|models| models.contains(model))
    }

    pub(super) async fn ask(
        &self,
        request: &ChatRequest,
        model: &ModelId,
    ) -> Result<Reply, ProviderError> {
        let upstream = &*self.0;
        let body = request.body_for(model).map_err(|error| broken(&error))?;
        let accept = if request.stream() { "text/event-stream" } else { "application/json" };
        let sending = upstream
            .client
            .post(&upstream.url)
            .headers(upstream.headers.clone())
            .header(ACCEPT, accept)
            .header(CONTENT_TYPE, "application/json")
            .body(body)
            .send();
        let Timeouts { idle, whole, .. } = upstream.timeouts;
        let patience = if request.stream() { idle } else { whole };
        let response = timeout(patience, sending)
            .await
            .map_err(|_| silent(patience))?
            .map_err(|error| ProviderError::Unreachable(chain(&error.without_url())))?;
        let status = response.status();
        let is_events = is_event_stream(response.headers());
        let pieces = response.bytes_stream().boxed();
        if !status.is_success() {
            // What came of the body before a failure still says more than nothing.
            let (body, _) = collect(pieces, ERROR_LIMIT_BYTES, idle).await;
            let body = upstream.secrets.hide_keys(body);
            return Err(ProviderError::Status { status: status.as_u16(), body });
        }
        match (request.stream(), is_events) {
            (true, true) => Ok(Reply::Stream(events(pieces, idle))),
            (false, false) => match collect(pieces, WHOLE_LIMIT_BYTES, idle).await {
                (body, None) => Ok(Reply::Whole(body)),
                (_, Some(error)) => Err(error),
            },
            (true, false) => Err(ProviderError::Broken("it sent no event stream".to_owned())),
            (false, true) => Err(ProviderError::Broken("it sent an event stream".to_owned())),
        }
    }
}

fn headers(settings: &OpenAiProvider) -> HeaderMap {
    let mut headers = HeaderMap::new();
    let bearer = settings.api_key.as_ref().map(|key| format!("Bearer {}", key.expose()));
    // A key that fits into no header is refused by the settings.
    if let Some(mut value) = bearer.and_then(|text| HeaderValue::try_from(text).ok()) {
        value.set_sensitive(true);
        headers.insert(AUTHORIZATION, value);
    }
    for (name, value) in &settings.headers {
        let mut value = value.clone();
        value.set_sensitive(true);
        headers.insert(name.clone(), value);
    }
    headers
}

fn is_event_stream(headers: &HeaderMap) -> bool {
    let kind = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let essence = kind.split(';').next().unwrap_or_default().trim();
    essence.eq_ignore_ascii_case("text/event-stream")
}

struct Reading {
    pieces: Pieces,
    events: EventReader,
    idle: Duration,
    ended: bool,
}

fn events(pieces: Pieces, idle: Duration) -> BoxStream<'static, Result<Bytes, ProviderError>> {
    let events = EventReader::new(EVENT_LIMIT_BYTES);
    let reading = Reading { pieces, events, idle, ended: false };
    futures::stream::try_unfold(reading, |mut reading| async move {
        loop {
            if let Some(data) = reading.events.next_event() {
                return Ok(Some((data, reading)));
            }
            if reading.ended {
                return Ok(None);
            }
            reading.read().await?;
        }
    })
    .boxed()
}

impl Reading {
    async fn read(&mut self) -> Result<(), ProviderError> {
        match timeout(self.idle, self.pieces.next()).await {
            Err(_) => Err(silent(self.idle)),
            Ok(Some(Ok(piece))) => self.events.feed(&piece).map_err(|error| broken(&error)),
            Ok(Some(Err(error))) => Err(broken(&error.without_url())),
            Ok(None) => {
                self.ended = true;
                self.events.end().map_err(|error| broken(&error))
            }
        }
    }
}

async fn collect(
    mut pieces: Pieces,
    limit_bytes: usize,
    idle: Duration,
) -> (Bytes, Option<ProviderError>) {
    let mut body = BytesMut::new();
    let error = loop {
        match timeout(idle, pieces.next()).await {
            Err(_) => break Some(silent(idle)),
            Ok(Some(Err(error))) => break Some(broken(&error.without_url())),
            Ok(Some(Ok(piece))) if body.len() + piece.len() > limit_bytes => {
                break Some(ProviderError::Broken(format!(
                    "it is longer than {limit_bytes} bytes"
                )));
            }
            Ok(Some(Ok(piece))) => body.extend_from_slice(&piece),
            Ok(None) => break None,
        }
    };
    (body.freeze(), error)
}

fn silent(patience: Duration) -> ProviderError {
    ProviderError::Unreachable(format!("it was silent for {} s", patience.as_secs_f32()))
}

fn broken(error: &(dyn std::error::Error + 'static)) -> ProviderError {
    ProviderError::Broken(chain(error))
}
