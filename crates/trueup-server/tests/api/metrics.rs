//! What operators watch moves as it should, and tells nobody's name.

use reqwest::Method;
use serde_json::json;
use tokio::time::Duration;

use crate::house::{API_KEY, House, SECRET};
use crate::scrape::{self, Scrape};

async fn scrape(house: &House) -> Scrape {
    Scrape::read(&scrape::text(&house.base_url, API_KEY).await)
}

/// The sum of all series that begin so.
fn sum(scrape: &Scrape, begin: &str) -> f64 {
    let found = scrape.series.iter().filter(|(name, _)| name.starts_with(begin));
    found.map(|(_, value)| value).sum()
}

/// The ledger announces nothing, so it is asked from time to time.
async fn wait_for(house: &House, series: &str, value: f64) {
    let mut times = tokio::time::interval(Duration::from_millis(10));
    while scrape(house).await.get(series) != Some(value) {
        times.tick().await;
    }
}

#[tokio::test]
async fn commands_are_counted_by_kind_and_outcome() {
    let house = House::open().await;
    let id = house.hold("ann", "gpt-5").await;
    let hold = json!({ "op_id": id.to_string(), "account": "ann", "model": "gpt-5" });
    house.post("/v1/operations").backend().json(&hold).send().await.expect(200);
    let other = json!({ "op_id": id.to_string(), "account": "ann", "model": "gpt-5-mini" });
    house.post("/v1/operations").backend().json(&other).send().await.refused(409, "op_conflict");
    house.hold("ann", "gpt-5").await;
    let third = json!({ "op_id": house.new_id().to_string(), "account": "ann", "model": "gpt-5" });
    let refused = house.post("/v1/operations").backend().json(&third).send().await;
    refused.refused(402, "usage_limit_exceeded");

    let of = |id, what| format!("/v1/operations/{id}/{what}");
    let settle = json!({ "account": "ann", "model": "gpt-5-mini" });
    house.post(&of(id, "settle")).backend().json(&settle).send().await.expect(200);
    house.post(&of(id, "settle")).backend().json(&settle).send().await.expect(200);
    let lost = house.new_id();
    house.post(&of(lost, "fence")).bearer(&house.token("ann")).send().await.expect(200);
    let late = json!({ "op_id": lost.to_string(), "account": "ann", "model": "gpt-5" });
    house.post("/v1/operations").backend().json(&late).send().await.refused(410, "op_fenced");
    let unknown = of(house.new_id(), "release");
    let release = json!({ "account": "ann" });
    let reply = house.post(&unknown).backend().json(&release).send().await;
    reply.refused(404, "unknown_operation");

    let scrape = scrape(&house).await;
    for (kind, outcome, count) in [
        ("hold", "held", 2.0),
        ("hold", "replayed", 1.0),
        ("hold", "op_conflict", 1.0),
        ("hold", "refused", 1.0),
        ("hold", "op_fenced", 1.0),
        ("settle", "settled", 1.0),
        ("settle", "replayed", 1.0),
        ("fence", "fenced", 1.0),
        ("release", "unknown_operation", 1.0),
        ("release", "released", 0.0),
    ] {
        let series = format!("trueup_operations_total{{kind=\"{kind}\",outcome=\"{outcome}\"}}");
        assert_eq!(scrape.get(&series), Some(count), "{series}");
    }
    // One at a time, so that each was a transaction of its own.
    assert_eq!(scrape.get("trueup_batch_requests_sum"), Some(10.0));
    for series in [
        "trueup_batch_requests",
        "trueup_batch_duration_seconds",
        "trueup_commit_duration_seconds",
        "trueup_queue_wait_seconds",
    ] {
        assert_eq!(scrape.get(&format!("{series}_count")), Some(10.0), "{series}");
    }
    assert_eq!(scrape.get("trueup_queue_depth"), Some(0.0));
    assert_eq!(sum(&scrape, "trueup_batch_failures_total"), 0.0);
}

#[tokio::test]
async fn holds_are_counted_while_they_are_open_and_when_they_expire() {
    let house = House::with(&format!("jwt_secret = \"{SECRET}\"\nsweep_interval_ms = 10")).await;
    house.hold("ann", "gpt-5").await;
    house.hold("ben", "gpt-5").await;
    wait_for(&house, "trueup_holds_open", 2.0).await;
    house.wait_ms(121_000);
    wait_for(&house, "trueup_holds_open", 0.0).await;
    let scrape = scrape(&house).await;
    let expired = "trueup_operations_total{kind=\"expire\",outcome=\"expired\"}";
    assert_eq!(scrape.get(expired), Some(2.0));
    assert_eq!(scrape.get("trueup_holds_overdue_seconds"), Some(0.0));
}

