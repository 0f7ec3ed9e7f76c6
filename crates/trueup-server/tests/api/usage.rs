//! `GET /v1/usage`.

use serde_json::{Value, json};

use crate::house::{House, figures};

#[tokio::test]
async fn an_account_appears_on_its_first_use_with_the_default_plan() {
    let house = House::open().await;
    let usage = house.get("/v1/usage").bearer(&house.token("ann")).send().await;
    assert_eq!(usage.header("cache-control"), "private, no-cache");
    assert_eq!(usage.header("vary"), "Authorization");
    let tag = usage.header("etag").to_owned();
    let body = usage.expect(200);
    assert_eq!(body["account"], "ann");
    assert_eq!(body["as_of"], "2026-11-24T03:00:00Z");
    assert_eq!(body["since"], body["version"]);
    assert_eq!(body["reset"], false);
    let epoch = body["epoch"].as_str().unwrap();
    assert!(tag.starts_with(&format!("\"{epoch}-")), "{tag}");
    assert!(tag.ends_with(&format!("-{}\"", body["version"])), "{tag}");
    assert_eq!(figures(&body, "premium_messages"), (0, 0, Some(2)));
    assert_eq!(
        body["meters"]["standard_messages"],
        json!({
            "limit": 50, "used": 0, "held": 0, "enforcement": "soft",
            "window": { "start": "2026-11-24T00:00:00Z", "end": "2026-11-25T00:00:00Z" },
        })
    );
}

#[tokio::test]
async fn a_poll_that_finds_nothing_new_costs_no_body() {
    let house = House::open().await;
    let token = house.token("ann");
    let poll = |tag: String| {
        let call = house.get("/v1/usage").bearer(&token).header("if-none-match", &tag);
        async move { call.send().await }
    };
    let first = house.get("/v1/usage").bearer(&token).send().await;
    let tag = first.header("etag").to_owned();

    let second = poll(tag.clone()).await;
    assert_eq!((second.status.as_u16(), second.text.as_str()), (304, ""));
    assert_eq!(second.header("etag"), tag);
    assert_eq!(second.header("cache-control"), "private, no-cache");
    assert_eq!(poll(format!("W/{tag}, \"x\"")).await.status.as_u16(), 304);
    // A client that knows whose snapshot it has names only its epoch and version.
    let body: Value = serde_json::from_str(&first.text).unwrap();
    let bare_tag = format!("\"{}-{}\"", body["epoch"].as_str().unwrap(), body["version"]);
    assert_eq!(poll(bare_tag).await.status.as_u16(), 304);

    house.hold("ann", "gpt-5").await;
    let third = poll(tag).await;
    assert_ne!(third.header("etag"), first.header("etag"));
    assert_eq!(figures(&third.expect(200), "premium_messages"), (0, 1, Some(2)));
}

#[tokio::test]
async fn what_one_reader_keeps_is_never_confirmed_to_another() {
    let house = House::open().await;
    let readers = [house.token("ann"), house.token("bob"), house.token_of("ann", "eve")];
    let ann = house.get("/v1/usage").bearer(&readers[0]).send().await;
    for reader in &readers[1..] {
        // As the cache of a browser does that somebody else signed in to.
        let call =
            house.get("/v1/usage").bearer(reader).header("if-none-match", ann.header("etag"));
        let call = call.send().await;
        assert_ne!(call.header("etag"), ann.header("etag"));
        // All of them are at the same version.
        assert_eq!(call.expect(200)["version"], 2);
    }
}

#[tokio::test]
async fn a_version_brings_what_happened_since() {
    let house = House::open().await;
    let token = house.token("ann");
    let before = house.get("/v1/usage").bearer(&token).send().await.expect(200);
    let id = house.hold("ann", "gpt-5").await;
    let path = format!("/v1/usage?since={}", before["version"]);
    let after = house.get(&path).bearer(&token).send().await.expect(200);
    assert_eq!(after["since"], before["version"]);
    let [operation] = &after["operations"].as_array().unwrap()[..] else { panic!("{after}") };
    assert_eq!(operation["id"], id.to_string());
    assert_eq!(operation["state"], "held");
    assert_eq!(operation["held"], json!({ "premium_messages": 1 }));

    // From a version that does not exist yet, nothing can be told.
    let ahead = house.get("/v1/usage?since=999").bearer(&token).send().await.expect(200);
    assert_eq!((&ahead["reset"], &ahead["since"]), (&json!(true), &ahead["version"]));
}

