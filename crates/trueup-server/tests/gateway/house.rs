//! A server of one's own.

use std::sync::Arc;
use std::time::Duration;

use reqwest::{Response, StatusCode};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::task::JoinHandle;
use trueup_core::{AccountId, OperationId};
use trueup_server::clock::Clock;
use trueup_server::config::{Flags, Sources};
use trueup_server::demo::FaultSet;
use trueup_server::http::AppState;
use trueup_server::server::Server;
use trueup_server::shutdown::{Shutdown, ShutdownTrigger};

use crate::client::{Chat, Usage};
use crate::database;
use crate::upstream::Upstream;

const SETTINGS: &str = r#"
jwt_secret = "0123456789abcdef0123456789abcdef"
api_key = "backend-key-0123456789abcdef0123456789"
default_plan = "free"
models."gpt-5" = { charge = { premium_messages = 1 }, fallback = ["gpt-5-mini", "gpt-5-nano"] }
models."gpt-5-mini" = { charge = { standard_messages = 1 } }
models."gpt-5-nano" = { charge = { nano_messages = 1 } }
plans.free.meters.premium_messages = { limit = 2, window = "month" }
plans.free.meters.standard_messages = { limit = 50, window = "month" }
plans.free.meters.nano_messages = { window = "month" }
"#;

pub const API_KEY: &str = "backend-key-0123456789abcdef0123456789";

pub struct House {
    pub address: String,
    pub base_url: String,
    pub state: AppState,
    pub upstream: Upstream,
    pub client: reqwest::Client,
    trigger: ShutdownTrigger,
    serving: JoinHandle<()>,
    _folder: TempDir,
}

impl House {
    pub async fn open() -> Arc<Self> {
        Self::with("", Clock::system()).await
    }

    /// A house with more settings, and a clock of the test's.
    pub async fn with(settings: &str, clock: Clock) -> Arc<Self> {
        Self::furnished(settings, "", clock).await
    }

    /// A house whose provider has more settings.
    pub async fn with_provider(settings: &str) -> Arc<Self> {
        Self::furnished("", settings, Clock::system()).await
    }

    async fn furnished(settings: &str, provider: &str, clock: Clock) -> Arc<Self> {
        let upstream = Upstream::start().await;
        let folder = tempfile::tempdir().unwrap();
        let base_url = &upstream.base_url;
        let provider =
            format!("[[providers]]\nkind = \"openai\"\nbase_url = \"{base_url}\"\n{provider}");
        let database_url = Some(database::url(folder.path()));
        let sources = Sources {
            file_name: "test.toml".to_owned(),
            file_text: format!("{settings}\n{SETTINGS}\n{provider}\n"),
            env: Vec::new(),
            flags: Flags { database_url, demo: true, ..Flags::default() },
        };
        let settings = sources.load().unwrap();
        let (trigger, shutdown) = Shutdown::new();
        let server = Server::open(settings, clock, shutdown).await.unwrap();
        let state = server.state().clone();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let serving = tokio::spawn(async move { server.run(listener).await.unwrap() });
        let base_url = format!("http://{address}");
        let client = reqwest::Client::new();
        let (_folder, upstream) = (folder, upstream);
        Arc::new(Self { address, base_url, state, upstream, client, trigger, serving, _folder })
    }

    pub fn token(&self, account: &str) -> String {
        let account = AccountId::new(account).unwrap();
        self.state.auth.issue(&account, &account.personal_actor(), 3600).unwrap().token
    }

    pub fn new_operation(&self) -> OperationId {
        let mut entropy = [0; 10];
        getrandom::fill(&mut entropy).unwrap();
        OperationId::new_v7(self.state.clock.now(), entropy)
    }

    pub fn set_faults(&self, set: FaultSet) {
        self.state.faults.set(&AccountId::new("ann").unwrap(), set);
    }

    /// Waits until no chat runs any more.
    pub async fn quiet(&self) {
        self.state.gateway.drained().await;
    }

    /// Asks the server to stop, and waits until it has.
    pub async fn stop(self: Arc<Self>) {
        self.trigger.shut_down();
        let house = Arc::into_inner(self).expect("nobody else uses the house");
        house.serving.await.unwrap();
    }

    pub fn ask_to_stop(&self) {
        self.trigger.shut_down();
    }

