//! What the page asks for.

use std::collections::BTreeMap;

use trueup_core::client::Settings;
use trueup_core::{Charge, MeterId, ModelId, Units};
use wasm_bindgen::JsValue;

use crate::error::Fault;
use crate::{host, record};

/// A day: a longer pause than this between two checks is surely a mistake of units.
const MAX_PAUSE_MS: u64 = 86_400_000;

/// The configuration of a client.
#[derive(Debug, Default)]
pub struct Config {
    /// The server's address without a slash at its end; empty is the page's own origin.
    pub base_url: String,
    /// How often and how patiently to ask.
    pub settings: Settings,
    /// An anonymous visitor's limits.
    pub anonymous_limits: BTreeMap<MeterId, Units>,
    /// What models charge an anonymous visitor, who has no catalog.
    pub anonymous_charges: BTreeMap<ModelId, Charge>,
    /// Whether anything is kept over a reload.
    pub storage: bool,
}

impl Config {
    /// Reads a configuration object; whatever is left out has its default.
    pub fn read(config: &JsValue) -> Result<Self, Fault> {
        if !config.is_object() {
            return Err(invalid("the configuration", "an object"));
        }
        let defaults = Settings::default();
        Ok(Self {
            base_url: option(config, "baseUrl", "a string", JsValue::as_string)?.unwrap_or_default(),
            settings: Settings {
                poll_interval_ms: pause(config, "pollIntervalMs")?
                    .unwrap_or(defaults.poll_interval_ms),
                confirm_delay_ms: pause(config, "confirmDelayMs")?
                    .unwrap_or(defaults.confirm_delay_ms),
                ..defaults
            },
            anonymous_limits: option(config, "anonymousLimits", "meters and their units", limits)?
                .unwrap_or_default(),
            anonymous_charges: option(config, "anonymousCharges", "models and charges", charges)?
                .unwrap_or_default(),
            storage: option(config, "storage", "true or false", JsValue::as_bool)?.unwrap_or(true),
        })
    }
}

/// Reads meter -> units of one operation: at least one unit of at least one meter.
pub fn charge(value: &JsValue) -> Option<Charge> {
    Charge::new(limits(value)?).filter(|charge| !charge.is_empty())
}

fn limits(value: &JsValue) -> Option<BTreeMap<MeterId, Units>> {
    let limit =
        |(meter, value): (String, JsValue)| Some((MeterId::new(&meter).ok()?, record::as_units(&value)?));
    record::entries(value)?.into_iter().map(limit).collect()
}

fn charges(value: &JsValue) -> Option<BTreeMap<ModelId, Charge>> {
    let model =
        |(name, value): (String, JsValue)| Some((ModelId::new(&name).ok()?, charge(&value)?));
    record::entries(value)?.into_iter().map(model).collect()
}

fn pause(config: &JsValue, name: &str) -> Result<Option<i64>, Fault> {
    option(config, name, "a number of milliseconds, 1 to 86400000", |value| {
        let pause = record::as_units(value)?;
        (1..=MAX_PAUSE_MS).contains(&pause.get()).then_some(pause.signed())
    })
}

fn option<T>(
    config: &JsValue,
    name: &str,
    wanted: &str,
    read: impl FnOnce(&JsValue) -> Option<T>,
) -> Result<Option<T>, Fault> {
    let value = host::get(config, name);
    if value.is_undefined() {
        return Ok(None);
    }
    read(&value).map(Some).ok_or_else(|| invalid(name, wanted))
}

fn invalid(name: &str, wanted: &str) -> Fault {
    Fault::new("invalid_config", &[name, " must be ", wanted].concat())
}
