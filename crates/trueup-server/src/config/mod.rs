//! What an operator says: the settings file, the environment and flags, checked as a whole.

pub use check::SettingsError;
pub use load::{Flags, Sources};
pub use secret::Secret;
pub use settings::{
    AuthSettings, BusSettings, LogFormat, OnExpiry, OpenAiProvider, ProviderSettings, Settings,
    SimulatedProvider, TracesSettings,
};

mod check;
mod env;
mod load;
mod raw;
mod secret;
mod settings;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use trueup_core::{Charge, Enforcement, MeterId, ModelId, Units};

/// What models charge and who answers in their place.
#[derive(Clone, Debug, Default)]
pub struct Catalog {
    /// Every model.
    pub models: BTreeMap<ModelId, Model>,
    /// Every plan.
    pub plans: BTreeMap<String, Plan>,
    /// The plan of accounts that have none of their own; always one of `plans`.
    pub default_plan: String,
}

/// A model of the catalog.
#[derive(Clone, Debug)]
pub struct Model {
    /// What one operation charges.
    pub charge: Charge,
    /// Who answers, in this order, when it fails before its first token.
    pub fallback: Vec<ModelId>,
}

/// A plan: terms for every meter that some model charges.
#[derive(Clone, Debug, Default)]
pub struct Plan {
    /// Meter -> terms.
    pub meters: BTreeMap<MeterId, PlanMeter>,
}

/// A plan's terms for one meter.
#[derive(Clone, Debug)]
pub struct PlanMeter {
    /// `None` is unlimited.
    pub limit: Option<Units>,
    /// The period that the limit covers.
    pub window: WindowRule,
    /// What happens at the limit.
    pub enforcement: Enforcement,
}

/// How windows are cut from time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WindowRule {
    /// An hour.
    Hour,
    /// A day.
    Day,
    /// A week, from Monday.
    Week,
    /// A month.
    Month,
    /// This many days, 1 to 3660; from the anchor, or from 1970-01-01.
    Days(u16),
}
