//! Connections as they come from the network: slow, silent, too many, and kept open for ever.

use std::io;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::house::{API_KEY, House, SECRET};
use crate::log::Log;

const QUESTION: &str = "GET /healthz HTTP/1.1\r\nhost: trueup\r\n\r\n";

/// A house with more settings.
pub async fn house(settings: &str) -> House {
    House::with(&format!("jwt_secret = \"{SECRET}\"\n{settings}")).await
}

/// A connection that is spoken on by hand.
pub struct Line(TcpStream);

impl Line {
    pub async fn to(house: &House) -> Self {
        Self(TcpStream::connect(&house.address).await.unwrap())
    }

    pub async fn say(&mut self, text: &str) {
        self.0.write_all(text.as_bytes()).await.unwrap();
    }

    /// The head of a hold, and the beginning of its body.
    pub async fn begin_body(&mut self, length: usize) {
        let head = format!(
            "POST /v1/operations HTTP/1.1\r\nhost: trueup\r\nauthorization: Bearer {API_KEY}\r\n\
             content-type: application/json\r\ncontent-length: {length}\r\n\r\n"
        );
        self.say(&head).await;
        self.say("{\"op_id\":").await;
    }

    /// The head of a hold whose body is sent when it is asked for, which it is.
    pub async fn announce_body(&mut self, length: usize) {
        let head = format!(
            "POST /v1/operations HTTP/1.1\r\nhost: trueup\r\nauthorization: Bearer {API_KEY}\r\n\
             content-type: application/json\r\ncontent-length: {length}\r\n\
             expect: 100-continue\r\n\r\n"
        );
        self.say(&head).await;
        let mut go_on = [0; 25];
        self.0.read_exact(&mut go_on).await.unwrap();
        assert_eq!(&go_on, b"HTTP/1.1 100 Continue\r\n\r\n");
    }

    /// The next answer, head and body.
    pub async fn answer(&mut self) -> String {
        let mut answer = String::new();
        loop {
            if let Some((head, body)) = answer.split_once("\r\n\r\n") {
                let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
                if body.len() >= length.unwrap().parse().unwrap() {
                    return answer;
                }
            }
            let mut bytes = [0; 1024];
            let count = self.0.read(&mut bytes).await.unwrap();
            assert!(count > 0, "it was hung up after {answer:?}");
            answer.push_str(std::str::from_utf8(&bytes[..count]).unwrap());
        }
    }

    pub async fn ask(&mut self) {
        self.say(QUESTION).await;
        let answer = self.answer().await;
        assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    }

    /// Whether nothing has arrived.
    fn is_silent(&self) -> bool {
        self.0.try_read(&mut [0]).is_err_and(|error| error.kind() == io::ErrorKind::WouldBlock)
    }
}

#[tokio::test]
async fn a_body_that_does_not_come_is_its_senders_failure() {
    let log = Log::begin();
    let house = house("sweep_interval_ms = 60000").await;
    let mut line = Line::to(&house).await;
    line.begin_body(100).await;
    // The clock of the network stands still and jumps to the next timer.
    tokio::time::pause();
    let answer = line.answer().await;
    tokio::time::resume();
    assert!(answer.starts_with("HTTP/1.1 408 "), "{answer}");
    assert!(answer.contains("x-should-retry: false"), "{answer}");
    assert!(answer.contains("\"code\":\"request_timeout\""), "{answer}");
    assert!(answer.contains("The body did not arrive whole within 30 seconds"), "{answer}");
    let log = log.text();
    assert!(log.contains("request refused") && !log.contains("ERROR"), "{log}");
}

#[tokio::test]
async fn connections_on_which_nothing_runs_do_not_keep_a_server_from_stopping() {
    let house = house("shutdown_grace_s = 3600").await;
    let silent = Line::to(&house).await;
    let mut begun = Line::to(&house).await;
    begun.say("GET /healthz HTTP/1.1\r\nhost:").await;
    let mut kept = Line::to(&house).await;
    kept.ask().await;
    house.ask_to_stop();
    let stopped = timeout(Duration::from_secs(30), house.stopped()).await;
    assert!(stopped.is_ok(), "it waits for connections that nobody uses");
    for mut line in [silent, begun, kept] {
        let mut rest = Vec::new();
        // Closed in order or reset: hung up in either case.
        let _ = line.0.read_to_end(&mut rest).await;
        assert!(rest.is_empty(), "{rest:?}");
    }
}

