//! What is malformed gets a code and a sentence, and changes nothing.

use serde_json::{Value, json};

use crate::house::House;

const GOOD_ID: &str = "019e2f5c-7d2a-7c3e-9a1b-0123456789ab";

/// A hold with some fields replaced; null takes one out.
fn hold(house: &House, changes: &Value) -> Value {
    let id = house.new_id().to_string();
    let mut body = json!({ "op_id": id, "account": "ann", "charge": { "premium_messages": 1 } });
    let fields = body.as_object_mut().unwrap();
    for (name, value) in changes.as_object().unwrap() {
        fields.insert(name.clone(), value.clone());
    }
    fields.retain(|_, value| !value.is_null());
    body
}

fn charge(units: &Value) -> Value {
    json!({ "charge": { "premium_messages": units } })
}

#[tokio::test]
async fn a_malformed_hold_names_the_field_and_changes_nothing() {
    let house = House::open().await;
    let before = house.get("/v1/accounts/ann").backend().send().await.expect(200);
    let long = "a".repeat(129);
    let many: serde_json::Map<_, _> = (0..17).map(|at| (format!("m{at}"), json!(1))).collect();
    let huge: Value = serde_json::from_str("1e400").unwrap_or(json!(1.0e300));
    let cases = [
        // what is changed -> status, code, the field
        (json!({ "op_id": null }), 400, "invalid_request", None),
        (json!({ "op_id": 7 }), 400, "invalid_request", Some("op_id")),
        (json!({ "op_id": "" }), 400, "invalid_operation_id", Some("op_id")),
        (json!({ "op_id": "no-uuid" }), 400, "invalid_operation_id", Some("op_id")),
        (
            json!({ "op_id": GOOD_ID.replace("-7c", "-4c") }),
            400,
            "invalid_operation_id",
            Some("op_id"),
        ),
        (json!({ "op_id": GOOD_ID.replace('-', "") }), 400, "invalid_operation_id", Some("op_id")),
        (json!({ "account": null }), 400, "invalid_request", None),
        (json!({ "account": "" }), 400, "invalid_value", Some("account")),
        (json!({ "account": "a b" }), 400, "invalid_value", Some("account")),
        (json!({ "account": "ä" }), 400, "invalid_value", Some("account")),
        (json!({ "account": long }), 400, "invalid_value", Some("account")),
        (json!({ "actor": "" }), 400, "invalid_value", Some("actor")),
        (json!({ "charge": null }), 400, "invalid_value", Some("model")),
        (json!({ "model": "gpt-5" }), 400, "invalid_value", Some("model")),
        (json!({ "charge": null, "model": "gpt-6" }), 404, "unknown_model", Some("model")),
        (json!({ "charge": null, "model": "" }), 400, "invalid_value", Some("model")),
        (json!({ "charge": {} }), 400, "invalid_value", Some("charge")),
        (json!({ "charge": { "tokens": 1 } }), 404, "unknown_meter", None),
        (json!({ "charge": { "To kens": 1 } }), 400, "invalid_value", Some("charge.To kens")),
        (json!({ "charge": many }), 400, "invalid_value", Some("charge")),
        (charge(&json!(0)), 400, "invalid_value", Some("charge.premium_messages")),
        (charge(&json!(-1)), 400, "invalid_request", Some("charge.premium_messages")),
        (charge(&json!(1.5)), 400, "invalid_request", Some("charge.premium_messages")),
        (charge(&json!(1.0)), 400, "invalid_request", Some("charge.premium_messages")),
        (charge(&json!("1")), 400, "invalid_request", Some("charge.premium_messages")),
        (charge(&huge), 400, "invalid_request", Some("charge.premium_messages")),
        (
            charge(&json!(9_007_199_254_740_992_u64)),
            400,
            "invalid_value",
            Some("charge.premium_messages"),
        ),
        (charge(&json!(u64::MAX)), 400, "invalid_value", Some("charge.premium_messages")),
        (json!({ "ttl_s": 0 }), 400, "invalid_value", Some("ttl_s")),
        (json!({ "ttl_s": 3601 }), 400, "invalid_value", Some("ttl_s")),
        (json!({ "ttl_s": -1 }), 400, "invalid_request", Some("ttl_s")),
        (json!({ "ttl_s": u64::MAX }), 400, "invalid_value", Some("ttl_s")),
        (json!({ "since": 9_007_199_254_740_992_u64 }), 400, "invalid_value", Some("since")),
        (json!({ "Model": "gpt-5" }), 400, "invalid_request", Some("Model")),
    ];
    for (changes, status, code, param) in cases {
        let call = house.post("/v1/operations").backend().json(&hold(&house, &changes));
        let refused = call.send().await.refused(status, code);
        assert_eq!(refused["error"]["param"].as_str(), param, "{changes} {refused}");
    }
    let after = house.get("/v1/accounts/ann").backend().send().await.expect(200);
    assert_eq!(after["usage"]["version"], before["usage"]["version"]);
}

