//! Who is let in, who is turned away before it costs anything, and who was here before.

use serde_json::{Value, json};

use crate::client::{Reading, Usage, header};
use crate::house::{API_KEY, House};
use crate::upstream::whole;

#[tokio::test]
async fn a_model_that_no_provider_serves_is_refused_before_anything_is_held() {
    let house = House::with_provider("models = [\"gpt-5-nano\"]").await;
    let response = house.chat_mini().send().await.unwrap();
    assert_eq!(response.status(), 404);
    let body: Value = response.json().await.unwrap();
    assert_eq!(body["error"]["code"], "unknown_model");
    let message = body["error"]["message"].as_str().unwrap();
    assert!(message.contains("No provider of this server serves gpt-5-mini"), "{message}");
    assert_eq!(house.usage().await.standard(), (0, 0));
    assert!(house.upstream.is_idle().await);
    // Another model's fallback is.
    let sent = house.whole().send();
    house.upstream.call().await.answer(200, &whole("Hi"));
    assert_eq!(sent.await.unwrap().status(), 200);
}

#[tokio::test]
async fn without_room_no_provider_is_asked() {
    let house = House::open().await;
    house.put_account("ann", &json!({"overrides": {"premium_messages": 0}})).await;
    let response = house.stream().send().await.unwrap();
    assert_eq!(response.status(), 402);
    assert_eq!(header(&response, "x-should-retry"), "false");
    let body: Value = response.json().await.unwrap();
    assert_eq!(body["error"]["code"], "usage_limit_exceeded");
    assert_eq!(body["error"]["type"], "insufficient_quota");
    assert_eq!(body["error"]["meter"], "premium_messages");
    assert_eq!(body["error"]["remaining"], 0);
    assert!(body["error"]["resets_at"].is_string());
    assert_eq!(body["usage"]["operations"][0]["state"], "refused");
    assert!(house.upstream.is_idle().await);
    assert_eq!(
        house.get("/v1/conversations").await.json::<Value>().await.unwrap(),
        json!({"conversations": [], "next_before": null})
    );
}

#[tokio::test]
async fn many_at_once_are_let_in_up_to_the_limit_and_not_one_more() {
    let house = House::open().await;
    let chats: Vec<_> = (0..20).map(|_| house.whole().send()).collect();
    for _ in 0..2 {
        house.upstream.call().await.answer(200, &whole("Hi"));
    }
    let mut statuses = Vec::new();
    for chat in chats {
        statuses.push(chat.await.unwrap().status().as_u16());
    }
    let of = |wanted| statuses.iter().filter(|status| **status == wanted).count();
    assert_eq!((of(200), of(402)), (2, 18));
    assert!(house.upstream.is_idle().await);
    assert_eq!(house.usage().await.premium(), (2, 0));
}

#[tokio::test]
async fn an_answer_that_was_lost_is_found_again_by_its_operation_and_not_charged_twice() {
    for stream in [true, false] {
        let house = House::open().await;
        let operation = house.new_operation();
        let first = house.whole().operation(operation).send();
        house.upstream.call().await.answer(200, &whole("Hi Ann"));
        first.await.unwrap();

        let again = if stream { house.stream() } else { house.whole() };
        let response = again.operation(operation).send().await.unwrap();
        let usage = if stream {
            let (events, last) = Reading::of(response).until_last_chunk().await;
            let chunks = events.iter().map(|data| serde_json::from_str::<Value>(data).unwrap());
            let text: String = chunks
                .filter_map(|it| it["choices"][0]["delta"]["content"].as_str().map(str::to_owned))
                .collect();
            assert_eq!(text, "Hi Ann");
            last["trueup"].clone()
        } else {
            let body: Value = response.json().await.unwrap();
            assert_eq!(body["choices"][0]["message"]["content"], "Hi Ann");
            assert_eq!(body["model"], "gpt-5");
            body["trueup"].clone()
        };
        assert_eq!(Usage(usage).premium(), (1, 0));
        assert!(house.upstream.is_idle().await);
        assert_eq!(house.messages(&operation.to_string()).await.len(), 2);
    }
}