#[tokio::test]
async fn a_head_that_was_begun_may_still_be_finished_while_the_server_stops() {
    let house = house("shutdown_grace_s = 3600").await;
    let mut begun = Line::to(&house).await;
    let (first, rest) = QUESTION.split_at(20);
    begun.say(first).await;
    Line::to(&house).await.ask().await;
    house.ask_to_stop();
    begun.say(rest).await;
    let answer = begun.answer().await;
    assert!(
        answer.starts_with("HTTP/1.1 200 ") && answer.contains("connection: close"),
        "{answer}"
    );
    house.stopped().await;
}

#[tokio::test]
async fn a_body_that_does_not_come_does_not_keep_a_server_from_stopping() {
    let house = house("shutdown_grace_s = 3600").await;
    let (mut half, mut late) = (Line::to(&house).await, Line::to(&house).await);
    half.begin_body(100).await;
    late.begin_body(11).await;
    Line::to(&house).await.ask().await;
    house.ask_to_stop();
    // What is on its way may still arrive.
    late.say("7}").await;
    let answer = late.answer().await;
    assert!(answer.starts_with("HTTP/1.1 400 ") && answer.contains("op_id must be"), "{answer}");
    let answer = half.answer().await;
    assert!(answer.starts_with("HTTP/1.1 503 ") && answer.contains("retry-after: 1"), "{answer}");
    assert!(answer.contains("The server is stopping and waits for no body"), "{answer}");
    let stopped = timeout(Duration::from_secs(30), house.stopped()).await;
    assert!(stopped.is_ok(), "it waits for a body that does not come");
}

#[tokio::test]
async fn connections_beyond_the_limit_wait_until_others_close() {
    let log = Log::begin();
    let house = house("max_connections = 2").await;
    let (mut first, mut second) = (Line::to(&house).await, Line::to(&house).await);
    first.ask().await;
    second.ask().await;
    let (mut third, mut fourth) = (Line::to(&house).await, Line::to(&house).await);
    third.say(QUESTION).await;
    fourth.say(QUESTION).await;
    for _ in 0..5 {
        first.ask().await;
    }
    assert!(third.is_silent() && fourth.is_silent(), "more are served than may be");
    drop(second);
    assert!(third.answer().await.starts_with("HTTP/1.1 200 "));
    assert!(fourth.is_silent());
    drop(first);
    assert!(fourth.answer().await.starts_with("HTTP/1.1 200 "));
    let log = log.text();
    assert_eq!(log.matches("max_connections is reached").count(), 1, "{log}");
}

#[tokio::test]
async fn requests_beyond_the_limit_are_turned_away_before_their_bodies_are_read() {
    let house = house("max_requests = 2").await;
    let (mut first, mut second) = (Line::to(&house).await, Line::to(&house).await);
    first.announce_body(2).await;
    second.announce_body(2).await;
    let mut third = Line::to(&house).await;
    third.begin_body(1_000).await;
    let answer = third.answer().await;
    assert!(answer.starts_with("HTTP/1.1 503 ") && answer.contains("retry-after: 1"), "{answer}");
    assert!(answer.contains("The server has more work than it takes"), "{answer}");
    let usage = house.get("/v1/usage").bearer(&house.token("ann"));
    usage.send().await.refused(503, "unavailable");
    // Those who watch over it are let in, and so are chats, which take no call's place.
    for path in ["/healthz", "/readyz", "/openapi.json"] {
        house.get(path).send().await.expect(200);
    }
    let chat = house.post("/v1/chat/completions").bearer(&house.token("ann"));
    chat.json(&serde_json::json!({})).send().await.refused(400, "invalid_value");
    first.say("{}").await;
    assert!(first.answer().await.starts_with("HTTP/1.1 400 "));
    house.get("/v1/usage").bearer(&house.token("ann")).send().await.expect(200);
}
