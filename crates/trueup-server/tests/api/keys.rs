//! Keys to sign with, and an identity provider that publishes them.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::get;
use axum::{Json, Router};
use jsonwebtoken::jwk::Jwk;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde_json::{Value, json};
use tokio::net::TcpListener;

pub const RSA_PUBLIC: &[u8] = include_bytes!("keys/rsa_public.pem");

/// A key pair and the algorithm that it is for.
#[derive(Clone)]
pub struct Pair {
    pub id: &'static str,
    pub algorithm: Algorithm,
    pub key: EncodingKey,
}

impl Pair {
    pub fn rsa() -> Self {
        let key = EncodingKey::from_rsa_pem(include_bytes!("keys/rsa.pem")).unwrap();
        Self { id: "rsa", algorithm: Algorithm::RS256, key }
    }

    pub fn short_rsa() -> Self {
        let key = EncodingKey::from_rsa_pem(include_bytes!("keys/rsa_short.pem")).unwrap();
        Self { id: "short", algorithm: Algorithm::RS256, key }
    }

    pub fn ec() -> Self {
        let key = EncodingKey::from_ec_pem(include_bytes!("keys/ec.pem")).unwrap();
        Self { id: "ec", algorithm: Algorithm::ES256, key }
    }

    pub fn ed() -> Self {
        let key = EncodingKey::from_ed_pem(include_bytes!("keys/ed25519.pem")).unwrap();
        Self { id: "ed", algorithm: Algorithm::EdDSA, key }
    }

    pub fn other_ed() -> Self {
        let key = EncodingKey::from_ed_pem(include_bytes!("keys/ed25519_other.pem")).unwrap();
        Self { id: "other", algorithm: Algorithm::EdDSA, key }
    }

    /// The public half, as it is published.
    pub fn public(&self) -> Value {
        let mut jwk = Jwk::from_encoding_key(&self.key, self.algorithm).unwrap();
        jwk.common.key_id = Some(self.id.to_owned());
        serde_json::to_value(jwk).unwrap()
    }

    pub fn sign(&self, claims: &Value) -> String {
        let header = Header { kid: Some(self.id.to_owned()), ..Header::new(self.algorithm) };
        jsonwebtoken::encode(&header, claims, &self.key).unwrap()
    }
}

/// Publishes keys on a free port, and counts how often they are fetched.
pub struct Publisher {
    pub url: String,
    shared: Arc<Shared>,
}

struct Shared {
    keys: Mutex<Option<Vec<Value>>>,
    fetches: AtomicUsize,
}

impl Publisher {
    pub async fn start(keys: &[Value]) -> Self {
        let shared = Arc::new(Shared {
            keys: Mutex::new(Some(keys.to_vec())),
            fetches: AtomicUsize::new(0),
        });
        let router = Router::new().route("/jwks.json", get(publish)).with_state(shared.clone());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/jwks.json", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { url, shared }
    }

    /// Publishes other keys from now on; `None` fails.
    pub fn set(&self, keys: Option<&[Value]>) {
        *self.shared.keys.lock().unwrap() = keys.map(<[_]>::to_vec);
    }

    pub fn fetches(&self) -> usize {
        self.shared.fetches.load(Ordering::SeqCst)
    }
}

async fn publish(State(shared): State<Arc<Shared>>) -> Result<Json<Value>, StatusCode> {
    shared.fetches.fetch_add(1, Ordering::SeqCst);
    let keys = shared.keys.lock().unwrap().clone();
    keys.map(|keys| Json(json!({ "keys": keys }))).ok_or(StatusCode::SERVICE_UNAVAILABLE)
}
