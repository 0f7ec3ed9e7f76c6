//! Browser tokens: JWTs, checked strictly.
//!
//! The key decides which algorithm a token may use, never the token: the shared secret verifies
//! HS256 and nothing else, a published key verifies the one algorithm of its kind. So `alg: none`,
//! and a public key passed off as a shared secret, lead nowhere.

use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use serde::{Deserialize, Serialize};
use trueup_core::{AccountId, ActorId, Timestamp};

use super::jwks::{KeyLookup, PublishedKeys};
use crate::clock::Clock;
use crate::config::AuthSettings;

/// How far the clock of a token's maker may be off.
const LEEWAY_MS: i64 = 10_000;

/// Who a token speaks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// Whose quota.
    pub account: AccountId,
    /// Who acts.
    pub actor: ActorId,
    /// When the token ends.
    pub expires_at: Timestamp,
}

/// A token just made.
#[derive(Clone, Debug)]
pub struct Issued {
    /// The token, for an `Authorization: Bearer` header.
    pub token: String,
    /// When it ends.
    pub expires_at: Timestamp,
}

#[derive(Debug, PartialEq, Eq)]
pub(super) enum TokenError {
    /// Not a token that this server takes; the reason is for the log.
    Invalid(String),
    /// It was one once.
    Expired,
    /// Nobody can say: the published keys cannot be read.
    KeysUnavailable(String),
}

#[derive(Serialize, Deserialize)]
struct Claims {
    iss: String,
    aud: Audience,
    sub: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    acct: Option<String>,
    exp: NumericDate,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    nbf: Option<NumericDate>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    iat: Option<NumericDate>,
}

/// Seconds since 1970, which RFC 7519 lets have a fraction.
#[derive(Clone, Copy, Serialize, Deserialize)]
#[serde(untagged)]
enum NumericDate {
    Whole(u64),
    Other(f64),
}

#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum Audience {
    One(String),
    Many(Vec<String>),
}

pub(super) struct Tokens {
    secret: Option<(EncodingKey, DecodingKey)>,
    published: Option<PublishedKeys>,
    /// What is asked of a token, by its algorithm.
    validations: [(Algorithm, Validation); 4],
    issuer: String,
    audience: String,
    clock: Clock,
}

impl Tokens {
    pub(super) fn new(settings: &AuthSettings, clock: Clock) -> Result<Self, reqwest::Error> {
        let secret = settings.jwt_secret.as_ref().map(|secret| {
            let bytes = secret.expose().as_bytes();
            (EncodingKey::from_secret(bytes), DecodingKey::from_secret(bytes))
        });
        let published = settings.jwks_url.clone();
        let published = published.map(|url| PublishedKeys::new(url, clock.clone())).transpose()?;
        let (hs, rs, es, ed) =
            (Algorithm::HS256, Algorithm::RS256, Algorithm::ES256, Algorithm::EdDSA);
        Ok(Self {
            secret,
            published,
            validations: [hs, rs, es, ed].map(|of| (of, validation(of, settings))),
            issuer: settings.jwt_issuer.clone(),
            audience: settings.jwt_audience.clone(),
            clock,
        })
    }

    pub(super) fn issue(&self, account: &AccountId, actor: &ActorId, ttl_s: u32) -> Option<Issued> {
        let (key, _) = self.secret.as_ref()?;
        let now_s = u64::try_from(self.clock.now().millis() / 1000).ok()?;
        let expires_s = now_s.checked_add(u64::from(ttl_s))?;
        let claims = Claims {
            iss: self.issuer.clone(),
            aud: Audience::One(self.audience.clone()),
            sub: actor.as_str().to_owned(),
            acct: (account.as_str() != actor.as_str()).then(|| account.as_str().to_owned()),
            exp: NumericDate::Whole(expires_s),
            nbf: None,
            iat: Some(NumericDate::Whole(now_s)),
        };
        let token = jsonwebtoken::encode(&Header::new(Algorithm::HS256), &claims, key).ok()?;
        Some(Issued { token, expires_at: NumericDate::Whole(expires_s).into() })
    }

