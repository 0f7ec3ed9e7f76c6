//! Polls with an `If-None-Match`: a 304 says that nothing has changed, whoever might have changed
//! it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use serde_json::{Value, json};
use trueup_server::store::Store;

use crate::dice::Dice;
use crate::house::{House, SETTINGS, figures};

/// Reads the snapshot, and again with its tag until that costs no body: then it is known here.
async fn settled_tag(house: &House, account: &str) -> String {
    let token = house.token(account);
    let first = house.get("/v1/usage").bearer(&token).send().await;
    let tag = first.header("etag").to_owned();
    assert_eq!(status(house, account, &tag).await, 304);
    tag
}

async fn status(house: &House, account: &str, tag: &str) -> u16 {
    let token = house.token(account);
    let poll = house.get("/v1/usage").bearer(&token).header("if-none-match", tag);
    poll.send().await.status.as_u16()
}

async fn put_terms(house: &House, account: &str, terms: &Value) {
    let path = format!("/v1/accounts/{account}");
    house.put(&path).backend().json(terms).send().await.expect(200);
}

#[tokio::test]
async fn what_another_server_changes_is_seen_by_the_next_poll() {
    let house = House::open().await;
    let other = house.beside(SETTINGS).await;
    let mut tag = settled_tag(&house, "ann").await;
    for _ in 0..2 {
        other.hold("ann", "gpt-5-mini").await;
        assert_eq!(status(&house, "ann", &tag).await, 200);
        tag = settled_tag(&house, "ann").await;
        assert_eq!(status(&other, "ann", &tag).await, 304);
    }
    // Another account's change is none of hers.
    other.hold("bob", "gpt-5-mini").await;
    assert_eq!(status(&house, "ann", &tag).await, 304);
}

#[tokio::test]
async fn a_poll_sees_a_window_end_to_the_millisecond() {
    let house = House::open().await;
    let tag = settled_tag(&house, "ann").await;
    // It is three in the morning, and the day ends at midnight.
    house.wait_ms(21 * 3_600_000 - 1);
    assert_eq!(status(&house, "ann", &tag).await, 304);
    house.wait_ms(1);
    assert_eq!(status(&house, "ann", &tag).await, 200);
    let tag = settled_tag(&house, "ann").await;
    // A clock that is set back shows nothing that was over, and takes nothing back.
    house.wait_ms(-1);
    assert_eq!(status(&house, "ann", &tag).await, 304);
}

#[tokio::test]
async fn a_poll_sees_that_an_accounts_own_terms_were_replaced() {
    let house = House::open().await;
    let other = house.beside(SETTINGS).await;
    let tag = settled_tag(&house, "ann").await;
    // It is the same day in London, so nothing is to be written yet.
    put_terms(&other, "ann", &json!({ "time_zone": "Europe/London" })).await;
    assert_eq!(status(&house, "ann", &tag).await, 304);
    // In Tokyo the day has another end.
    put_terms(&other, "ann", &json!({ "time_zone": "Asia/Tokyo" })).await;
    assert_eq!(status(&house, "ann", &tag).await, 200);
    let tag = settled_tag(&house, "ann").await;
    put_terms(&other, "ann", &json!({ "time_zone": "Asia/Tokyo", "plan": "pro" })).await;
    assert_eq!(status(&house, "ann", &tag).await, 200);
}

#[tokio::test]
async fn a_poll_sees_that_the_settings_have_changed() {
    let house = House::open().await;
    let tag = settled_tag(&house, "ann").await;
    let raised = SETTINGS.replace("{ limit = 2, window", "{ limit = 3, window");
    let later = house.beside(&raised).await;
    house.ask_to_stop();
    house.stopped().await;
    let token = later.token("ann");
    let poll = later.get("/v1/usage").bearer(&token).header("if-none-match", &tag);
    assert_eq!(figures(&poll.send().await.expect(200), "premium_messages"), (0, 0, Some(3)));
}

