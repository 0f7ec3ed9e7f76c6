//! Many operations in one call, over HTTP.

use reqwest::StatusCode;
use serde_json::{Value, json};
use sqlx::{Connection as _, PgConnection, SqliteConnection};

use crate::house::{House, Reply, figures};

const PREMIUM: &str = "premium_messages";
const PATH: &str = "/v1/operations/batch";

async fn send(house: &House, operations: &Value) -> Reply {
    house.post(PATH).backend().json(&json!({ "operations": operations })).send().await
}

/// The answers of a batch that was read.
async fn answers(house: &House, operations: &Value) -> Vec<Value> {
    let body = send(house, operations).await.expect(200);
    let answers = body["answers"].as_array().unwrap().clone();
    assert_eq!(answers.len(), operations.as_array().unwrap().len());
    answers
}

/// The answers in short: each status, and the code of what went wrong.
fn short(answers: &[Value]) -> Vec<(u64, &str)> {
    let one = |answer: &Value| answer["status"].as_u64().unwrap();
    answers.iter().map(|it| (one(it), it["error"]["code"].as_str().unwrap_or(""))).collect()
}

fn with(mut operation: Value, members: &Value) -> Value {
    operation.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
    operation
}

fn of(kind: &str, id: impl ToString + Copy, members: &Value) -> Value {
    with(json!({ "kind": kind, "op_id": id.to_string(), "account": "ann" }), members)
}

fn gpt() -> Value {
    json!({ "model": "gpt-5" })
}

