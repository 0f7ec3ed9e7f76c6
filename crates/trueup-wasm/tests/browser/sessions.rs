//! Whoever is there now sees nothing of whoever was there before.

use wasm_bindgen_futures::JsFuture;
use wasm_bindgen_test::wasm_bindgen_test;

use crate::kit::{CATALOG, World, ended, snapshot, snapshot_of, stringify, text, token_of};

#[wasm_bindgen_test]
async fn a_late_answer_of_the_session_before_finds_nobody() {
    let world = World::live().await;
    world.client.refresh();
    let late = world.next().await;
    world.app.sign_in(Some(&token_of(r#"{"sub":"bob"}"#)));
    let ready = world.client.session_changed();
    assert_eq!(stringify(&world.client.view()), r#"{"status":"loading","meters":{}}"#);
    late.reply(200, &snapshot(2, 4, ""));
    let mut seen = Vec::new();
    for _ in 0..2 {
        let call = world.next().await;
        seen.push(call.url());
        let body =
            if call.url() == "/v1/catalog" { CATALOG } else { &snapshot_of("bob", 7, 3, "") };
        call.reply(200, body);
    }
    assert!(seen.contains(&"/v1/usage".to_owned()));
    JsFuture::from(ready).await.unwrap();
    assert_eq!(text(&world.client.view(), "account").as_deref(), Some("bob"));
    assert_eq!(world.premium("used"), "3");
}

#[wasm_bindgen_test]
async fn the_reply_to_what_a_colleague_began_says_nothing_to_who_is_there_now() {
    let world = World::live().await;
    let adas = world.begin();
    world.client.sent(&adas);
    world.app.sign_in(Some(&token_of(r#"{"sub":"eve","acct":"ada"}"#)));
    let ready = world.client.session_changed();
    for _ in 0..2 {
        let call = world.next().await;
        let body = if call.url() == "/v1/catalog" { CATALOG } else { &snapshot(1, 1, "") };
        call.reply(200, body);
    }
    JsFuture::from(ready).await.unwrap();
    let eves = world.begin();
    world.client.sent(&eves);
    // The figures count what eve sent, and do not name it: it was made for ada.
    let charged = r#"{"premium_messages":1}"#;
    let operation = ended(&adas, 3, "settled", "finished", charged);
    let made_for_ada = snapshot(2, 3, &operation);
    world.client.receive(&adas, &made_for_ada);
    world.client.feed(&adas, format!("data: {{\"trueup\":{made_for_ada}}}\n\n").as_bytes());
    assert_eq!((world.premium("used"), world.premium("pending")), ("2".into(), "1".into()));
}

#[wasm_bindgen_test]
async fn a_change_of_identity_that_nobody_announced_is_noticed() {
    let world = World::live().await;
    world.app.sign_in(Some(&token_of(r#"{"sub":"eve","acct":"bob"}"#)));
    world.client.refresh();
    for _ in 0..2 {
        let call = world.next().await;
        let body =
            if call.url() == "/v1/catalog" { CATALOG } else { &snapshot_of("bob", 7, 3, "") };
        call.reply(200, body);
    }
    world.until(|world| text(&world.client.view(), "account").as_deref() == Some("bob")).await;
    world.app.sign_in(None);
    world.client.refresh();
    world.until(|world| world.status() == "anonymous").await;
    assert_eq!(world.server.count(), 0);
}

#[wasm_bindgen_test]
async fn the_same_visitor_with_a_new_token_goes_on() {
    let world = World::live().await;
    world.begin();
    world.app.sign_in(Some(&token_of(r#"{"sub":"ada","exp":9}"#)));
    world.client.refresh();
    let call = world.next().await;
    assert_eq!(call.header("if-none-match").as_deref(), Some("\"e1-ada-1\""));
    assert_eq!(call.url(), "/v1/usage?since=1");
    call.reply(304, "");
    assert_eq!(world.premium("used"), "2");
}

#[wasm_bindgen_test]
async fn the_tag_of_an_answer_is_given_back_for_its_own_figures_and_no_others() {
    let world = World::live().await;
    let id = world.begin();
    world.client.sent(&id);
    let tag_sent = async || {
        world.client.refresh();
        let call = world.next().await;
        (call.header("if-none-match"), call)
    };
    let (tag, call) = tag_sent().await;
    assert_eq!(tag.as_deref(), Some("\"e1-ada-1\""));
    // It begins where the figures held do not reach, so they stay, and its tag is not theirs.
    call.reply(200, &snapshot(3, 3, ""));
    let call = world.next().await;
    assert_eq!((call.url(), call.header("if-none-match")), ("/v1/usage?since=1".into(), None));
    call.reply(200, &snapshot(2, 2, ""));
    world.until(|world| world.premium("settled") == "2").await;
    let (tag, call) = tag_sent().await;
    assert_eq!(tag.as_deref(), Some("\"e1-ada-2\""));
    call.reply(304, "");
    // Figures that came with a chat have no tag.
    world.client.receive(&id, &snapshot(3, 3, ""));
    assert_eq!(world.premium("settled"), "3");
    assert_eq!(tag_sent().await.0, None);
}

#[wasm_bindgen_test]
async fn an_opaque_token_names_nobody_and_the_snapshot_does() {
    crate::kit::clear_storage();
    let app = crate::kit::app_of("ada");
    app.sign_in(Some("opaque"));
    let world = World::of(app, "{}");
    world.start().await;
    assert_eq!(text(&world.client.view(), "account").as_deref(), Some("ada"));
}
