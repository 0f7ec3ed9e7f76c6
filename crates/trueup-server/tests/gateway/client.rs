//! A client that reads what the server answers.

use std::sync::Arc;

use reqwest::{Response, StatusCode};
use serde_json::{Value, json};
use tokio::task::JoinHandle;
use trueup_core::OperationId;
use trueup_server::gateway::sse::EventReader;

use crate::house::House;

/// A snapshot as JSON.
#[derive(Debug)]
pub struct Usage(pub Value);

impl Usage {
    /// Units used and held of a meter.
    pub fn of(&self, meter: &str) -> (u64, u64) {
        let meter = &self.0["meters"][meter];
        (meter["used"].as_u64().unwrap(), meter["held"].as_u64().unwrap())
    }

    pub fn premium(&self) -> (u64, u64) {
        self.of("premium_messages")
    }

    pub fn standard(&self) -> (u64, u64) {
        self.of("standard_messages")
    }
}

/// A chat in the making.
#[derive(Clone)]
pub struct Chat {
    house: Arc<House>,
    pub body: Value,
    operation: Option<OperationId>,
    conversation: Option<String>,
    since: Option<u64>,
}

impl Chat {
    pub fn new(house: &Arc<House>, body: Value) -> Self {
        let house = Arc::clone(house);
        Self { house, body, operation: None, conversation: None, since: None }
    }

    pub fn operation(mut self, id: OperationId) -> Self {
        self.operation = Some(id);
        self
    }

    pub fn conversation(mut self, id: &str) -> Self {
        self.conversation = Some(id.to_owned());
        self
    }

    pub fn since(mut self, version: u64) -> Self {
        self.since = Some(version);
        self
    }

    /// Sends it; the answer is there when its head is.
    pub fn send(self) -> JoinHandle<Response> {
        tokio::spawn(async move { self.try_send().await.unwrap() })
    }

    pub async fn try_send(self) -> reqwest::Result<Response> {
        let house = &self.house;
        let url = format!("{}/v1/chat/completions", house.base_url);
        let mut request = house.client.post(url).bearer_auth(house.token("ann")).json(&self.body);
        if let Some(id) = self.operation {
            request = request.header("Trueup-Operation", id.to_string());
        }
        if let Some(id) = &self.conversation {
            request = request.header("Trueup-Conversation", id);
        }
        if let Some(version) = self.since {
            request = request.header("Trueup-Since", version);
        }
        request.send().await
    }
}

/// A streamed answer as its client reads it.
pub struct Reading {
    response: Response,
    reader: EventReader,
}

impl Reading {
    pub fn of(response: Response) -> Self {
        assert_eq!(response.status(), StatusCode::OK);
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        Self { response, reader: EventReader::new(1 << 20) }
    }

    /// The data of the next event; `None` at the end.
    pub async fn next(&mut self) -> reqwest::Result<Option<String>> {
        loop {
            if let Some(data) = self.reader.next_event() {
                return Ok(Some(String::from_utf8(data.to_vec()).unwrap()));
            }
            match self.response.chunk().await? {
                Some(bytes) => self.reader.feed(&bytes).unwrap(),
                None => return Ok(None),
            }
        }
    }

    /// Everything that is left.
    pub async fn rest(mut self) -> Vec<String> {
        let mut rest = Vec::new();
        while let Some(data) = self.next().await.unwrap() {
            rest.push(data);
        }
        rest
    }

    /// Everything that is left of a stream that ends as it should: what comes before the last
    /// chunk, and the last chunk.
    pub async fn until_last_chunk(self) -> (Vec<String>, Value) {
        let mut rest = self.rest().await;
        assert_eq!(rest.pop().as_deref(), Some("[DONE]"));
        let last: Value = serde_json::from_str(&rest.pop().unwrap()).unwrap();
        assert_eq!(last["choices"], json!([]));
        (rest, last)
    }
}

pub fn header<'a>(response: &'a Response, name: &str) -> &'a str {
    response.headers().get(name).map_or("", |value| value.to_str().unwrap())
}