#[tokio::test]
async fn an_operation_that_runs_or_has_ended_does_not_run_again() {
    let house = House::open().await;
    let operation = house.new_operation();
    let first = house.stream().operation(operation).send();
    let call = house.upstream.call().await;
    let status = async |chat: crate::client::Chat| {
        let response = chat.operation(operation).send().await.unwrap();
        let (status, retry) =
            (response.status().as_u16(), header(&response, "x-should-retry").to_owned());
        let body: Value = response.json().await.unwrap();
        (status, body["error"]["code"].as_str().unwrap().to_owned(), retry)
    };
    assert_eq!(status(house.stream()).await, (409, "op_held".to_owned(), String::new()));
    let mut other = house.stream();
    other.body["model"] = json!("gpt-5-mini");
    let conflict = (409, "op_conflict".to_owned(), "false".to_owned());
    assert_eq!(status(other).await, conflict);

    call.answer(400, r#"{"error":{"message":"no"}}"#);
    first.await.unwrap();
    assert_eq!(status(house.stream()).await, (409, "op_ended".to_owned(), "false".to_owned()));
}

#[tokio::test]
async fn an_answer_is_not_given_to_another_question() {
    let house = House::open().await;
    let operation = house.new_operation();
    let first = house.whole().operation(operation).send();
    house.upstream.call().await.answer(200, &whole("Hi"));
    first.await.unwrap();
    let mut others = vec![house.whole().conversation("another")];
    for (member, value) in [
        ("messages", json!([{"role": "user", "content": "something else"}])),
        // The same last message after another history is another question.
        (
            "messages",
            json!([{"role": "user", "content": "so"}, {"role": "user", "content": "hello"}]),
        ),
        ("temperature", json!(0.5)),
    ] {
        let mut other = house.whole();
        other.body[member] = value;
        others.push(other);
    }
    for other in others {
        let body: Value = other.operation(operation).send().await.unwrap().json().await.unwrap();
        assert_eq!(body["error"]["code"], "op_conflict");
    }
    assert!(house.upstream.is_idle().await);
}

#[tokio::test]
async fn a_fenced_operation_never_runs() {
    let house = House::open().await;
    let operation = house.new_operation();
    let url = format!("{}/v1/operations/{operation}/fence", house.base_url);
    house.client.post(url).bearer_auth(house.token("ann")).send().await.unwrap();
    let response = house.stream().operation(operation).send().await.unwrap();
    assert_eq!(response.status(), 410);
    let body: Value = response.json().await.unwrap();
    assert_eq!(body["error"]["code"], "op_fenced");
    assert!(house.upstream.is_idle().await);
}

#[tokio::test]
async fn the_snapshot_tells_what_happened_since_the_version_that_the_client_has() {
    let house = House::open().await;
    let before = house.usage().await.0["version"].as_u64().unwrap();
    let sent = house.whole().since(before).send();
    house.upstream.call().await.answer(200, &whole("Hi"));
    let body: Value = sent.await.unwrap().json().await.unwrap();
    assert_eq!(body["trueup"]["since"], before);
    assert_eq!(body["trueup"]["version"], before + 2);
}

#[tokio::test]
async fn a_backend_chats_for_the_account_that_it_names() {
    let house = House::open().await;
    let url = format!("{}/v1/chat/completions", house.base_url);
    let request = house.client.post(url).bearer_auth(API_KEY).header("Trueup-Account", "ann");
    let sent = tokio::spawn(request.json(&house.whole().body).send());
    house.upstream.call().await.answer(200, &whole("Hi"));
    assert_eq!(sent.await.unwrap().unwrap().status(), 200);
    assert_eq!(house.usage().await.premium(), (1, 0));
}

#[tokio::test]
async fn nobody_reads_the_conversations_of_others() {
    let house = House::open().await;
    let sent = house.whole().conversation("talk").send();
    house.upstream.call().await.answer(200, &whole("Hi"));
    sent.await.unwrap();
    let url = format!("{}/v1/conversations/talk/messages", house.base_url);
    let response = house.client.get(url).bearer_auth(house.token("bob")).send().await.unwrap();
    assert_eq!(response.status(), 404);
    let body: Value = response.json().await.unwrap();
    assert_eq!(body["error"]["code"], "unknown_conversation");
    let own: Value = house.get("/v1/conversations").await.json().await.unwrap();
    assert_eq!(own["conversations"][0]["id"], "talk");
    assert_eq!(own["conversations"][0]["title"], "hello");
}

#[tokio::test]
async fn a_request_that_cannot_be_understood_changes_nothing() {
    let house = House::open().await;
    let url = format!("{}/v1/chat/completions", house.base_url);
    let version = house.usage().await.0["version"].clone();
    let mebibyte = "x".repeat(1024 * 1024);
    let chat = |content: &str| {
        json!({"model": "gpt-5", "messages": [{"role": "user", "content": content}]}).to_string()
    };
    let cases = [
        (chat(&mebibyte), vec![], 413, "body_too_large"),
        (
            r#"{"model":"gpt-4","messages":[{"role":"user","content":"x"}]}"#.to_owned(),
            vec![],
            404,
            "unknown_model",
        ),
        (r#"{"model":"gpt-5","messages":[]}"#.to_owned(), vec![], 400, "invalid_value"),
        (
            r#"{"model":"gpt-5-mini","model":"gpt-5","messages":[]}"#.to_owned(),
            vec![],
            400,
            "invalid_request",
        ),
        ("{".to_owned(), vec![], 400, "invalid_request"),
        (chat("x"), vec![("trueup-operation", "7")], 400, "invalid_operation_id"),
        (
            chat("x"),
            vec![("trueup-operation", "01932f5c-7d2a-7c3e-9a1b-0123456789ab")],
            400,
            "operation_too_old",
        ),
        (chat("x"), vec![("trueup-since", "-1")], 400, "invalid_value"),
        (chat("x"), vec![("trueup-conversation", "a b")], 400, "invalid_value"),
        (chat("x"), vec![("content-type", "text/plain")], 415, "unsupported_media_type"),
        (chat("x"), vec![("authorization", "Bearer nobody")], 401, "unauthorized"),
    ];
    for (body, headers, status, code) in cases {
        let mut request = house.client.post(&url).body(body.clone());
        for name in ["authorization", "content-type"] {
            if !headers.iter().any(|(given, _)| *given == name) {
                let value = match name {
                    "authorization" => format!("Bearer {}", house.token("ann")),
                    _ => "application/json".to_owned(),
                };
                request = request.header(name, value);
            }
        }
        for (name, value) in headers {
            request = request.header(name, value);
        }
        let response = request.send().await.unwrap();
        assert_eq!(response.status(), status, "{code}");
        let answer: Value = response.json().await.unwrap();
        assert_eq!(answer["error"]["code"], code);
    }
    assert_eq!(house.usage().await.0["version"], version);
    assert!(house.upstream.is_idle().await);
    // Just below the limit is let in.
    let rest = mebibyte.len() - chat("").len();
    let request = house.client.post(&url).bearer_auth(house.token("ann"));
    let request = request.header("content-type", "application/json").body(chat(&mebibyte[..rest]));
    let sent = tokio::spawn(request.send());
    house.upstream.call().await.answer(200, &whole("That was long"));
    assert_eq!(sent.await.unwrap().unwrap().status(), 200);
}