#[tokio::test]
async fn operations_of_one_account_are_decided_in_their_order() {
    let house = House::open().await;
    let ids: Vec<_> = (0..4).map(|_| house.new_id()).collect();
    let batch = json!([
        of("hold", ids[0], &gpt()),
        of("settle", ids[0], &json!({ "model": "gpt-5-mini" })),
        of("hold", ids[1], &gpt()),
        of("hold", ids[2], &gpt()),
        of("hold", ids[3], &gpt()),
        of("release", ids[1], &json!({})),
        of("extend", ids[2], &json!({ "ttl_s": 3600 })),
    ]);
    let told = answers(&house, &batch).await;
    let held = (201, "");
    let refused = (402, "usage_limit_exceeded");
    let done = (200, "");
    assert_eq!(short(&told), [held, done, held, held, refused, done, done]);
    let page = house.get("/v1/accounts/ann/entries").backend().send().await.expect(200);
    let entries = page["entries"].as_array().unwrap().iter();
    let own = entries.filter(|entry| entry["operation"].is_string());
    let kinds: Vec<_> = own.map(|entry| entry["kind"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["hold", "settle", "hold", "hold", "refuse", "release", "extend"]);
    assert_eq!(figures(&told[6]["usage"], PREMIUM), (0, 1, Some(2)));
    assert_eq!(told[1]["usage"]["operations"][0]["charged"], json!({ "standard_messages": 1 }));
}

#[tokio::test]
async fn each_gets_the_answer_of_its_single_call() {
    let house = House::open().await;
    let (held, ended, lost) = (house.new_id(), house.new_id(), house.new_id());
    let setup = json!([
        of("hold", held, &gpt()),
        of("hold", ended, &gpt()),
        of("release", ended, &json!({})),
    ]);
    answers(&house, &setup).await;
    house.post(&format!("/v1/operations/{lost}/fence")).bearer(&house.token("ann")).send().await;
    let cases = [
        of("hold", held, &gpt()),
        of("hold", held, &json!({ "model": "gpt-5-mini" })),
        of("hold", ended, &gpt()),
        of("hold", lost, &gpt()),
        of("hold", house.new_id(), &json!({ "model": "gpt-6" })),
        of("hold", house.new_id(), &json!({ "charge": { "gold": 1 } })),
        of("hold", house.new_id(), &json!({ "charge": { PREMIUM: 3 } })),
        of("settle", house.new_id(), &gpt()),
        of("settle", ended, &gpt()),
        of("release", lost, &json!({})),
        of("extend", held, &json!({ "ttl_s": 60 })),
        of("settle", held, &gpt()),
    ];
    let mut told = answers(&house, &json!(cases)).await;
    for (case, told) in cases.iter().zip(&mut told) {
        let mut body = case.clone();
        let members = body.as_object_mut().unwrap();
        let kind = members.remove("kind").unwrap();
        let kind = kind.as_str().unwrap();
        let path = if kind == "hold" {
            "/v1/operations".to_owned()
        } else {
            let id = members.remove("op_id").unwrap();
            format!("/v1/operations/{}/{kind}", id.as_str().unwrap())
        };
        let single = house.post(&path).backend().json(&body).send().await;
        // What the batch ended cannot be held and extended any more.
        let is_over = case["op_id"] == held.to_string() && kind != "settle";
        if is_over && told["error"].is_null() {
            assert_eq!(single.status, StatusCode::CONFLICT);
            continue;
        }
        assert_eq!(told["status"], single.status.as_u16(), "{case}");
        let mut single = single.body;
        for error in [&mut told["error"], &mut single["error"]] {
            if let Some(error) = error.as_object_mut() {
                error.remove("request_id");
            }
        }
        if let Some(param) = told["error"]["param"].as_str() {
            told["error"]["param"] = json!(param.split_once('.').unwrap().1);
        }
        assert_eq!(told["error"], single["error"], "{case}");
    }
}

#[tokio::test]
async fn the_whole_sent_again_gets_the_same_answers_and_writes_nothing() {
    let house = House::open().await;
    let ids: Vec<_> = (0..5).map(|_| house.new_id()).collect();
    let messages = json!([{ "conversation": "c1", "role": "assistant", "content": "Hi." }]);
    let batch = json!([
        of("hold", ids[0], &gpt()),
        of("extend", ids[0], &json!({ "ttl_s": 600 })),
        with(of("hold", ids[1], &gpt()), &json!({ "account": "bob" })),
        of("hold", ids[2], &json!({ "charge": { PREMIUM: 2 } })),
        of("hold", ids[3], &json!({ "model": "gpt-6" })),
        of("release", ids[4], &json!({})),
        json!(7),
    ]);
    let end = json!([of("settle", ids[0], &json!({ "model": "gpt-5", "messages": messages }))]);
    let first = answers(&house, &batch).await;
    assert_eq!(
        short(&first),
        [
            (201, ""),
            (200, ""),
            (201, ""),
            (402, "usage_limit_exceeded"),
            (404, "unknown_model"),
            (404, "unknown_operation"),
            (400, "invalid_request"),
        ]
    );
    let again = answers(&house, &batch).await;
    let replayed = short(&first)
        .into_iter()
        .map(|(status, code)| (if status == 201 { 200 } else { status }, code));
    assert_eq!(short(&again), replayed.collect::<Vec<_>>());
    for _ in 0..2 {
        assert_eq!(short(&answers(&house, &end).await), [(200, "")]);
    }
    for (account, count) in [("ann", 4), ("bob", 1)] {
        let path = format!("/v1/accounts/{account}/entries");
        let page = house.get(&path).backend().send().await.expect(200);
        let entries = page["entries"].as_array().unwrap();
        let own = entries.iter().filter(|entry| entry["operation"].is_string());
        assert_eq!(own.count(), count, "{page}");
    }
    let saved = house.get("/v1/conversations/c1/messages").bearer(&house.token("ann"));
    assert_eq!(saved.send().await.expect(200)["messages"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn what_is_malformed_fails_alone_and_says_where_it_stands() {
    let house = House::open().await;
    let good = of("hold", house.new_id(), &gpt());
    let id = house.new_id();
    for (bad, code, param, message) in [
        (json!(null), "invalid_request", "operations[1]", "operations[1] must be an object."),
        (json!({}), "invalid_request", "operations[1].kind", "hold, settle, release or extend."),
        (
            of("fence", id, &json!({})),
            "invalid_request",
            "operations[1].kind",
            "operations[1].kind must be hold, settle, release or extend.",
        ),
        (
            of("hold", id, &json!({ "model": "gpt-5", "colour": 1 })),
            "invalid_request",
            "operations[1].colour",
            "kind, op_id, account, actor",
        ),
        (
            of("settle", "x", &gpt()),
            "invalid_operation_id",
            "operations[1].op_id",
            "operations[1].op_id must be a UUID of version 7",
        ),
        (
            of("extend", id, &json!({ "ttl_s": 0 })),
            "invalid_value",
            "operations[1].ttl_s",
            "operations[1].ttl_s must be a whole number from 1 to 3600.",
        ),
        (
            of("hold", id, &json!({ "model": "gpt-5", "account": "a b" })),
            "invalid_value",
            "operations[1].account",
            "operations[1].account is ",
        ),
        (
            of("release", id, &json!({ "cause": "boredom" })),
            "invalid_value",
            "operations[1].cause",
            "operations[1].cause must be provider_failed",
        ),
        (
            of("settle", id, &json!({ "charge": { PREMIUM: 0 } })),
            "invalid_value",
            "operations[1].charge.premium_messages",
            "operations[1].charge.premium_messages must be at least 1",
        ),
        (of("settle", id, &json!({})), "invalid_value", "operations[1].model", "either model or"),
    ] {
        let told = answers(&house, &json!([good, bad, good])).await;
        assert!([200, 201].map(|it| json!(it)).contains(&told[0]["status"]), "{told:?}");
        assert_eq!((&told[2]["status"], &told[1]["status"]), (&json!(200), &json!(400)), "{bad}");
        let error = &told[1]["error"];
        assert_eq!((&error["code"], &error["param"]), (&json!(code), &json!(param)), "{error}");
        assert!(error["message"].as_str().unwrap().contains(message), "{error}");
        assert!(error["request_id"].as_str().unwrap().starts_with("req_"), "{error}");
        assert!(told[1]["usage"].is_null());
    }
}

#[tokio::test]
async fn a_malformed_whole_is_refused_as_a_whole() {
    let house = House::open().await;
    assert_eq!(send(&house, &json!([])).await.expect(200), json!({ "answers": [] }));
    for (body, message) in [
        ("[]", "The body must be an object."),
        ("{", "The body ends before its JSON does"),
        ("{}", "operations is missing; it must be an array."),
        (r#"{"operations":{}}"#, "operations must be an array."),
        (r#"{"operations":[],"atomic":true}"#, "or use one of operations."),
        (r#"{"operations":[],"operations":[]}"#, "operations is given twice"),
    ] {
        let error = house.post_json(PATH, body.to_owned()).await.refused(400, "invalid_request");
        assert!(error["error"]["message"].as_str().unwrap().contains(message), "{error}");
    }
    let mut body = json!({ "operations": [] }).to_string();
    body.push_str(&" ".repeat(1024 * 1024 - body.len()));
    house.post_json(PATH, body.clone()).await.expect(200);
    body.push(' ');
    house.post_json(PATH, body).await.refused(413, "body_too_large");
    let call = house.post(PATH).backend().text("{}");
    call.send().await.refused(415, "unsupported_media_type");
}

#[tokio::test]
async fn a_call_names_so_many_operations_and_no_more() {
    let house = House::open().await;
    let many = |count: usize| -> Value {
        let draft = |_| of("hold", house.new_id(), &json!({ "model": "draft" }));
        (0..count).map(draft).collect()
    };
    let told = answers(&house, &many(500)).await;
    assert!(told.iter().all(|answer| answer["status"] == 201), "{told:?}");
    let error = send(&house, &many(501)).await.refused(400, "invalid_value");
    assert_eq!(error["error"]["param"], "operations");
    let message = "operations may hold at most 500; send the rest in another call.";
    assert_eq!(error["error"]["message"], message);

    // An answer since some version may be long.
    let since = |count: usize| -> Value {
        let mut batch = many(60);
        for operation in batch.as_array_mut().unwrap().iter_mut().take(count) {
            operation["since"] = json!(0);
        }
        batch
    };
    let told = answers(&house, &since(50)).await;
    assert_eq!(told[0]["usage"]["operations"].as_array().unwrap().len(), 560);
    assert_eq!(told[50]["usage"]["operations"].as_array().unwrap().len(), 1);
    let error = send(&house, &since(51)).await.refused(400, "invalid_value");
    let message = error["error"]["message"].as_str().unwrap();
    assert!(message.contains("at most 50 operations of one call"), "{message}");
}

#[tokio::test]
async fn browsers_may_not() {
    let house = House::open().await;
    let call = house.post(PATH).bearer(&house.token("ann")).json(&json!({ "operations": [] }));
    call.send().await.refused(403, "forbidden");
    let call = house.post(PATH).json(&json!({ "operations": [] }));
    call.send().await.refused(401, "unauthorized");
}

#[tokio::test]
async fn what_the_database_refuses_fails_alone() {
    let house = House::open().await;
    let ids: Vec<_> = (0..9).map(|_| house.new_id()).collect();
    let url = house.state.settings.database_url.expose().to_owned();
    // Only the database knows that there is something wrong with eve.
    if url.starts_with("sqlite:") {
        let trigger = "CREATE TRIGGER poison BEFORE INSERT ON operation WHEN NEW.actor_id = 'eve' \
            BEGIN SELECT RAISE(ABORT, 'poisoned'); END";
        let mut connection = SqliteConnection::connect(&url).await.unwrap();
        sqlx::query(trigger).execute(&mut connection).await.unwrap();
        connection.close().await.unwrap();
    } else {
        let check = "ALTER TABLE operation ADD CONSTRAINT poison CHECK (actor_id <> 'eve')";
        let mut connection = PgConnection::connect(&url).await.unwrap();
        sqlx::query(check).execute(&mut connection).await.unwrap();
        connection.close().await.unwrap();
    }
    let batch: Vec<_> = (0..)
        .zip(&ids)
        .map(|(at, id)| {
            let actor = if at == 4 { "eve" } else { "ann" };
            of("hold", *id, &json!({ "model": "gpt-5-mini", "actor": actor }))
        })
        .collect();
    let told = answers(&house, &json!(batch)).await;
    let expected: Vec<_> =
        (0..9).map(|at| if at == 4 { (503, "store_failed") } else { (201, "") }).collect();
    assert_eq!(short(&told), expected);
    let message = told[4]["error"]["message"].as_str().unwrap();
    assert!(!told[4].to_string().contains("poison"), "{message}");
    let usage = house.get("/v1/usage").bearer(&house.token("ann")).send().await.expect(200);
    assert_eq!(figures(&usage, "standard_messages"), (0, 8, Some(50)));
    // Sent again, it fares no better, and the others are as they were.
    let replayed = |(status, code)| (if status == 201 { 200 } else { status }, code);
    let again: Vec<_> = expected.into_iter().map(replayed).collect();
    assert_eq!(short(&answers(&house, &json!(batch)).await), again);
}
