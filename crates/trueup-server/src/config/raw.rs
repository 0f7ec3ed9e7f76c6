//! The settings as they are written, before any check but that of their shape.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::{self, Deserializer, SeqAccess, Unexpected, Visitor};
use serde::{Deserialize, Serialize};

use super::{LogFormat, OnExpiry, Secret};

/// One key of the settings file a field; a misspelt key is refused, since the default that would
/// stand in its place is not what its writer meant.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawSettings {
    pub listen: String,
    pub database_url: Secret,
    pub bus_url: Option<Secret>,
    pub jwt_secret: Option<Secret>,
    pub jwks_url: Option<String>,
    pub jwt_issuer: String,
    pub jwt_audience: String,
    #[serde(default)]
    pub api_key: SecretList,
    pub default_plan: Option<String>,
    #[serde(default)]
    pub models: BTreeMap<String, RawModel>,
    #[serde(default)]
    pub plans: BTreeMap<String, RawPlan>,
    #[serde(default)]
    pub providers: Vec<RawProvider>,
    pub hold_ttl_s: u64,
    #[serde(default)]
    pub on_expiry: OnExpiry,
    pub sweep_interval_ms: u64,
    pub shutdown_grace_s: u64,
    pub max_connections: u64,
    pub keep_alive_s: u64,
    pub max_requests: u64,
    pub engines: u64,
    #[serde(default)]
    pub cors_origins: Vec<String>,
    #[serde(default)]
    pub log: LogFormat,
    pub otlp_endpoint: Option<String>,
}

/// What holds where nothing is written.
#[derive(Serialize)]
pub(super) struct Defaults {
    listen: &'static str,
    database_url: &'static str,
    jwt_issuer: &'static str,
    jwt_audience: &'static str,
    hold_ttl_s: u64,
    sweep_interval_ms: u64,
    shutdown_grace_s: u64,
    max_connections: u64,
    keep_alive_s: u64,
    max_requests: u64,
    engines: u64,
}

impl Defaults {
    pub(super) const ALL: Self = Self {
        listen: "127.0.0.1:8787",
        database_url: "sqlite:trueup.db",
        jwt_issuer: "trueup",
        jwt_audience: "trueup",
        hold_ttl_s: 120,
        sweep_interval_ms: 1000,
        shutdown_grace_s: 30,
        max_connections: 16_384,
        keep_alive_s: 15,
        max_requests: 4096,
        engines: 4,
    };
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawModel {
    pub charge: BTreeMap<String, u64>,
    #[serde(default)]
    pub fallback: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawPlan {
    #[serde(default)]
    pub meters: BTreeMap<String, RawMeter>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawMeter {
    pub limit: Option<u64>,
    pub window: RawWindow,
    #[serde(default)]
    pub enforcement: RawEnforcement,
}

/// `"month"`, or `{ days = 30 }`.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(untagged, expecting = "expected hour, day, week, month, or { days = 30 }")]
pub(super) enum RawWindow {
    Named(RawPeriod),
    Long(RawDays),
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum RawPeriod {
    Hour,
    Day,
    Week,
    Month,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawDays {
    pub days: u64,
}

#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum RawEnforcement {
    #[default]
    Hard,
    Soft,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawProvider {
    pub kind: RawProviderKind,
    pub base_url: Option<String>,
    pub api_key: Option<Secret>,
    pub api_key_env: Option<String>,
    #[serde(default)]
    pub headers: BTreeMap<String, Secret>,
    pub models: Option<Vec<String>>,
    pub first_token_ms: Option<u64>,
    pub tokens_per_second: Option<u64>,
    pub tokens: Option<u64>,
    pub failing_models: Option<Vec<String>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum RawProviderKind {
    Simulated,
    OpenAi,
}

/// `["one", "two"]`, or `"one,two"` as it is written in the environment.
#[derive(Debug, Default)]
pub(super) struct SecretList(pub Vec<Secret>);

impl<'de> Deserialize<'de> for SecretList {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct ListVisitor;

        impl<'de> Visitor<'de> for ListVisitor {
            type Value = SecretList;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list of texts, or one text with commas between")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<SecretList, E> {
                let parts = text.split(',').map(str::trim).filter(|part| !part.is_empty());
                let secrets: Vec<_> = parts.map(Secret::new).collect();
                // Whoever writes it down means to let somebody in.
                if secrets.is_empty() {
                    let blank = Unexpected::Other("nothing but commas and blanks");
                    return Err(E::invalid_value(
                        blank,
                        &"one key at least; leave it out for none",
                    ));
                }
                Ok(SecretList(secrets))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<SecretList, A::Error> {
                let mut secrets = Vec::new();
                while let Some(secret) = list.next_element()? {
                    secrets.push(secret);
                }
                Ok(SecretList(secrets))
            }
        }

        from.deserialize_any(ListVisitor)
    }
}
