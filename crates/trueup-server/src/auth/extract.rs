//! Extractors: what a handler says to be told who calls.

use axum::extract::FromRequestParts;
use axum::http::header::AUTHORIZATION;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use trueup_core::{AccountId, ActorId, Timestamp};
use trueup_protocol::{ACCOUNT_HEADER, ACTOR_HEADER, ErrorCode, decode};

use super::{Credentials, Identity};
use crate::error::ApiError;
use crate::http::AppState;

/// A browser, which may act for its own account alone. API keys are turned away.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Browser {
    /// Whose quota.
    pub account: AccountId,
    /// Who acts.
    pub actor: ActorId,
    /// When the token ends.
    pub expires_at: Timestamp,
}

/// A backend, which may act for every account. Browser tokens are turned away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Backend;

/// A browser by its token, or a backend by its key and the account that it names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    /// Whose quota.
    pub account: AccountId,
    /// Who acts.
    pub actor: ActorId,
    /// When a browser's token ends; `None` for a backend.
    pub expires_at: Option<Timestamp>,
}

/// Anybody with valid credentials, for what is the same for every account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bearer;

impl FromRequestParts<AppState> for Bearer {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, ApiError> {
        credentials(parts, state).await.map(|_| Self)
    }
}

impl FromRequestParts<AppState> for Browser {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, ApiError> {
        match credentials(parts, state).await? {
            Credentials::Browser(identity) => {
                let Identity { account, actor, expires_at } = own(identity, &parts.headers)?;
                Ok(Self { account, actor, expires_at })
            }
            Credentials::Backend => Err(ApiError::new(
                ErrorCode::Forbidden,
                "This call is for browsers; send a browser token and not an API key.",
            )),
        }
    }
}

impl FromRequestParts<AppState> for Backend {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, ApiError> {
        match credentials(parts, state).await? {
            Credentials::Backend => Ok(Self),
            Credentials::Browser(_) => Err(ApiError::new(
                ErrorCode::Forbidden,
                "A browser token may not make this call; send it from a backend with an API key.",
            )),
        }
    }
}

impl FromRequestParts<AppState> for Caller {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, ApiError> {
        match credentials(parts, state).await? {
            Credentials::Browser(identity) => {
                let Identity { account, actor, expires_at } = own(identity, &parts.headers)?;
                Ok(Self { account, actor, expires_at: Some(expires_at) })
            }
            Credentials::Backend => {
                let account = text(&parts.headers, ACCOUNT_HEADER)?.ok_or_else(|| {
                    ApiError::new(
                        ErrorCode::AccountMissing,
                        "An API key acts for no account by itself; name one in Trueup-Account.",
                    )
                    .at(ACCOUNT_HEADER)
                })?;
                let account: AccountId = decode::id(ACCOUNT_HEADER, account)?;
                let actor = match text(&parts.headers, ACTOR_HEADER)? {
                    Some(actor) => decode::id(ACTOR_HEADER, actor)?,
                    None => account.personal_actor(),
                };
                Ok(Self { account, actor, expires_at: None })
            }
        }
    }
}

async fn credentials(parts: &Parts, state: &AppState) -> Result<Credentials, ApiError> {
    let bearer = bearer(&parts.headers).ok_or_else(|| {
        ApiError::new(
            ErrorCode::Unauthorized,
            "Send one Authorization header: Bearer and a browser token or an API key.",
        )
    })?;
    state.auth.check(bearer).await
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    let mut values = headers.get_all(AUTHORIZATION).iter();
    let (first, second) = (values.next()?, values.next());
    let (scheme, bearer) = first.to_str().ok()?.split_once(' ')?;
    let fits = scheme.eq_ignore_ascii_case("bearer") && second.is_none();
    fits.then(|| bearer.trim()).filter(|bearer| !bearer.is_empty())
}

/// A browser that names an account must name its own.
fn own(identity: Identity, headers: &HeaderMap) -> Result<Identity, ApiError> {
    let claims =
        [(ACCOUNT_HEADER, identity.account.as_str()), (ACTOR_HEADER, identity.actor.as_str())];
    for (header, own) in claims {
        if text(headers, header)?.is_some_and(|named| named != own) {
            return Err(ApiError::new(
                ErrorCode::Forbidden,
                "A browser token acts for its own account and actor alone; leave the header out.",
            )
            .at(header));
        }
    }
    Ok(identity)
}

fn text<'a>(headers: &'a HeaderMap, name: &'static str) -> Result<Option<&'a str>, ApiError> {
    let Some(value) = once(headers, name)? else { return Ok(None) };
    let text = value.to_str().map_err(|_| {
        ApiError::new(ErrorCode::InvalidValue, format!("{name} must be visible ASCII.")).at(name)
    })?;
    Ok(Some(text))
}

/// A header of ours that may be left out, and may not be there twice.
pub(crate) fn once<'a>(
    headers: &'a HeaderMap,
    name: &'static str,
) -> Result<Option<&'a HeaderValue>, ApiError> {
    let mut values = headers.get_all(HeaderName::from_static(name)).iter();
    let value = values.next();
    if values.next().is_some() {
        // One of them was sent on from somewhere else, and nobody can say which is meant.
        let message = format!("{name} was sent twice; send it once.");
        return Err(ApiError::new(ErrorCode::InvalidValue, message).at(name));
    }
    Ok(value)
}
