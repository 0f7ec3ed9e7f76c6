//! How chats end, as operators see it.

use std::sync::Arc;

use trueup_core::OperationId;

use crate::client::Reading;
use crate::house::{API_KEY, House};
use crate::scrape::{self, Scrape};
use crate::upstream::whole;

/// Each end and how often it is expected, all others never.
async fn expect(house: &Arc<House>, ends: &[(&str, f64)]) {
    house.quiet().await;
    let scrape = Scrape::read(&scrape::text(&house.base_url, API_KEY).await);
    for end in [
        "settled",
        "aborted_charged",
        "aborted",
        "failed_before_token",
        "failed_after_token",
        "shutdown",
        "refused",
        "replayed",
    ] {
        let expected = ends.iter().find(|(name, _)| *name == end).map_or(0.0, |(_, count)| *count);
        let series = format!("trueup_chats_total{{end=\"{end}\"}}");
        assert_eq!(scrape.get(&series), Some(expected), "{end}");
    }
    assert_eq!(scrape.get("trueup_chats_running"), Some(0.0));
}

async fn expect_series(house: &House, series: &str, value: f64) {
    let scrape = Scrape::read(&scrape::text(&house.base_url, API_KEY).await);
    assert_eq!(scrape.get(series), Some(value), "{series}");
}

async fn finish(house: &Arc<House>, operation: OperationId) {
    let sent = house.stream().operation(operation).conversation("talk").send();
    let talk = house.upstream.call().await.talk();
    talk.token("Hi").await;
    expect_series(house, "trueup_chats_running", 1.0).await;
    talk.finish().await;
    Reading::of(sent.await.unwrap()).until_last_chunk().await;
}

#[tokio::test]
async fn chats_are_counted_by_their_ends() {
    let house = House::open().await;
    let first = house.new_operation();
    finish(&house, first).await;
    expect(&house, &[("settled", 1.0)]).await;
    house.stream().operation(first).conversation("talk").send().await.unwrap();
    expect(&house, &[("settled", 1.0), ("replayed", 1.0)]).await;

    let sent = house.stream().send();
    for _ in 0..3 {
        house.upstream.call().await.answer(500, "{}");
    }
    assert_eq!(sent.await.unwrap().status().as_u16(), 502);
    let so_far = [("settled", 1.0), ("replayed", 1.0), ("failed_before_token", 1.0)];
    expect(&house, &so_far).await;

    finish(&house, house.new_operation()).await;
    assert_eq!(house.whole().send().await.unwrap().status().as_u16(), 402);
    let all = [("settled", 2.0), ("replayed", 1.0), ("failed_before_token", 1.0), ("refused", 1.0)];
    expect(&house, &all).await;
    expect_series(&house, "trueup_chat_first_token_seconds_count", 2.0).await;
    expect_series(&house, "trueup_chat_fallbacks_total", 0.0).await;
}

#[tokio::test]
async fn a_model_that_breaks_and_a_client_that_leaves_are_counted() {
    let house = House::open().await;
    let sent = house.stream().send();
    let talk = house.upstream.call().await.talk();
    talk.token("Hi").await;
    let reading = Reading::of(sent.await.unwrap());
    talk.cut().await;
    reading.rest().await;
    expect(&house, &[("failed_after_token", 1.0)]).await;

    let sent = house.stream().send();
    let talk = house.upstream.call().await.talk();
    talk.token("Hi").await;
    let mut reading = Reading::of(sent.await.unwrap());
    reading.next().await.unwrap();
    drop(reading);
    talk.abandoned().await;
    expect(&house, &[("failed_after_token", 1.0), ("aborted_charged", 1.0)]).await;

    let sent = house.stream().send();
    let call = house.upstream.call().await;
    sent.abort();
    call.abandoned().await;
    let all = [("failed_after_token", 1.0), ("aborted_charged", 1.0), ("aborted", 1.0)];
    expect(&house, &all).await;
}

#[tokio::test]
async fn an_answer_of_another_model_is_counted_as_a_fallback() {
    let house = House::open().await;
    let sent = house.whole().send();
    house.upstream.call().await.answer(500, "{}");
    house.upstream.call().await.answer(200, &whole("Hi"));
    assert_eq!(sent.await.unwrap().status().as_u16(), 200);
    expect(&house, &[("settled", 1.0)]).await;
    expect_series(&house, "trueup_chat_fallbacks_total", 1.0).await;
    let rehold = "trueup_operations_total{kind=\"rehold\",outcome=\"held\"}";
    expect_series(&house, rehold, 1.0).await;
}
