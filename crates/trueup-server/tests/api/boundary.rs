//! What every call has, whatever it is about.

use reqwest::Method;
use serde_json::json;
use sqlx::ConnectOptions as _;
use sqlx::sqlite::SqliteConnectOptions;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::house::{House, SECRET};

#[tokio::test]
async fn what_is_not_there_is_said_in_the_same_form() {
    let house = House::open().await;
    for path in ["/nothing", "/v1/nothing", "/v1/operations/x/y/z", "/v1/usage/"] {
        house.get(path).send().await.refused(404, "not_found");
    }
    for (method, path, allowed) in [
        (Method::DELETE, "/v1/usage", "GET,HEAD"),
        (Method::GET, "/v1/operations", "POST"),
        (Method::DELETE, "/v1/accounts/ann", "GET,HEAD,PUT"),
    ] {
        let reply = house.call(method, path).send().await;
        let mut methods: Vec<_> = reply.header("allow").split(',').map(str::trim).collect();
        methods.sort_unstable();
        assert_eq!(methods.join(","), allowed, "{path}");
        reply.refused(405, "method_not_allowed");
    }
}

#[tokio::test]
async fn every_reply_has_an_id_and_the_callers_own_if_it_has_one() {
    let house = House::open().await;
    let long = "a".repeat(129);
    for (given, kept) in [("my-id-1", true), ("", false), ("a b", false), (long.as_str(), false)] {
        let reply = house.get("/healthz").header("x-request-id", given).send().await;
        let id = reply.header("x-request-id");
        assert_eq!(id == given, kept, "{given}");
        assert!(kept || id.starts_with("req_"), "{id}");
    }
    let first = house.get("/healthz").send().await;
    let second = house.get("/healthz").send().await;
    assert_ne!(first.header("x-request-id"), second.header("x-request-id"));
}

#[tokio::test]
async fn replies_tell_browsers_to_be_careful() {
    let house = House::open().await;
    for path in ["/v1/usage", "/healthz", "/docs/", "/nothing"] {
        let reply = house.get(path).send().await;
        assert_eq!(reply.header("x-content-type-options"), "nosniff", "{path}");
        assert_eq!(reply.header("referrer-policy"), "no-referrer", "{path}");
        assert_eq!(reply.header("x-frame-options"), "DENY", "{path}");
        assert!(reply.header("content-security-policy").contains("default-src"), "{path}");
    }
    let body = json!({ "account": "ann", "model": "gpt-5" });
    let id = house.hold("ann", "gpt-5").await;
    let settled = house.post(&format!("/v1/operations/{id}/settle")).backend().json(&body);
    assert_eq!(settled.send().await.header("cache-control"), "no-store");
}

#[tokio::test]
async fn the_server_tells_how_it_is() {
    let house = House::open().await;
    for path in ["/healthz", "/readyz"] {
        assert_eq!(house.get(path).send().await.expect(200), json!({ "status": "ok" }));
    }
}

#[tokio::test]
async fn a_server_is_ready_only_while_its_ledger_can_be_written() {
    let house = House::on_file().await;
    let options = SqliteConnectOptions::new().filename(house.database());
    let mut other = options.connect().await.unwrap();
    for (prevent, allow) in [
        // Another program that keeps the database for itself.
        ("BEGIN EXCLUSIVE", "COMMIT"),
        // What a full disk does: it is noticed by who really writes.
        (
            "CREATE TRIGGER full BEFORE INSERT ON meta \
             BEGIN SELECT RAISE(ROLLBACK, 'database or disk is full'); END",
            "DROP TRIGGER full",
        ),
    ] {
        house.get("/readyz").send().await.expect(200);
        sqlx::query(prevent).execute(&mut other).await.unwrap();
        let error = house.get("/readyz").send().await.refused(503, "store_failed");
        let message = error["error"]["message"].as_str().unwrap();
        assert!(message.contains("cannot be written now"), "{message}");
        // Restarting the process would mend nothing.
        house.get("/healthz").send().await.expect(200);
        sqlx::query(allow).execute(&mut other).await.unwrap();
    }
    house.get("/readyz").send().await.expect(200);
}

#[tokio::test]
async fn pages_of_other_origins_call_only_where_the_settings_say_so() {
    let preflight = |house: &House, origin: &str| {
        let call = house.call(Method::OPTIONS, "/v1/chat/completions");
        let call = call.header("origin", origin).header("access-control-request-method", "POST");
        let asked = "authorization,trueup-operation,x-stainless-lang";
        let call = call.header("access-control-request-headers", asked);
        async move { call.send().await }
    };
    let closed = House::open().await;
    let reply = preflight(&closed, "https://app.example").await;
    assert_eq!(reply.header("access-control-allow-origin"), "");

    let origins = "cors_origins = [\"https://app.example\"]";
    let open = House::with(&format!("jwt_secret = \"{SECRET}\"\n{origins}")).await;
    let reply = preflight(&open, "https://app.example").await;
    assert_eq!(reply.header("access-control-allow-origin"), "https://app.example");
    assert!(reply.header("access-control-allow-headers").contains("x-stainless-lang"));
    let other = preflight(&open, "https://evil.example").await;
    assert_eq!(other.header("access-control-allow-origin"), "");
    // A refusal can be read by the page too, and so can the headers that it needs.
    let refused = open.get("/v1/usage").header("origin", "https://app.example").send().await;
    assert_eq!(refused.header("access-control-allow-origin"), "https://app.example");
    assert!(refused.header("access-control-expose-headers").contains("x-request-id"));
    assert!(refused.header("vary").to_ascii_lowercase().contains("origin"));
    refused.refused(401, "unauthorized");
}

#[tokio::test]
async fn what_is_no_http_is_hung_up_on() {
    let house = House::open().await;
    for bytes in [&b"\x16\x03\x01\x02\x00\x01\x00"[..], b"HELLO\r\n\r\n", b"GET / HTTP/9\r\n\r\n"] {
        let mut stream = TcpStream::connect(&house.address).await.unwrap();
        stream.write_all(bytes).await.unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).await.unwrap();
        assert!(answer.is_empty() || answer.starts_with(b"HTTP/1.1 400"), "{answer:?}");
    }
    house.get("/healthz").send().await.expect(200);
}
