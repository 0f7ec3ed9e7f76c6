//! What the settings must be, beyond their shape; each complaint names the key and the mend.

mod catalog;
mod providers;
mod traces;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::http::HeaderValue;
use trueup_protocol::request::MAX_TTL_S;

use super::load::Sources;
use super::raw::RawSettings;
use super::{AuthSettings, BusSettings, Secret, Settings};
use crate::auth::hash_api_key;

/// The shortest secret that HS256 may be used with, in bytes.
const MIN_SECRET_BYTES: usize = 32;
/// Shorter keys could be guessed.
const MIN_API_KEY_CHARS: usize = 16;

const HOLD_TTL_S: Range = Range { key: "hold_ttl_s", least: 1, most: MAX_TTL_S };
const SWEEP_INTERVAL_MS: Range = Range { key: "sweep_interval_ms", least: 10, most: 60_000 };
const SHUTDOWN_GRACE_S: Range = Range { key: "shutdown_grace_s", least: 0, most: 3600 };
/// The most is more than one machine's ports and memory could carry.
const MAX_CONNECTIONS: Range = Range { key: "max_connections", least: 1, most: 1_000_000 };

const KEEP_ALIVE_S: Range = Range { key: "keep_alive_s", least: 1, most: 300 };
const MAX_REQUESTS: Range = Range { key: "max_requests", least: 1, most: 1_000_000 };

const ENGINES: Range = Range { key: "engines", least: 1, most: 64 };

/// What `key` must be, when it is one of the settings that are numbers.
pub(super) fn shape_of(key: &str) -> Option<String> {
    let ranges = [
        HOLD_TTL_S,
        SWEEP_INTERVAL_MS,
        SHUTDOWN_GRACE_S,
        MAX_CONNECTIONS,
        MAX_REQUESTS,
        KEEP_ALIVE_S,
        ENGINES,
    ];
    ranges.iter().find(|range| range.key == key).map(Range::shape)
}

/// What a number may be.
struct Range {
    key: &'static str,
    least: u64,
    most: u64,
}

impl Range {
    fn check(&self, number: u64) -> Result<u64, SettingsError> {
        within(self.key, number, self.least, self.most)
    }

    fn shape(&self) -> String {
        whole_number(self.least, self.most)
    }
}

/// A setting that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{key} {problem}")]
pub struct SettingsError {
    /// Which one.
    pub key: String,
    /// What is wrong with it, and the mend.
    pub problem: String,
}

impl SettingsError {
    /// A complaint about one key; key and problem read as one sentence.
    pub fn new(key: impl Into<String>, problem: impl Into<String>) -> Self {
        Self { key: key.into(), problem: problem.into() }
    }
}

pub(super) fn settings(raw: RawSettings, sources: &Sources) -> Result<Settings, SettingsError> {
    let catalog = Arc::new(catalog::read(&raw)?);
    let providers = providers::read(&raw.providers, sources, &catalog)?;
    Ok(Settings {
        listen: listen(&raw.listen)?,
        bus: bus(raw.bus_url.as_ref(), &raw.database_url)?,
        auth: auth(&raw)?,
        catalog,
        providers,
        hold_ttl_s: u32::try_from(HOLD_TTL_S.check(raw.hold_ttl_s)?).unwrap_or(u32::MAX),
        on_expiry: raw.on_expiry,
        sweep_interval: Duration::from_millis(SWEEP_INTERVAL_MS.check(raw.sweep_interval_ms)?),
        shutdown_grace: Duration::from_secs(SHUTDOWN_GRACE_S.check(raw.shutdown_grace_s)?),
        max_connections: usize::try_from(MAX_CONNECTIONS.check(raw.max_connections)?)
            .unwrap_or(usize::MAX),
        keep_alive: Duration::from_secs(KEEP_ALIVE_S.check(raw.keep_alive_s)?),
        max_requests: usize::try_from(MAX_REQUESTS.check(raw.max_requests)?).unwrap_or(usize::MAX),
        engines: usize::try_from(ENGINES.check(raw.engines)?).unwrap_or(usize::MAX),
        cors_origins: raw.cors_origins.iter().map(|it| origin(it)).collect::<Result<_, _>>()?,
        log: raw.log,
        traces: traces::read(raw.otlp_endpoint.as_deref(), sources)?,
        demo: sources.flags.demo,
        database_url: database_url(raw.database_url)?,
    })
}