#[tokio::test]
async fn who_asks_by_id_is_answered_also_when_nothing_changed() {
    let house = House::open().await;
    let token = house.token("ann");
    let (known, unknown) = (house.hold("ann", "gpt-5").await, house.new_id());
    let first = house.get("/v1/usage").bearer(&token).send().await;
    let path = format!("/v1/usage?ask={known},{unknown}");
    let asked = house.get(&path).bearer(&token).header("if-none-match", first.header("etag"));
    let asked = asked.send().await.expect(200);
    let ids: Vec<_> = asked["operations"].as_array().unwrap().iter().map(|it| &it["id"]).collect();
    assert_eq!(ids, [&json!(known.to_string())]);
}

#[tokio::test]
async fn nobody_sees_another_account_or_another_actors_operations() {
    let house = House::open().await;
    let id = house.hold("ann", "gpt-5").await;
    let path = format!("/v1/usage?since=0&ask={id}");

    let bob = house.get(&path).bearer(&house.token("bob")).send().await.expect(200);
    assert_eq!(bob["account"], "bob");
    assert_eq!(bob["operations"], json!([]));
    assert_eq!(figures(&bob, "premium_messages"), (0, 0, Some(2)));

    // A member sees the account's figures, and what others did as a sum.
    let member = house.token_of("ann", "eve");
    let member = house.get(&path).bearer(&member).send().await.expect(200);
    assert_eq!(member["operations"], json!([]));
    assert_eq!(figures(&member, "premium_messages"), (0, 1, Some(2)));
    let others: Vec<&Value> = member["changes"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|change| change["cause"] == "other_device")
        .collect();
    assert_eq!(others.len(), 1, "{member}");
    assert_eq!((&others[0]["meter"], &others[0]["units"]), (&json!("premium_messages"), &json!(1)));
}

#[tokio::test]
async fn a_window_that_ended_is_never_shown() {
    let house = House::open().await;
    let token = house.token("ann");
    let id = house.hold("ann", "gpt-5-mini").await;
    let body = json!({ "account": "ann", "model": "gpt-5-mini" });
    let path = format!("/v1/operations/{id}/settle");
    house.post(&path).backend().json(&body).send().await.expect(200);
    let today = house.get("/v1/usage").bearer(&token).send().await;
    let tag = today.header("etag").to_owned();
    assert_eq!(figures(&today.expect(200), "standard_messages"), (1, 0, Some(50)));

    house.wait_ms(24 * 3_600_000);
    let token = house.token("ann");
    let tomorrow = house.get("/v1/usage").bearer(&token).header("if-none-match", &tag);
    let tomorrow = tomorrow.send().await.expect(200);
    assert_eq!(figures(&tomorrow, "standard_messages"), (0, 0, Some(50)));
    let start = &tomorrow["meters"]["standard_messages"]["window"]["start"];
    assert_eq!(start, "2026-11-25T00:00:00Z");
}

#[tokio::test]
async fn a_backend_looks_at_any_account_as_any_actor() {
    let house = House::open().await;
    let id = house.hold("ann", "gpt-5").await;
    let look = |actor: Option<&str>| {
        let path = format!("/v1/usage?ask={id}");
        let call = house.get(&path).backend().header("trueup-account", "ann");
        let call = match actor {
            Some(actor) => call.header("trueup-actor", actor),
            None => call,
        };
        async move { call.send().await.expect(200)["operations"].as_array().unwrap().len() }
    };
    assert_eq!((look(None).await, look(Some("ann")).await, look(Some("eve")).await), (1, 1, 0));
    house.get("/v1/usage").backend().send().await.refused(400, "account_missing");
    // A header that a caller's own caller sent along is not mistaken for the caller's.
    let two = house.get("/v1/usage").backend();
    let two = two.header("trueup-account", "ann").header("trueup-account", "bob").send().await;
    assert_eq!(two.refused(400, "invalid_value")["error"]["param"], "trueup-account");
}
