//! Those who hold and settle, and chat: they ask any server, and again until they know.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use serde_json::Value;
use tokio::time::sleep;
use trueup_core::OperationId;

use super::street::{ACCOUNTS, Line, SERVERS, Street};
use crate::dice::Dice;
use crate::trueup::KEY;
use crate::{clock, http, work};

/// An answer that takes longer is asked for elsewhere.
const PATIENCE: Duration = Duration::from_secs(1);
/// Who gets no answer from anybody for so long has found a defect.
const LONGEST: Duration = Duration::from_secs(90);
/// A hold that is to be there until somebody ends it.
const LONG_TTL_S: u64 = 600;
const SHORT_TTL_S: u64 = 1;

/// What became of operations, as those who asked for them know it.
#[derive(Default)]
pub struct Book {
    /// The state of each, as it was acknowledged.
    pub states: BTreeMap<(String, OperationId), String>,
    /// Answers, and how often nobody answered or somebody could not.
    pub acknowledged: u64,
    pub retries: u64,
    /// What should not have been answered.
    pub odd: Vec<String>,
}

impl Book {
    pub fn add(&mut self, other: Self) {
        self.states.extend(other.states);
        self.acknowledged += other.acknowledged;
        self.retries += other.retries;
        self.odd.extend(other.odd);
    }
}

/// One of them.
pub struct Backend {
    street: Street,
    dice: Dice,
    lines: [Line; SERVERS],
    /// The one server that is asked, where it is not all of them.
    only: Option<usize>,
    pub book: Book,
}

/// An operation in the making.
struct Operation {
    account: String,
    id: OperationId,
    asked_at: Instant,
    ttl_s: u64,
}

impl Backend {
    pub fn new(street: &Street, dice: Dice, only: Option<usize>) -> Self {
        let (lines, book) = (<[Line; SERVERS]>::default(), Book::default());
        Self { street: street.clone(), dice, lines, only, book }
    }

    /// Works until the street closes, and ends what it began.
    pub async fn work(mut self) -> Book {
        while !self.street.is_closing() && self.book.odd.is_empty() {
            let account = format!("replicas-{}", self.dice.below(ACCOUNTS));
            match self.dice.below(10) {
                0 => self.chat(&account).await,
                // Nobody ever ends this one.
                1 => _ = self.hold(&account, SHORT_TTL_S).await,
                // This one may have ended by itself.
                2 => {
                    if let Some(operation) = self.hold(&account, SHORT_TTL_S).await {
                        sleep(Duration::from_millis(500 + self.dice.below(1_500))).await;
                        self.end(&operation, "settle").await;
                    }
                }
                3 => self.hold_and(&account, "release").await,
                _ => self.hold_and(&account, "settle").await,
            }
        }
        self.book
    }

    /// An operation that takes nothing: whether changes are made.
    pub async fn hold_and(&mut self, account: &str, how: &str) {
        if let Some(operation) = self.hold(account, LONG_TTL_S).await {
            self.end(&operation, how).await;
        }
    }

    async fn hold(&mut self, account: &str, ttl_s: u64) -> Option<Operation> {
        let id = self.dice.operation();
        let (account, asked_at) = (account.to_owned(), clock::instant());
        let operation = Operation { account, id, asked_at, ttl_s };
        let body = work::hold(&operation.account, id);
        let body = format!("{},\"ttl_s\":{ttl_s}}}", body.trim_end_matches('}'));
        let request = http::post("/v1/operations", KEY, &body);
        let is_held = self.step(&operation, &request, &[200, 201], "held").await;
        is_held.then_some(operation)
    }

    async fn end(&mut self, operation: &Operation, how: &str) {
        let Operation { account, id, .. } = operation;
        let path = format!("/v1/operations/{id}/{how}");
        let (body, state) = match how {
            "settle" => (work::settle(account), "settled"),
            _ => (format!("{{\"account\":\"{account}\"}}"), "released"),
        };
        self.step(operation, &http::post(&path, KEY, &body), &[200], state).await;
    }

