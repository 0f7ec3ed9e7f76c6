//! Timers, visibility, network.

use wasm_bindgen_test::wasm_bindgen_test;

use crate::kit::{
    World, app_of, clear_storage, connect_page, pause, set_clock, show_page, snapshot,
};

#[wasm_bindgen_test]
async fn figures_are_checked_regularly_and_cheaply() {
    let world = World::live_with(r#"{"pollIntervalMs":30,"baseUrl":"/usage"}"#).await;
    for (version, corrected) in [(2, ""), (3, "&corrected=other_device,")] {
        let call = world.next().await;
        assert_eq!(call.url(), format!("/usage/v1/usage?since={}{corrected}", version - 1));
        assert_eq!(call.header("if-none-match"), Some(format!("\"e1-ada-{}\"", version - 1)));
        call.reply(200, &snapshot(version, version, ""));
    }
    world.next().await.reply(304, "");
    world.next().await.reply(304, "");
    assert_eq!(world.premium("used"), "3");
}

#[wasm_bindgen_test]
async fn a_hidden_page_checks_nothing_unless_something_is_undecided() {
    let world = World::live_with(r#"{"pollIntervalMs":20}"#).await;
    show_page(false);
    pause(100).await;
    assert_eq!(world.server.count(), 0);
    world.begin();
    world.next().await.reply(304, "");
}

#[wasm_bindgen_test]
async fn a_page_that_is_shown_again_asks_at_once_when_something_awaits_its_end() {
    let world = World::live_with(r#"{"confirmDelayMs":60000}"#).await;
    let id = world.begin();
    world.client.sent(&id);
    show_page(false);
    world.client.end(&id, true);
    assert_eq!(world.server.count(), 0);
    show_page(true);
    assert_eq!(world.next().await.url(), format!("/v1/usage?since=1&ask={id}"));
}

#[wasm_bindgen_test]
async fn a_page_that_slept_asks_at_once_when_it_is_seen_again() {
    let world = World::live().await;
    show_page(false);
    // A machine that sleeps stops many a clock, but never the one on the wall.
    set_clock(3_600_000);
    assert_eq!(world.server.count(), 0);
    show_page(true);
    assert_eq!(world.next().await.url(), "/v1/usage?since=1");
}

#[wasm_bindgen_test]
async fn a_page_without_network_sends_nothing_until_it_is_back() {
    clear_storage();
    connect_page(false);
    let world = World::of(app_of("ada"), r#"{"pollIntervalMs":20}"#);
    wasm_bindgen_futures::JsFuture::from(world.client.start()).await.unwrap();
    assert_eq!(world.status(), "offline");
    pause(60).await;
    assert_eq!(world.server.count(), 0);
    connect_page(true);
    let call = world.next().await;
    assert_eq!(call.url(), "/v1/usage");
    call.reply(200, &snapshot(1, 1, ""));
    assert_eq!(world.next().await.url(), "/v1/catalog");
    assert_eq!(world.status(), "live");
}

#[wasm_bindgen_test]
async fn figures_of_a_lost_network_stay_and_are_marked() {
    let world = World::live().await;
    connect_page(false);
    assert_eq!((world.status().as_str(), world.premium("used")), ("offline", "1".into()));
    world.begin();
    assert_eq!(world.premium("used"), "2");
    connect_page(true);
    assert_eq!(world.status(), "live");
}

#[wasm_bindgen_test]
async fn a_clock_that_is_set_back_puts_no_check_off() {
    let world = World::live_with(r#"{"pollIntervalMs":30}"#).await;
    set_clock(-3_600_000);
    world.next().await.reply(304, "");
    world.next().await.reply(304, "");
    set_clock(3_600_000);
    world.next().await.reply(304, "");
    world.next().await.reply(304, "");
    assert_eq!(world.status(), "live");
}

#[wasm_bindgen_test]
async fn a_clock_that_is_set_ahead_leaves_no_timer_behind() {
    let world = World::live_with(r#"{"pollIntervalMs":3600000}"#).await;
    set_clock(7_200_000);
    // By the clock of before, the timer that is set goes off long before what is wanted now.
    let id = world.begin();
    world.client.sent(&id);
    assert_eq!(world.next().await.url(), "/v1/usage?since=1");
}
