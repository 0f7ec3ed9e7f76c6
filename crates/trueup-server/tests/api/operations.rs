//! The life of an operation over HTTP.

use reqwest::StatusCode;
use serde_json::{Value, json};
use trueup_core::OperationId;

use crate::house::{House, Reply, figures, new_id};

const PREMIUM: &str = "premium_messages";

async fn hold(house: &House, id: OperationId, more: &Value) -> Reply {
    let mut body = json!({ "op_id": id.to_string(), "account": "ann" });
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    house.post("/v1/operations").backend().json(&body).send().await
}

async fn end(house: &House, id: OperationId, how: &str, more: &Value) -> Reply {
    let mut body = json!({ "account": "ann" });
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    house.post(&format!("/v1/operations/{id}/{how}")).backend().json(&body).send().await
}

async fn fence(house: &House, account: &str, id: OperationId) -> Reply {
    house.post(&format!("/v1/operations/{id}/fence")).bearer(&house.token(account)).send().await
}

fn outcome(snapshot: &Value, id: OperationId) -> Value {
    let operations = snapshot["operations"].as_array().unwrap();
    operations.iter().find(|it| it["id"] == id.to_string()).cloned().unwrap_or_default()
}

#[tokio::test]
async fn a_hold_is_admitted_once_and_its_retry_gets_the_same_answer() {
    let house = House::open().await;
    let (id, gpt) = (house.new_id(), json!({ "model": "gpt-5" }));
    let first = hold(&house, id, &gpt).await.expect(201);
    assert_eq!(figures(&first, PREMIUM), (0, 1, Some(2)));
    assert_eq!(outcome(&first, id)["state"], "held");
    let again = hold(&house, id, &gpt).await.expect(200);
    assert_eq!(again["version"], first["version"]);

    let other = json!({ "model": "gpt-5-mini" });
    let conflict = hold(&house, id, &other).await.refused(409, "op_conflict");
    assert_eq!(figures(&conflict["usage"], PREMIUM), (0, 1, Some(2)));
    let other_actor = json!({ "model": "gpt-5", "actor": "eve" });
    hold(&house, id, &other_actor).await.refused(409, "op_conflict");
}

#[tokio::test]
async fn a_hold_without_room_is_refused_and_stays_so() {
    let house = House::open().await;
    house.hold("ann", "gpt-5").await;
    house.hold("ann", "gpt-5").await;
    let (id, gpt) = (house.new_id(), json!({ "model": "gpt-5" }));
    let mut versions = Vec::new();
    for _ in 0..2 {
        let refused = hold(&house, id, &gpt).await.refused(402, "usage_limit_exceeded");
        let error = &refused["error"];
        assert_eq!(error["type"], "insufficient_quota");
        assert_eq!((&error["meter"], &error["remaining"]), (&json!(PREMIUM), &json!(0)));
        assert_eq!(error["resets_at"], "2026-12-01T00:00:00Z");
        assert_eq!(figures(&refused["usage"], PREMIUM), (0, 2, Some(2)));
        assert_eq!(outcome(&refused["usage"], id)["state"], "refused");
        versions.push(refused["usage"]["version"].clone());
    }
    // Nothing can happen under its id any more, which is all that a fence wants.
    let fenced = fence(&house, "ann", id).await.expect(200);
    assert_eq!(outcome(&fenced, id)["state"], "refused");
    versions.push(fenced["version"].clone());
    assert_eq!(versions[0], versions[1]);
    assert_eq!(versions[0], versions[2]);

    // Room that comes later is for later operations.
    let grant = json!({ "grant_id": house.new_id().to_string(), "meter": PREMIUM, "units": 5 });
    house.post("/v1/accounts/ann/grants").backend().json(&grant).send().await.expect(201);
    let again = hold(&house, id, &gpt).await.refused(402, "usage_limit_exceeded");
    let sentence = again["error"]["message"].as_str().unwrap();
    assert!(sentence.contains("stays so. There is room now: begin a new operation."), "{sentence}");
    hold(&house, house.new_id(), &gpt).await.expect(201);
}

#[tokio::test]
async fn a_hold_may_name_its_charge_itself() {
    let house = House::open().await;
    let charge = json!({ "charge": { PREMIUM: 2, "standard_messages": 3 }, "ttl_s": 3600 });
    let held = hold(&house, house.new_id(), &charge).await.expect(201);
    assert_eq!(figures(&held, PREMIUM), (0, 2, Some(2)));
    assert_eq!(figures(&held, "standard_messages"), (0, 3, Some(50)));
    // A model that charges nothing holds nothing.
    let draft = hold(&house, house.new_id(), &json!({ "model": "draft" })).await.expect(201);
    assert_eq!(figures(&draft, PREMIUM), (0, 2, Some(2)));
}

