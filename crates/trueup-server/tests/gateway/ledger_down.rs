//! The ledger cannot commit when the answer is there: message and usage are absent together, then
//! present together.

use serde_json::Value;
use trueup_server::clock::Clock;
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
    let clock = Clock::manual(Clock::system().now());
    let began_at = clock.now();
    let house = House::with("hold_ttl_s = 2\nsweep_interval_ms = 10", clock.clone()).await;
    let operation = house.new_operation();
    let sent = house.stream().operation(operation).send();
    let talk = house.upstream.call().await.talk();
    talk.token("Well").await;
    let response = sent.await.unwrap();
    // The ledger's time passes only when the hold was renewed, so a slow machine cannot lose it.
    for renewals in 1_u8..=3 {
        clock.set(began_at.plus(1000 * i64::from(renewals)));
        house.wait_for_entries("extend", renewals.into()).await;
    }
    // A second after its first expiry it is alive.
    assert_eq!(house.usage().await.premium(), (0, 1));
    talk.finish().await;
    let (_, last) = Reading::of(response).until_last_chunk().await;
    let outcome = &last["trueup"]["operations"][0];
    assert_eq!(outcome["id"], operation.to_string());
    assert_eq!(outcome["state"], "settled");
}

#[tokio::test]
async fn a_server_that_stops_does_not_wait_for_a_ledger_that_cannot_commit() {
    let house = House::with("shutdown_grace_s = 0", Clock::system()).await;
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
