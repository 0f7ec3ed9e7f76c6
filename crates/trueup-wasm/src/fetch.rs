//! Calls to the server, and what their answers mean.

use js_sys::{Array, Promise};
use trueup_core::client::Request;
use trueup_core::{OperationId, Snapshot, Version};
use trueup_protocol::reply;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use web_sys::{AbortController, Response};

use crate::error::Fault;
use crate::host;
use crate::record::Record;

/// Nobody waits longer than this for an answer, or for the app's token.
const TIME_OUT_MS: f64 = 10_000.0;

/// What is to be sent.
pub struct Call {
    pub path: String,
    /// The body of a POST; without one it is a GET.
    pub body: Option<String>,
    /// The `ETag` that needs no repeating.
    pub known: Option<String>,
}

/// What came back.
pub struct Reply {
    pub status: u16,
    pub body: String,
    pub retry_after_ms: Option<i64>,
}

/// What an answer to one of the machine's requests means.
pub enum Answer {
    Snapshot(Snapshot),
    NotModified,
    FenceRefused,
}

/// Why there was no answer that means anything.
pub struct Failure {
    pub fault: Fault,
    pub retry_after_ms: Option<i64>,
}

impl From<Fault> for Failure {
    fn from(fault: Fault) -> Self {
        Self { fault, retry_after_ms: None }
    }
}

impl Call {
    /// The call that carries out a request of the machine.
    pub fn of(request: &Request) -> Self {
        match request {
            Request::Usage { since, ask, known, .. } => {
                let mut path = "/v1/usage".to_owned();
                let mut separator = "?";
                if let Some(Version(since)) = since {
                    path = [&path, separator, "since=", &since.to_string()].concat();
                    separator = "&";
                }
                if !ask.is_empty() {
                    let ids: Vec<String> = ask.iter().map(OperationId::to_string).collect();
                    path = [&path, separator, "ask=", &ids.join(",")].concat();
                }
                let known = known.as_ref().map(|(epoch, Version(version))| {
                    ["\"", epoch.as_str(), "-", &version.to_string(), "\""].concat()
                });
                Self { path, body: None, known }
            }
            Request::Fence { operation, since, .. } => {
                let path = ["/v1/operations/", &operation.to_string(), "/fence"].concat();
                let body = match since {
                    Some(Version(since)) => ["{\"since\":", &since.to_string(), "}"].concat(),
                    None => "{}".to_owned(),
                };
                Self { path, body: Some(body), known: None }
            }
        }
    }

    /// A GET of that path.
    pub fn get(path: &str) -> Self {
        Self { path: path.to_owned(), body: None, known: None }
    }

    /// Sends it and reads the whole reply.
    pub async fn send(
        self,
        base_url: &str,
        token: &str,
        controller: &AbortController,
    ) -> Result<Reply, Fault> {
        let mut headers = Record::new().set("authorization", ["Bearer ", token].concat());
        if self.body.is_some() {
            headers = headers.set("content-type", "application/json");
        }
        let init = Record::new()
            .set("method", if self.body.is_some() { "POST" } else { "GET" })
            // The machine has its own copy, and asks for changes of that one.
            .set("cache", "no-store")
            .set("signal", controller.signal())
            .set("headers", headers.set_some("if-none-match", self.known).into_object())
            .set_some("body", self.body)
            .into_object();
        let outcome = read(host::fetch(&[base_url, &self.path].concat(), &init)).await;
        // After a time-out the call must not go on by itself; after anything else this is nothing.
        controller.abort();
        outcome.map_err(|error| {
            if error.is_undefined() {
                Fault::new("timed_out", "the server did not answer in time")
            } else {
                Fault::new("unreachable", "the server cannot be reached")
            }
        })
    }
}

async fn read(fetching: Result<Promise, JsValue>) -> Result<Reply, JsValue> {
    let response: Response = within(&fetching?).await?.unchecked_into();
    let retry_after = response.headers().get("retry-after")?;
    Ok(Reply {
        status: response.status(),
        body: within(&response.text()?).await?.as_string().unwrap_or_default(),
        retry_after_ms: retry_after.and_then(|text| retry_after_ms(&text)),
    })
}

/// What the promise gives, or `undefined` as the error when it takes too long.
pub async fn within(promise: &Promise) -> Result<JsValue, JsValue> {
    let mut handle = JsValue::UNDEFINED;
    let late = Promise::new(&mut |_, reject| handle = host::set_timeout(&reject, TIME_OUT_MS));
    let outcome = JsFuture::from(Promise::race(&Array::of2(promise, &late))).await;
    host::clear_timeout(&handle);
    outcome
}

/// Seconds, or the date until which to wait.
fn retry_after_ms(text: &str) -> Option<i64> {
    if let Ok(seconds) = text.trim().parse::<u32>() {
        return Some(i64::from(seconds) * 1000);
    }
    let date = js_sys::Date::parse(text);
    (!date.is_nan()).then(|| host::whole(date).saturating_sub(host::now().millis()).max(0))
}

impl Reply {
    /// What it means as the answer to a request of the machine.
    pub fn answer(self, request: &Request) -> Result<Answer, Failure> {
        let fences = matches!(request, Request::Fence { .. });
        match self.status {
            200 => match reply::snapshot_in(&self.body) {
                Some(snapshot) => Ok(Answer::Snapshot(snapshot)),
                None => Err(self.failure()),
            },
            304 if !fences => Ok(Answer::NotModified),
            400 | 409 if fences => self.fence_refused(),
            _ => Err(self.failure()),
        }
    }

    /// A refusal that tells where the operation stands is as good as an answer. Any other one is
    /// for ever: the server will never accept the id.
    fn fence_refused(self) -> Result<Answer, Failure> {
        match reply::error_code(&self.body).as_deref() {
            Some("op_held") => match reply::snapshot_in(&self.body) {
                Some(snapshot) => Ok(Answer::Snapshot(snapshot)),
                None => Err(self.failure()),
            },
            Some(
                "operation_too_old" | "operation_from_future" | "invalid_operation_id" | "op_conflict",
            ) => Ok(Answer::FenceRefused),
            _ => Err(self.failure()),
        }
    }

    /// The reply as a failure.
    pub fn failure(self) -> Failure {
        let code = reply::error_code(&self.body).unwrap_or_else(|| "unexpected_reply".to_owned());
        let message = ["the server answered ", &self.status.to_string()].concat();
        Failure { fault: Fault { code, message }, retry_after_ms: self.retry_after_ms }
    }
}
