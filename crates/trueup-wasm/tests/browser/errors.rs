//! Typed errors, and failures that pass.

use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_test::wasm_bindgen_test;

use crate::kit::{CATALOG, World, app_of, clear_storage, object, snapshot, text, token_of};

fn code_of(outcome: Result<JsValue, JsValue>) -> Option<String> {
    let error = outcome.unwrap_err();
    assert!(error.is_instance_of::<js_sys::Error>());
    assert!(text(&error, "message").is_some_and(|message| !message.is_empty()));
    text(&error, "code")
}

#[wasm_bindgen_test]
fn a_bad_configuration_is_named() {
    for (config, complaint) in [
        (JsValue::UNDEFINED, "the configuration must be an object"),
        (object(r#"{"baseUrl":7}"#), "baseUrl must be a string"),
        (object(r#"{"pollIntervalMs":0}"#), "pollIntervalMs must be 1 to 86400000 milliseconds"),
        (
            object(r#"{"anonymousLimits":{"x":-1}}"#),
            "anonymousLimits must be meters and their units",
        ),
    ] {
        let callback = js_sys::Function::new_no_args("");
        let error = trueup_wasm::Client::new(&config, callback.clone(), callback.clone(), callback)
            .err()
            .unwrap();
        assert_eq!(text(&error, "code").as_deref(), Some("invalid_config"));
        assert_eq!(text(&error, "message").as_deref(), Some(complaint));
    }
}

#[wasm_bindgen_test]
async fn what_cannot_be_begun_says_why() {
    let world = World::live().await;
    for (request, code) in [
        (r#"{"model":"gpt-99"}"#, "unknown_model"),
        (r#"{"model":"no model name"}"#, "unknown_model"),
        (r#"{"charge":{"tokens":1}}"#, "unknown_meter"),
        (r#"{"charge":{"premium_messages":0}}"#, "invalid_request"),
        (r#"{"charge":{"premium_messages":1.5}}"#, "invalid_request"),
        ("{}", "invalid_request"),
        ("null", "invalid_request"),
    ] {
        assert_eq!(
            code_of(world.client.begin(&object(request))).as_deref(),
            Some(code),
            "{request}"
        );
    }
    assert_eq!(world.premium("used"), "1");
    for _ in 0..100 {
        world.client.begin(&object(r#"{"charge":{"standard_messages":1}}"#)).unwrap();
    }
    let one_more = world.client.begin(&object(r#"{"model":"gpt-5"}"#));
    assert_eq!(code_of(one_more).as_deref(), Some("too_many_pending"));
    world.client.stop();
    let stopped = world.client.begin(&object(r#"{"model":"gpt-5"}"#));
    assert_eq!(code_of(stopped).as_deref(), Some("loading"));
}

#[wasm_bindgen_test]
async fn nothing_begins_before_it_is_known_who_is_there() {
    clear_storage();
    let world = World::of(app_of("ada"), "{}");
    let _ready = world.client.start();
    let early = world.client.begin(&object(r#"{"model":"gpt-5"}"#));
    assert_eq!(code_of(early).as_deref(), Some("loading"));
}

#[wasm_bindgen_test]
async fn a_catalog_that_did_not_come_is_fetched_again_when_a_model_is_unknown() {
    clear_storage();
    let world = World::of(app_of("ada"), "{}");
    let ready = world.client.start();
    for _ in 0..2 {
        let call = world.next().await;
        if call.url() == "/v1/catalog" {
            call.refuse(503, "unavailable", None);
        } else {
            call.reply(200, &snapshot(1, 1, ""));
        }
    }
    wasm_bindgen_futures::JsFuture::from(ready).await.unwrap();
    assert!(world.app.take_events().contains(r#""code":"unavailable""#));
    let unknown = world.client.begin(&object(r#"{"model":"gpt-5"}"#));
    assert_eq!(code_of(unknown).as_deref(), Some("unknown_model"));
    let call = world.next().await;
    assert_eq!(call.url(), "/v1/catalog");
    call.reply(200, CATALOG);
    while world.client.begin(&object(r#"{"model":"gpt-5"}"#)).is_err() {
        crate::kit::pause(1).await;
    }
    // A model that is not in it either is looked for again after a minute, not at once.
    for _ in 0..3 {
        assert!(world.client.begin(&object(r#"{"model":"gpt-99"}"#)).is_err());
    }
    crate::kit::pause(30).await;
    assert_eq!(world.server.count(), 0);
}

#[wasm_bindgen_test]
async fn a_token_that_is_over_is_replaced_by_the_next_one() {
    let world = World::live().await;
    world.client.refresh();
    let call = world.next().await;
    let first = token_of(r#"{"sub":"ada"}"#);
    assert_eq!(call.header("authorization"), Some(format!("Bearer {first}")));
    let second = token_of(r#"{"sub":"ada","jti":"2"}"#);
    world.app.sign_in(Some(&second));
    call.refuse(401, "token_expired", None);
    let call = world.next().await;
    assert_eq!(call.header("authorization"), Some(format!("Bearer {second}")));
    call.reply(304, "");
    assert!(world.app.take_events().contains(r#""type":"error","code":"token_expired""#));
    assert_eq!(world.status(), "live");
}

#[wasm_bindgen_test]
async fn a_server_that_asks_for_patience_gets_it() {
    let world = World::live().await;
    // In seconds, or until a date, which has whole seconds.
    for date in [false, true] {
        world.client.refresh();
        let call = world.next().await;
        let asked_at = js_sys::Date::now();
        let until = js_sys::Date::new(&(asked_at + 2_000.0).into()).to_utc_string();
        let wait = if date { String::from(until) } else { "1".to_owned() };
        call.refuse(503, "unavailable", Some(&wait));
        world.next().await.reply(304, "");
        assert!(js_sys::Date::now() - asked_at >= 990.0, "{wait}");
    }
}

#[wasm_bindgen_test]
async fn a_body_that_is_none_of_ours_is_a_failure_and_changes_nothing() {
    let world = World::live().await;
    for body in ["", "<html>", "{}", &snapshot(2, 2, "").replace("hard", "harder")] {
        world.client.refresh();
        world.next().await.reply(200, body);
        world.until(|world| world.app.take_events().contains("unexpected_reply")).await;
        assert_eq!(world.premium("used"), "1", "{body}");
        world.next().await.reply(304, "");
    }
}

#[wasm_bindgen_test]
async fn a_token_that_cannot_be_had_is_asked_for_again() {
    clear_storage();
    let app = app_of("ada");
    app.break_token();
    let world = World::of(app, "{}");
    let ready = world.client.start();
    world.until(|world| world.app.take_events().contains("token_failed")).await;
    world.app.sign_in(Some(&token_of(r#"{"sub":"ada"}"#)));
    for _ in 0..2 {
        let call = world.next().await;
        let body = if call.url() == "/v1/catalog" { CATALOG } else { &snapshot(1, 1, "") };
        call.reply(200, body);
    }
    wasm_bindgen_futures::JsFuture::from(ready).await.unwrap();
    world.until(|world| world.status() == "live").await;
}
