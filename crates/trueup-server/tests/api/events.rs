//! `GET /v1/usage/events`, read as a browser reads it.

use std::time::Duration;

use futures::StreamExt as _;
use futures::stream::BoxStream;
use serde_json::{Value, json};
use tokio::time::timeout;

use crate::house::{Call, House, SECRET, figures};

/// What does not come within this does not come.
const PATIENCE: Duration = Duration::from_secs(10);

/// A stream that is open.
struct Events {
    bytes: BoxStream<'static, reqwest::Result<bytes::Bytes>>,
    text: String,
}

impl Events {
    async fn open(call: Call) -> Self {
        let response = call.response().await;
        assert_eq!(response.status(), 200);
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        assert_eq!(response.headers()["cache-control"], "no-cache, no-transform");
        Self { bytes: response.bytes_stream().boxed(), text: String::new() }
    }

    /// The next block of lines; `None` when the stream is over.
    async fn block(&mut self) -> Option<String> {
        loop {
            if let Some((block, rest)) = self.text.split_once("\n\n") {
                let (block, rest) = (block.to_owned(), rest.to_owned());
                self.text = rest;
                return Some(block);
            }
            let bytes = timeout(PATIENCE, self.bytes.next()).await.expect("nothing comes")?;
            self.text.push_str(std::str::from_utf8(&bytes.unwrap()).unwrap());
        }
    }

    /// The next snapshot, whose version is the event's id.
    async fn snapshot(&mut self) -> Value {
        loop {
            let block = self.block().await.expect("the stream ended");
            let field = |name| block.lines().find_map(|line| line.strip_prefix(name));
            if let Some(data) = field("data: ") {
                let snapshot: Value = serde_json::from_str(data).unwrap();
                assert_eq!(field("event: "), Some("usage"));
                assert_eq!(field("id: ").unwrap(), snapshot["version"].to_string());
                return snapshot;
            }
        }
    }
}

async fn watch(house: &House, path: &str) -> Events {
    Events::open(house.get(path).bearer(&house.token("ann"))).await
}

#[tokio::test]
async fn a_change_is_pushed_with_what_led_to_it() {
    let house = House::open().await;
    let mut events = watch(&house, "/v1/usage/events").await;
    let first = events.snapshot().await;
    assert_eq!(first["since"], first["version"]);
    let id = house.hold("ann", "gpt-5").await;
    let second = events.snapshot().await;
    assert_eq!(second["since"], first["version"]);
    assert_eq!(second["operations"][0]["id"], id.to_string());
    assert_eq!(figures(&second, "premium_messages"), (0, 1, Some(2)));
    // What others do is nothing to this stream.
    house.hold("bob", "gpt-5").await;
    let grant =
        json!({ "grant_id": house.new_id().to_string(), "meter": "premium_messages", "units": 3 });
    house.post("/v1/accounts/ann/grants").backend().json(&grant).send().await.expect(201);
    let third = events.snapshot().await;
    assert_eq!((&third["since"], &third["account"]), (&second["version"], &json!("ann")));
    assert_eq!(third["changes"][0]["cause"], "grant");
}

#[tokio::test]
async fn a_stream_is_taken_up_where_it_broke() {
    let house = House::open().await;
    let version = watch(&house, "/v1/usage/events").await.snapshot().await["version"].clone();
    let id = house.hold("ann", "gpt-5").await;
    let token = house.token("ann");
    let given = version.to_string();
    // The id of the last event wins over the address, which stays as it was when a page began.
    for (path, last_event) in [
        (format!("/v1/usage/events?since={version}"), ""),
        ("/v1/usage/events?since=0".to_owned(), given.as_str()),
    ] {
        let call = house.get(&path).bearer(&token).header("last-event-id", last_event);
        let snapshot = Events::open(call).await.snapshot().await;
        assert_eq!(snapshot["since"], version, "{path}");
        assert_eq!(snapshot["operations"][0]["id"], id.to_string());
    }
    // One that is ahead of the history is told to start over.
    let ahead = watch(&house, "/v1/usage/events?since=900").await.snapshot().await;
    assert_eq!(ahead["reset"], true);
}

