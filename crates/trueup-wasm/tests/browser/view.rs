//! What the page is shown.

use js_sys::{Function, Object};
use wasm_bindgen::JsCast;
use wasm_bindgen_test::wasm_bindgen_test;

use crate::kit::{World, app_of, clear_storage, get, snapshot, stringify, text};

#[wasm_bindgen_test]
async fn the_first_view_is_there_when_start_resolves() {
    let world = World::live().await;
    assert_eq!(world.status(), "live");
    assert_eq!(
        stringify(&world.client.view()),
        concat!(
            r#"{"status":"live","account":"ada","version":1,"meters":{"premium_messages":"#,
            r#"{"limit":5,"used":1,"settled":1,"held":0,"pending":0,"remaining":4,"#,
            r#""enforcement":"hard","resetsAt":"2026-12-01T00:00:00Z","resetting":false},"#,
            r#""standard_messages":{"limit":null,"used":0,"settled":0,"held":0,"pending":0,"#,
            r#""remaining":null,"enforcement":"soft","resetsAt":"2026-12-01T00:00:00Z","#,
            r#""resetting":false}}}"#,
        )
    );
    assert_eq!(world.client.since_header().as_deref(), Some("1"));
}

#[wasm_bindgen_test]
async fn the_view_is_frozen_and_the_same_object_until_it_changes() {
    let world = World::live().await;
    let before = world.client.view();
    assert!(Object::is(&before, &world.client.view()));
    world.client.refresh();
    world.next().await.reply(304, "");
    world.client.sent("no id at all");
    assert!(Object::is(&before, &world.client.view()));

    world.begin();
    let after = world.client.view();
    assert!(!Object::is(&before, &after));
    assert!(Object::is(&after, &world.client.view()));
    assert_eq!(stringify(&get(&before, "version")), "1");

    let meters = get(&after, "meters");
    for object in [&after, &meters, &get(&meters, "premium_messages")] {
        assert!(Object::is_frozen(object.unchecked_ref::<Object>()));
    }
}

#[wasm_bindgen_test]
async fn a_change_is_told_once_and_shown_by_then() {
    let world = World::live().await;
    let changes = world.app.changes();
    let hook = Function::new_no_args("");
    world.app.set_hook(&hook);
    world.begin();
    assert_eq!(world.app.changes(), changes + 1);
    world.client.refresh();
    world.next().await.reply(200, &snapshot(1, 1, ""));
    world.client.refresh();
    world.next().await.reply(304, "");
    assert_eq!(world.app.changes(), changes + 1);
}

#[wasm_bindgen_test]
async fn a_server_that_does_not_answer_does_not_keep_the_page_waiting() {
    clear_storage();
    let world = World::of(app_of("ada"), "{}");
    let ready = world.client.start();
    world.next().await.break_off();
    world.next().await.break_off();
    wasm_bindgen_futures::JsFuture::from(ready).await.unwrap();
    assert_eq!(world.status(), "loading");
    assert!(world.app.take_events().contains("unreachable"));
    // It goes on trying, and tells when it stops hoping.
    world.next().await.break_off();
    world.until(|world| world.status() == "offline").await;
    world.next().await.reply(200, &snapshot(1, 1, ""));
    world.until(|world| world.status() == "live").await;
}

#[wasm_bindgen_test]
async fn the_client_may_be_used_from_within_its_own_callbacks() {
    let world = std::rc::Rc::new(World::live().await);
    let within = std::rc::Rc::clone(&world);
    let seen = std::rc::Rc::new(std::cell::RefCell::new(Vec::new()));
    let log = std::rc::Rc::clone(&seen);
    let hook = wasm_bindgen::closure::Closure::<dyn Fn()>::new(move || {
        log.borrow_mut().push(within.premium("used"));
        if log.borrow().len() < 3 {
            within.begin();
        }
    });
    world.app.set_hook(hook.as_ref().unchecked_ref());
    world.begin();
    assert_eq!(*seen.borrow(), ["2", "3", "4"]);
    world.app.set_hook(&Function::new_no_args("throw new Error('a listener of the app failed')"));
    world.begin();
    assert_eq!(world.premium("used"), "5");
    world.app.set_hook(&Function::new_no_args(""));
}

#[wasm_bindgen_test]
async fn a_client_may_be_stopped_or_switched_from_within_its_callbacks() {
    let world = std::rc::Rc::new(World::live().await);
    let within = std::rc::Rc::clone(&world);
    let hook = wasm_bindgen::closure::Closure::<dyn Fn()>::new(move || {
        if within.status() == "live" {
            let _ready = within.client.session_changed();
        } else {
            within.client.stop();
        }
    });
    world.app.set_hook(hook.as_ref().unchecked_ref());
    world.begin();
    assert_eq!(world.status(), "loading");
    world.client.end("01932f5c-7d2a-7c3e-9a1b-0123456789ab", false);
    wasm_bindgen_futures::JsFuture::from(world.client.start()).await.unwrap();
    assert_eq!(world.server.count(), 0);
    world.app.set_hook(&Function::new_no_args(""));
}

#[wasm_bindgen_test]
async fn a_stopped_client_is_silent() {
    let world = World::live_with(r#"{"pollIntervalMs":20}"#).await;
    let call = world.next().await;
    world.client.stop();
    world.app.take_events();
    let changes = world.app.changes();
    call.reply(200, &snapshot(2, 2, ""));
    crate::kit::show_page(false);
    crate::kit::show_page(true);
    world.client.refresh();
    world.client.end("01932f5c-7d2a-7c3e-9a1b-0123456789ab", true);
    crate::kit::pause(100).await;
    assert_eq!((world.app.changes(), world.server.count()), (changes, 0));
    assert_eq!(world.app.take_events(), "[]");
    assert_eq!(text(&world.client.view(), "status").as_deref(), Some("live"));
}
