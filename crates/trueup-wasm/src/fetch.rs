//! Calls to the server, and what their answers mean.

use std::mem::take;

use js_sys::{Function, Promise};
use trueup_core::client::Request;
use trueup_core::{Epoch, Snapshot, Version};
use trueup_protocol::{ErrorCode, reply, text};
use wasm_bindgen::{JsCast, JsValue};
use web_sys::Response;

use crate::error::Fault;
use crate::host;
use crate::record::Record;
use crate::session::Session;

/// Nobody waits longer than this for an answer, or for the app's token.
const TIME_OUT_MS: u32 = 10_000;

const HELD: &str = ErrorCode::OperationHeld.as_str();
const TOO_OLD: &str = ErrorCode::OperationTooOld.as_str();
const FROM_FUTURE: &str = ErrorCode::OperationFromFuture.as_str();
const INVALID: &str = ErrorCode::InvalidOperationId.as_str();
const CONFLICT: &str = ErrorCode::OperationConflict.as_str();

/// What is to be sent.
pub struct Call {
    pub path: String,
    /// The body of a POST; without one it is a GET.
    pub body: Option<String>,
    /// The `ETag` of what needs no repeating.
    pub known: Option<String>,
}

/// What came back.
pub struct Reply {
    pub status: u16,
    pub body: String,
    pub tag: Option<String>,
    pub retry_after_ms: Option<i64>,
}

/// What an answer to one of the machine's requests means.
pub enum Answer {
    Snapshot(Snapshot),
    NotModified,
    FenceRefused,
    Failed(Fault),
}

impl Call {
    /// A GET of that path.
    pub fn get(path: &str) -> Self {
        Self { path: path.to_owned(), body: None, known: None }
    }

    /// The call that carries out a request of the machine.
    pub fn of(request: &Request, session: &mut Session) -> Self {
        match request {
            Request::Usage { since, ask, known, .. } => {
                let mut path = "/v1/usage".to_owned();
                let mut before = '?';
                if let Some(Version(since)) = since {
                    path += "?since=";
                    path += &text::decimal(*since);
                    before = '&';
                    if !session.corrected.is_empty() {
                        path += "&corrected=";
                        path += &take(&mut session.corrected);
                    }
                }
                for (at, id) in ask.iter().enumerate() {
                    if at == 0 {
                        path.push(before);
                        path += "ask=";
                    } else {
                        path.push(',');
                    }
                    path += &text::operation_id(*id);
                }
                let tag = session.tag.as_deref();
                let known = known.as_ref().zip(tag).filter(|(known, tag)| is_tag_of(known, tag));
                Self { path, body: None, known: known.map(|(_, tag)| tag.to_owned()) }
            }
            Request::Fence { operation, since, .. } => {
                let body = match since {
                    Some(Version(since)) => "{\"since\":".to_owned() + &text::decimal(*since) + "}",
                    None => "{}".to_owned(),
                };
                let path =
                    "/v1/operations/".to_owned() + &text::operation_id(*operation) + "/fence";
                Self { path, body: Some(body), known: None }
            }
        }
    }

    /// Sends it and hands the whole reply to `done`. A call that takes too long is given up.
    pub fn send(
        &self,
        base_url: &str,
        token: &str,
        done: impl FnOnce(Result<Reply, Fault>) + 'static,
    ) {
        let url = base_url.to_owned() + &self.path;
        let Ok(fetching) = host::fetch(&url, &self.init(token)) else {
            return done(Err(unreachable()));
        };
        host::after(&fetching, |response| {
            let response = response.map(JsValue::unchecked_into::<Response>);
            let reading = response.as_ref().and_then(|response| response.text().ok());
            let (Some(response), Some(reading)) = (response, reading) else {
                return done(Err(unreachable()));
            };
            host::after(&reading, move |body| {
                done(body.ok_or_else(unreachable).map(|body| Reply::new(&response, &body)));
            });
        });
    }

