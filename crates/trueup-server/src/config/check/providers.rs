//! Who answers chats.

use std::time::Duration;

use axum::http::{HeaderName, HeaderValue};

use super::catalog::model_id;
use super::{SettingsError, within};
use crate::config::load::Sources;
use crate::config::raw::{RawProvider, RawProviderKind};
use crate::config::{Catalog, OpenAiProvider, ProviderSettings, Secret, SimulatedProvider};

pub(super) fn read(
    raw: &[RawProvider],
    sources: &Sources,
    catalog: &Catalog,
) -> Result<Vec<ProviderSettings>, SettingsError> {
    let numbered = raw.iter().enumerate();
    numbered.map(|(at, raw)| read_one(&format!("providers.{at}"), raw, sources, catalog)).collect()
}

fn read_one(
    key: &str,
    raw: &RawProvider,
    sources: &Sources,
    catalog: &Catalog,
) -> Result<ProviderSettings, SettingsError> {
    let of_upstreams = raw.base_url.is_some()
        || raw.api_key.is_some()
        || raw.api_key_env.is_some()
        || !raw.headers.is_empty()
        || raw.models.is_some();
    let of_the_simulation = raw.first_token_ms.is_some()
        || raw.tokens_per_second.is_some()
        || raw.tokens.is_some()
        || raw.failing_models.is_some();
    match raw.kind {
        RawProviderKind::Simulated if of_upstreams => {
            let problem = "is simulated and takes no address, key, headers or models; \
                           take them out";
            Err(SettingsError::new(key, problem))
        }
        RawProviderKind::Simulated => simulated(key, raw, catalog).map(ProviderSettings::Simulated),
        RawProviderKind::OpenAi if of_the_simulation => {
            let problem = "is no simulation and takes no first_token_ms, tokens_per_second, \
                           tokens or failing_models; take them out";
            Err(SettingsError::new(key, problem))
        }
        RawProviderKind::OpenAi => Ok(ProviderSettings::OpenAi(OpenAiProvider {
            base_url: base_url(key, raw.base_url.as_deref())?,
            api_key: api_key(key, raw, sources)?,
            headers: headers(key, raw)?,
            models: raw
                .models
                .as_deref()
                .map(|it| models(key, "models", it, catalog))
                .transpose()?,
        })),
    }
}

fn simulated(
    key: &str,
    raw: &RawProvider,
    catalog: &Catalog,
) -> Result<SimulatedProvider, SettingsError> {
    let mut provider = SimulatedProvider::default();
    let number = |name: &str, given: Option<u64>, least, most| {
        given.map(|it| within(&format!("{key}.{name}"), it, least, most)).transpose()
    };
    if let Some(delay_ms) = number("first_token_ms", raw.first_token_ms, 0, 60_000)? {
        provider.first_token_delay = Duration::from_millis(delay_ms);
    }
    if let Some(speed) = number("tokens_per_second", raw.tokens_per_second, 0, 100_000)? {
        provider.tokens_per_second = u32::try_from(speed).unwrap_or(u32::MAX);
    }
    let tokens = number("tokens", raw.tokens, 1, 100_000)?;
    provider.tokens = tokens.and_then(|count| u32::try_from(count).ok());
    if let Some(names) = &raw.failing_models {
        provider.failing_models = models(key, "failing_models", names, catalog)?;
    }
    Ok(provider)
}

fn base_url(key: &str, text: Option<&str>) -> Result<String, SettingsError> {
    let key = format!("{key}.base_url");
    let problem = "must be an http(s):// address, as https://api.openai.com/v1";
    let text = text.unwrap_or_default();
    let url = reqwest::Url::parse(text).ok().filter(|url| {
        matches!(url.scheme(), "http" | "https")
            && url.query().is_none()
            && url.fragment().is_none()
    });
    match url {
        Some(_) => Ok(text.trim_end_matches('/').to_owned()),
        None => Err(SettingsError::new(key, problem)),
    }
}

fn api_key(
    key: &str,
    raw: &RawProvider,
    sources: &Sources,
) -> Result<Option<Secret>, SettingsError> {
    match (&raw.api_key, &raw.api_key_env) {
        (Some(_), Some(_)) => {
            let problem = "has both api_key and api_key_env; take one out";
            Err(SettingsError::new(key, problem))
        }
        (None, Some(variable)) => match sources.variable(variable) {
            Some(secret) => sendable(format!("{key}.api_key_env"), Secret::new(secret)).map(Some),
            None => {
                let problem = "names an environment variable that is not set; set it";
                Err(SettingsError::new(format!("{key}.api_key_env"), problem))
            }
        },
        (given, None) => {
            given.clone().map(|secret| sendable(format!("{key}.api_key"), secret)).transpose()
        }
    }
}

/// A key travels in a header.
fn sendable(key: String, secret: Secret) -> Result<Secret, SettingsError> {
    let text = secret.expose();
    if !text.is_empty() && HeaderValue::from_str(text).is_ok() {
        return Ok(secret);
    }
    let problem = "must be a key that fits in one line; leave it out where none is needed";
    Err(SettingsError::new(key, problem))
}

/// Another value than the connection's own would break every call.
const OF_THE_CONNECTION: [&str; 9] = [
    "connection",
    "content-length",
    "content-type",
    "expect",
    "host",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

fn headers(key: &str, raw: &RawProvider) -> Result<Vec<(HeaderName, HeaderValue)>, SettingsError> {
    let read = |(name, value): (&String, &Secret)| {
        let key = format!("{key}.headers.{name}");
        let wrong = || SettingsError::new(&key, "must be a valid HTTP header");
        let header = HeaderName::from_bytes(name.as_bytes()).map_err(|_| wrong())?;
        if OF_THE_CONNECTION.contains(&header.as_str()) {
            let problem = "is set by the connection itself; take it out";
            return Err(SettingsError::new(&key, problem));
        }
        let mut value = HeaderValue::from_str(value.expose()).map_err(|_| wrong())?;
        // Keeps it out of Debug.
        value.set_sensitive(true);
        Ok((header, value))
    };
    raw.headers.iter().map(read).collect()
}

fn models(
    key: &str,
    list: &str,
    names: &[String],
    catalog: &Catalog,
) -> Result<Vec<trueup_core::ModelId>, SettingsError> {
    let key = format!("{key}.{list}");
    let read = |name: &String| {
        let model = model_id(&key, name)?;
        if catalog.models.contains_key(&model) {
            return Ok(model);
        }
        let problem = format!("names {model}, which is no model; add it or take it out");
        Err(SettingsError::new(&key, problem))
    };
    if names.is_empty() {
        return Err(SettingsError::new(&key, "must name a model; leave it out for all of them"));
    }
    names.iter().map(read).collect()
}
