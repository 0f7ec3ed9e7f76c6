//! What the server pushes, and what it is told of corrections.

use wasm_bindgen_test::wasm_bindgen_test;

use crate::kit::{World, app_of, clear_storage, ended, snapshot, token_of};

const PUSHED: &str = "";

fn event(snapshot: &str) -> String {
    format!("event: usage\nid: 2\ndata: {}\n\n", snapshot.replace('\n', " "))
}

#[wasm_bindgen_test]
async fn a_pushed_snapshot_is_shown_however_it_arrives() {
    for size in [1, 7, 10_000] {
        let world = World::live().await;
        let stream = format!("retry: 500\n\n:\n\n{}", event(&snapshot(2, 3, "")));
        for part in stream.as_bytes().chunks(size) {
            world.client.feed(PUSHED, part);
        }
        assert_eq!(world.premium("used"), "3", "parts of {size}");
        assert_eq!(world.server.count(), 0, "nothing is asked");
    }
}

#[wasm_bindgen_test]
async fn a_pushed_outcome_decides_an_operation() {
    let world = World::live().await;
    let id = world.begin();
    world.client.sent(&id);
    let settled = ended(&id, 2, "settled", "finished", r#"{"premium_messages":1}"#);
    world.client.feed(PUSHED, event(&snapshot(2, 2, &settled)).as_bytes());
    assert_eq!((world.premium("settled"), world.premium("pending")), ("2".into(), "0".into()));
}

#[wasm_bindgen_test]
async fn what_a_broken_stream_began_does_not_spoil_the_next_one() {
    let world = World::live().await;
    world.client.feed(PUSHED, b"data: {\"epoch\":\"e1\",\"ver");
    world.client.end(PUSHED, false);
    world.client.feed(PUSHED, event(&snapshot(2, 3, "")).as_bytes());
    assert_eq!(world.premium("used"), "3");
}

#[wasm_bindgen_test]
async fn a_pushed_snapshot_across_a_gap_is_fetched_and_not_taken() {
    let world = World::live().await;
    world.client.feed(PUSHED, event(&snapshot(5, 4, "")).as_bytes());
    assert_eq!(world.premium("used"), "1");
    assert!(world.next().await.url().ends_with("/v1/usage?since=1"));
}

#[wasm_bindgen_test]
async fn a_token_is_known_to_speak_for_who_is_there() {
    clear_storage();
    let ada = token_of(r#"{"sub":"ada"}"#);
    let world = World::of(app_of("ada"), "{}");
    assert!(!world.client.is_for(&ada), "nobody is known yet");
    world.start().await;
    assert!(world.client.is_for(&ada));
    for other in [r#"{"sub":"bob"}"#, r#"{"sub":"bob","acct":"ada"}"#, "{}"] {
        assert!(!world.client.is_for(&token_of(other)), "{other}");
    }
    world.client.stop();
    assert!(!world.client.is_for(&ada));
}

#[wasm_bindgen_test]
async fn corrections_are_reported_with_the_next_question_and_once() {
    let world = World::live().await;
    for version in 2..4 {
        let id = world.begin();
        world.client.sent(&id);
        let charged = r#"{"standard_messages":1}"#;
        let fallen_back = ended(&id, version, "settled", "fallback", charged);
        world.client.receive(&id, &snapshot(version, 1, &fallen_back));
    }
    world.client.refresh();
    let call = world.next().await;
    assert!(
        call.url().ends_with("/v1/usage?since=3&corrected=fallback,fallback,"),
        "{}",
        call.url()
    );
    call.reply(304, "");
    world.until(|world| world.status() == "live").await;
    world.client.refresh();
    let call = world.next().await;
    assert!(call.url().ends_with("/v1/usage?since=3"), "{}", call.url());
}
