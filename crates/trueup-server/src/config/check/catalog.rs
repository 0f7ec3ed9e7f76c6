//! Models and plans: every name that one of them uses must be one that the other has.

use std::collections::BTreeMap;

use trueup_core::{Charge, Enforcement, MeterId, ModelId, Units};
use trueup_protocol::decode;

use super::SettingsError;
use crate::config::raw::{
    RawDays, RawEnforcement, RawMeter, RawModel, RawPeriod, RawPlan, RawSettings, RawWindow,
};
use crate::config::{Catalog, Model, Plan, PlanMeter, WindowRule};

const METER_NAME: &str = "must be a-z, 0-9 and _, starting with a letter, at most 64 characters";
/// Ten years of days.
const MAX_DAYS: u64 = 3660;

pub(super) fn read(raw: &RawSettings) -> Result<Catalog, SettingsError> {
    let mut models = BTreeMap::new();
    for (name, model) in &raw.models {
        models.insert(model_id(&format!("models.{name}"), name)?, read_model(name, model)?);
    }
    let mut plans = BTreeMap::new();
    for (name, plan) in &raw.plans {
        if name.is_empty() || name.len() > 128 {
            let problem = "must have a name of 1 to 128 characters";
            return Err(SettingsError::new(format!("plans.{name:?}"), problem));
        }
        plans.insert(name.clone(), read_plan(name, plan)?);
    }
    let default_plan = default_plan(raw.default_plan.as_deref(), &plans)?;
    let catalog = Catalog { models, plans, default_plan };
    check_fallbacks(&catalog)?;
    check_meters(&catalog)?;
    Ok(catalog)
}

fn read_model(name: &str, model: &RawModel) -> Result<Model, SettingsError> {
    let charge = decode::charge("charge", &model.charge).map_err(|malformed| {
        let key = format!("models.{name}.{}", malformed.param);
        SettingsError::new(key, malformed.message)
    })?;
    let key = format!("models.{name}.fallback");
    let fallback = model.fallback.iter().map(|other| model_id(&key, other));
    Ok(Model { charge, fallback: fallback.collect::<Result<_, _>>()? })
}

pub(super) fn model_id(key: &str, name: &str) -> Result<ModelId, SettingsError> {
    ModelId::new(name).map_err(|_| {
        let problem = "must be a model name: 1 to 128 visible ASCII characters without spaces";
        SettingsError::new(key, problem)
    })
}

fn read_plan(name: &str, plan: &RawPlan) -> Result<Plan, SettingsError> {
    let mut meters = BTreeMap::new();
    for (meter, raw) in &plan.meters {
        let key = format!("plans.{name}.meters.{meter}");
        let id = MeterId::new(meter).map_err(|_| SettingsError::new(&key, METER_NAME))?;
        meters.insert(id, read_meter(&key, raw)?);
    }
    Ok(Plan { meters })
}

fn read_meter(key: &str, raw: &RawMeter) -> Result<PlanMeter, SettingsError> {
    let limit = raw.limit.map(|limit| {
        let problem = format!("must be at most {}; leave it out for unlimited", Units::MAX);
        Units::new(limit).ok_or_else(|| SettingsError::new(format!("{key}.limit"), problem))
    });
    let window = match raw.window {
        RawWindow::Named(RawPeriod::Hour) => WindowRule::Hour,
        RawWindow::Named(RawPeriod::Day) => WindowRule::Day,
        RawWindow::Named(RawPeriod::Week) => WindowRule::Week,
        RawWindow::Named(RawPeriod::Month) => WindowRule::Month,
        RawWindow::Long(RawDays { days }) => {
            let count = u16::try_from(days).ok().filter(|_| (1..=MAX_DAYS).contains(&days));
            WindowRule::Days(count.ok_or_else(|| {
                let problem = format!("must be from 1 to {MAX_DAYS}");
                SettingsError::new(format!("{key}.window.days"), problem)
            })?)
        }
    };
    let enforcement = match raw.enforcement {
        RawEnforcement::Hard => Enforcement::Hard,
        RawEnforcement::Soft => Enforcement::Soft,
    };
    Ok(PlanMeter { limit: limit.transpose()?, window, enforcement })
}

fn default_plan(
    name: Option<&str>,
    plans: &BTreeMap<String, Plan>,
) -> Result<String, SettingsError> {
    let known: Vec<_> = plans.keys().map(String::as_str).collect();
    let wrong = |problem: String| Err(SettingsError::new("default_plan", problem));
    match name {
        _ if known.is_empty() => {
            wrong("has no plan to name; add one, as [plans.free.meters.messages]".to_owned())
        }
        None => wrong(format!("is missing; set it to one of {}", known.join(", "))),
        Some(name) if !plans.contains_key(name) => {
            wrong(format!("names no plan of this file; set it to one of {}", known.join(", ")))
        }
        Some(name) => Ok(name.to_owned()),
    }
}

fn check_fallbacks(catalog: &Catalog) -> Result<(), SettingsError> {
    for (name, model) in &catalog.models {
        let wrong = |problem| Err(SettingsError::new(format!("models.{name}.fallback"), problem));
        for (at, other) in model.fallback.iter().enumerate() {
            if !catalog.models.contains_key(other) {
                return wrong(format!("names {other}, which is no model; add it or take it out"));
            }
            if other == name {
                return wrong("names the model itself; take it out".to_owned());
            }
            if model.fallback.iter().take(at).any(|earlier| earlier == other) {
                return wrong(format!("names {other} twice; take one out"));
            }
        }
    }
    Ok(())
}

/// A plan without a meter that some model charges would refuse that model with an error that no
/// user can mend.
fn check_meters(catalog: &Catalog) -> Result<(), SettingsError> {
    for (plan_name, plan) in &catalog.plans {
        for (model_name, Model { charge, .. }) in &catalog.models {
            if let Some(meter) = missing(plan, charge) {
                let problem = format!(
                    "lacks {meter}, which model {model_name} charges; \
                     add it (with limit = 0 to shut it off, without limit for unlimited)"
                );
                return Err(SettingsError::new(format!("plans.{plan_name}.meters"), problem));
            }
        }
    }
    Ok(())
}

fn missing<'a>(plan: &Plan, charge: &'a Charge) -> Option<&'a MeterId> {
    charge.iter().map(|(meter, _)| meter).find(|meter| !plan.meters.contains_key(meter))
}
