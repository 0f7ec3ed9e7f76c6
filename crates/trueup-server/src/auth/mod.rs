//! Who is calling. A browser shows a short-lived token that names its account and actor; a backend
//! shows an API key and names in a header the account it acts for.
//!
//! Handlers ask for what they need by extractor: [`Caller`] or [`Backend`]. A handler that asks
//! for neither is open to everybody.

pub(crate) use extract::once;
pub use extract::{Backend, Bearer, Browser, Caller};
pub use token::{Identity, Issued};

mod api_key;
mod extract;
mod jwks;
mod token;

use std::sync::Arc;

use trueup_core::{AccountId, ActorId};
use trueup_protocol::ErrorCode;

use crate::clock::Clock;
use crate::config::AuthSettings;
use crate::error::ApiError;
use api_key::ApiKeys;
use token::{TokenError, Tokens};

pub use api_key::hash as hash_api_key;

/// Checks credentials; cheap to clone.
#[derive(Clone)]
pub struct Authenticator(Arc<Inner>);

struct Inner {
    tokens: Tokens,
    api_keys: ApiKeys,
}

/// What a bearer showed.
enum Credentials {
    Browser(Identity),
    Backend,
}

impl Authenticator {
    /// Checks by these settings and this clock.
    ///
    /// # Errors
    /// When no HTTP client for the published keys can be made.
    pub fn new(settings: &AuthSettings, clock: Clock) -> Result<Self, reqwest::Error> {
        let tokens = Tokens::new(settings, clock)?;
        let api_keys = ApiKeys::new(&settings.api_key_hashes);
        Ok(Self(Arc::new(Inner { tokens, api_keys })))
    }

    /// Makes a browser token that lives `ttl_s` seconds; `None` when the settings have no secret to
    /// sign with.
    pub fn issue(&self, account: &AccountId, actor: &ActorId, ttl_s: u32) -> Option<Issued> {
        self.0.tokens.issue(account, actor, ttl_s)
    }

    async fn check(&self, bearer: &str) -> Result<Credentials, ApiError> {
        if self.0.api_keys.contains(bearer) {
            return Ok(Credentials::Backend);
        }
        match self.0.tokens.verify(bearer).await {
            Ok(identity) => Ok(Credentials::Browser(identity)),
            Err(error) => Err(error.into()),
        }
    }
}

impl From<TokenError> for ApiError {
    fn from(error: TokenError) -> Self {
        match error {
            TokenError::Invalid(reason) => Self::new(
                ErrorCode::Unauthorized,
                "The bearer is neither an API key nor a token of this server; get a new token.",
            )
            .because(reason),
            TokenError::Expired => {
                Self::new(ErrorCode::TokenExpired, "The token's time is over; get a new token.")
            }
            TokenError::KeysUnavailable(reason) => Self::new(
                ErrorCode::Unavailable,
                "The keys that check tokens cannot be reached now; send the request again.",
            )
            .because(reason),
        }
    }
}
