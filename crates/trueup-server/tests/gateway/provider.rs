//! An OpenAI-compatible upstream, asked directly: what it is sent, and how long it may be silent.

use std::time::Duration;

use axum::http::{HeaderName, HeaderValue};
use futures::StreamExt;
use trueup_core::ModelId;
use trueup_server::config::{OpenAiProvider, Secret};
use trueup_server::gateway::provider::{OpenAi, Provider, ProviderError, Reply, Timeouts};
use trueup_server::gateway::request::ChatRequest;

use crate::client::Reading;
use crate::house::House;
use crate::log::Log;
use crate::upstream::{Upstream, token, whole};

const IMPATIENT: Timeouts = Timeouts {
    connect: Duration::from_millis(50),
    idle: Duration::from_millis(50),
    whole: Duration::from_millis(50),
};

fn provider(base_url: &str, timeouts: Timeouts) -> Provider {
    let settings = OpenAiProvider {
        base_url: base_url.to_owned(),
        api_key: Some(Secret::new("sk-secret")),
        headers: vec![(HeaderName::from_static("x-team"), HeaderValue::from_static("red"))],
        models: Some(vec![model("gpt-5")]),
    };
    Provider::OpenAi(OpenAi::new(&settings, timeouts).unwrap())
}

fn model(name: &str) -> ModelId {
    ModelId::new(name).unwrap()
}

fn request(stream: bool) -> ChatRequest {
    let body = format!(
        r#"{{"model":"gpt-5","stream":{stream},"messages":[{{"role":"user","content":"hello"}}]}}"#
    );
    ChatRequest::read(serde_json::from_str(&body).unwrap()).unwrap()
}

/// Asks while the test plays the upstream.
async fn ask(provider: &Provider, stream: bool) -> Result<Reply, ProviderError> {
    provider.ask(&request(stream), &model("gpt-5")).await
}

fn error<T>(result: Result<T, ProviderError>) -> ProviderError {
    result.err().expect("the provider failed")
}

#[tokio::test]
async fn an_upstream_gets_its_own_key_and_headers() {
    let upstream = Upstream::start().await;
    let provider = provider(&upstream.base_url, Timeouts::default());
    assert!(provider.serves(&model("gpt-5")) && !provider.serves(&model("gpt-5-mini")));
    let answering = async {
        let call = upstream.call().await;
        let headers = call.headers.clone();
        call.answer(200, &whole("Hi"));
        headers
    };
    let (reply, headers) = tokio::join!(ask(&provider, false), answering);
    assert!(matches!(reply, Ok(Reply::Whole(body)) if body == whole("Hi").as_bytes()));
    assert_eq!(headers["authorization"], "Bearer sk-secret");
    assert_eq!(headers["x-team"], "red");
    assert_eq!(headers["content-type"], "application/json");
    assert!(!format!("{provider:?}").contains("sk-secret"), "{provider:?}");
}

#[tokio::test]
async fn nobody_waits_for_an_upstream_that_is_silent() {
    let upstream = Upstream::start().await;
    let provider = provider(&upstream.base_url, IMPATIENT);
    for stream in [true, false] {
        let (reply, _) = tokio::join!(ask(&provider, stream), async {
            upstream.call().await.abandoned().await;
        });
        assert!(matches!(error(reply), ProviderError::Unreachable(_)));
    }

    // Long enough for the first token on a slow machine.
    let idle = Duration::from_secs(1);
    let provider = self::provider(&upstream.base_url, Timeouts { idle, ..Timeouts::default() });
    let talking = async {
        let talk = upstream.call().await.talk();
        talk.token("Hi").await;
        talk
    };
    let (reply, talk) = tokio::join!(ask(&provider, true), talking);
    let Ok(Reply::Stream(mut stream)) = reply else { panic!("no stream") };
    assert_eq!(stream.next().await.unwrap().unwrap(), token("Hi"));
    let silent = error(stream.next().await.unwrap());
    assert_eq!(silent.to_string(), "it cannot be reached: it was silent for 1 s");
    drop(stream);
    talk.abandoned().await;
}

