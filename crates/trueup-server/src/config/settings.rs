//! The settings after every check: what the rest of the server may rely on.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::http::{HeaderName, HeaderValue};
use trueup_core::ModelId;

use super::{Catalog, Secret};

/// Everything that an operator can set. Made by [`super::Sources::load`], which checks it whole.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Where to listen.
    pub listen: SocketAddr,
    /// Which database: `sqlite:FILE` or `postgres://…`.
    pub database_url: Secret,
    /// How servers over one database tell each other of changes.
    pub bus: BusSettings,
    /// How callers prove who they are.
    pub auth: AuthSettings,
    /// Models and plans.
    pub catalog: Arc<Catalog>,
    /// Who answers chats, in the order in which they are asked.
    pub providers: Vec<ProviderSettings>,
    /// Seconds that a hold lives when its maker does not say, and that the gateway's holds live
    /// between renewals.
    pub hold_ttl_s: u32,
    /// What becomes of a hold that nobody ended.
    pub on_expiry: OnExpiry,
    /// How often due holds are looked for.
    pub sweep_interval: Duration,
    /// How long running streams may go on after the server was asked to stop.
    pub shutdown_grace: Duration,
    /// How many connections may be open at a time; more wait until one closes.
    pub max_connections: usize,
    /// Something is sent on a push stream at least so often.
    pub keep_alive: Duration,
    /// How many requests are worked on at a time; more are turned away.
    pub max_requests: usize,
    /// How many batches a shared database may write at once.
    pub engines: usize,
    /// Pages of other origins that may call this server from a browser.
    pub cors_origins: Vec<HeaderValue>,
    /// How log lines are written.
    pub log: LogFormat,
    /// Where traces of single requests are sent; nowhere when `None`.
    pub traces: Option<TracesSettings>,
    /// Whether the demo page and its faults are served.
    pub demo: bool,
}

/// How servers over one database tell each other of changes.
#[derive(Clone, Debug)]
pub enum BusSettings {
    /// There are no others: the database is a file.
    Alone,
    /// By notifications of the database.
    Postgres,
    /// By a NATS server at this address.
    Nats(Secret),
}

/// A collector of OpenTelemetry, and who we are to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TracesSettings {
    /// Where it takes traces: OTLP over HTTP, as protobuf.
    pub endpoint: reqwest::Url,
    /// The service's name, when it has another than ours.
    pub service_name: Option<String>,
}

/// How callers prove who they are.
#[derive(Clone, Debug)]
pub struct AuthSettings {
    /// Signs and checks browser tokens (HS256).
    pub jwt_secret: Option<Secret>,
    /// Where the keys of browser tokens are published (RS256, ES256, EdDSA).
    pub jwks_url: Option<reqwest::Url>,
    /// The `iss` that a browser token must have.
    pub jwt_issuer: String,
    /// The `aud` that a browser token must have.
    pub jwt_audience: String,
    /// SHA-256 of every API key; the keys themselves are not kept.
    pub api_key_hashes: Vec<[u8; 32]>,
}

/// An upstream that answers chats.
#[derive(Clone, Debug)]
pub enum ProviderSettings {
    /// Built in, for demos and tests: answers every model, without a network.
    Simulated(SimulatedProvider),
    /// Anything that speaks OpenAI's chat completions.
    OpenAi(OpenAiProvider),
}

impl ProviderSettings {
    /// Whether chats for `model` may be sent here.
    pub fn serves(&self, model: &ModelId) -> bool {
        match self {
            Self::Simulated(_) => true,
            Self::OpenAi(provider) => {
                provider.models.as_ref().is_none_or(|models| models.contains(model))
            }
        }
    }
}

/// How the simulation behaves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SimulatedProvider {
    /// From the question to the first token.
    pub first_token_delay: Duration,
    /// How fast tokens follow; zero is all at once.
    pub tokens_per_second: u32,
    /// The length of an answer; its own length when `None`.
    pub tokens: Option<u32>,
    /// Models that fail before their first token.
    pub failing_models: Vec<ModelId>,
}

impl Default for SimulatedProvider {
    /// About as fast as a good model on a good day.
    fn default() -> Self {
        Self {
            first_token_delay: Duration::from_millis(350),
            tokens_per_second: 40,
            tokens: None,
            failing_models: Vec::new(),
        }
    }
}

/// An OpenAI-compatible upstream.
#[derive(Clone, Debug)]
pub struct OpenAiProvider {
    /// What `/chat/completions` is appended to, without a trailing slash.
    pub base_url: String,
    /// Sent as a bearer token.
    pub api_key: Option<Secret>,
    /// Sent with every request; their values do not show in logs.
    pub headers: Vec<(HeaderName, HeaderValue)>,
    /// The models it answers; every model when `None`.
    pub models: Option<Vec<ModelId>>,
}

/// What becomes of a hold that nobody ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OnExpiry {
    /// Its units are given back.
    #[default]
    Release,
    /// Its units are charged.
    Charge,
}

/// How log lines are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// One JSON object a line.
    Json,
}
