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
    let huge = json!(1.0e300);
    let cases = [
        // what is changed -> status, code, the field
        (json!({ "op_id": null }), 400, "invalid_request", Some("op_id")),
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
        (json!({ "account": null }), 400, "invalid_request", Some("account")),
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
        (charge(&huge), 400, "invalid_value", Some("charge.premium_messages")),
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
        ("extend", json!({ "account": "ann", "ttl_s": 0.5 }), 400, "invalid_request"),
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

/// A hold as text, with members added at the end.
fn hold_with(house: &House, members: &str) -> String {
    let id = house.new_id();
    format!(r#"{{"op_id":"{id}","account":"ann",{members}}}"#)
}

#[tokio::test]
async fn units_are_whole_numbers_and_the_refusal_says_so() {
    const WHOLE: &str = "must be a whole number from 0 to 9007199254740991.";
    let house = House::open().await;
    let before = house.get("/v1/accounts/ann").backend().send().await.expect(200);
    for (units, code) in [
        ("9007199254740992", "invalid_value"),
        ("18446744073709551615", "invalid_value"),
        ("18446744073709551616", "invalid_value"),
        ("1e30", "invalid_value"),
        ("-1", "invalid_request"),
        ("1.5", "invalid_request"),
        ("1.0", "invalid_request"),
        ("1e3", "invalid_request"),
        ("\"1\"", "invalid_request"),
        ("null", "invalid_request"),
        ("true", "invalid_request"),
        ("[1]", "invalid_request"),
        ("[[1]]", "invalid_request"),
        ("{}", "invalid_request"),
    ] {
        let body = hold_with(&house, &format!(r#""charge":{{"premium_messages":{units}}}"#));
        let error = house.post_json("/v1/operations", body).await.refused(400, code);
        let message = format!("charge.premium_messages {WHOLE}");
        assert_eq!(error["error"]["message"], message, "{units}");
        assert_eq!(error["error"]["param"], "charge.premium_messages", "{units}");
        // A version may be left out, and null is nothing.
        if units != "null" {
            let body = hold_with(&house, &format!(r#""model":"gpt-5","since":{units}"#));
            let error = house.post_json("/v1/operations", body).await.refused(400, code);
            assert_eq!(error["error"]["message"], format!("since {WHOLE}"), "{units}");
        }
    }
    let after = house.get("/v1/accounts/ann").backend().send().await.expect(200);
    assert_eq!(after["usage"]["version"], before["usage"]["version"]);
}

#[tokio::test]
async fn a_hold_lives_a_whole_number_of_seconds_and_the_refusal_says_how_many() {
    let house = House::open().await;
    for (ttl_s, code) in [
        ("0", "invalid_value"),
        ("3601", "invalid_value"),
        ("18446744073709551616", "invalid_value"),
        ("-1", "invalid_request"),
        ("0.5", "invalid_request"),
        ("\"60\"", "invalid_request"),
    ] {
        let body = hold_with(&house, &format!(r#""model":"gpt-5","ttl_s":{ttl_s}"#));
        let error = house.post_json("/v1/operations", body).await.refused(400, code);
        let message = "ttl_s must be a whole number from 1 to 3600.";
        assert_eq!(error["error"]["message"], message, "{ttl_s}");
    }
}

#[tokio::test]
async fn a_header_of_ours_comes_once_or_not_at_all() {
    let house = House::open().await;
    let chat = json!({ "model": "gpt-6", "messages": [{ "role": "user", "content": "x" }] });
    let id = house.new_id().to_string();
    for (name, value) in [
        ("trueup-account", "ann"),
        ("trueup-actor", "ann"),
        ("trueup-operation", &id),
        ("trueup-conversation", "talk"),
        ("trueup-since", "0"),
    ] {
        let call = || {
            let call = house.post("/v1/chat/completions").backend().header(name, value);
            let by_name = call.json(&chat);
            if name == "trueup-account" { by_name } else { by_name.header("trueup-account", "ann") }
        };
        call().send().await.refused(404, "unknown_model");
        let error = call().header(name, value).send().await.refused(400, "invalid_value");
        assert_eq!(error["error"]["param"], name);
        let message = format!("{name} was sent twice; send it once.");
        assert_eq!(error["error"]["message"], message);
    }
}

#[tokio::test]
async fn a_compressed_body_is_refused_as_such() {
    let house = House::open().await;
    for (encoding, status, code) in [
        ("gzip", 415, "unsupported_media_type"),
        ("identity, br", 415, "unsupported_media_type"),
        ("Identity", 404, "unknown_model"),
    ] {
        let body = json!({ "model": "gpt-6", "messages": [{ "role": "user", "content": "x" }] });
        let call = house.post("/v1/chat/completions").bearer(&house.token("ann")).json(&body);
        let error = call.header("content-encoding", encoding).send().await.refused(status, code);
        if status == 415 {
            let message = error["error"]["message"].as_str().unwrap();
            assert!(message.contains("uncompressed"), "{message}");
        }
    }
}

#[tokio::test]
async fn a_body_of_another_shape_is_refused_in_the_words_of_the_api() {
    let house = House::open().await;
    let id = house.hold("ann", "gpt-5").await;
    let settle = format!("/v1/operations/{id}/settle");
    let hold = |members: &str| ("/v1/operations".to_owned(), hold_with(&house, members));
    let to_settle = |members: &str| {
        (settle.clone(), format!(r#"{{"account":"ann","model":"gpt-5","messages":{members}}}"#))
    };
    let grants = "/v1/accounts/ann/grants".to_owned();
    let whole = |body: &str| ("/v1/operations".to_owned(), body.to_owned());
    let message = r#"{"conversation":"c","role":"user","content":"x""#;
    let cases = [
        // A derived reader would take the members of an array for those of the object, in order.
        (
            whole(&format!(r#"["{GOOD_ID}","ann",null,"gpt-5"]"#)),
            None,
            "The body must be an object.",
        ),
        (whole("null"), None, "The body must be an object."),
        (whole("\"x\""), None, "The body must be an object."),
        (whole("{} {}"), None, "from line 1, column 4 on."),
        (whole("{\"op_id\":\n x}"), None, "from line 2, column 2 on."),
        (whole("{\"op_id\":"), None, "The body ends before its JSON does; send it whole."),
        (hold(r#""model":"a","model":"b""#), Some("model"), "model is given twice; give it once."),
        (hold(r#""model":"a","mod\u0065l":"a""#), Some("model"), "is given twice; give it once."),
        (
            hold(r#""charge":{"premium_messages":2,"premium_messages":1}"#),
            Some("charge.premium_messages"),
            "charge.premium_messages is given twice; give it once.",
        ),
        (hold(r#""charge":[["premium_messages",1]]"#), Some("charge"), "charge must be an object."),
        (hold(r#""charge":[]"#), Some("charge"), "charge must be an object."),
        (hold(r#""model":7"#), Some("model"), "model must be a text."),
        (hold(r#""model":["gpt-5"]"#), Some("model"), "model must be a text."),
        (hold(r#""model":"gpt-5","colour":1"#), Some("colour"), "op_id, account, actor, model"),
        (to_settle("{}"), Some("messages"), "messages must be an array."),
        (to_settle("null"), Some("messages"), "messages must be an array."),
        (to_settle(r#"[["c","user","x"]]"#), Some("messages[0]"), "must be an object."),
        (to_settle(r#"["x"]"#), Some("messages[0]"), "messages[0] must be an object."),
        (
            to_settle(&format!(r#"[{message}}},{message},"role":"tool"}}]"#)),
            Some("messages[1].role"),
            "messages[1].role is given twice; give it once.",
        ),
        (
            to_settle(r#"[{"conversation":"c","role":"user"}]"#),
            Some("messages[0].content"),
            "messages[0].content is missing; it must be a text.",
        ),
        ((grants, format!(r#"["{GOOD_ID}","tokens",1]"#)), None, "The body must be an object."),
    ];
    for ((path, body), param, message) in cases {
        let error = house.post_json(&path, body.clone()).await.refused(400, "invalid_request");
        assert_eq!(error["error"]["param"].as_str(), param, "{body} {error}");
        assert!(error["error"]["message"].as_str().unwrap().contains(message), "{body} {error}");
    }
    let usage = house.get(&format!("/v1/usage?ask={id}")).bearer(&house.token("ann"));
    assert_eq!(usage.send().await.expect(200)["operations"][0]["state"], "held");
}

#[tokio::test]
async fn a_chat_of_another_shape_is_refused_in_the_same_words() {
    let house = House::open().await;
    let messages = r#""messages":[{"role":"user","content":"x"}]"#;
    for (body, param, message) in [
        ("[]".to_owned(), None, "The body must be an object."),
        ("{\"model\"".to_owned(), None, "The body ends before its JSON does; send it whole."),
        (format!("{{{messages},}}"), None, "cannot be read as JSON from line 1, column"),
        (
            format!(r#"{{"model":"gpt-5",{messages},"mod\u0065l":"gpt-5-mini"}}"#),
            Some("model"),
            "model is given twice; give it once.",
        ),
    ] {
        let call = house.post("/v1/chat/completions").bearer(&house.token("ann"));
        let call = call.header("content-type", "application/json").text(body.clone());
        let error = call.send().await.refused(400, "invalid_request");
        assert_eq!(error["error"]["param"].as_str(), param, "{body} {error}");
        assert!(error["error"]["message"].as_str().unwrap().contains(message), "{body} {error}");
    }
}

#[tokio::test]
async fn a_model_that_is_not_there_is_told_in_one_way_everywhere() {
    let house = House::open().await;
    let hold = hold(&house, &json!({ "charge": null, "model": "gpt-6" }));
    let chat = json!({ "model": "gpt-6", "messages": [{ "role": "user", "content": "x" }] });
    for (path, body) in [("/v1/operations", hold), ("/v1/chat/completions", chat)] {
        let call = house.post(path).backend().header("trueup-account", "ann").json(&body);
        let error = call.send().await.refused(404, "unknown_model");
        let message = "There is no model \"gpt-6\"; GET /v1/catalog lists the models.";
        assert_eq!(error["error"]["message"], message, "{path}");
        assert_eq!(error["error"]["param"], "model", "{path}");
    }
}

#[tokio::test]
async fn a_malformed_question_is_refused() {
    let house = House::open().await;
    let ids = |count: usize| vec![GOOD_ID; count].join(",");
    let whole = "since must be a whole number from 0 to 9007199254740991.";
    for (query, code, param, message) in [
        ("since=-1".to_owned(), "invalid_request", "since", whole),
        ("since=%2B1".to_owned(), "invalid_request", "since", whole),
        ("since=1.5".to_owned(), "invalid_request", "since", whole),
        ("since=1e3".to_owned(), "invalid_request", "since", whole),
        ("since=x".to_owned(), "invalid_request", "since", whole),
        ("since=".to_owned(), "invalid_request", "since", whole),
        ("since=9007199254740992".to_owned(), "invalid_value", "since", whole),
        ("since=18446744073709551616".to_owned(), "invalid_value", "since", whole),
        ("since=1&since=2".to_owned(), "invalid_request", "since", "since is given twice"),
        ("ask=&ask=".to_owned(), "invalid_request", "ask", "ask is given twice"),
        ("sinse=1".to_owned(), "invalid_request", "sinse", "or use one of since, ask, corrected."),
        ("ask=x".to_owned(), "invalid_operation_id", "ask", "a UUID of version 7"),
        (format!("ask={GOOD_ID},x"), "invalid_operation_id", "ask", "a UUID of version 7"),
        (format!("ask={}", ids(101)), "invalid_value", "ask", "at most 100"),
    ] {
        let call = house.get(&format!("/v1/usage?{query}")).bearer(&house.token("ann"));
        let error = call.send().await.refused(400, code);
        assert_eq!(error["error"]["param"], param, "{query}");
        assert!(error["error"]["message"].as_str().unwrap().contains(message), "{query} {error}");
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
