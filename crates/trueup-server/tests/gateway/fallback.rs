//! Who answers when the requested model does not, and what that costs.

use serde_json::{Value, json};

use crate::client::{Reading, Usage};
use crate::house::House;
use crate::upstream::{Talk, whole};

async fn answer(talk: Talk) {
    talk.token("Hi").await;
    talk.finish().await;
}

#[tokio::test]
async fn the_model_that_answers_is_the_one_that_is_charged() {
    let house = House::open().await;
    let sent = house.stream().send();
    let first = house.upstream.call().await;
    assert_eq!(first.json()["model"], "gpt-5");
    first.answer(500, "{}");
    let second = house.upstream.call().await;
    assert_eq!(second.json()["model"], "gpt-5-mini");
    let held = house.usage().await;
    assert_eq!((held.premium(), held.standard()), ((0, 0), (0, 1)));
    answer(second.talk()).await;
    let (_, last) = Reading::of(sent.await.unwrap()).until_last_chunk().await;
    let usage = Usage(last["trueup"].clone());
    assert_eq!((usage.premium(), usage.standard()), ((0, 0), (1, 0)));
    let outcome = &last["trueup"]["operations"][0];
    assert_eq!((&outcome["state"], &outcome["cause"]), (&json!("settled"), &json!("fallback")));
    assert_eq!(outcome["requested"], json!({"premium_messages": 1}));
    assert_eq!(outcome["charged"], json!({"standard_messages": 1}));
}

#[tokio::test]
async fn every_failure_before_the_first_token_leads_to_the_next_model() {
    let role = r#"{"choices":[{"index":0,"delta":{"role":"assistant","content":""}}]}"#;
    for failure in ["status", "key", "cut", "error", "empty", "body"] {
        let house = House::open().await;
        let sent = house.stream().send();
        let call = house.upstream.call().await;
        match failure {
            "status" => call.answer(429, r#"{"error":{"message":"slow down"}}"#),
            // Our key was turned away; that is no fault of the caller.
            "key" => call.answer(401, r#"{"error":{"message":"bad key sk-123"}}"#),
            "body" => call.answer(200, &whole("not a stream")),
            _ => {
                let talk = call.talk();
                talk.event(role).await;
                match failure {
                    "cut" => talk.cut().await,
                    "error" => talk.event(r#"{"error":{"message":"no"}}"#).await,
                    _ => talk.event("[DONE]").await,
                }
            }
        }
        answer(house.upstream.call().await.talk()).await;
        let (events, last) = Reading::of(sent.await.unwrap()).until_last_chunk().await;
        // Nothing of the failed answer is mixed into the good one.
        assert_eq!(events.len(), 2, "{failure}: {events:?}");
        assert_eq!(last["trueup"]["operations"][0]["cause"], "fallback", "{failure}");
    }
}

#[tokio::test]
async fn a_whole_answer_falls_back_as_well() {
    let house = House::open().await;
    let sent = house.whole().send();
    house.upstream.call().await.answer(200, r#"{"error":{"message":"no"}}"#);
    house.upstream.call().await.answer(200, &whole("Hi"));
    let body: Value = sent.await.unwrap().json().await.unwrap();
    assert_eq!(body["trueup"]["operations"][0]["charged"], json!({"standard_messages": 1}));
}

#[tokio::test]
async fn a_fallback_whose_meter_is_full_is_passed_over() {
    let house = House::open().await;
    let none_left = json!({"plan": "free", "overrides": {"standard_messages": 0}});
    house.put_account("ann", &none_left).await;
    let sent = house.stream().send();
    house.upstream.call().await.answer(500, "{}");
    let call = house.upstream.call().await;
    assert_eq!(call.json()["model"], "gpt-5-nano");
    answer(call.talk()).await;
    let (_, last) = Reading::of(sent.await.unwrap()).until_last_chunk().await;
    assert_eq!(last["trueup"]["operations"][0]["charged"], json!({"nano_messages": 1}));
}

#[tokio::test]
async fn a_request_that_a_provider_blames_comes_back_in_its_words() {
    let house = House::open().await;
    let sent = house.stream().send();
    let blame = r#"{"error":{"message":"too long","type":"invalid_request_error","param":"messages","code":"context_length_exceeded"}}"#;
    house.upstream.call().await.answer(400, blame);
    let response = sent.await.unwrap();
    assert_eq!(response.status(), 400);
    let body: Value = response.json().await.unwrap();
    assert_eq!(body["error"]["code"], "context_length_exceeded");
    assert_eq!(body["error"]["param"], "messages");
    assert!(body["error"]["request_id"].as_str().unwrap().starts_with("req_"));
    assert_eq!(body["usage"]["operations"][0]["state"], "released");
    assert!(house.upstream.is_idle().await, "no other model is asked the same");
}
