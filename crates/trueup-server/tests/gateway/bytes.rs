//! What the gateway does not understand passes through it byte for byte, both ways.

use serde_json::Value;

use crate::client::Reading;
use crate::house::House;
use crate::upstream::{FINISH, USAGE, token, whole};

#[tokio::test]
async fn a_provider_gets_what_the_client_sent() {
    let house = House::open().await;
    let url = format!("{}/v1/chat/completions", house.base_url);
    let body = r#"{ "x_new" : [1.50, {"a":1e3}],"model":"gpt-5","messages":[{"role":"user","content":"\u00e9","x":null}],"stream":true,"temperature":0.70}"#;
    let request = house.client.post(url).bearer_auth(house.token("ann"));
    let sent = tokio::spawn(request.header("content-type", "application/json").body(body).send());
    let call = house.upstream.call().await;
    let expected = r#"{"x_new":[1.50, {"a":1e3}],"model":"gpt-5","messages":[{"role":"user","content":"\u00e9","x":null}],"stream":true,"temperature":0.70,"stream_options":{"include_usage":true}}"#;
    assert_eq!(std::str::from_utf8(&call.body).unwrap(), expected);
    // The caller's credentials are the caller's.
    assert!(!call.headers.contains_key("authorization"));
    assert!(!call.headers.keys().any(|name| name.as_str().starts_with("trueup-")));
    let talk = call.talk();
    talk.token("Hi").await;
    talk.finish().await;
    sent.await.unwrap().unwrap().text().await.unwrap();
}

#[tokio::test]
async fn a_client_gets_what_the_provider_sent_however_the_network_cut_it() {
    let house = House::open().await;
    let odd = r#"{"id":"x","choices":[{"index":0,"delta":{"content":"é🙂\u00e9","x":1.0},"logprobs":{"content":[ ]}}],"new":{"b":1,"a":2},"usage":null}"#;
    let stream = format!(
        "\u{feff}: hello\r\n\r\nevent: chunk\r\ndata: {odd}\r\n\r\n:\n\ndata:{}\n\ndata: {FINISH}\n\ndata: {USAGE}\n\ndata: [DONE]",
        token("b")
    );
    for piece_length in [1, 7, 4096] {
        let sent = house.chat_mini().send();
        let talk = house.upstream.call().await.talk();
        let pieces: Vec<_> = stream.as_bytes().chunks(piece_length).map(<[u8]>::to_vec).collect();
        let sending = tokio::spawn(async move {
            for piece in pieces {
                talk.raw_bytes(piece).await;
            }
        });
        let (events, last) = Reading::of(sent.await.unwrap()).until_last_chunk().await;
        sending.await.unwrap();
        assert_eq!(events, [odd.to_owned(), token("b"), FINISH.to_owned()]);
        assert_eq!(last["usage"]["total_tokens"], 5);
    }
}

#[tokio::test]
async fn data_of_several_lines_stays_so() {
    let house = House::open().await;
    let sent = house.chat_mini().send();
    let talk = house.upstream.call().await.talk();
    talk.raw("data: {\"choices\":[\ndata: {\"delta\":{\"content\":\"a\"}}]}\n\n").await;
    talk.finish().await;
    let (events, _) = Reading::of(sent.await.unwrap()).until_last_chunk().await;
    assert_eq!(events[0], "{\"choices\":[\n{\"delta\":{\"content\":\"a\"}}]}");
}

#[tokio::test]
async fn a_whole_answer_gets_one_more_member_and_no_other_change() {
    let house = House::open().await;
    let body = r#"{"id":"x","choices":[{"message":{"content":"a","audio":{"b":1.0}}}],"new":[ 1.50 ],"usage":{"total_tokens":1}"#;
    let sent = house.whole().send();
    house.upstream.call().await.answer(200, &format!("{body}}}"));
    let text = sent.await.unwrap().text().await.unwrap();
    assert!(text.starts_with(&format!("{body},\"trueup\":{{")), "{text}");
    serde_json::from_str::<Value>(&text).unwrap();
}

#[tokio::test]
async fn the_snapshot_of_an_upstream_is_not_ours() {
    let theirs = r#""trueup":{"account":"upstream","version":9}"#;
    let with_theirs = |object: &str| object.replacen('{', &format!("{{{theirs},"), 1);
    let house = House::open().await;
    let sent = house.stream().send();
    let talk = house.upstream.call().await.talk();
    for event in [&token("Hi"), FINISH, USAGE, "[DONE]"] {
        talk.event(&with_theirs(event)).await;
    }
    let (events, last) = Reading::of(sent.await.unwrap()).until_last_chunk().await;
    assert_eq!(events, [token("Hi"), FINISH.to_owned()]);
    assert_eq!(last["trueup"]["account"], "ann");

    let sent = house.whole().send();
    house.upstream.call().await.answer(200, &with_theirs(&whole("Hi")));
    let body: Value = sent.await.unwrap().json().await.unwrap();
    assert_eq!(body["trueup"]["account"], "ann");

    let sent = house.chat_mini().send();
    let blame = r#"{"error":{"message":"no"},"usage":{"account":"upstream"}}"#;
    house.upstream.call().await.answer(400, &with_theirs(blame));
    let body: Value = sent.await.unwrap().json().await.unwrap();
    assert_eq!(body["usage"]["account"], "ann");
    assert_eq!(body["trueup"], Value::Null);
}

#[tokio::test]
async fn an_event_without_end_is_not_kept_in_memory() {
    let house = House::open().await;
    let sent = house.chat_mini().send();
    let talk = house.upstream.call().await.talk();
    talk.token("Hi").await;
    let response = sent.await.unwrap();
    talk.raw(&format!("data: {}", "x".repeat(2 << 20))).await;
    let (events, _) = Reading::of(response).until_last_chunk().await;
    assert!(events[1].contains("provider_failed"), "{events:?}");
}
