//! The four ends of a chat, each streamed and each with its numbers.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::io::AsyncReadExt;
use tokio::time::timeout;
use trueup_core::{AccountId, Cause, OperationState};

use crate::client::{Reading, Usage, header};
use crate::house::House;
use crate::upstream::{FINISH, token, whole};

#[tokio::test]
async fn a_finished_stream_is_settled_before_its_last_chunk() {
    let house = House::open().await;
    let operation = house.new_operation();
    let sent = house.stream().operation(operation).conversation("talk").send();
    let call = house.upstream.call().await;
    assert_eq!(house.usage().await.premium(), (0, 1));
    assert_eq!(house.messages("talk").await, [("user".to_owned(), "hello".to_owned())]);
    let talk = call.talk();
    talk.token("Hi ").await;
    talk.token("Ann").await;
    let response = sent.await.unwrap();
    assert_eq!(header(&response, "trueup-conversation"), "talk");
    assert_eq!(header(&response, "trueup-operation"), operation.to_string());
    talk.finish().await;

    let (events, last) = Reading::of(response).until_last_chunk().await;
    assert_eq!(events, [token("Hi "), token("Ann"), FINISH.to_owned()]);
    assert_eq!(last["usage"]["total_tokens"], 5);
    assert_eq!(last["id"], "up-1");
    assert_eq!(Usage(last["trueup"].clone()).premium(), (1, 0));
    let outcome = &last["trueup"]["operations"][0];
    assert_eq!(outcome["id"], operation.to_string());
    assert_eq!((&outcome["state"], &outcome["cause"]), (&json!("settled"), &json!("finished")));

    assert_eq!(house.usage().await.premium(), (1, 0));
    let saved = house.messages("talk").await;
    assert_eq!(saved[1..], [("assistant".to_owned(), "Hi Ann".to_owned())]);
}

#[tokio::test]
async fn a_finished_whole_answer_is_settled_and_carries_the_snapshot() {
    let house = House::open().await;
    let sent = house.whole().send();
    house.upstream.call().await.answer(200, &whole("Hi"));
    let response = sent.await.unwrap();
    let conversation = header(&response, "trueup-conversation").to_owned();
    assert_eq!(conversation, header(&response, "trueup-operation"));
    let body: Value = response.json().await.unwrap();
    assert_eq!(body["choices"][0]["message"]["content"], "Hi");
    assert_eq!(Usage(body["trueup"].clone()).premium(), (1, 0));
    assert_eq!(house.messages(&conversation).await.len(), 2);
}

#[tokio::test]
async fn a_failure_before_the_first_token_is_released_and_said_with_a_status() {
    for stream in [true, false] {
        let house = House::open().await;
        let operation = house.new_operation();
        let chat = if stream { house.stream() } else { house.whole() };
        let sent = chat.operation(operation).send();
        for _ in 0..3 {
            house.upstream.call().await.answer(503, "overloaded");
        }
        let response = sent.await.unwrap();
        assert_eq!(response.status(), 502);
        assert_eq!(header(&response, "x-should-retry"), "false");
        let body: Value = response.json().await.unwrap();
        assert_eq!(body["error"]["code"], "provider_failed");
        assert_eq!(body["error"]["type"], "api_error");
        assert_eq!(Usage(body["usage"].clone()).premium(), (0, 0));
        assert_eq!(body["usage"]["operations"][0]["state"], "released");
        assert_eq!(body["usage"]["operations"][0]["cause"], "provider_failed");
        assert_eq!(house.messages(&operation.to_string()).await.len(), 1);
    }
}