#[tokio::test]
async fn corrections_are_counted_by_cause_as_pages_report_them() {
    let house = House::open().await;
    let browser = house.token("ann");
    let poll = |report: &str| house.get(&format!("/v1/usage?corrected={report}")).bearer(&browser);
    let first = poll("fallback,hold_expired,fallback,").send().await;
    let tag = first.header("etag").to_owned();
    first.expect(200);
    let again = poll(&"fallback,".repeat(40)).header("if-none-match", &tag).send().await;
    assert_eq!(again.status.as_u16(), 304);
    // Nothing that cannot be read costs the poll its answer, or counts in part.
    for report in ["fallback,unheard_of", "fallback=1", &"fallback,".repeat(101), "%00", ""] {
        poll(report).send().await.expect(200);
    }
    // A backend shows nobody anything.
    let backend = house.get("/v1/usage?corrected=fallback").backend();
    backend.header("trueup-account", "ann").send().await.expect(200);
    // And what gets no answer is not counted.
    poll("reset&since=x").send().await;
    house.get("/v1/usage?corrected=reset").send().await.refused(401, "unauthorized");

    let scrape = scrape(&house).await;
    for (cause, count) in [("fallback", 42.0), ("hold_expired", 1.0), ("reset", 0.0)] {
        let series = format!("trueup_corrections_total{{cause=\"{cause}\"}}");
        assert_eq!(scrape.get(&series), Some(count), "{series}");
    }
    assert_eq!(sum(&scrape, "trueup_corrections_total"), 43.0);
}

#[tokio::test]
async fn calls_are_counted_by_route_and_never_by_address() {
    let house = House::open().await;
    let id = house.hold("ann-with-a-name", "gpt-5").await;
    let path = format!("/v1/operations/{id}/release");
    let release = json!({ "account": "ann-with-a-name" });
    house.post(&path).backend().json(&release).send().await.expect(200);
    house.get(&format!("/v1/nothing/{id}")).send().await.refused(404, "not_found");
    house.get("/v1/usage").send().await.refused(401, "unauthorized");
    let odd = Method::from_bytes(b"BREW").unwrap();
    house.call(odd, "/v1/usage").send().await.refused(405, "method_not_allowed");

    let scrape = scrape(&house).await;
    for (route, method, status) in [
        ("/v1/operations", "POST", "2xx"),
        ("/v1/operations/{op_id}/release", "POST", "2xx"),
        ("none", "GET", "4xx"),
        ("/v1/usage", "GET", "4xx"),
        ("/v1/usage", "other", "4xx"),
    ] {
        let of = format!("route=\"{route}\",method=\"{method}\"");
        let series = format!("trueup_http_requests_total{{{of},status=\"{status}\"}}");
        assert_eq!(scrape.get(&series), Some(1.0), "{series}");
        let times = format!("trueup_http_request_duration_seconds_count{{{of}}}");
        assert!(scrape.get(&times).is_some(), "{times}");
    }
    let text = scrape::text(&house.base_url, API_KEY).await;
    // The one that asks.
    assert_eq!(scrape.get("trueup_http_requests_running"), Some(1.0));
    for name in ["ann-with-a-name", &id.to_string(), API_KEY] {
        assert!(!text.contains(name), "{name} stands in {text}");
    }
}

#[tokio::test]
async fn a_caller_who_leaves_is_counted_too() {
    let house = House::open().await;
    let mut stream = tokio::net::TcpStream::connect(&house.address).await.unwrap();
    let head = format!(
        "POST /v1/operations HTTP/1.1\r\nhost: trueup\r\nauthorization: Bearer {API_KEY}\r\n\
         content-type: application/json\r\ncontent-length: 100\r\n\r\n{{"
    );
    tokio::io::AsyncWriteExt::write_all(&mut stream, head.as_bytes()).await.unwrap();
    wait_for(&house, "trueup_http_requests_running", 2.0).await;
    drop(stream);
    wait_for(&house, "trueup_http_requests_running", 1.0).await;
    let scrape = scrape(&house).await;
    assert_eq!(sum(&scrape, "trueup_http_requests_total{route=\"/v1/operations\""), 1.0);
}

#[tokio::test]
async fn a_server_says_what_it_is_and_what_it_holds() {
    let house = House::open().await;
    house.get("/v1/usage").bearer(&house.token("ann")).send().await.expect(200);
    let scrape = scrape(&house).await;
    let version = env!("CARGO_PKG_VERSION");
    let build = format!("trueup_build_info{{version=\"{version}\",database=\"");
    assert_eq!(sum(&scrape, &build), 1.0);
    for pool in ["writers", "readers"] {
        assert!(
            sum(&scrape, &format!("trueup_pool_connections{{pool=\"{pool}\"")) >= 1.0,
            "{pool}"
        );
    }
    let streams = trueup_server::metrics::Present::of(&house.state.metrics.push_streams);
    assert_eq!(self::scrape(&house).await.get("trueup_push_streams"), Some(1.0));
    drop(streams);
    assert_eq!(self::scrape(&house).await.get("trueup_push_streams"), Some(0.0));
}

#[tokio::test]
async fn servers_in_one_process_do_not_mix() {
    let (house, neighbour) = (House::open().await, House::open().await);
    house.hold("ann", "gpt-5").await;
    let held = "trueup_operations_total{kind=\"hold\",outcome=\"held\"}";
    assert_eq!(scrape(&house).await.get(held), Some(1.0));
    assert_eq!(scrape(&neighbour).await.get(held), Some(0.0));
}

#[tokio::test]
async fn metrics_are_for_operators() {
    let house = House::open().await;
    house.get("/metrics").send().await.refused(401, "unauthorized");
    let browser = house.get("/metrics").bearer(&house.token("ann")).send().await;
    browser.refused(403, "forbidden");
    let reply = house.get("/metrics").backend().send().await;
    assert_eq!(reply.header("content-type"), "text/plain; version=0.0.4; charset=utf-8");
    assert_eq!(reply.status.as_u16(), 200);
}
