//! A provider that says what the test tells it to, when the test tells it to.

use std::io;

use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use bytes::Bytes;
use tokio::net::TcpListener;
use tokio::sync::{Mutex, mpsc, oneshot};
use tokio_stream::wrappers::ReceiverStream;

pub struct Upstream {
    pub base_url: String,
    calls: Mutex<mpsc::UnboundedReceiver<Call>>,
}

/// A request that waits for its answer.
pub struct Call {
    pub headers: HeaderMap,
    pub body: Bytes,
    reply: oneshot::Sender<Response>,
}

/// An answer that goes on for as long as the test wants.
pub struct Talk(mpsc::Sender<io::Result<Bytes>>);

impl Upstream {
    pub async fn start() -> Self {
        let (sender, calls) = mpsc::unbounded_channel();
        let router = Router::new().route("/v1/chat/completions", post(take)).with_state(sender);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base_url = format!("http://{}/v1", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { base_url, calls: Mutex::new(calls) }
    }

    /// The next request that arrives.
    pub async fn call(&self) -> Call {
        self.calls.lock().await.recv().await.expect("the upstream is there")
    }

    /// Whether nothing was asked since the last call was taken.
    pub async fn is_idle(&self) -> bool {
        self.calls.lock().await.try_recv().is_err()
    }
}

async fn take(
    State(calls): State<mpsc::UnboundedSender<Call>>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let (reply, answer) = oneshot::channel();
    let gone = StatusCode::SERVICE_UNAVAILABLE;
    if calls.send(Call { headers, body, reply }).is_err() {
        return gone.into_response();
    }
    answer.await.unwrap_or_else(|_| gone.into_response())
}

impl Call {
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    /// Begins a stream of events.
    pub fn talk(self) -> Talk {
        let (sender, pieces) = mpsc::channel(64);
        let kind = [(header::CONTENT_TYPE, "text/event-stream; charset=utf-8")];
        let body = Body::from_stream(ReceiverStream::new(pieces));
        assert!(self.reply.send((kind, body).into_response()).is_ok(), "the gateway has left");
        Talk(sender)
    }

    /// Answers with one body.
    pub fn answer(self, status: u16, body: &str) {
        let status = StatusCode::from_u16(status).unwrap();
        let kind = [(header::CONTENT_TYPE, "application/json")];
        let response = (status, kind, body.to_owned()).into_response();
        assert!(self.reply.send(response).is_ok(), "the gateway has left");
    }

    /// Waits until the gateway has given up waiting.
    pub async fn abandoned(mut self) {
        self.reply.closed().await;
    }
}

impl Talk {
    /// Sends bytes as they are.
    pub async fn raw(&self, bytes: &str) {
        self.raw_bytes(bytes.as_bytes().to_vec()).await;
    }

    /// Sends bytes that may end in the middle of a character.
    pub async fn raw_bytes(&self, bytes: Vec<u8>) {
        self.0.send(Ok(bytes.into())).await.expect("the gateway listens");
    }

    /// Sends an event.
    pub async fn event(&self, data: &str) {
        self.raw(&format!("data: {data}\n\n")).await;
    }

    /// Sends a token.
    pub async fn token(&self, text: &str) {
        self.event(&token(text)).await;
    }

    /// Sends what a good answer ends with.
    pub async fn finish(self) {
        self.event(FINISH).await;
        self.event(USAGE).await;
        self.event("[DONE]").await;
    }

    /// Breaks the connection.
    pub async fn cut(self) {
        let _ = self.0.send(Err(io::ErrorKind::ConnectionAborted.into())).await;
    }

    /// Waits until the gateway listens no more.
    pub async fn abandoned(self) {
        self.0.closed().await;
    }
}

pub const FINISH: &str = r#"{"id":"up-1","object":"chat.completion.chunk","created":7,"model":"real-model","choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}"#;
pub const USAGE: &str = r#"{"id":"up-1","object":"chat.completion.chunk","created":7,"model":"real-model","choices":[],"usage":{"prompt_tokens":3,"completion_tokens":2,"total_tokens":5}}"#;

pub fn token(text: &str) -> String {
    let text = serde_json::to_string(text).unwrap();
    format!(
        r#"{{"id":"up-1","object":"chat.completion.chunk","created":7,"model":"real-model","choices":[{{"index":0,"delta":{{"content":{text}}},"finish_reason":null}}]}}"#
    )
}

pub fn whole(text: &str) -> String {
    let text = serde_json::to_string(text).unwrap();
    format!(
        r#"{{"id":"up-1","object":"chat.completion","created":7,"model":"real-model","choices":[{{"index":0,"message":{{"role":"assistant","content":{text}}},"finish_reason":"stop"}}],"usage":{{"prompt_tokens":3,"completion_tokens":2,"total_tokens":5}}}}"#
    )
}
