//! The ledger cannot commit when the answer is there: message and usage are absent together, then
//! present together.

use serde_json::{Value, json};
use trueup_server::demo::FaultSet;

use crate::client::{Reading, Usage};
use crate::house::House;
use crate::upstream::whole;

#[tokio::test]
async fn a_settle_that_fails_a_few_times_is_in_the_last_chunk_all_the_same() {
    let house = House::open().await;
    house.set_faults(FaultSet { settle_fails: 2, ..FaultSet::default() });
    let sent = house.stream().send();
    let talk = house.upstream.call().await.talk();
    talk.token("Hi").await;
    talk.finish().await;
    let (_, last) = Reading::of(sent.await.unwrap()).until_last_chunk().await;
    assert_eq!(Usage(last["trueup"].clone()).premium(), (1, 0));
}

#[tokio::test]
async fn a_settle_that_keeps_failing_lets_the_client_go_and_is_made_up_for() {
    for stream in [true, false] {
        let house = House::open().await;
        house.set_faults(FaultSet { settle_fails: u32::MAX, ..FaultSet::default() });
        let operation = house.new_operation();
        let chat = if stream { house.stream() } else { house.whole() };
        let sent = chat.operation(operation).conversation("talk").send();
        let call = house.upstream.call().await;
        let snapshot = if stream {
            let talk = call.talk();
            talk.token("Hi").await;
            talk.finish().await;
            let (_, last) = Reading::of(sent.await.unwrap()).until_last_chunk().await;
            assert_eq!(last["usage"]["total_tokens"], 5);
            last["trueup"].clone()
        } else {
            call.answer(200, &whole("Hi"));
            sent.await.unwrap().json::<Value>().await.unwrap()["trueup"].clone()
        };
        assert_eq!(snapshot, Value::Null);
        assert_eq!(house.usage().await.premium(), (0, 1));
        assert_eq!(house.messages("talk").await.len(), 1);
        assert_eq!(house.operation(operation).await["state"], "held");

        house.set_faults(FaultSet::default());
        house.quiet().await;
        assert_eq!(house.usage().await.premium(), (1, 0));
        assert_eq!(house.messages("talk").await.len(), 2);
        assert_eq!(house.operation(operation).await["state"], "settled");
    }
}

#[tokio::test]
async fn a_long_answer_keeps_its_hold() {
    let house = House::with("hold_ttl_s = 1", "").await;
    let operation = house.new_operation();
    let sent = house.stream().operation(operation).send();
    let talk = house.upstream.call().await.talk();
    talk.token("Well").await;
    let response = sent.await.unwrap();
    // Three renewals at half the time to live: the hold was alive beyond its first expiry.
    house.wait_for_entries("extend", 3).await;
    assert_eq!(house.usage().await.premium(), (0, 1));
    talk.finish().await;
    let (_, last) = Reading::of(response).until_last_chunk().await;
    let outcome = &last["trueup"]["operations"][0];
    assert_eq!(
        (&outcome["id"], &outcome["state"]),
        (&json!(operation.to_string()), &json!("settled"))
    );
}

#[tokio::test]
async fn a_server_that_stops_does_not_wait_for_a_ledger_that_cannot_commit() {
    let house = House::with("shutdown_grace_s = 0", "").await;
    house.set_faults(FaultSet { settle_fails: u32::MAX, ..FaultSet::default() });
    let sent = house.stream().send();
    let talk = house.upstream.call().await.talk();
    talk.token("Hi").await;
    talk.finish().await;
    let (_, last) = Reading::of(sent.await.unwrap()).until_last_chunk().await;
    assert_eq!(last["trueup"], Value::Null);
    let state = house.state.clone();
    house.stop().await;
    state.gateway.drained().await;
}