#[tokio::test]
async fn a_failure_after_the_first_token_is_released_and_said_inside_the_stream() {
    for failure in ["cut", "error", "failed finish", "done too early", "silence", "nonsense"] {
        let house = House::open().await;
        let sent = house.stream().conversation("talk").send();
        let talk = house.upstream.call().await.talk();
        talk.token("Hi").await;
        let response = sent.await.unwrap();
        match failure {
            "cut" => talk.cut().await,
            "error" => talk.event(r#"{"error":{"message":"out of memory"}}"#).await,
            "failed finish" => talk.event(&FINISH.replace("stop", "error")).await,
            "done too early" => talk.event("[DONE]").await,
            "nonsense" => talk.event("<html>").await,
            _ => drop(talk),
        }
        let (events, last) = Reading::of(response).until_last_chunk().await;
        assert_eq!(events[0], token("Hi"), "{failure}");
        let error: Value = serde_json::from_str(&events[1]).unwrap();
        assert_eq!(error["error"]["code"], "provider_failed", "{failure}");
        assert!(!events[1].contains("memory"), "an upstream's words stay inside: {failure}");
        assert_eq!(last["trueup"]["operations"][0]["state"], "released", "{failure}");
        assert_eq!(house.usage().await.premium(), (0, 0), "{failure}");
        assert_eq!(house.messages("talk").await.len(), 1, "{failure}");
    }
}

#[tokio::test]
async fn a_client_that_leaves_after_a_token_is_charged_and_what_it_got_is_saved() {
    let house = House::open().await;
    let operation = house.new_operation();
    let sent = house.stream().operation(operation).conversation("talk").send();
    let talk = house.upstream.call().await.talk();
    talk.token("Hi ").await;
    let mut reading = Reading::of(sent.await.unwrap());
    assert_eq!(reading.next().await.unwrap(), Some(token("Hi ")));
    drop(reading);
    talk.abandoned().await;
    house.quiet().await;
    let outcome = house.operation(operation).await;
    assert_eq!((&outcome["state"], &outcome["cause"]), (&json!("settled"), &json!("aborted")));
    assert_eq!(house.usage().await.premium(), (1, 0));
    let saved = house.messages("talk").await;
    assert_eq!(saved[1..], [("assistant".to_owned(), "Hi ".to_owned())]);
}

#[tokio::test]
async fn a_client_that_leaves_before_a_token_is_not_charged() {
    let house = House::open().await;
    let operation = house.new_operation();
    let sent = house.stream().operation(operation).send();
    let call = house.upstream.call().await;
    sent.abort();
    call.abandoned().await;
    house.quiet().await;
    let outcome = house.operation(operation).await;
    assert_eq!((&outcome["state"], &outcome["cause"]), (&json!("released"), &json!("aborted")));
    assert_eq!(house.usage().await.premium(), (0, 0));
}

#[tokio::test]
async fn a_server_that_stops_ends_its_streams_and_charges_nothing() {
    let house = House::open().await;
    let sent = house.stream().send();
    let talk = house.upstream.call().await.talk();
    talk.token("Hi").await;
    let response = sent.await.unwrap();
    house.ask_to_stop();
    let (events, last) = Reading::of(response).until_last_chunk().await;
    let error: Value = serde_json::from_str(&events[1]).unwrap();
    assert_eq!(error["error"]["code"], "unavailable");
    assert_eq!(last["trueup"]["operations"][0]["cause"], "shutdown");
    assert_eq!(Usage(last["trueup"].clone()).premium(), (0, 0));
    talk.abandoned().await;
    house.stop().await;
}

#[tokio::test]
async fn a_reader_that_stopped_reading_does_not_keep_a_chat_from_ending_with_the_server() {
    let house = House::open().await;
    let operation = house.new_operation();
    let mut reader = house.slow_reader(operation).await;
    let talk = house.upstream.call().await.talk();
    talk.token("Hi").await;
    let mut begin = [0; 12];
    reader.read_exact(&mut begin).await.unwrap();
    assert_eq!(&begin, b"HTTP/1.1 200");
    // It reads no more, so that after a while nobody takes anything from anybody.
    let much = "x".repeat(16 * 1024);
    while timeout(Duration::from_millis(500), talk.token(&much)).await.is_ok() {}
    house.ask_to_stop();
    house.quiet().await;
    let ann = AccountId::new("ann").unwrap();
    let ledger = &house.state.ledger;
    let asked = ledger.snapshot(&ann, &ann.personal_actor(), None, &[operation]).await.unwrap();
    let [outcome] = &asked.operations[..] else { panic!("{asked:?}") };
    assert_eq!((outcome.state, outcome.cause), (OperationState::Released, Cause::Shutdown));
    talk.abandoned().await;
    drop(reader);
    house.stop().await;
}

#[tokio::test]
async fn a_server_that_stops_turns_away_a_chat_without_a_token() {
    let house = House::open().await;
    let sent = house.stream().send();
    let call = house.upstream.call().await;
    house.ask_to_stop();
    let response = sent.await.unwrap();
    assert_eq!(response.status(), 503);
    let body: Value = response.json().await.unwrap();
    assert_eq!(body["usage"]["operations"][0]["cause"], "shutdown");
    call.abandoned().await;
    house.stop().await;
}

#[tokio::test]
async fn an_answer_without_words_is_an_answer() {
    let house = House::open().await;
    let sent = house.stream().send();
    let talk = house.upstream.call().await.talk();
    talk.finish().await;
    let (events, last) = Reading::of(sent.await.unwrap()).until_last_chunk().await;
    assert_eq!(events, [FINISH]);
    assert_eq!(Usage(last["trueup"].clone()).premium(), (1, 0));
}

#[tokio::test]
async fn a_chat_whose_operation_somebody_else_ended_is_told_so() {
    let house = House::open().await;
    let operation = house.new_operation();
    let sent = house.stream().operation(operation).send();
    let call = house.upstream.call().await;
    house.release("ann", operation).await;
    call.answer(500, "{}");
    let response = sent.await.unwrap();
    assert_eq!(response.status(), 409);
    let body: Value = response.json().await.unwrap();
    assert_eq!(
        (&body["error"]["code"], &body["error"]["state"]),
        (&json!("op_ended"), &json!("released"))
    );
    assert!(house.upstream.is_idle().await, "no fallback is asked for a dead operation");

    let operation = house.new_operation();
    let sent = house.stream().operation(operation).conversation("talk").send();
    let talk = house.upstream.call().await.talk();
    talk.token("Hi").await;
    let response = sent.await.unwrap();
    house.release("ann", operation).await;
    talk.finish().await;
    let (_, last) = Reading::of(response).until_last_chunk().await;
    assert_eq!(last["trueup"]["operations"][0]["cause"], "cancelled");
    assert_eq!(house.messages("talk").await.len(), 1, "what is not charged is not saved");
}

#[tokio::test]
async fn a_character_of_no_character_is_passed_on_and_saved_as_a_gap() {
    let house = House::open().await;
    let body = json!({ "model": "gpt-5", "messages": [{ "role": "user", "content": "a\u{0}b" }] });
    let sent = house.chat(body).conversation("talk").send();
    house.upstream.call().await.answer(200, &whole("c\u{0}d"));
    let body: Value = sent.await.unwrap().json().await.unwrap();
    assert_eq!(body["choices"][0]["message"]["content"], "c\u{0}d");
    let saved = house.messages("talk").await;
    let (user, assistant) = (("user", "a\u{fffd}b"), ("assistant", "c\u{fffd}d"));
    assert_eq!(saved, [user, assistant].map(|(role, said)| (role.to_owned(), said.to_owned())));
    assert_eq!(house.usage().await.premium(), (1, 0));
}
