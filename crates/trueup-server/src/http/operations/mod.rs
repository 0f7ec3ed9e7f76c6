//! The life of an operation, for backends that run their own models; and its fence, for browsers.

pub mod batch;
pub mod extend;
pub mod fence;
pub mod hold;
pub mod release;
pub mod settle;

use std::collections::BTreeMap;

use axum::http::StatusCode;
use trueup_core::{AccountId, ActorId, Charge, ModelId, Timestamp, Version};
use trueup_protocol::request::MAX_TTL_S;
use trueup_protocol::snapshot::Snapshot;
use trueup_protocol::{ErrorCode, decode};

use crate::config::Catalog;
use crate::engine::{Answer, Done, View};
use crate::error::ApiError;

/// What an operation takes, and the model that says so.
pub(super) struct Priced {
    pub model: Option<ModelId>,
    pub charge: Charge,
}

/// Reads `model` or `charge`, of which exactly one must be given.
pub(super) fn price(
    catalog: &Catalog,
    model: Option<&str>,
    charge: Option<&BTreeMap<String, u64>>,
) -> Result<Priced, ApiError> {
    match (model, charge) {
        (Some(name), None) => {
            let model: ModelId = decode::id("model", name)?;
            let known = catalog.models.get(&model);
            let known = known.ok_or_else(|| ApiError::unknown_model(model.as_str()))?;
            Ok(Priced { charge: known.charge.clone(), model: Some(model) })
        }
        (None, Some(lines)) => Ok(Priced { model: None, charge: decode::charge("charge", lines)? }),
        _ => Err(ApiError::new(
            ErrorCode::InvalidValue,
            "Give either model or charge, and not both.",
        )
        .at("model")),
    }
}

/// When a hold that lives `ttl_s` from `now` on ends.
pub(super) fn expiry(now: Timestamp, ttl_s: u64) -> Result<Timestamp, ApiError> {
    let ttl_s = i64::try_from(ttl_s).ok().filter(|_| (1..=MAX_TTL_S).contains(&ttl_s));
    let ttl_s = ttl_s.ok_or_else(|| {
        let message = format!("ttl_s must be a whole number from 1 to {MAX_TTL_S}.");
        ApiError::new(ErrorCode::InvalidValue, message).at("ttl_s")
    })?;
    Ok(now.plus(ttl_s * 1000))
}

/// Cuts the answer's snapshot for one actor.
pub(super) fn view(actor: ActorId, since: Option<Version>) -> View {
    View { actor, since, ask: Vec::new() }
}

/// Cuts it for whoever began the operation; the engine knows who that is.
pub(super) fn holders_view(account: &AccountId, since: Option<Version>) -> View {
    view(account.personal_actor(), since)
}

/// What became of the command, or why it was turned down.
pub(super) fn carried_out(answer: Answer) -> Result<(Done, Snapshot), ApiError> {
    match answer.outcome {
        Ok(done) => Ok((done, (&answer.snapshot).into())),
        Err(rejection) => Err(ApiError::rejected(rejection, &answer.snapshot)),
    }
}

/// What became of a command that ends an operation or renews it.
pub(super) fn told(answer: Answer) -> Result<(StatusCode, Snapshot), ApiError> {
    let (_, snapshot) = carried_out(answer)?;
    Ok((StatusCode::OK, snapshot))
}