#[tokio::test]
async fn an_upstream_that_is_not_there_is_named_without_its_address() {
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let base_url = format!("http://{}/v1", closed.local_addr().unwrap());
    drop(closed);
    let failed = error(ask(&provider(&base_url, Timeouts::default()), true).await);
    assert!(matches!(failed, ProviderError::Unreachable(_)));
    assert!(!failed.to_string().contains("http"), "{failed}");
}

#[tokio::test]
async fn a_key_is_not_carried_to_where_a_redirect_points() {
    let upstream = Upstream::start().await;
    let provider = provider(&upstream.base_url, Timeouts::default());
    let (reply, ()) = tokio::join!(ask(&provider, true), async {
        upstream.call().await.answer(307, "");
    });
    assert!(matches!(error(reply), ProviderError::Status { status: 307, .. }));
}

#[tokio::test]
async fn an_answer_without_end_is_not_kept_in_memory() {
    let upstream = Upstream::start().await;
    let provider = provider(&upstream.base_url, Timeouts::default());
    let (reply, ()) = tokio::join!(ask(&provider, false), async {
        upstream.call().await.answer(200, &"x".repeat(17 << 20));
    });
    assert!(matches!(error(reply), ProviderError::Broken(_)));
    let (reply, ()) = tokio::join!(ask(&provider, false), async {
        upstream.call().await.answer(500, &"x".repeat(1 << 20));
    });
    let reason = provider.reason(&error(reply));
    assert!(reason.starts_with("it answered 500: xxx") && reason.len() < 300, "{reason}");
}

#[tokio::test]
async fn only_a_request_at_fault_is_blamed_on_it() {
    let upstream = Upstream::start().await;
    let provider = provider(&upstream.base_url, Timeouts::default());
    for (status, blames) in [
        (400, true),
        (413, true),
        (415, true),
        (422, true),
        (401, false),
        (403, false),
        (404, false),
        (408, false),
        (429, false),
        (500, false),
        (503, false),
    ] {
        let (reply, ()) = tokio::join!(ask(&provider, true), async {
            upstream.call().await.answer(status, "{}");
        });
        assert_eq!(error(reply).request_fault().is_some(), blames, "{status}");
    }
}

#[tokio::test]
async fn what_an_upstream_repeats_of_its_key_reaches_neither_log_nor_client() {
    let log = Log::begin();
    let lines = "api_key = \"sk-0123/456789abcdef\"\nheaders = { \"x-team\" = \"blue-team\" }";
    let house = House::with_provider(lines).await;
    let complaint = |word: &str| {
        format!(r#"{{"error":{{"message":"{word}: sk-0123\/456789abcdef of blue-team"}}}}"#)
    };
    // Refused before anything began, by two of three.
    let sent = house.stream().send();
    house.upstream.call().await.answer(401, &complaint("refused"));
    let talk = house.upstream.call().await.talk();
    talk.event(&complaint("reported")).await;
    // It breaks in its middle.
    let talk = house.upstream.call().await.talk();
    talk.token("Hi").await;
    talk.event(&complaint("broken")).await;
    let (events, _) = Reading::of(sent.await.unwrap()).until_last_chunk().await;
    // The request is blamed, in the upstream's own words.
    let sent = house.stream().send();
    house.upstream.call().await.answer(400, &complaint("blamed"));
    let blamed = sent.await.unwrap().text().await.unwrap();
    assert!(blamed.contains("blamed: [hidden] of blue-team"), "{blamed}");

    let log = log.text();
    for word in ["refused", "reported", "broken"] {
        assert!(log.contains(&format!("{word}: [hidden] of [hidden]")), "{word} is not in {log}");
    }
    for text in [&log, &blamed, &events.concat()] {
        assert!(!text.contains("456789"), "{text}");
    }
}
