//! The keys that an identity provider publishes (a JSON Web Key Set), fetched when first needed.

use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use jsonwebtoken::jwk::{AlgorithmParameters, EllipticCurve, Jwk, PublicKeyUse};
use jsonwebtoken::{Algorithm, DecodingKey};
use trueup_core::Timestamp;

use crate::clock::Clock;

/// After this long the keys are read again, so that a withdrawn key stops being taken.
const FRESH_MS: i64 = 10 * 60 * 1000;
/// Tokens that name unknown keys cause at most one fetch in this time, whoever sends them.
const REFETCH_MS: i64 = 30 * 1000;
const FETCH_TIMEOUT: Duration = Duration::from_secs(5);
const MAX_BYTES: usize = 256 * 1024;
/// The length of a 2048-bit RSA modulus in base64; shorter ones are not taken.
const MIN_MODULUS_CHARS: usize = 342;

pub(super) enum KeyLookup {
    Found(Arc<DecodingKey>),
    Unknown,
    Unavailable(String),
}

pub(super) struct PublishedKeys {
    url: reqwest::Url,
    http: reqwest::Client,
    clock: Clock,
    cache: RwLock<Cache>,
    /// Held while fetching, so that a crowd of requests fetches once.
    fetching: tokio::sync::Mutex<()>,
}

#[derive(Clone, Default)]
struct Cache {
    keys: Arc<[PublishedKey]>,
    fetched_at: Option<Timestamp>,
    tried_at: Option<Timestamp>,
    failure: Option<String>,
}

struct PublishedKey {
    id: Option<String>,
    algorithm: Algorithm,
    key: Arc<DecodingKey>,
}

impl PublishedKeys {
    pub(super) fn new(url: reqwest::Url, clock: Clock) -> Result<Self, reqwest::Error> {
        let http = reqwest::Client::builder()
            .timeout(FETCH_TIMEOUT)
            .redirect(reqwest::redirect::Policy::none())
            .build()?;
        let (cache, fetching) = Default::default();
        Ok(Self { url, http, clock, cache, fetching })
    }

    /// The key of that id for that algorithm. Without an id, the only key of the algorithm.
    pub(super) async fn find(&self, id: Option<&str>, algorithm: Algorithm) -> KeyLookup {
        let cache = self.cached();
        if cache.is_fresh(self.clock.now())
            && let Some(key) = cache.find(id, algorithm)
        {
            return KeyLookup::Found(key);
        }
        let cache = self.refresh().await;
        // Keys that were read once stay good while their publisher cannot be reached.
        match (cache.find(id, algorithm), cache.failure) {
            (Some(key), _) => KeyLookup::Found(key),
            (None, None) => KeyLookup::Unknown,
            (None, Some(failure)) => KeyLookup::Unavailable(failure),
        }
    }

    async fn refresh(&self) -> Cache {
        let _one_at_a_time = self.fetching.lock().await;
        let mut cache = self.cached();
        let now = self.clock.now();
        if cache.tried_at.is_some_and(|tried_at| now.since(tried_at) < REFETCH_MS) {
            return cache;
        }
        cache.tried_at = Some(now);
        match self.fetch().await {
            Ok(keys) => {
                cache.keys = keys;
                cache.fetched_at = Some(now);
                cache.failure = None;
            }
            Err(failure) => cache.failure = Some(failure),
        }
        *self.cache.write().unwrap_or_else(PoisonError::into_inner) = cache.clone();
        cache
    }

    async fn fetch(&self) -> Result<Arc<[PublishedKey]>, String> {
        let response = self.http.get(self.url.clone()).send().await;
        let response = response.and_then(reqwest::Response::error_for_status);
        let mut response = response.map_err(|error| error.to_string())?;
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|error| error.to_string())? {
            body.extend_from_slice(&chunk);
            if body.len() > MAX_BYTES {
                return Err(format!("the key set is larger than {MAX_BYTES} bytes"));
            }
        }
        read_key_set(&body)
    }

    fn cached(&self) -> Cache {
        self.cache.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Cache {
    fn is_fresh(&self, now: Timestamp) -> bool {
        self.fetched_at.is_some_and(|fetched_at| now.since(fetched_at) < FRESH_MS)
    }

    fn find(&self, id: Option<&str>, algorithm: Algorithm) -> Option<Arc<DecodingKey>> {
        let mut fitting = self
            .keys
            .iter()
            .filter(|key| key.algorithm == algorithm && (id.is_none() || key.id.as_deref() == id));
        let first = fitting.next()?;
        fitting.next().is_none().then(|| first.key.clone())
    }
}

/// Keys of unknown kinds are passed over: a set may hold keys that are meant for others.
fn read_key_set(body: &[u8]) -> Result<Arc<[PublishedKey]>, String> {
    #[derive(serde::Deserialize)]
    struct KeySet {
        keys: Vec<serde_json::Value>,
    }
    let set: KeySet = serde_json::from_slice(body).map_err(|error| error.to_string())?;
    let keys = set.keys.into_iter();
    Ok(keys.filter_map(|key| read_key(&serde_json::from_value(key).ok()?)).collect())
}

fn read_key(jwk: &Jwk) -> Option<PublishedKey> {
    let algorithm = match &jwk.algorithm {
        AlgorithmParameters::RSA(rsa) if rsa.n.len() >= MIN_MODULUS_CHARS => Algorithm::RS256,
        AlgorithmParameters::EllipticCurve(ec) if ec.curve == EllipticCurve::P256 => {
            Algorithm::ES256
        }
        AlgorithmParameters::OctetKeyPair(pair) if pair.curve == EllipticCurve::Ed25519 => {
            Algorithm::EdDSA
        }
        _ => return None,
    };
    let other_algorithm = jwk.common.key_algorithm.is_some_and(|it| it != algorithm.into());
    let no_signatures =
        jwk.common.public_key_use.as_ref().is_some_and(|it| *it != PublicKeyUse::Signature);
    if other_algorithm || no_signatures {
        return None;
    }
    let key = Arc::new(DecodingKey::from_jwk(jwk).ok()?);
    Some(PublishedKey { id: jwk.common.key_id.clone(), algorithm, key })
}
