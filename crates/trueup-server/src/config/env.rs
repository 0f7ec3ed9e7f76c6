//! `TRUEUP_*` variables as a layer of settings.
//!
//! The kind of each key is known, so a secret of digits stays text. Models, plans and providers
//! belong in the file.

use figment::value::{Dict, Map, Value};
use figment::{Metadata, Profile, Provider};

use super::SettingsError;

const PREFIX: &str = "TRUEUP_";
/// Read by the command line, which finds the settings file with it.
const NOT_SETTINGS: &[&str] = &["config"];

#[derive(Clone, Copy)]
enum Kind {
    Text,
    Number,
    List,
}

const KEYS: &[(&str, Kind)] = &[
    ("listen", Kind::Text),
    ("database_url", Kind::Text),
    ("bus_url", Kind::Text),
    ("jwt_secret", Kind::Text),
    ("jwks_url", Kind::Text),
    ("jwt_issuer", Kind::Text),
    ("jwt_audience", Kind::Text),
    ("api_key", Kind::Text),
    ("default_plan", Kind::Text),
    ("hold_ttl_s", Kind::Number),
    ("on_expiry", Kind::Text),
    ("sweep_interval_ms", Kind::Number),
    ("shutdown_grace_s", Kind::Number),
    ("max_connections", Kind::Number),
    ("keep_alive_s", Kind::Number),
    ("max_requests", Kind::Number),
    ("engines", Kind::Number),
    ("cors_origins", Kind::List),
    ("log", Kind::Text),
    ("otlp_endpoint", Kind::Text),
];

pub(super) struct EnvLayer(Dict);

impl EnvLayer {
    /// Takes what begins with `TRUEUP_`. A variable that is set to nothing counts as not set.
    pub(super) fn new<'a>(
        variables: impl IntoIterator<Item = (&'a str, &'a str)>,
    ) -> Result<Self, SettingsError> {
        let mut dict = Dict::new();
        for (name, text) in variables {
            let Some(key) = name.strip_prefix(PREFIX).map(str::to_ascii_lowercase) else {
                continue;
            };
            if text.is_empty() || NOT_SETTINGS.contains(&key.as_str()) {
                continue;
            }
            let Some((_, kind)) = KEYS.iter().find(|(known, _)| *known == key) else {
                return Err(unknown(name));
            };
            dict.insert(key, value(*kind, text));
        }
        Ok(Self(dict))
    }
}

fn value(kind: Kind, text: &str) -> Value {
    let number = || text.trim().parse::<u64>().ok().map(Value::from);
    match kind {
        Kind::Text => text.into(),
        // What is no number stays text, and is then refused with the variable's name.
        Kind::Number => number().unwrap_or_else(|| text.into()),
        Kind::List => {
            let parts = text.split(',').map(str::trim).filter(|part| !part.is_empty());
            parts.map(Value::from).collect::<Vec<_>>().into()
        }
    }
}

fn unknown(name: &str) -> SettingsError {
    let known: Vec<_> =
        KEYS.iter().map(|(key, _)| format!("{PREFIX}{}", key.to_ascii_uppercase())).collect();
    let problem = format!("is no setting; unset it, or use one of {}", known.join(", "));
    SettingsError::new(name, problem)
}

impl Provider for EnvLayer {
    fn metadata(&self) -> Metadata {
        Metadata::named("the environment").interpolater(|_: &Profile, path: &[&str]| {
            format!("{PREFIX}{}", path.join(".").to_ascii_uppercase())
        })
    }

    fn data(&self) -> Result<Map<Profile, Dict>, figment::Error> {
        Ok(Map::from([(Profile::Default, self.0.clone())]))
    }
}