fn listen(text: &str) -> Result<SocketAddr, SettingsError> {
    let problem = "must be an IP address and a port, as 127.0.0.1:8787 or [::]:8787";
    text.parse().map_err(|_| SettingsError::new("listen", problem))
}

fn database_url(url: Secret) -> Result<Secret, SettingsError> {
    let has_more = |scheme| url.expose().strip_prefix(scheme).is_some_and(|rest| !rest.is_empty());
    if ["sqlite:", "postgres://", "postgresql://"].into_iter().any(has_more) {
        return Ok(url);
    }
    let problem = "must be sqlite: and a file, as sqlite:trueup.db, or the address of a Postgres \
                   database, as postgres://user:password@host/trueup";
    Err(SettingsError::new("database_url", problem))
}

fn bus(url: Option<&Secret>, database_url: &Secret) -> Result<BusSettings, SettingsError> {
    let is_shared = !database_url.expose().starts_with("sqlite:");
    let Some(url) = url else {
        return Ok(if is_shared { BusSettings::Postgres } else { BusSettings::Alone });
    };
    let names_nats = reqwest::Url::parse(url.expose())
        .is_ok_and(|url| ["nats", "tls"].contains(&url.scheme()) && url.has_host());
    let problem = if !names_nats {
        "must be the address of a NATS server, as nats://host:4222 or tls://user:password@host"
    } else if !is_shared {
        "is of no use here: a file has one server; leave it out, or name a Postgres in database_url"
    } else {
        return Ok(BusSettings::Nats(url.clone()));
    };
    Err(SettingsError::new("bus_url", problem))
}

fn auth(raw: &RawSettings) -> Result<AuthSettings, SettingsError> {
    if raw.jwt_secret.as_ref().is_some_and(|it| it.expose().len() < MIN_SECRET_BYTES) {
        let problem = format!(
            "must be at least {MIN_SECRET_BYTES} bytes long; make one with `openssl rand -hex 32`"
        );
        return Err(SettingsError::new("jwt_secret", problem));
    }
    for (key, text) in [("jwt_issuer", &raw.jwt_issuer), ("jwt_audience", &raw.jwt_audience)] {
        if text.is_empty() {
            return Err(SettingsError::new(key, "must not be empty; leave it out for \"trueup\""));
        }
    }
    let weak = |key: &Secret| {
        key.expose().len() < MIN_API_KEY_CHARS || key.expose().contains(char::is_whitespace)
    };
    if raw.api_key.0.iter().any(weak) {
        let problem = format!(
            "must be at least {MIN_API_KEY_CHARS} characters long and without spaces; \
             make one with `openssl rand -hex 32`"
        );
        return Err(SettingsError::new("api_key", problem));
    }
    Ok(AuthSettings {
        jwt_secret: raw.jwt_secret.clone(),
        jwks_url: raw.jwks_url.as_deref().map(jwks_url).transpose()?,
        jwt_issuer: raw.jwt_issuer.clone(),
        jwt_audience: raw.jwt_audience.clone(),
        api_key_hashes: raw.api_key.0.iter().map(|key| hash_api_key(key.expose())).collect(),
    })
}

/// Whoever can change the keys on their way can make tokens for every account.
fn jwks_url(text: &str) -> Result<reqwest::Url, SettingsError> {
    let url = reqwest::Url::parse(text)
        .ok()
        .filter(|url| url.scheme() == "https" || (url.scheme() == "http" && is_loopback(url)));
    let problem = "must be an https:// address (http:// for this machine only)";
    url.ok_or_else(|| SettingsError::new("jwks_url", problem))
}

fn is_loopback(url: &reqwest::Url) -> bool {
    let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']);
    host == "localhost"
        || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}

fn origin(text: &str) -> Result<HeaderValue, SettingsError> {
    let problem = "must list origins as https://app.example.com, without a path, or \"*\"";
    let wrong = || SettingsError::new("cors_origins", problem);
    let fits = text == "*"
        || reqwest::Url::parse(text).is_ok_and(|url| url.origin().ascii_serialization() == text);
    if !fits {
        return Err(wrong());
    }
    HeaderValue::from_str(text).map_err(|_| wrong())
}

fn within(key: &str, number: u64, least: u64, most: u64) -> Result<u64, SettingsError> {
    if (least..=most).contains(&number) {
        return Ok(number);
    }
    Err(SettingsError::new(key, format!("must be {}", whole_number(least, most))))
}

fn whole_number(least: u64, most: u64) -> String {
    format!("a whole number from {least} to {most}")
}
