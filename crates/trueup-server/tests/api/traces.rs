//! What a collector of OpenTelemetry is told, and that nobody waits for one.

use std::time::Duration;

use opentelemetry_proto::tonic::trace::v1::Span;
use opentelemetry_proto::tonic::trace::v1::span::SpanKind;
use serde_json::json;
use tokio::net::TcpListener;

use crate::collector::{Collector, attribute};
use crate::house::{House, SECRET};
use crate::log::Log;

/// A trace that a customer's backend began, and the span in it that calls us.
const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const PARENT: &str = "00f067aa0ba902b7";

async fn house(endpoint: &str) -> House {
    let simulated = "{ kind = \"simulated\", first_token_ms = 0, tokens_per_second = 0, \
                     failing_models = [\"gpt-5\"] }";
    House::with(&format!(
        "jwt_secret = \"{SECRET}\"\notlp_endpoint = \"{endpoint}\"\nproviders = [{simulated}]"
    ))
    .await
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn named<'a>(spans: &'a [Span], name: &str) -> &'a Span {
    spans.iter().find(|span| span.name == name).unwrap_or_else(|| panic!("{name}: {spans:#?}"))
}

fn says(span: &Span, attributes: &[(&str, &str)]) {
    for (key, value) in attributes {
        assert_eq!(attribute(&span.attributes, key).as_deref(), Some(*value), "{span:#?}");
    }
}

#[tokio::test]
async fn a_chat_is_told_in_the_trace_that_its_caller_began() {
    let (collector, endpoint) = Collector::start().await;
    let house = house(&endpoint).await;
    let log = Log::begin();
    let operation = house.new_id().to_string();
    let body = json!({
        "model": "gpt-5", "stream": true,
        "messages": [{ "role": "user", "content": "words-of-a-person" }],
    });
    let call = house
        .post("/v1/chat/completions")
        .bearer(&house.token_of("acct-of-a-person", "actor-of-a-person"))
        .header("traceparent", &format!("00-{TRACE}-{PARENT}-01"))
        .header("x-request-id", "req-of-the-test")
        .header("trueup-operation", &operation);
    let reply = call.json(&body).send().await;
    assert!(reply.text.contains("[DONE]"), "{}", reply.text);
    let token = house.token_of("acct-of-a-person", "actor-of-a-person");
    house.ask_to_stop();
    house.stopped().await;

    let spans = collector.spans();
    let call = named(&spans, "POST /v1/chat/completions");
    assert_eq!((hex(&call.trace_id), hex(&call.parent_span_id)), (TRACE.into(), PARENT.into()));
    assert_eq!(call.kind(), SpanKind::Server);
    says(
        call,
        &[
            ("http.request.method", "POST"),
            ("http.route", "/v1/chat/completions"),
            ("http.response.status_code", "200"),
            ("trueup.request_id", "req-of-the-test"),
        ],
    );
    let (failed, answered) = (named(&spans, "chat gpt-5"), named(&spans, "chat gpt-5-mini"));
    says(failed, &[("gen_ai.request.model", "gpt-5"), ("trueup.outcome", "failed_before_token")]);
    says(answered, &[("gen_ai.request.model", "gpt-5-mini"), ("trueup.outcome", "settled")]);
    assert_eq!(answered.events[0].name, "first token");
    let batches: Vec<_> = spans.iter().filter(|span| span.name == "batch").collect();
    // The hold, its move to the other model, and the settle.
    assert_eq!(batches.len(), 3, "{spans:#?}");
    for batch in &batches {
        says(batch, &[("trueup.batch.requests", "1"), ("trueup.outcome", "committed")]);
        let commit = spans.iter().find(|it| it.parent_span_id == batch.span_id).unwrap();
        assert_eq!(commit.name, "commit");
    }
    for span in [failed, answered].into_iter().chain(batches) {
        assert_eq!((&span.trace_id, &span.parent_span_id), (&call.trace_id, &call.span_id));
    }
    assert_eq!(collector.resource("service.name").as_deref(), Some("trueup"));
    assert_eq!(collector.resource("service.version").unwrap(), env!("CARGO_PKG_VERSION"));
    assert_eq!(collector.resource("service.instance.id").unwrap().len(), 32);
    // Whoever reads the log finds the trace.
    assert!(log.text().contains(&format!("trace_id=\"{TRACE}\"")), "{}", log.text());
    let told = collector.text();
    for secret in
        ["acct-of-a-person", "actor-of-a-person", "words-of-a-person", &token, SECRET, &operation]
    {
        assert!(!told.contains(secret), "{secret} was told");
    }
}

