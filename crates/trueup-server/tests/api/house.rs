//! A server with a folder and a clock of its own, and a client that keeps what it was told.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use trueup_core::{AccountId, ActorId, OperationId, Timestamp};
use trueup_server::clock::Clock;
use trueup_server::config::{Flags, Settings, Sources};
use trueup_server::http::AppState;
use trueup_server::server::{ServeError, Server};
use trueup_server::shutdown::{Shutdown, ShutdownTrigger};

use crate::database;

/// 2026-11-24T03:00:00Z.
pub const START: Timestamp = Timestamp::from_millis(1_795_489_200_000);
pub const API_KEY: &str = "backend-key-0123456789abcdef";
pub const SECRET: &str = "0123456789abcdef0123456789abcdef";

pub const SETTINGS: &str = r#"
default_plan = "free"
models."gpt-5" = { charge = { premium_messages = 1 }, fallback = ["gpt-5-mini"] }
models."gpt-5-mini" = { charge = { standard_messages = 1 } }
models.draft = { charge = {} }
plans.free.meters.premium_messages = { limit = 2, window = "month" }
plans.free.meters.standard_messages = { limit = 50, window = "day", enforcement = "soft" }
plans.pro.meters.premium_messages = { limit = 100, window = "month" }
plans.pro.meters.standard_messages = { window = "month" }
plans.pro.meters.tokens = { limit = 9007199254740991, window = { days = 30 } }
"#;

/// What a library says about a body, in words that no caller knows.
const WORDS_OF_THE_CODE: [&str; 9] =
    ["struct", "u64", "i64", "BTreeMap", "map,", "sequence", "newtype", "expected", "deserialize"];

pub struct House {
    pub base_url: String,
    pub address: String,
    pub state: AppState,
    pub clock: Clock,
    client: reqwest::Client,
    trigger: ShutdownTrigger,
    serving: JoinHandle<Result<(), ServeError>>,
    database_url: String,
    folder: Arc<TempDir>,
}

impl House {
    pub async fn open() -> Self {
        Self::with(&format!("jwt_secret = \"{SECRET}\"")).await
    }

    /// A house whose settings begin with more; without a secret unless these lines have one.
    pub async fn with(first: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let settings = settings(first, &folder);
        Self::furnished(settings, Arc::new(folder)).await
    }

    /// Another house over the same ledger, with settings of its own, while this one stands or after
    /// it was left.
    pub async fn beside(&self, settings_text: &str) -> Self {
        let first = format!("jwt_secret = \"{SECRET}\"");
        let url = self.database_url.clone();
        Self::furnished(settings_of(&first, url, settings_text), Arc::clone(&self.folder)).await
    }

    /// A house on a file, for what only files do.
    pub async fn on_file() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let first = format!("jwt_secret = \"{SECRET}\"");
        let settings = settings_of(&first, database::file_url(folder.path()), SETTINGS);
        Self::furnished(settings, Arc::new(folder)).await
    }

    async fn furnished(settings: Settings, folder: Arc<TempDir>) -> Self {
        let database_url = settings.database_url.expose().to_owned();
        let (trigger, shutdown) = Shutdown::new();
        let clock = Clock::manual(START);
        let server = Server::open(settings, clock.clone(), shutdown).await.unwrap();
        let state = server.state().clone();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let serving = tokio::spawn(server.run(listener));
        let base_url = format!("http://{address}");
        let client = reqwest::Client::new();
        Self { base_url, address, state, clock, client, trigger, serving, database_url, folder }
    }

    pub fn token(&self, account: &str) -> String {
        self.token_of(account, account)
    }

    pub fn token_of(&self, account: &str, actor: &str) -> String {
        let account = AccountId::new(account).unwrap();
        let actor = ActorId::new(actor).unwrap();
        self.state.auth.issue(&account, &actor, 3600).unwrap().token
    }

    /// A call of nobody; see [`Call`] for who may make it.
    pub fn call(&self, method: Method, path: &str) -> Call {
        Call(self.client.request(method, format!("{}{path}", self.base_url)))
    }

    pub fn get(&self, path: &str) -> Call {
        self.call(Method::GET, path)
    }

    pub fn post(&self, path: &str) -> Call {
        self.call(Method::POST, path)
    }

    /// A backend's body as it is written.
    pub async fn post_json(&self, path: &str, body: String) -> Reply {
        let call = self.post(path).backend().header("content-type", "application/json");
        call.text(body).send().await
    }

    pub fn put(&self, path: &str) -> Call {
        self.call(Method::PUT, path)
    }

    /// Moves the clock on.
    pub fn wait_ms(&self, millis: i64) {
        self.clock.set(self.clock.now().plus(millis));
    }

    pub fn new_id(&self) -> OperationId {
        new_id(self.clock.now())
    }

    /// Holds one unit of what a model charges, for an account's own actor.
    pub async fn hold(&self, account: &str, model: &str) -> OperationId {
        let id = self.new_id();
        let body = json!({ "op_id": id.to_string(), "account": account, "model": model });
        let reply = self.post("/v1/operations").backend().json(&body).send().await;
        assert_eq!(reply.status, StatusCode::CREATED, "{}", reply.body);
        id
    }

    /// What names its ledger.
    pub fn database_url(&self) -> &str {
        &self.database_url
    }

    /// The file that its ledger is kept in, when that is a file.
    pub fn database(&self) -> PathBuf {
        self.folder.path().join("trueup.db")
    }

    /// Asks the server to stop.
    pub fn ask_to_stop(&self) {
        self.trigger.shut_down();
    }

    /// Waits until the server has stopped.
    pub async fn stopped(self) {
        self.serving.await.unwrap().unwrap();
    }
}

