//! What outlives a reload.

use wasm_bindgen_test::wasm_bindgen_test;

use crate::kit::{World, app_of, clear_storage, ended, snapshot, storage};

const KEY: &str = "trueup:1:ada";

#[wasm_bindgen_test]
async fn figures_and_undecided_operations_outlive_a_reload() {
    let world = World::live().await;
    let id = world.begin();
    world.client.sent(&id);
    drop(world);

    let world = World::of(app_of("ada"), "{}");
    let _ready = world.client.start();
    // Before any answer the figures are there, and the operation counts.
    world.until(|world| world.status() == "live").await;
    assert_eq!((world.premium("settled"), world.premium("pending")), ("1".into(), "1".into()));
    let mut urls = Vec::new();
    for _ in 0..2 {
        let call = world.next().await;
        urls.push(call.url());
        if call.url() != "/v1/catalog" {
            let settled = ended(&id, 2, "settled", "finished", r#"{"premium_messages":1}"#);
            call.reply(200, &snapshot(2, 2, &settled));
        }
    }
    assert!(urls.contains(&format!("/v1/usage?since=1&ask={id}")), "{urls:?}");
    world.until(|world| world.premium("settled") == "2").await;
    assert_eq!(world.premium("pending"), "0");
}

#[wasm_bindgen_test]
async fn an_operation_is_kept_before_begin_returns() {
    let world = World::live().await;
    let id = world.begin();
    let kept = storage("sessionStorage").get_item(KEY).unwrap().unwrap();
    assert!(kept.contains(&id), "{kept}");
}

#[wasm_bindgen_test]
async fn nonsense_in_the_storage_is_not_believed() {
    let world = World::live().await;
    world.begin();
    drop(world);
    let kept = storage("sessionStorage").get_item(KEY).unwrap().unwrap();
    let huge = "[".repeat(1 << 20);
    let hostile = [
        "",
        "{",
        "null",
        &kept[..kept.len() - 1],
        &kept.replace("\"used\":1", "\"used\":0"),
        &kept.replace("ada", "bob"),
        &huge,
    ];
    for text in hostile {
        storage("sessionStorage").set_item(KEY, text).unwrap();
        let world = World::of(app_of("ada"), "{}");
        let _ready = world.client.start();
        let mut urls = vec![world.next().await.url(), world.next().await.url()];
        urls.sort();
        assert_eq!(urls, ["/v1/catalog", "/v1/usage"]);
        assert_eq!(world.status(), "loading");
    }
}

#[wasm_bindgen_test]
async fn nothing_is_kept_or_read_when_the_app_does_not_want_it() {
    let world = World::live().await;
    world.begin();
    drop(world);
    let kept = storage("sessionStorage").get_item(KEY).unwrap();
    let world = World::of(app_of("ada"), r#"{"storage":false}"#);
    world.start().await;
    assert_eq!(world.premium("used"), "1");
    world.begin();
    assert_eq!(storage("sessionStorage").get_item(KEY).unwrap(), kept);
}

#[wasm_bindgen_test]
async fn a_full_storage_is_no_reason_to_stop() {
    clear_storage();
    let area = storage("sessionStorage");
    for size in [1 << 22, 1 << 20, 1 << 16, 1 << 12, 1 << 8, 1 << 4, 1] {
        let filler = "x".repeat(size);
        for at in 0.. {
            if area.set_item(&format!("{size}-{at}"), &filler).is_err() {
                break;
            }
        }
    }
    let world = World::of(app_of("ada"), "{}");
    world.start().await;
    world.begin();
    assert_eq!(world.premium("used"), "2");
    assert_eq!(area.get_item(KEY).unwrap(), None);
    clear_storage();
}