#[tokio::test]
async fn a_poll_sees_that_the_database_was_restored() {
    let house = House::open().await;
    let tag = settled_tag(&house, "ann").await;
    let mut store = Store::open(house.database_url(), 1, house.clock.now()).await.unwrap();
    store.renew_epoch(house.clock.now()).await.unwrap();
    store.close().await;
    let later = house.beside(SETTINGS).await;
    // The versions are the same; the history is not.
    assert_eq!(status(&later, "ann", &tag).await, 200);
}

#[tokio::test]
async fn a_poll_sees_that_the_file_is_gone() {
    let house = House::on_file().await;
    let tag = settled_tag(&house, "ann").await;
    let (file, aside) = (house.database(), house.database().with_extension("aside"));
    std::fs::rename(&file, &aside).unwrap();
    let poll = house.get("/v1/usage").bearer(&house.token("ann")).header("if-none-match", &tag);
    poll.send().await.refused(503, "store_failed");
    std::fs::copy(&aside, &file).unwrap();
    let poll = house.get("/v1/usage").bearer(&house.token("ann")).header("if-none-match", &tag);
    poll.send().await.refused(503, "store_failed");
    std::fs::rename(&aside, &file).unwrap();
    assert_eq!(status(&house, "ann", &tag).await, 304);
}

/// So many change an account, and so many poll each of the two servers meanwhile.
const WRITERS: usize = 2;
const READERS: usize = 6;
const CHANGES: usize = 40;

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn no_poll_in_a_storm_confirms_what_was_already_changed() {
    let house = Arc::new(House::open().await);
    let other = Arc::new(house.beside(SETTINGS).await);
    settled_tag(&house, "ann").await;
    // The newest version that anybody was told.
    let told = Arc::new(AtomicU64::new(0));
    let done = Arc::new(AtomicU64::new(0));
    let mut tasks = Vec::new();
    for number in 0..WRITERS {
        let house = Arc::clone(if number % 2 == 0 { &house } else { &other });
        let (told, done) = (Arc::clone(&told), Arc::clone(&done));
        tasks.push(tokio::spawn(async move {
            for _ in 0..CHANGES {
                let id = house.new_id().to_string();
                let body = json!({ "op_id": id, "account": "ann", "model": "gpt-5-mini" });
                let reply = house.post("/v1/operations").backend().json(&body).send().await;
                let version = reply.expect(201)["version"].as_u64().unwrap();
                told.fetch_max(version, Ordering::SeqCst);
            }
            done.fetch_add(1, Ordering::SeqCst);
        }));
    }
    for number in 0..2 * READERS {
        let house = Arc::clone(if number % 2 == 0 { &house } else { &other });
        let (told, done) = (Arc::clone(&told), Arc::clone(&done));
        tasks.push(tokio::spawn(storm(house, number, told, done)));
    }
    for task in tasks {
        task.await.unwrap();
    }
    for house in [&house, &other] {
        settled_tag(house, "ann").await;
    }
}

/// Polls with the newest tag, and sometimes with an older one, until the writers are done.
async fn storm(house: Arc<House>, number: usize, told: Arc<AtomicU64>, done: Arc<AtomicU64>) {
    let token = house.token("ann");
    let mut dice = Dice::new(u64::try_from(number).unwrap());
    let mut tags: Vec<(String, u64)> = Vec::new();
    while done.load(Ordering::SeqCst) < u64::try_from(WRITERS).unwrap() {
        let newest = tags.len().saturating_sub(1 + usize::try_from(dice.below(2)).unwrap());
        let known = tags.get(newest).cloned().unwrap_or_default();
        let told_before = told.load(Ordering::SeqCst);
        let poll = house.get("/v1/usage").bearer(&token).header("if-none-match", &known.0);
        let reply = poll.send().await;
        if reply.status.as_u16() == 304 {
            assert_eq!(reply.header("etag"), known.0);
            assert!(known.1 >= told_before, "304 for {} after {told_before}", known.1);
            continue;
        }
        let tag = reply.header("etag").to_owned();
        let version = reply.expect(200)["version"].as_u64().unwrap();
        assert!(version >= told_before, "{version} after {told_before}");
        tags.push((tag, version));
    }
}