#[tokio::test]
async fn a_settle_charges_what_was_used_and_tells_the_holder() {
    let house = House::open().await;
    let before = house.get("/v1/usage").bearer(&house.token_of("ann", "eve")).send().await;
    let since = before.expect(200)["version"].clone();
    let id = house.new_id();
    hold(&house, id, &json!({ "model": "gpt-5", "actor": "eve" })).await.expect(201);
    let mini = json!({ "model": "gpt-5-mini", "since": since });
    let settled = end(&house, id, "settle", &mini).await.expect(200);
    assert_eq!(figures(&settled, PREMIUM), (0, 0, Some(2)));
    assert_eq!(figures(&settled, "standard_messages"), (1, 0, Some(50)));
    assert_eq!(settled["since"], since);
    // Eve began it, so the snapshot that the backend passes on is cut for her.
    let outcome = outcome(&settled, id);
    assert_eq!((&outcome["state"], &outcome["cause"]), (&json!("settled"), &json!("fallback")));
    assert_eq!(outcome["charged"], json!({ "standard_messages": 1 }));
    assert_eq!(settled["changes"], json!([]));

    let again = end(&house, id, "settle", &mini).await.expect(200);
    assert_eq!(again["version"], settled["version"]);
    end(&house, id, "settle", &json!({ "model": "gpt-5" })).await.refused(409, "op_conflict");
    let ended = end(&house, id, "release", &json!({})).await.refused(409, "op_ended");
    assert_eq!(ended["error"]["state"], "settled");
    let retry = json!({ "model": "gpt-5", "actor": "eve" });
    hold(&house, id, &retry).await.refused(409, "op_ended");
}

#[tokio::test]
async fn use_beyond_the_limit_is_recorded_and_not_refused() {
    let house = House::open().await;
    let id = house.hold("ann", "gpt-5").await;
    let settled = end(&house, id, "settle", &json!({ "charge": { PREMIUM: 7 } })).await.expect(200);
    assert_eq!(figures(&settled, PREMIUM), (7, 0, Some(2)));
    let entries = house.get("/v1/accounts/ann/entries").backend().send().await.expect(200);
    let overage: Vec<_> = entries["entries"]
        .as_array()
        .unwrap()
        .iter()
        .flat_map(|entry| entry["lines"].as_array().unwrap())
        .filter_map(|line| line["overage"].as_u64().filter(|units| *units > 0))
        .collect();
    assert_eq!(overage, [5]);
}

#[tokio::test]
async fn a_settle_saves_its_messages_with_the_charge() {
    let house = House::open().await;
    let id = house.hold("ann", "gpt-5").await;
    let messages = json!([
        { "conversation": "c1", "role": "user", "content": "Hello" },
        { "conversation": "c1", "role": "assistant", "content": "Hi.", "model": "gpt-5" },
    ]);
    let body = json!({ "model": "gpt-5", "messages": messages });
    end(&house, id, "settle", &body).await.expect(200);
    let token = house.token("ann");
    let saved = house.get("/v1/conversations/c1/messages").bearer(&token).send().await.expect(200);
    let contents: Vec<_> =
        saved["messages"].as_array().unwrap().iter().map(|it| &it["content"]).collect();
    assert_eq!(contents, [&json!("Hello"), &json!("Hi.")]);
    let bob = house.get("/v1/conversations/c1/messages").bearer(&house.token("bob"));
    bob.send().await.refused(404, "unknown_conversation");

    // A retry brings the same messages, or it is another request.
    end(&house, id, "settle", &body).await.expect(200);
    let mut other = body.clone();
    other["messages"][1]["content"] = json!("Bye.");
    for other in [other, json!({ "model": "gpt-5" })] {
        end(&house, id, "settle", &other).await.refused(409, "op_conflict");
    }
    let again = house.get("/v1/conversations/c1/messages").bearer(&token).send().await.expect(200);
    assert_eq!(again, saved);
}

#[tokio::test]
async fn a_release_gives_the_units_back() {
    let house = House::open().await;
    for cause in ["provider_failed", "aborted", "cancelled"] {
        let id = house.hold("ann", "gpt-5").await;
        let body = json!({ "cause": cause });
        let released = end(&house, id, "release", &body).await.expect(200);
        assert_eq!(figures(&released, PREMIUM), (0, 0, Some(2)));
        let outcome = outcome(&released, id);
        assert_eq!((&outcome["state"], &outcome["cause"]), (&json!("released"), &json!(cause)));
        end(&house, id, "release", &body).await.expect(200);
        end(&house, id, "settle", &json!({ "model": "gpt-5" })).await.refused(409, "op_ended");
    }
}