#[tokio::test]
async fn a_malformed_end_changes_nothing() {
    let house = House::open().await;
    let id = house.hold("ann", "gpt-5").await;
    let message = |changes: &Value| {
        let mut message = json!({ "conversation": "c", "role": "user", "content": "x" });
        message.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
        json!({ "account": "ann", "model": "gpt-5", "messages": [message] })
    };
    let hundred_and_one = vec![json!({ "conversation": "c", "role": "user", "content": "" }); 101];
    for (how, body, status, code) in [
        ("settle", json!({ "account": "ann" }), 400, "invalid_value"),
        ("settle", json!({ "model": "gpt-5" }), 400, "invalid_request"),
        ("settle", json!({ "account": "ann", "model": "gpt-6" }), 404, "unknown_model"),
        ("settle", json!({ "account": "ann", "charge": { "tokens": 1 } }), 404, "unknown_meter"),
        ("settle", message(&json!({ "role": "robot" })), 400, "invalid_value"),
        ("settle", message(&json!({ "conversation": "" })), 400, "invalid_value"),
        ("settle", message(&json!({ "model": "a b" })), 400, "invalid_value"),
        ("settle", message(&json!({ "text": "x" })), 400, "invalid_request"),
        (
            "settle",
            json!({ "account": "ann", "model": "gpt-5", "messages": hundred_and_one }),
            400,
            "invalid_value",
        ),
        ("release", json!({ "account": "ann", "cause": "grant" }), 400, "invalid_value"),
        ("release", json!({ "account": "ann", "why": "x" }), 400, "invalid_request"),
        ("extend", json!({ "account": "ann" }), 400, "invalid_request"),
        ("extend", json!({ "account": "ann", "ttl_s": 3601 }), 400, "invalid_value"),
        ("fence", json!({ "since": -1 }), 400, "invalid_request"),
        ("fence", json!({ "account": "ann" }), 400, "invalid_request"),
    ] {
        let path = format!("/v1/operations/{id}/{how}");
        let call = if how == "fence" {
            house.post(&path).bearer(&house.token("ann"))
        } else {
            house.post(&path).backend()
        };
        call.json(&body).send().await.refused(status, code);
    }
    let usage = house.get(&format!("/v1/usage?ask={id}")).bearer(&house.token("ann"));
    let usage = usage.send().await.expect(200);
    assert_eq!(usage["operations"][0]["state"], "held");
    for path in ["/v1/operations/1/settle", "/v1/operations/%FF/settle"] {
        let body = json!({ "account": "ann", "model": "gpt-5" });
        let reply = house.post(path).backend().json(&body).send().await;
        let code = if path.contains('%') { "invalid_value" } else { "invalid_operation_id" };
        reply.refused(400, code);
    }
}

#[tokio::test]
async fn a_malformed_question_is_refused() {
    let house = House::open().await;
    let ids = |count: usize| vec![GOOD_ID; count].join(",");
    for (query, code) in [
        ("since=-1".to_owned(), "invalid_request"),
        ("since=1.5".to_owned(), "invalid_request"),
        ("since=x".to_owned(), "invalid_request"),
        ("since=".to_owned(), "invalid_request"),
        ("since=9007199254740992".to_owned(), "invalid_value"),
        ("since=1&since=2".to_owned(), "invalid_request"),
        ("sinse=1".to_owned(), "invalid_request"),
        ("ask=x".to_owned(), "invalid_operation_id"),
        (format!("ask={GOOD_ID},x"), "invalid_operation_id"),
        (format!("ask={}", ids(101)), "invalid_value"),
    ] {
        let call = house.get(&format!("/v1/usage?{query}")).bearer(&house.token("ann"));
        call.send().await.refused(400, code);
    }
    for query in [format!("ask={}", ids(100)), "ask=".to_owned(), "since=0".to_owned()] {
        let call = house.get(&format!("/v1/usage?{query}")).bearer(&house.token("ann"));
        call.send().await.expect(200);
    }
}

#[tokio::test]
async fn a_body_must_be_json_and_say_so() {
    let house = House::open().await;
    let good = hold(&house, &json!({})).to_string();
    let json = "application/json";
    let padded = |bytes: usize| format!("{good}{}", " ".repeat(bytes - good.len()));
    for (kind, body, status, code) in [
        (json, "{".to_owned(), 400, "invalid_request"),
        (json, String::new(), 400, "invalid_request"),
        (json, "null".to_owned(), 400, "invalid_request"),
        (json, "[]".to_owned(), 400, "invalid_request"),
        (json, format!("{good} {good}"), 400, "invalid_request"),
        (json, "\u{feff}{}".to_owned(), 400, "invalid_request"),
        (json, format!("{}1{}", "[".repeat(200), "]".repeat(200)), 400, "invalid_request"),
        (
            json,
            good.replace("\"account\"", "\"account\":\"x\",\"account\""),
            400,
            "invalid_request",
        ),
        (json, padded(64 * 1024 + 1), 413, "body_too_large"),
        ("text/plain", good.clone(), 415, "unsupported_media_type"),
        ("application/x-www-form-urlencoded", good.clone(), 415, "unsupported_media_type"),
    ] {
        let call = house.post("/v1/operations").backend().header("content-type", kind).text(body);
        call.send().await.refused(status, code);
    }
    let call = house.post("/v1/operations").backend().text(good.clone());
    call.send().await.refused(415, "unsupported_media_type");
    // The largest body that is read, declared with a charset as some clients do.
    let call = house.post("/v1/operations").backend().text(padded(64 * 1024));
    let call = call.header("content-type", "application/json; charset=utf-8");
    call.send().await.expect(201);
}
