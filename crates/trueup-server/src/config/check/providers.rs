//! Who answers chats.

use axum::http::{HeaderName, HeaderValue};

use super::SettingsError;
use super::catalog::model_id;
use crate::config::load::Sources;
use crate::config::raw::{RawProvider, RawProviderKind};
use crate::config::{Catalog, OpenAiProvider, ProviderSettings, Secret};

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
    if raw.kind == RawProviderKind::Simulated {
        let only_kind = raw.base_url.is_none()
            && raw.api_key.is_none()
            && raw.api_key_env.is_none()
            && raw.headers.is_empty()
            && raw.models.is_none();
        let problem = "is simulated and takes no other key; take them out";
        return if only_kind {
            Ok(ProviderSettings::Simulated)
        } else {
            Err(SettingsError::new(key, problem))
        };
    }
    Ok(ProviderSettings::OpenAi(OpenAiProvider {
        base_url: base_url(key, raw.base_url.as_deref())?,
        api_key: api_key(key, raw, sources)?,
        headers: headers(key, raw)?,
        models: raw.models.as_ref().map(|names| models(key, names, catalog)).transpose()?,
    }))
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
            Some(secret) => Ok(Some(Secret::new(secret))),
            None => {
                let problem = "names an environment variable that is not set; set it";
                Err(SettingsError::new(format!("{key}.api_key_env"), problem))
            }
        },
        (given, None) => Ok(given.clone()),
    }
}

fn headers(key: &str, raw: &RawProvider) -> Result<Vec<(HeaderName, HeaderValue)>, SettingsError> {
    let read = |(name, value): (&String, &Secret)| {
        let key = format!("{key}.headers.{name}");
        let wrong = || SettingsError::new(&key, "must be a valid HTTP header");
        let header = HeaderName::from_bytes(name.as_bytes()).map_err(|_| wrong())?;
        let mut value = HeaderValue::from_str(value.expose()).map_err(|_| wrong())?;
        // Keeps it out of Debug.
        value.set_sensitive(true);
        Ok((header, value))
    };
    raw.headers.iter().map(read).collect()
}

fn models(
    key: &str,
    names: &[String],
    catalog: &Catalog,
) -> Result<Vec<trueup_core::ModelId>, SettingsError> {
    let key = format!("{key}.models");
    let read = |name: &String| {
        let model = model_id(&key, name)?;
        if catalog.models.contains_key(&model) {
            return Ok(model);
        }
        let problem = format!("names {model}, which is no model; add it or take it out");
        Err(SettingsError::new(&key, problem))
    };
    names.iter().map(read).collect()
}
