//! Operations from begin to end.

use wasm_bindgen_test::wasm_bindgen_test;

use crate::kit::{
    World, app_of_nobody, ended, get, object, set_clock, snapshot, storage, stringify, text,
};

const SETTLED: &str = r#"{"premium_messages":1}"#;

#[wasm_bindgen_test]
async fn an_operation_counts_from_begin_on() {
    let world = World::live().await;
    let begun = world.client.begin(&object(r#"{"model":"gpt-5"}"#)).unwrap();
    let id = text(&begun, "id").unwrap();
    assert_eq!((id.len(), id.as_bytes()[14]), (36, b'7'));
    assert_eq!(stringify(&get(&begun, "allowed")), "true");
    assert_eq!(stringify(&get(&begun, "predicted")), SETTLED);
    assert!(get(&begun, "refusal").is_undefined());
    assert_eq!((world.premium("used"), world.premium("pending")), ("2".into(), "1".into()));
    assert_eq!(world.premium("remaining"), "3");
}

#[wasm_bindgen_test]
async fn an_operation_without_room_is_expected_to_be_refused_and_counts_nothing() {
    let world = World::live().await;
    let begun = world.client.begin(&object(r#"{"charge":{"premium_messages":5}}"#)).unwrap();
    assert_eq!(stringify(&get(&begun, "allowed")), "false");
    assert_eq!(stringify(&get(&begun, "predicted")), "{}");
    assert_eq!(
        stringify(&get(&begun, "refusal")),
        concat!(
            r#"{"meter":"premium_messages","asked":5,"remaining":4,"#,
            r#""resetsAt":"2026-12-01T00:00:00Z"}"#
        )
    );
    assert_eq!(world.premium("used"), "1");
}

#[wasm_bindgen_test]
async fn an_operation_without_room_that_the_app_gives_up_leaves_nothing_behind() {
    let world = World::live().await;
    let begun = world.client.begin(&object(r#"{"charge":{"premium_messages":5}}"#)).unwrap();
    let id = text(&begun, "id").unwrap();
    world.client.end(&id, false);
    assert_eq!((world.premium("used"), world.premium("pending")), ("1".into(), "0".into()));
    assert_eq!((world.server.count(), world.app.take_events()), (0, "[]".into()));
    let kept = storage("sessionStorage").get_item("trueup:1:ada").unwrap().unwrap();
    assert!(!kept.contains(&id), "{kept}");
}

#[wasm_bindgen_test]
async fn an_operation_is_dated_by_the_server_however_wrong_the_clock_of_the_page_is() {
    let as_of = js_sys::Date::parse("2026-11-24T03:00:00Z");
    for ahead_ms in [0, 3_600_000, -691_200_000] {
        set_clock(ahead_ms);
        let since = js_sys::Date::now();
        let world = World::live().await;
        for back_ms in [0, 7_200_000] {
            set_clock(ahead_ms - back_ms);
            let dated = dated(&world.begin());
            set_clock(ahead_ms);
            let elapsed = js_sys::Date::now() - since;
            assert!((as_of..=as_of + elapsed).contains(&dated), "{ahead_ms} {back_ms}: {dated}");
        }
    }
}

#[wasm_bindgen_test]
async fn an_operation_that_no_server_has_to_take_is_dated_by_the_wall() {
    let world = World::of(app_of_nobody(), r#"{"anonymousLimits":{"premium_messages":5}}"#);
    wasm_bindgen_futures::JsFuture::from(world.client.start()).await.unwrap();
    for ahead_ms in [0, 7_200_000] {
        set_clock(ahead_ms);
        let before = js_sys::Date::now();
        let begun = world.client.begin(&object(r#"{"charge":{"premium_messages":1}}"#)).unwrap();
        let dated = dated(&text(&begun, "id").unwrap());
        assert!((before..=js_sys::Date::now()).contains(&dated), "{ahead_ms}: {dated}");
    }
}

/// When an operation was made, by its id.
fn dated(id: &str) -> f64 {
    let millis = u64::from_str_radix(&id.replace('-', "")[..12], 16).unwrap();
    #[expect(clippy::cast_precision_loss, reason = "48 bits")]
    let millis = millis as f64;
    millis
}

#[wasm_bindgen_test]
async fn the_snapshot_at_the_end_of_a_stream_is_found_wherever_the_stream_is_cut() {
    let cuts = [1, 2, 3, 5, 7, 11, 64, 4096];
    for size in cuts {
        for end in ["\n", "\r\n"] {
            let world = World::live().await;
            let id = world.begin();
            world.client.sent(&id);
            let operation = ended(&id, 2, "settled", "finished", SETTLED);
            let last = snapshot(2, 2, &operation).replace('\n', " ");
            let stream = [
                r#"data: {"choices":[{"delta":{"content":"say \"trueup\""}}]}"#.to_owned(),
                String::new(),
                format!(r#"data: {{"choices":[],"usage":{{"total_tokens":3}},"trueup":{last}}}"#),
                String::new(),
                "data: [DONE]".to_owned(),
                String::new(),
                String::new(),
            ]
            .join(end);
            for part in stream.as_bytes().chunks(size) {
                world.client.feed(&id, part);
            }
            world.client.end(&id, true);
            assert_eq!(world.premium("settled"), "2", "parts of {size}");
            assert_eq!(world.premium("pending"), "0", "parts of {size}");
            assert_eq!(
                world.app.take_events(),
                format!(
                    r#"[{{"type":"decided","opId":"{id}","state":"settled","cause":"finished"}}]"#
                )
            );
        }
    }
}

#[wasm_bindgen_test]
async fn a_fallback_is_told_as_a_correction_with_its_sentence() {
    let world = World::live().await;
    let id = world.begin();
    world.client.sent(&id);
    let operation = ended(&id, 2, "settled", "fallback", r#"{"standard_messages":1}"#);
    let body = snapshot(2, 1, &operation).replacen(
        r#""limit":null,"used":0"#,
        r#""limit":null,"used":1"#,
        1,
    );
    world.client.receive(&id, &format!(r#"{{"choices":[],"trueup":{body}}}"#));
    world.client.end(&id, true);
    assert_eq!((world.premium("used"), world.premium("remaining")), ("1".into(), "4".into()));
    let events = js_sys::Array::from(&object(&world.app.take_events()));
    let correction = events.get(0);
    assert_eq!(text(&correction, "type").as_deref(), Some("correction"));
    assert_eq!(text(&correction, "cause").as_deref(), Some("fallback"));
    assert_eq!(text(&correction, "opId"), Some(id));
    assert_eq!(text(&correction, "meter").as_deref(), Some("premium_messages"));
    assert_eq!(
        text(&correction, "text").as_deref(),
        Some("Answered by a standard model: your premium message was returned.")
    );
    let figures =
        |used, remaining| format!(r#"{{"used":{used},"limit":5,"remaining":{remaining}}}"#);
    assert_eq!(stringify(&get(&correction, "before")), figures(2, 3));
    assert_eq!(stringify(&get(&correction, "after")), figures(1, 4));
    assert_eq!(js_sys::Array::from(&get(&correction, "movements")).length(), 2);
    assert_eq!(text(&events.get(1), "type").as_deref(), Some("decided"));
}

#[wasm_bindgen_test]
async fn an_error_reply_tells_where_the_operation_stands() {
    let world = World::live().await;
    let id = world.begin();
    world.client.sent(&id);
    let refused = ended(&id, 2, "refused", "limit_reached", "{}");
    let error = r#"{"error":{"code":"usage_limit_exceeded"},"usage":"#.to_owned();
    world.client.receive(&id, &(error + &snapshot(2, 5, &refused) + "}"));
    world.client.end(&id, false);
    assert_eq!((world.premium("used"), world.premium("pending")), ("5".into(), "0".into()));
    assert!(world.app.take_events().contains(r#""state":"refused","cause":"limit_reached""#));
}

#[wasm_bindgen_test]
async fn a_reply_without_a_snapshot_is_asked_for_after_a_moment() {
    let world = World::live_with(r#"{"confirmDelayMs":20}"#).await;
    let id = world.begin();
    world.client.sent(&id);
    world.client.end(&id, true);
    assert_eq!(world.premium("pending"), "1");
    let call = world.next().await;
    assert_eq!(call.url(), format!("/v1/usage?since=1&ask={id}"));
    assert_eq!(call.header("if-none-match"), None);
    let held = format!(
        r#"{{"id":"{id}","version":2,"state":"held","cause":"admitted",
        "requested":{SETTLED},"held":{SETTLED}}}"#
    );
    call.reply(200, &snapshot(2, 1, &held).replacen(r#""held":0"#, r#""held":1"#, 1));
    // Still running there: it is asked for until it has ended.
    let call = world.next().await;
    assert_eq!((world.premium("held"), world.premium("pending")), ("1".into(), "0".into()));
    assert_eq!(call.url(), format!("/v1/usage?since=2&ask={id}"));
    call.reply(200, &snapshot(3, 2, &ended(&id, 3, "settled", "finished", SETTLED)));
    world.until(|world| world.premium("settled") == "2").await;
}

#[wasm_bindgen_test]
async fn a_broken_operation_that_the_server_does_not_know_is_fenced() {
    let world = World::live().await;
    let id = world.begin();
    world.client.sent(&id);
    world.client.end(&id, false);
    let call = world.next().await;
    assert_eq!(call.url(), format!("/v1/usage?since=1&ask={id}"));
    assert_eq!((call.method(), call.body()), ("GET".into(), None));
    call.reply(200, &snapshot(2, 1, ""));
    let call = world.next().await;
    assert_eq!(call.url(), format!("/v1/operations/{id}/fence"));
    assert_eq!((call.method(), call.body()), ("POST".into(), Some(r#"{"since":2}"#.into())));
    assert_eq!(call.header("content-type").as_deref(), Some("application/json"));
    assert_eq!(world.premium("pending"), "1");
    call.reply(200, &snapshot(3, 1, &ended(&id, 3, "fenced", "never_arrived", "{}")));
    world.until(|world| world.premium("pending") == "0").await;
    world.until(|world| world.app.take_events().contains(r#""state":"fenced""#)).await;
}

#[wasm_bindgen_test]
async fn a_fence_that_finds_its_operation_running_is_an_answer() {
    let world = World::live().await;
    let (id, call) = fence_under_way(&world).await;
    let held = format!(
        r#"{{"id":"{id}","version":3,"state":"held","cause":"admitted",
        "requested":{SETTLED},"held":{SETTLED}}}"#
    );
    let usage = snapshot(3, 1, &held).replacen(r#""held":0"#, r#""held":1"#, 1);
    call.reply(409, &format!(r#"{{"error":{{"code":"op_held"}},"usage":{usage}}}"#));
    world.until(|world| world.premium("held") == "1").await;
    assert_eq!(world.premium("pending"), "0");
    assert_eq!(world.app.take_events(), "[]");
}

#[wasm_bindgen_test]
async fn a_fence_that_is_refused_for_ever_ends_the_operation() {
    for (status, code) in
        [(400, "operation_too_old"), (400, "invalid_operation_id"), (409, "op_conflict")]
    {
        let world = World::live().await;
        let (id, call) = fence_under_way(&world).await;
        call.refuse(status, code, None);
        world.until(|world| world.premium("pending") == "0").await;
        let told = format!(
            r#"{{"type":"decided","opId":"{id}","state":"fenced","cause":"never_arrived"}}"#
        );
        let mut events = String::new();
        while !events.contains(&told) {
            events += &world.app.take_events();
        }
    }
}

#[wasm_bindgen_test]
async fn a_fence_that_fails_leaves_its_operation_in_doubt() {
    let world = World::live().await;
    let (id, call) = fence_under_way(&world).await;
    call.refuse(503, "store_failed", None);
    // It may have been carried out all the same.
    let call = world.next().await;
    assert_eq!(call.url(), format!("/v1/usage?since=2&ask={id}"));
    assert_eq!(world.premium("pending"), "1");
    assert!(world.app.take_events().contains(r#""type":"error","code":"store_failed""#));
}

async fn fence_under_way(world: &World) -> (String, crate::kit::Call) {
    let id = world.begin();
    world.client.sent(&id);
    world.client.end(&id, false);
    world.next().await.reply(200, &snapshot(2, 1, ""));
    let call = world.next().await;
    assert_eq!(call.url(), format!("/v1/operations/{id}/fence"));
    (id, call)
}

#[wasm_bindgen_test]
async fn an_operation_that_never_left_is_forgotten_without_asking() {
    let world = World::live().await;
    let id = world.begin();
    world.client.end(&id, false);
    assert_eq!((world.premium("used"), world.server.count()), ("1".into(), 0));
}
