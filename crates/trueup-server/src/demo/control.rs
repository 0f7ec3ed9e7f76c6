//! What the demo's page asks for: a session, and faults.

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use trueup_core::AccountId;
use trueup_protocol::body::{Body, Object};
use trueup_protocol::{ErrorCode, Malformed, decode, time};

use super::FaultSet;
use crate::auth::Browser;
use crate::error::ApiError;
use crate::http::AppState;
use crate::http::extract::{self, OptionalJson};

const SESSION_TTL_S: u32 = 3600;
const MOST_SLOW_MS: u32 = 60_000;

/// Who wants a session.
#[derive(Debug, Default)]
pub struct SessionRequest {
    account: Option<String>,
}

impl Body for SessionRequest {
    fn read(object: &mut Object) -> Result<Self, Malformed> {
        Ok(Self { account: object.optional("account")? })
    }
}

/// A session of a visitor.
#[derive(Debug, Serialize)]
pub struct SessionResponse {
    token: String,
    account: String,
    expires_at: String,
}

/// `POST /demo/session`: a browser token for the account asked for, or for a new one.
pub async fn open_session(
    State(state): State<AppState>,
    OptionalJson(request): OptionalJson<SessionRequest>,
) -> Result<Json<SessionResponse>, ApiError> {
    let account = match &request.account {
        Some(name) => decode::id("account", name)?,
        None => new_account()?,
    };
    let issued = state.auth.issue(&account, &account.personal_actor(), SESSION_TTL_S);
    let issued = issued.ok_or_else(|| {
        let message = "The demo cannot sign sessions; set jwt_secret in the settings.";
        ApiError::new(ErrorCode::Unavailable, message).with_retry(false)
    })?;
    Ok(Json(SessionResponse {
        token: issued.token,
        account: account.to_string(),
        expires_at: time::format(issued.expires_at),
    }))
}

/// `GET /demo/faults`: what is to go wrong for the caller's account.
pub async fn get_faults(State(state): State<AppState>, browser: Browser) -> Json<FaultSet> {
    Json(state.faults.of(&browser.account))
}

/// `PUT /demo/faults`: replaces what is to go wrong for the caller's account.
pub async fn put_faults(
    State(state): State<AppState>,
    browser: Browser,
    extract::Json(set): extract::Json<FaultSet>,
) -> Result<Json<FaultSet>, ApiError> {
    if set.slow_ms > MOST_SLOW_MS {
        let message = format!("slow_ms must be at most {MOST_SLOW_MS}.");
        return Err(ApiError::new(ErrorCode::InvalidValue, message).at("slow_ms"));
    }
    state.faults.set(&browser.account, set.clone());
    Ok(Json(set))
}

fn new_account() -> Result<AccountId, ApiError> {
    let mut name = [0; 8];
    getrandom::fill(&mut name).map_err(|error| ApiError::internal(error.to_string()))?;
    Ok(AccountId::new(&format!("demo_{:016x}", u64::from_be_bytes(name)))?)
}