#[tokio::test]
async fn who_is_slow_skips_to_the_newest_and_misses_nothing() {
    let house = House::open().await;
    let grant = json!({ "plan": "pro" });
    house.put("/v1/accounts/ann").backend().json(&grant).send().await.expect(200);
    let mut events = watch(&house, "/v1/usage/events").await;
    let mut version = events.snapshot().await["version"].as_u64().unwrap();
    let holds = (0..40).map(|_| house.hold("ann", "gpt-5"));
    let mut held: Vec<_> = futures::future::join_all(holds).await;
    let newest = house.get("/v1/usage").bearer(&house.token("ann")).send().await.expect(200);
    while version < newest["version"].as_u64().unwrap() {
        let snapshot = events.snapshot().await;
        assert_eq!(snapshot["since"].as_u64(), Some(version));
        let told = snapshot["operations"].as_array().unwrap();
        held.retain(|id| !told.iter().any(|it| it["id"] == id.to_string()));
        assert!(snapshot["version"].as_u64().unwrap() > version);
        version = snapshot["version"].as_u64().unwrap();
    }
    assert!(held.is_empty(), "{held:?}");
}

#[tokio::test]
async fn a_stream_that_has_nothing_to_tell_is_kept_alive() {
    let house = House::with(&format!("jwt_secret = \"{SECRET}\"\nkeep_alive_s = 1")).await;
    let mut events = watch(&house, "/v1/usage/events").await;
    assert!(events.block().await.unwrap().starts_with("retry: "));
    assert_eq!(events.block().await.unwrap(), ":");
    assert_eq!(events.block().await.unwrap(), ":");
}

#[tokio::test]
async fn a_stream_ends_with_its_token() {
    let house = House::open().await;
    let account = "ann".parse().unwrap();
    let token = house.state.auth.issue(&account, &account.personal_actor(), 1).unwrap().token;
    let mut events = Events::open(house.get("/v1/usage/events").bearer(&token)).await;
    events.snapshot().await;
    assert_eq!(events.block().await, None);
}

#[tokio::test]
async fn streams_end_when_the_server_stops() {
    let house = House::open().await;
    let mut events = watch(&house, "/v1/usage/events").await;
    events.snapshot().await;
    house.ask_to_stop();
    assert_eq!(events.block().await, None);
    house.stopped().await;
}

#[tokio::test]
async fn nobody_is_watched_for_who_has_gone() {
    let house = House::open().await;
    let mut events = watch(&house, "/v1/usage/events").await;
    events.snapshot().await;
    assert_eq!(house.state.feed.watched().len(), 1);
    drop(events);
    let gone = async {
        while !house.state.feed.watched().is_empty() {
            tokio::task::yield_now().await;
        }
    };
    timeout(PATIENCE, gone).await.unwrap();
}

#[tokio::test]
async fn an_account_has_so_many_streams_and_no_more() {
    let house = House::open().await;
    let account = "ann".parse().unwrap();
    let mut watchers: Vec<_> = std::iter::from_fn(|| house.state.feed.watch(&account)).collect();
    assert_eq!(watchers.len(), 256);
    let open = || house.get("/v1/usage/events").bearer(&house.token("ann"));
    open().send().await.refused(503, "unavailable");
    watch_of(&house, "bob").await.snapshot().await;
    watchers.pop();
    Events::open(open()).await.snapshot().await;
}

async fn watch_of(house: &House, account: &str) -> Events {
    Events::open(house.get("/v1/usage/events").bearer(&house.token(account))).await
}

#[tokio::test]
async fn what_is_malformed_opens_no_stream() {
    let house = House::open().await;
    house.get("/v1/usage/events").send().await.refused(401, "unauthorized");
    let token = house.token("ann");
    let call = |path: &str| house.get(path).bearer(&token);
    for path in ["/v1/usage/events?since=-1", "/v1/usage/events?since=x", "/v1/usage/events?a=1"] {
        let refused = call(path).send().await;
        assert_eq!(refused.status, 400, "{path}");
    }
    for id in ["x", "-1", "1.5", "9007199254740992"] {
        let call = call("/v1/usage/events").header("last-event-id", id);
        call.send().await.refused(400, "invalid_value");
    }
    let twice = call("/v1/usage/events").header("last-event-id", "1").header("last-event-id", "2");
    twice.send().await.refused(400, "invalid_value");
}