    /// Whether the operation is in `state` now; it may have expired instead once its time was up.
    async fn step(&mut self, of: &Operation, request: &str, done: &[u16], state: &str) -> bool {
        // Some are sent again although they were answered.
        let times = if self.dice.below(8) == 0 { 2 } else { 1 };
        for _ in 0..times {
            let Some((status, body)) = self.insist(&of.account, request).await else {
                return false;
            };
            let expired = of.asked_at.elapsed() >= Duration::from_secs(of.ttl_s)
                && body.pointer("/error/state").and_then(Value::as_str) == Some("expired");
            if !done.contains(&status) && !expired {
                let text = format!("{} {}: {state}, but {status} {body}", of.account, of.id);
                self.book.odd.push(text);
                return false;
            }
            let state = if expired { "expired" } else { state };
            self.book.acknowledged += 1;
            self.book.states.insert((of.account.clone(), of.id), state.to_owned());
            if expired {
                return false;
            }
        }
        true
    }

    /// A chat, which the server holds and settles for. It is sent once.
    async fn chat(&mut self, account: &str) {
        let id = self.dice.operation();
        let body = "{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":\"hello\"}]}";
        let request = http::post("/v1/chat/completions", KEY, body);
        let headers = format!("\r\ntrueup-account: {account}\r\ntrueup-operation: {id}\r\nhost:");
        let request = request.replacen("\r\nhost:", &headers, 1);
        let asked = self.street.witness().asks(account, None);
        if let Some((200, body)) = self.ask(&request).await
            && let Some(snapshot) = body.get("trueup")
        {
            self.street.witness().told(account, asked, snapshot);
        }
        loop {
            let path = format!("/v1/usage?ask={id}");
            let request = http::get(&path, KEY, &[format!("trueup-account: {account}")]);
            let Some((_, body)) = self.insist(account, &request).await else { return };
            match state_of(&body, id) {
                Some("held") => sleep(Duration::from_millis(200)).await,
                Some(state) => {
                    self.book.acknowledged += 1;
                    self.book.states.insert((account.to_owned(), id), state.to_owned());
                    return;
                }
                None => {
                    let path = format!("/v1/operations/{id}/fence");
                    let request = http::post(&path, KEY, "{}");
                    let header = format!("\r\ntrueup-account: {account}\r\nhost:");
                    let request = request.replacen("\r\nhost:", &header, 1);
                    if self.insist(account, &request).await.is_none() {
                        return;
                    }
                }
            }
        }
    }

    /// Asks until somebody answers, and takes in what is answered.
    async fn insist(&mut self, account: &str, request: &str) -> Option<(u16, Value)> {
        let begun = clock::instant();
        while begun.elapsed() < LONGEST {
            let asked = self.street.witness().asks(account, None);
            match self.ask(request).await {
                Some((status, body)) if status < 500 => {
                    let snapshot = body.get("usage").unwrap_or(&body);
                    self.street.witness().told(account, asked, snapshot);
                    return Some((status, body));
                }
                Some((503, _)) | None => self.book.retries += 1,
                Some((status, body)) => {
                    self.book.odd.push(format!("{account}: {status} {body}"));
                    return None;
                }
            }
            sleep(Duration::from_millis(10 + self.dice.below(40))).await;
        }
        self.book.odd.push(format!("{account}: nobody answers {request}"));
        None
    }

    async fn ask(&mut self, request: &str) -> Option<(u16, Value)> {
        let any = usize::try_from(self.dice.below(3)).unwrap_or(0);
        let at = self.only.unwrap_or(any);
        self.lines.get_mut(at)?.call(self.street.address(at), request, PATIENCE).await
    }
}

/// What a snapshot says of an operation.
fn state_of(snapshot: &Value, id: OperationId) -> Option<&str> {
    let id = id.to_string();
    let mut all = snapshot.get("operations")?.as_array()?.iter();
    all.find(|it| it.get("id").and_then(Value::as_str) == Some(&id))?.get("state")?.as_str()
}