    pub async fn get(&self, path: &str) -> Response {
        let url = format!("{}{path}", self.base_url);
        self.client.get(url).bearer_auth(self.token("ann")).send().await.unwrap()
    }

    pub async fn usage(&self) -> Usage {
        Usage(self.get("/v1/usage").await.json().await.unwrap())
    }

    /// How the ledger remembers an operation.
    pub async fn operation(&self, id: OperationId) -> Value {
        let body: Value = self.get(&format!("/v1/usage?ask={id}")).await.json().await.unwrap();
        body["operations"][0].clone()
    }

    /// What was saved under a conversation: role and content.
    pub async fn messages(&self, conversation: &str) -> Vec<(String, String)> {
        let response = self.get(&format!("/v1/conversations/{conversation}/messages")).await;
        if response.status() == StatusCode::NOT_FOUND {
            return Vec::new();
        }
        let body: Value = response.json().await.unwrap();
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let messages = body["messages"].as_array().unwrap();
        messages.iter().map(|it| (text(&it["role"]), text(&it["content"]))).collect()
    }

    /// Gives an account terms of its own.
    pub async fn put_account(&self, account: &str, terms: &Value) {
        let url = format!("{}/v1/accounts/{account}", self.base_url);
        let put = self.client.put(url).bearer_auth(API_KEY).json(terms);
        assert_eq!(put.send().await.unwrap().status(), StatusCode::OK);
    }

    /// Ends an operation as a backend may, whoever holds it.
    pub async fn release(&self, account: &str, operation: OperationId) {
        let url = format!("{}/v1/operations/{operation}/release", self.base_url);
        let post = self.client.post(url).bearer_auth(API_KEY).json(&json!({"account": account}));
        assert_eq!(post.send().await.unwrap().status(), StatusCode::OK);
    }

    /// Waits until Ann's ledger has so many entries of a kind. A ledger announces nothing, so it is
    /// asked from time to time.
    pub async fn wait_for_entries(&self, kind: &str, count: usize) {
        let url = format!("{}/v1/accounts/ann/entries", self.base_url);
        let mut times = tokio::time::interval(Duration::from_millis(20));
        loop {
            times.tick().await;
            let get = self.client.get(&url).bearer_auth(API_KEY);
            let body: Value = get.send().await.unwrap().json().await.unwrap();
            let entries = body["entries"].as_array().unwrap();
            if entries.iter().filter(|entry| entry["kind"] == kind).count() >= count {
                return;
            }
        }
    }

    pub fn chat(self: &Arc<Self>, body: Value) -> Chat {
        Chat::new(self, body)
    }

    /// A chat of Ann with the premium model, streaming.
    pub fn stream(self: &Arc<Self>) -> Chat {
        self.chat(json!({"model": "gpt-5", "stream": true, "messages": [{"role": "user", "content": "hello"}]}))
    }

    /// A streaming chat on a connection that takes little before it is read.
    pub async fn slow_reader(&self, operation: OperationId) -> TcpStream {
        let socket = TcpSocket::new_v4().unwrap();
        socket.set_recv_buffer_size(4096).unwrap();
        let mut stream = socket.connect(self.address.parse().unwrap()).await.unwrap();
        let body = r#"{"model":"gpt-5","stream":true,"messages":[{"role":"user","content":"x"}]}"#;
        let (token, length) = (self.token("ann"), body.len());
        let request = format!(
            "POST /v1/chat/completions HTTP/1.1\r\nhost: trueup\r\n\
             authorization: Bearer {token}\r\ntrueup-operation: {operation}\r\n\
             content-type: application/json\r\ncontent-length: {length}\r\n\r\n{body}"
        );
        stream.write_all(request.as_bytes()).await.unwrap();
        stream
    }

    /// The same with the standard model, of which there is plenty.
    pub fn chat_mini(self: &Arc<Self>) -> Chat {
        let mut chat = self.stream();
        chat.body["model"] = json!("gpt-5-mini");
        chat
    }

    /// A chat of Ann with the premium model, not streaming.
    pub fn whole(self: &Arc<Self>) -> Chat {
        self.chat(json!({"model": "gpt-5", "messages": [{"role": "user", "content": "hello"}]}))
    }
}
