//! `GET|PUT /v1/accounts/{id}`: plan, time zone, anchor and limits of one account.

use std::collections::BTreeMap;

use axum::extract::State;
use trueup_core::{AccountId, MeterId, Snapshot, Timestamp, Units};
use trueup_protocol::error::ErrorEnvelope;
use trueup_protocol::request::AccountRequest;
use trueup_protocol::response::AccountResponse;
use trueup_protocol::{ErrorCode, Malformed, decode, time};

use crate::auth::Backend;
use crate::calendar;
use crate::config::Catalog;
use crate::engine::{EngineError, View};
use crate::error::ApiError;
use crate::http::AppState;
use crate::http::extract::{AccountPath, Json};
use crate::ledger::Ledger;
use crate::store::AccountTerms;

/// The last instant that windows may be counted from: 2200-01-01.
const LAST_ANCHOR: Timestamp = Timestamp::from_millis(7_258_118_400_000);

/// An account's terms and figures
///
/// An account that nobody used yet is opened with the default plan.
#[utoipa::path(
    get,
    path = "/v1/accounts/{id}",
    operation_id = "get_account",
    tag = "accounts",
    security(("backend" = [])),
    params(("id" = String, Path, description = "The account")),
    responses(
        (status = 200, description = "The account", body = AccountResponse),
        (status = 400, description = "Malformed", body = ErrorEnvelope),
        (status = 401, description = "No valid credentials", body = ErrorEnvelope),
        (status = 403, description = "A browser may not read accounts", body = ErrorEnvelope),
        (status = 503, description = "The ledger cannot be read now", body = ErrorEnvelope),
    ),
)]
pub async fn get_account(
    State(state): State<AppState>,
    _: Backend,
    AccountPath(account): AccountPath,
) -> Result<axum::Json<AccountResponse>, ApiError> {
    Ok(axum::Json(look_up(&state.ledger, &state.settings.catalog, &account).await?))
}

/// Set an account's terms
///
/// Replaces them whole: what is left out goes back to the settings' default. Takes effect at once;
/// what was used stays used.
#[utoipa::path(
    put,
    path = "/v1/accounts/{id}",
    operation_id = "put_account",
    tag = "accounts",
    security(("backend" = [])),
    params(("id" = String, Path, description = "The account")),
    request_body = AccountRequest,
    responses(
        (status = 200, description = "The account as it is now", body = AccountResponse),
        (status = 400, description = "Malformed", body = ErrorEnvelope),
        (status = 401, description = "No valid credentials", body = ErrorEnvelope),
        (status = 403, description = "A browser may not change accounts", body = ErrorEnvelope),
        (status = 404, description = "No such plan, or no such meter in it", body = ErrorEnvelope),
        (status = 503, description = "The ledger cannot be written now", body = ErrorEnvelope),
    ),
)]
pub async fn put_account(
    State(state): State<AppState>,
    _: Backend,
    AccountPath(account): AccountPath,
    Json(request): Json<AccountRequest>,
) -> Result<axum::Json<AccountResponse>, ApiError> {
    let catalog = &state.settings.catalog;
    let terms = read(catalog, request)?;
    let view = View { actor: account.personal_actor(), since: None, ask: Vec::new() };
    let answer = state.ledger.put_account(&account, view, terms.clone()).await?;
    match answer.outcome {
        Ok(_) => Ok(axum::Json(describe(catalog, &terms, &answer.snapshot))),
        Err(rejection) => Err(ApiError::rejected(rejection, &answer.snapshot)),
    }
}

fn read(catalog: &Catalog, request: AccountRequest) -> Result<AccountTerms, ApiError> {
    let name = request.plan.as_ref().unwrap_or(&catalog.default_plan);
    let plan = catalog.plans.get(name).ok_or_else(|| {
        let known: Vec<_> = catalog.plans.keys().map(String::as_str).collect();
        let message =
            format!("The settings have no plan of that name; they have {}.", known.join(", "));
        ApiError::new(ErrorCode::UnknownPlan, message).at("plan")
    })?;
    if let Some(zone) = &request.time_zone
        && !calendar::is_time_zone(zone)
    {
        let message = "must be an IANA time zone, as Europe/Berlin";
        return Err(Malformed::new("time_zone", message).into());
    }
    let anchor = request.anchor.as_deref().map(read_anchor).transpose()?;
    let mut overrides = BTreeMap::new();
    for (name, limit) in request.overrides {
        let param = format!("overrides.{name}");
        let meter = MeterId::new(&name).ok().filter(|meter| plan.meters.contains_key(meter));
        let meter = meter.ok_or_else(|| {
            let known: Vec<_> = plan.meters.keys().map(MeterId::as_str).collect();
            let message = format!("The plan has no such meter; it has {}.", known.join(", "));
            ApiError::new(ErrorCode::UnknownMeter, message).at(&param)
        })?;
        let limit = limit.map(|limit| decode::units(&param, limit)).transpose()?;
        overrides.insert(meter, limit);
    }
    Ok(AccountTerms { plan: request.plan, time_zone: request.time_zone, anchor, overrides })
}

fn read_anchor(text: &str) -> Result<Timestamp, Malformed> {
    let anchor = time::parse(text).filter(|at| (Timestamp::default()..=LAST_ANCHOR).contains(at));
    anchor.ok_or_else(|| {
        Malformed::new(
            "anchor",
            "must be an RFC 3339 instant in UTC from 1970 to 2199, ending in Z",
        )
    })
}

/// The account as operators see it, now.
///
/// # Errors
/// When the ledger cannot be read.
pub async fn look_up(
    ledger: &Ledger,
    catalog: &Catalog,
    account: &AccountId,
) -> Result<AccountResponse, EngineError> {
    let actor = account.personal_actor();
    let snapshot = ledger.snapshot(account, &actor, None, &[]).await?;
    let terms = ledger.account_terms(account).await?;
    Ok(describe(catalog, &terms, &snapshot))
}

fn describe(catalog: &Catalog, terms: &AccountTerms, snapshot: &Snapshot) -> AccountResponse {
    let overrides = terms.overrides.iter();
    let account: &AccountId = &snapshot.account;
    AccountResponse {
        account: account.to_string(),
        plan: calendar::plan_name(catalog, terms).to_owned(),
        time_zone: terms.time_zone.clone().unwrap_or_else(|| "UTC".to_owned()),
        anchor: terms.anchor.map(time::format),
        overrides: overrides
            .map(|(meter, limit)| (meter.to_string(), limit.map(Units::get)))
            .collect(),
        usage: snapshot.into(),
    }
}