#[tokio::test]
async fn an_extended_hold_outlives_its_first_end() {
    let house =
        House::with(&format!("jwt_secret = \"{}\"\nsweep_interval_ms = 10", crate::house::SECRET))
            .await;
    let (short, long) = (house.new_id(), house.new_id());
    for id in [short, long] {
        hold(&house, id, &json!({ "model": "gpt-5", "ttl_s": 60 })).await.expect(201);
    }
    let extended = end(&house, long, "extend", &json!({ "ttl_s": 600 })).await.expect(200);
    assert_eq!(outcome(&extended, long)["state"], "held");
    house.wait_ms(61_000);
    // The sweeper announces nothing, so the ledger is asked until it has come by.
    let token = house.token("ann");
    let usage = loop {
        let path = format!("/v1/usage?ask={short},{long}");
        let usage = house.get(&path).bearer(&token).send().await.expect(200);
        if outcome(&usage, short)["state"] == "expired" {
            break usage;
        }
        tokio::task::yield_now().await;
    };
    assert_eq!(outcome(&usage, long)["state"], "held");
    assert_eq!(figures(&usage, PREMIUM), (0, 1, Some(2)));
    end(&house, short, "extend", &json!({ "ttl_s": 60 })).await.refused(409, "op_ended");
}

#[tokio::test]
async fn a_fence_ends_what_never_arrived_and_nothing_else() {
    let house = House::open().await;
    let lost = house.new_id();
    for _ in 0..2 {
        let fenced = fence(&house, "ann", lost).await.expect(200);
        assert_eq!(outcome(&fenced, lost)["state"], "fenced");
        assert_eq!(figures(&fenced, PREMIUM), (0, 0, Some(2)));
    }
    hold(&house, lost, &json!({ "model": "gpt-5" })).await.refused(410, "op_fenced");
    end(&house, lost, "settle", &json!({ "model": "gpt-5" })).await.refused(410, "op_fenced");

    let running = house.hold("ann", "gpt-5").await;
    let held = fence(&house, "ann", running).await.refused(409, "op_held");
    assert_eq!(outcome(&held["usage"], running)["state"], "held");

    end(&house, running, "settle", &json!({ "model": "gpt-5" })).await.expect(200);
    let ended = fence(&house, "ann", running).await.expect(200);
    assert_eq!(outcome(&ended, running)["state"], "settled");

    // Another account's fence is another operation's, even under the same id.
    let stranger = fence(&house, "bob", running).await.expect(200);
    assert_eq!(outcome(&stranger, running)["state"], "fenced");
    let mine = house.get(&format!("/v1/usage?ask={running}")).bearer(&house.token("ann"));
    assert_eq!(outcome(&mine.send().await.expect(200), running)["state"], "settled");
    // Another member's fence does not touch it.
    let member = house.token_of("ann", "eve");
    let path = format!("/v1/operations/{running}/fence");
    house.post(&path).bearer(&member).send().await.refused(409, "op_conflict");
}

#[tokio::test]
async fn an_id_that_is_too_old_or_not_made_yet_is_refused() {
    let house = House::open().await;
    let now = house.clock.now();
    let gpt = json!({ "model": "gpt-5" });
    let week_ms = 7 * 24 * 3_600_000;
    for (age_ms, refusal) in [
        (week_ms, None),
        (week_ms + 1, Some("operation_too_old")),
        (-600_000, None),
        (-600_001, Some("operation_from_future")),
    ] {
        let id = new_id(now.plus(-age_ms));
        let reply = hold(&house, id, &gpt).await;
        match refusal {
            Some(code) => drop(reply.refused(400, code)),
            None => assert_eq!(reply.status, StatusCode::CREATED, "{}", reply.text),
        }
    }
}

#[tokio::test]
async fn a_fence_is_taken_while_its_id_may_yet_be_accepted() {
    let house = House::open().await;
    let now = house.clock.now();
    let week_ms = 7 * 24 * 3_600_000;
    for (age_ms, refusal) in [
        (week_ms, None),
        (week_ms + 1, Some("operation_too_old")),
        (-600_001, None),
        (-week_ms, None),
        (-week_ms - 1, Some("operation_from_future")),
    ] {
        let id = new_id(now.plus(-age_ms));
        let reply = fence(&house, "ann", id).await;
        match refusal {
            Some(code) => drop(reply.refused(400, code)),
            None => assert_eq!(reply.expect(200)["operations"][0]["state"], "fenced"),
        }
    }
}

#[tokio::test]
async fn what_was_never_admitted_cannot_be_ended() {
    let house = House::open().await;
    let id = house.new_id();
    for (how, more) in [
        ("settle", json!({ "model": "gpt-5" })),
        ("release", json!({})),
        ("extend", json!({ "ttl_s": 60 })),
    ] {
        end(&house, id, how, &more).await.refused(404, "unknown_operation");
    }
    // Neither can what another account holds.
    let bobs = house.hold("bob", "gpt-5").await;
    end(&house, bobs, "release", &json!({})).await.refused(404, "unknown_operation");
}