    pub(super) async fn verify(&self, token: &str) -> Result<Identity, TokenError> {
        let header = jsonwebtoken::decode_header(token).map_err(invalid)?;
        if header.crit.is_some() {
            return Err(TokenError::Invalid("it has critical headers".to_owned()));
        }
        let claims = match header.alg {
            Algorithm::HS256 => {
                let (_, key) = self.secret.as_ref().ok_or_else(|| unsupported(header.alg))?;
                self.decode(token, header.alg, key)?
            }
            Algorithm::RS256 | Algorithm::ES256 | Algorithm::EdDSA => {
                let keys = self.published.as_ref().ok_or_else(|| unsupported(header.alg))?;
                match keys.find(header.kid.as_deref(), header.alg).await {
                    KeyLookup::Found(key) => self.decode(token, header.alg, &key)?,
                    KeyLookup::Unknown => {
                        return Err(TokenError::Invalid("no published key fits it".to_owned()));
                    }
                    KeyLookup::Unavailable(reason) => {
                        return Err(TokenError::KeysUnavailable(reason));
                    }
                }
            }
            other => return Err(unsupported(other)),
        };
        self.identity(&claims)
    }

    fn decode(
        &self,
        token: &str,
        algorithm: Algorithm,
        key: &DecodingKey,
    ) -> Result<Claims, TokenError> {
        let validation = self.validations.iter().find(|(of, _)| *of == algorithm);
        let (_, validation) = validation.ok_or_else(|| unsupported(algorithm))?;
        let decoded = jsonwebtoken::decode::<Claims>(token, key, validation).map_err(invalid)?;
        Ok(decoded.claims)
    }

    fn identity(&self, claims: &Claims) -> Result<Identity, TokenError> {
        let now = self.clock.now();
        let expires_at = Timestamp::from(claims.exp);
        if now.since(expires_at) >= LEEWAY_MS {
            return Err(TokenError::Expired);
        }
        if claims.nbf.is_some_and(|from| Timestamp::from(from).since(now) > LEEWAY_MS) {
            return Err(TokenError::Invalid("it is not valid yet".to_owned()));
        }
        let account = claims.acct.as_ref().unwrap_or(&claims.sub);
        let malformed =
            |error: trueup_core::error::InvalidId| TokenError::Invalid(error.to_string());
        Ok(Identity {
            account: account.parse().map_err(malformed)?,
            actor: claims.sub.parse().map_err(malformed)?,
            expires_at,
        })
    }
}

impl From<NumericDate> for Timestamp {
    fn from(date: NumericDate) -> Self {
        Self::from_millis(match date {
            NumericDate::Whole(seconds) => {
                i64::try_from(seconds).unwrap_or(i64::MAX).saturating_mul(1000)
            }
            #[expect(clippy::cast_possible_truncation, reason = "the end of time is far enough")]
            NumericDate::Other(seconds) => (seconds * 1000.0) as i64,
        })
    }
}

fn validation(algorithm: Algorithm, settings: &AuthSettings) -> Validation {
    let mut validation = Validation::new(algorithm);
    validation.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
    validation.set_issuer(&[&settings.jwt_issuer]);
    validation.set_audience(&[&settings.jwt_audience]);
    // Time is this server's to judge: the library would ask the system's clock.
    validation.validate_exp = false;
    validation
}

fn unsupported(algorithm: Algorithm) -> TokenError {
    TokenError::Invalid(format!("no key of this server signs with {algorithm:?}"))
}

#[expect(clippy::needless_pass_by_value, reason = "it is a function for map_err")]
fn invalid(error: jsonwebtoken::errors::Error) -> TokenError {
    TokenError::Invalid(error.to_string())
}