/// Settings of a database in `folder`.
pub fn settings(first: &str, folder: &TempDir) -> Settings {
    settings_of(first, database::url(folder.path()), SETTINGS)
}

fn settings_of(first: &str, database_url: String, settings_text: &str) -> Settings {
    let flags = Flags { database_url: Some(database_url), ..Flags::default() };
    let file_text = format!("{first}\napi_key = \"{API_KEY}\"\n{settings_text}");
    let sources = Sources { file_name: "test.toml".to_owned(), file_text, env: Vec::new(), flags };
    sources.load().unwrap()
}

/// An operation id made at `at`, unlike any other of this process.
pub fn new_id(at: Timestamp) -> OperationId {
    static COUNT: AtomicU64 = AtomicU64::new(1);
    let mut entropy = [0; 10];
    entropy[2..].copy_from_slice(&COUNT.fetch_add(1, Ordering::Relaxed).to_be_bytes());
    OperationId::new_v7(at, entropy)
}

/// A call in the making.
pub struct Call(reqwest::RequestBuilder);

impl Call {
    pub fn bearer(self, bearer: &str) -> Self {
        Self(self.0.bearer_auth(bearer))
    }

    pub fn backend(self) -> Self {
        self.bearer(API_KEY)
    }

    pub fn header(self, name: &'static str, value: &str) -> Self {
        let (name, value) = (HeaderName::from_static(name), HeaderValue::from_str(value).unwrap());
        Self(self.0.header(name, value))
    }

    pub fn json(self, body: &Value) -> Self {
        Self(self.0.json(body))
    }

    pub fn text(self, body: impl Into<String>) -> Self {
        Self(self.0.body(body.into()))
    }

    /// The answer before its body is read.
    pub async fn response(self) -> reqwest::Response {
        self.0.send().await.unwrap()
    }

    pub async fn send(self) -> Reply {
        let response = self.0.send().await.unwrap();
        let (status, headers) = (response.status(), response.headers().clone());
        let text = response.text().await.unwrap();
        let body = serde_json::from_str(&text).unwrap_or(Value::Null);
        Reply { status, headers, text, body }
    }
}

/// What came back.
pub struct Reply {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub text: String,
    /// Null when the text is no JSON.
    pub body: Value,
}

impl Reply {
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// The body of a success.
    pub fn expect(self, status: u16) -> Value {
        assert_eq!(self.status.as_u16(), status, "{}", self.text);
        self.body
    }

    /// The error of a failure, checked to be one in every way.
    pub fn refused(self, status: u16, code: &str) -> Value {
        assert_eq!(self.status.as_u16(), status, "{}", self.text);
        assert_eq!(self.body["error"]["code"], code, "{}", self.text);
        assert_eq!(self.body["error"]["request_id"], self.header("x-request-id"));
        let message = self.body["error"]["message"].as_str().unwrap();
        assert!(message.ends_with('.'), "no sentence: {message}");
        for word in WORDS_OF_THE_CODE {
            assert!(!message.contains(word), "{word:?} is no word of the API: {message}");
        }
        assert_eq!(self.header("content-type"), "application/json");
        if status < 500 {
            assert_eq!(self.header("x-should-retry"), "false");
        }
        self.body
    }
}

/// used, held and limit of a meter of a snapshot.
pub fn figures(snapshot: &Value, meter: &str) -> (u64, u64, Option<u64>) {
    let meter = &snapshot["meters"][meter];
    let number = |name: &str| meter[name].as_u64();
    (number("used").unwrap(), number("held").unwrap(), number("limit"))
}