#[tokio::test]
async fn ids_in_addresses_and_what_operators_ask_are_not_told() {
    let (collector, endpoint) = Collector::start().await;
    let house = house(&endpoint).await;
    house.get("/v1/accounts/acct-of-a-person").backend().send().await.expect(200);
    house.get("/v1/nothing/acct-of-a-person").send().await.refused(404, "not_found");
    house.get("/healthz").send().await;
    house.get("/metrics").backend().send().await;
    house.ask_to_stop();
    house.stopped().await;
    let calls = collector.spans();
    let calls = calls.iter().filter(|span| span.kind() == SpanKind::Server);
    assert_eq!(calls.map(|span| &span.name).collect::<Vec<_>>(), ["GET /v1/accounts/{id}"]);
    assert!(!collector.text().contains("acct-of-a-person"));
}

#[tokio::test]
async fn what_its_caller_does_not_keep_is_not_told() {
    let (collector, endpoint) = Collector::start().await;
    let house = house(&endpoint).await;
    let usage = || house.get("/v1/usage").bearer(&house.token("ann"));
    usage().header("traceparent", &format!("00-{TRACE}-{PARENT}-00")).send().await.expect(200);
    // What is no such header begins a trace of our own.
    for odd in ["", "00", "00-0-0-01", "ff-x", &"9".repeat(4000)] {
        usage().header("traceparent", odd).send().await.expect(200);
    }
    house.ask_to_stop();
    house.stopped().await;
    let spans = collector.spans();
    let calls: Vec<_> = spans.iter().filter(|span| span.kind() == SpanKind::Server).collect();
    assert_eq!(calls.len(), 5, "{spans:#?}");
    assert!(calls.iter().all(|it| it.parent_span_id.is_empty() && hex(&it.trace_id) != TRACE));
}

#[tokio::test]
async fn requests_of_one_transaction_name_each_other() {
    let (collector, endpoint) = Collector::start().await;
    let house = house(&endpoint).await;
    let hold = |_| {
        let id = house.new_id().to_string();
        json!({ "kind": "hold", "op_id": id, "account": "ann", "model": "gpt-5-mini" })
    };
    let body = json!({ "operations": (0..3).map(hold).collect::<Vec<_>>() });
    house.post("/v1/operations/batch").backend().json(&body).send().await.expect(200);
    house.ask_to_stop();
    house.stopped().await;
    let spans = collector.spans();
    let batches: Vec<_> = spans.iter().filter(|span| span.name == "batch").collect();
    let requests = |span: &Span| -> usize {
        attribute(&span.attributes, "trueup.batch.requests").unwrap().parse().unwrap()
    };
    assert_eq!(batches.iter().map(|it| requests(it)).sum::<usize>(), 3);
    assert!(batches.iter().all(|it| it.links.len() == requests(it) - 1), "{batches:#?}");
}

#[tokio::test]
async fn nobody_waits_for_a_collector_that_does_not_answer() {
    // It takes connections and says nothing.
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let house = house(&format!("http://{}", silent.local_addr().unwrap())).await;
    // More spans than the queue holds.
    let token = house.token("ann");
    for _ in 0..60 {
        let polls = (0..50).map(|_| house.get("/v1/catalog").bearer(&token).send());
        for reply in futures::future::join_all(polls).await {
            reply.expect(200);
        }
    }
    house.ask_to_stop();
    // It is given a few seconds for the rest, and no more.
    tokio::time::timeout(Duration::from_secs(9), house.stopped()).await.unwrap();
}

#[tokio::test]
async fn a_collector_that_is_not_there_costs_one_line_of_the_log() {
    let gone = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let log = Log::begin();
    let house = house(&format!("http://{gone}")).await;
    house.get("/v1/usage").bearer(&house.token("ann")).send().await.expect(200);
    house.ask_to_stop();
    tokio::time::timeout(Duration::from_secs(9), house.stopped()).await.unwrap();
    let text = log.text();
    assert_eq!(text.matches("traces cannot be sent to the collector").count(), 1, "{text}");
}
