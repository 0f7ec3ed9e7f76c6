//! What the page asks for. Objects come in as JSON text, like everything else from outside.

use trueup_core::client::Settings;
use trueup_core::{Charge, Map, MeterId, ModelId, Units};
use trueup_protocol::json::Json;
use trueup_protocol::read;

use crate::error::Fault;

/// A day: a longer pause than this between two checks is surely a mistake of units.
const MAX_PAUSE_MS: i64 = 86_400_000;

/// The configuration of a client.
#[derive(Debug)]
pub struct Config {
    /// The server's address without a slash at its end; empty is the page's own origin.
    pub base_url: String,
    /// How often and how patiently to ask.
    pub settings: Settings,
    /// An anonymous visitor's limits.
    pub anonymous_limits: Map<MeterId, Units>,
    /// What models charge an anonymous visitor, who has no catalog.
    pub anonymous_charges: Map<ModelId, Charge>,
    /// Whether anything is kept over a reload.
    pub storage: bool,
}

impl Config {
    /// Reads a configuration; whatever is left out has its default.
    pub fn read(text: &str) -> Result<Self, Fault> {
        let json = Json::read(text)
            .filter(|json| json.members().is_some())
            .ok_or_else(|| invalid("the configuration", "an object"))?;
        let defaults = Settings::default();
        let pause =
            |name, default| option(&json, name, "1 to 86400000 milliseconds", pause, default);
        Ok(Self {
            settings: Settings {
                poll_interval_ms: pause("pollIntervalMs", defaults.poll_interval_ms)?,
                confirm_delay_ms: pause("confirmDelayMs", defaults.confirm_delay_ms)?,
                ..defaults
            },
            base_url: option(
                &json,
                "baseUrl",
                "a string",
                |url| url.text().map(str::to_owned),
                String::new(),
            )?,
            anonymous_limits: option(
                &json,
                "anonymousLimits",
                "meters and their units",
                |limits| read::members(limits, MeterId::new, read::units),
                Map::new(),
            )?,
            anonymous_charges: option(
                &json,
                "anonymousCharges",
                "models and their charges",
                |charges| read::members(charges, ModelId::new, read::charge),
                Map::new(),
            )?,
            storage: option(&json, "storage", "true or false", Json::bool, true)?,
        })
    }
}

fn pause(json: &Json) -> Option<i64> {
    json.whole().filter(|pause| (1..=MAX_PAUSE_MS).contains(pause))
}

fn option<T>(
    config: &Json,
    name: &str,
    wanted: &str,
    read: impl FnOnce(&Json) -> Option<T>,
    default: T,
) -> Result<T, Fault> {
    match config.get(name) {
        None => Ok(default),
        Some(value) => read(value).ok_or_else(|| invalid(name, wanted)),
    }
}

fn invalid(name: &str, wanted: &str) -> Fault {
    Fault::new("invalid_config", name.to_owned() + " must be " + wanted)
}

/// What an operation asks for.
pub enum Asked {
    /// What the catalog says of a model.
    Model(String),
    /// So and so many units.
    Charge(Charge),
}

impl Asked {
    /// Reads the request that begins an operation.
    pub fn read(text: &str) -> Result<Self, Fault> {
        let json = Json::read(text).unwrap_or(Json::Null);
        if let Some(charge) = json.get("charge") {
            let charge = read::charge(charge).filter(|charge| !charge.is_empty());
            return charge.map(Self::Charge).ok_or_else(|| {
                Fault::new("invalid_request", "charge must be meters and their units, 1 or more")
            });
        }
        match json.get("model").and_then(Json::text) {
            Some(model) => Ok(Self::Model(model.to_owned())),
            None => Err(Fault::new("invalid_request", "a model or a charge must be given")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Asked, Config};

    #[test]
    fn what_is_left_out_has_its_default() {
        let config = Config::read("{}").unwrap();
        assert_eq!((config.base_url.as_str(), config.storage), ("", true));
        assert_eq!(config.settings, trueup_core::client::Settings::default());
        let config = Config::read(
            r#"{"baseUrl":"https://usage.example.com","pollIntervalMs":5000,"storage":false,
                "anonymousLimits":{"premium_messages":3},
                "anonymousCharges":{"gpt-5":{"premium_messages":1}},"later_option":[]}"#,
        )
        .unwrap();
        assert_eq!(config.settings.poll_interval_ms, 5000);
        assert_eq!((config.anonymous_limits.len(), config.anonymous_charges.len()), (1, 1));
        assert!(!config.storage);
    }

    #[test]
    fn an_option_that_is_not_what_it_must_be_is_named() {
        for (text, complaint) in [
            ("", "the configuration must be an object"),
            ("[]", "the configuration must be an object"),
            (r#"{"baseUrl":1}"#, "baseUrl must be a string"),
            (r#"{"storage":"no"}"#, "storage must be true or false"),
            (r#"{"pollIntervalMs":0}"#, "pollIntervalMs must be 1 to 86400000 milliseconds"),
            (r#"{"confirmDelayMs":1.5}"#, "confirmDelayMs must be 1 to 86400000 milliseconds"),
            (r#"{"anonymousLimits":{"x":-1}}"#, "anonymousLimits must be meters and their units"),
            (r#"{"anonymousLimits":{"X":1}}"#, "anonymousLimits must be meters and their units"),
            (
                r#"{"anonymousCharges":{"m":{"x":0}}}"#,
                "anonymousCharges must be models and their charges",
            ),
        ] {
            let fault = Config::read(text).unwrap_err();
            assert_eq!((&*fault.code, &*fault.message), ("invalid_config", complaint));
        }
    }

    #[test]
    fn an_operation_asks_for_a_model_or_a_charge() {
        assert!(matches!(Asked::read(r#"{"model":"gpt-5"}"#), Ok(Asked::Model(_))));
        assert!(matches!(Asked::read(r#"{"charge":{"tokens":5}}"#), Ok(Asked::Charge(_))));
        for text in [
            "",
            "null",
            "{}",
            r#"{"model":5}"#,
            r#"{"charge":{}}"#,
            r#"{"charge":{"tokens":0}}"#,
            r#"{"charge":{"tokens":1.5}}"#,
            r#"{"charge":{"tokens":9007199254740992}}"#,
            r#"{"charge":{"Tokens":1}}"#,
            r#"{"charge":7,"model":"gpt-5"}"#,
        ] {
            let Err(fault) = Asked::read(text) else { panic!("{text}") };
            assert_eq!(fault.code, "invalid_request", "{text}");
        }
    }
}