    fn init(&self, token: &str) -> JsValue {
        let headers = Record::new()
            .text("authorization", &("Bearer ".to_owned() + token))
            .some_text("content-type", self.body.as_ref().map(|_| "application/json"))
            .some_text("if-none-match", self.known.as_deref());
        Record::new()
            .text("method", if self.body.is_some() { "POST" } else { "GET" })
            // The machine has its own copy, and asks for changes of that one.
            .text("cache", "no-store")
            .set("signal", &host::time_out(TIME_OUT_MS))
            .set("headers", &headers.into_object())
            .some_text("body", self.body.as_deref())
            .into_object()
    }
}

/// Whether the tag is that of these figures: others may have come since, or it came with some that
/// could not be used. The rest of the tag is the server's, and names who was told.
fn is_tag_of((epoch, Version(version)): &(Epoch, Version), tag: &str) -> bool {
    // A server on the way that compresses marks the tag as weak.
    let quoted = tag.strip_prefix("W/").unwrap_or(tag);
    let rest = quoted.strip_prefix('"').and_then(|tag| tag.strip_prefix(epoch.as_str()));
    rest.is_some_and(|rest| rest.ends_with(&("-".to_owned() + &text::decimal(*version) + "\"")))
}

fn unreachable() -> Fault {
    Fault::new("unreachable", "the server cannot be reached")
}

impl Reply {
    fn new(response: &Response, body: &JsValue) -> Self {
        let header = |name| response.headers().get(name).ok().flatten();
        Self {
            status: response.status(),
            body: body.as_string().unwrap_or_default(),
            tag: header("etag"),
            retry_after_ms: header("retry-after").as_deref().and_then(retry_after_ms),
        }
    }

    /// What it means as the answer to a request of the machine.
    pub fn answer(&self, request: &Request) -> Answer {
        let fences = matches!(request, Request::Fence { .. });
        let code = reply::error_code(&self.body);
        let code = code.as_deref().filter(|_| fences);
        // That the operation is held is told along with where it stands: as good as an answer.
        let tells = self.status == 200 || code == Some(HELD);
        if tells && let Some(snapshot) = reply::snapshot_in(&self.body) {
            return Answer::Snapshot(snapshot);
        }
        match code {
            None if self.status == 304 && !fences => Answer::NotModified,
            // The server will never accept such an id.
            Some(TOO_OLD | FROM_FUTURE | INVALID | CONFLICT) => Answer::FenceRefused,
            _ => Answer::Failed(self.fault()),
        }
    }

    /// The reply as a failure.
    pub fn fault(&self) -> Fault {
        let message = "the server answered ".to_owned() + &text::decimal(self.status.into());
        match reply::error_code(&self.body) {
            Some(code) => Fault::new(code, message),
            None => Fault::new("unexpected_reply", message),
        }
    }
}

/// Seconds, or the date until which to wait.
pub fn retry_after_ms(text: &str) -> Option<i64> {
    if let Ok(seconds) = text.parse::<u32>() {
        return Some(i64::from(seconds) * 1000);
    }
    let date = js_sys::Date::parse(text);
    if date.is_nan() { None } else { Some(host::whole(date - js_sys::Date::now()).max(0)) }
}

/// Asks the app for its token, and hands it to `done`.
pub fn ask_token(get_token: &Function, done: impl FnOnce(Result<Option<String>, Fault>) + 'static) {
    let failed = || Fault::new("token_failed", "getToken failed or did not answer in time");
    let Ok(given) = host::call(get_token, &JsValue::UNDEFINED) else { return done(Err(failed())) };
    let mut timer = JsValue::UNDEFINED;
    let late =
        Promise::new(&mut |_, reject| timer = host::set_timeout(&reject, TIME_OUT_MS.into()));
    host::after(&host::race(&host::list(&[&given, &late])), move |token| {
        host::clear_timeout(&timer);
        done(token.ok_or_else(failed).map(|token| token.as_string()));
    });
}
