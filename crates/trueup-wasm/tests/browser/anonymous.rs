//! Nobody is signed in: everything is counted here, and nothing is sent.

use wasm_bindgen_futures::JsFuture;
use wasm_bindgen_test::wasm_bindgen_test;

use crate::kit::{
    CATALOG, World, app_of_nobody, clear_storage, get, object, pause, snapshot, storage, stringify,
    token_of,
};

const CONFIG: &str = r#"{"pollIntervalMs":10,"anonymousLimits":{"premium_messages":2},
    "anonymousCharges":{"gpt-5":{"premium_messages":1}}}"#;

async fn visitor() -> World {
    let world = World::of(app_of_nobody(), CONFIG);
    JsFuture::from(world.client.start()).await.unwrap();
    world
}

#[wasm_bindgen_test]
async fn a_visitor_is_counted_against_the_local_limit_and_nothing_is_sent() {
    clear_storage();
    let world = visitor().await;
    assert_eq!(
        stringify(&world.client.view()),
        concat!(
            r#"{"status":"anonymous","meters":{"premium_messages":{"limit":2,"used":0,"#,
            r#""settled":0,"held":0,"pending":0,"remaining":2,"enforcement":"hard","#,
            r#""resetting":false}}}"#
        )
    );
    for used in ["1", "2"] {
        let id = world.begin();
        world.client.sent(&id);
        assert_eq!((world.premium("used"), world.premium("pending")), (used.into(), "1".into()));
        world.client.end(&id, true);
        assert_eq!((world.premium("settled"), world.premium("pending")), (used.into(), "0".into()));
    }
    let begun = world.client.begin(&object(r#"{"model":"gpt-5"}"#)).unwrap();
    assert_eq!(stringify(&get(&begun, "allowed")), "false");
    world.client.refresh();
    crate::kit::show_page(false);
    crate::kit::show_page(true);
    crate::kit::connect_page(false);
    crate::kit::connect_page(true);
    pause(50).await;
    assert_eq!((world.server.count(), world.client.since_header()), (0, None));
    assert_eq!(world.app.take_events(), "[]");
}

#[wasm_bindgen_test]
async fn a_failed_message_of_a_visitor_costs_nothing() {
    clear_storage();
    let world = visitor().await;
    let id = world.begin();
    world.client.sent(&id);
    world.client.end(&id, false);
    assert_eq!(world.premium("used"), "0");
}

#[wasm_bindgen_test]
async fn what_a_visitor_used_outlives_a_reload_and_is_not_believed_when_it_is_nonsense() {
    clear_storage();
    let world = visitor().await;
    let id = world.begin();
    world.client.end(&id, true);
    drop(world);
    assert_eq!(visitor().await.premium("used"), "1");
    let kept = storage("localStorage").get_item("trueup:1:visitor").unwrap().unwrap();
    for hostile in ["", "{}", "0{}", &kept.replace('1', "2"), &"x".repeat(1 << 20)] {
        storage("localStorage").set_item("trueup:1:visitor", hostile).unwrap();
        assert_eq!(visitor().await.premium("used"), "0");
    }
}

#[wasm_bindgen_test]
async fn a_model_that_the_app_did_not_price_is_unknown() {
    clear_storage();
    let world = visitor().await;
    assert!(world.client.begin(&object(r#"{"model":"gpt-99"}"#)).is_err());
    pause(20).await;
    assert_eq!(world.server.count(), 0);
}

#[wasm_bindgen_test]
async fn signing_in_begins_anew() {
    clear_storage();
    let world = visitor().await;
    let id = world.begin();
    world.client.end(&id, true);
    world.app.sign_in(Some(&token_of(r#"{"sub":"ada"}"#)));
    let ready = world.client.session_changed();
    for _ in 0..2 {
        let call = world.next().await;
        let body = if call.url() == "/v1/catalog" { CATALOG } else { &snapshot(1, 1, "") };
        call.reply(200, body);
    }
    JsFuture::from(ready).await.unwrap();
    assert_eq!((world.status().as_str(), world.premium("limit")), ("live", "5".into()));
    world.app.sign_in(None);
    JsFuture::from(world.client.session_changed()).await.unwrap();
    assert_eq!((world.status().as_str(), world.premium("used")), ("anonymous", "1".into()));
}
