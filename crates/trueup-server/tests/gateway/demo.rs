//! The demo's controls, and faults that hit the network itself.

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use trueup_server::demo::FaultSet;

use crate::client::Reading;
use crate::house::House;
use crate::upstream::{token, whole};

#[tokio::test]
async fn anybody_gets_a_session_and_sets_faults_for_that_account_alone() {
    let house = House::open().await;
    let session = async |body: &Value| {
        let url = format!("{}/demo/session", house.base_url);
        house.client.post(url).json(body).send().await.unwrap().json::<Value>().await.unwrap()
    };
    let ann = session(&json!({"account": "ann"})).await;
    assert_eq!(ann["account"], "ann");
    let (one, other) = (session(&json!({})).await, session(&json!({})).await);
    assert_ne!(one["account"], other["account"]);

    let url = format!("{}/demo/faults", house.base_url);
    let token = |session: &Value| session["token"].as_str().unwrap().to_owned();
    let put = house.client.put(&url).bearer_auth(token(&one));
    let set = put.json(&json!({"settle_fails": 3, "offline": true})).send().await.unwrap();
    assert_eq!(set.status(), 200);
    let faults = async |session: &Value| {
        let get = house.client.get(&url).bearer_auth(token(session));
        get.send().await.unwrap().json::<Value>().await.unwrap()
    };
    let all = json!({"settle_fails": 3, "fallback": false, "fail_before_token": false,
        "fail_after_token": false, "lose_reply": false, "slow_ms": 0, "offline": true});
    assert_eq!(faults(&one).await, all);
    assert_eq!(faults(&other).await["offline"], false);

    for (body, code) in [
        (json!({"settle_fails": -1}), "invalid_request"),
        (json!({"unknown": true}), "invalid_request"),
        (json!({"slow_ms": 60_001}), "invalid_value"),
    ] {
        let put = house.client.put(&url).bearer_auth(token(&one)).json(&body);
        let answer: Value = put.send().await.unwrap().json().await.unwrap();
        assert_eq!(answer["error"]["code"], code);
    }
    let nobody = house.client.get(&url).send().await.unwrap();
    assert_eq!(nobody.status(), 401);
}

#[tokio::test]
async fn an_account_that_is_offline_gets_not_a_byte() {
    let house = House::open().await;
    house.set_faults(FaultSet { offline: true, ..FaultSet::default() });
    let mut socket = TcpStream::connect(&house.address).await.unwrap();
    let request = format!(
        "GET /v1/usage HTTP/1.1\r\nhost: trueup\r\nauthorization: Bearer {}\r\n\r\n",
        house.token("ann")
    );
    socket.write_all(request.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    // A reset and an end are both what a cut looks like.
    let _ = socket.read_to_end(&mut answer).await;
    assert_eq!(String::from_utf8_lossy(&answer), "");

    let url = format!("{}/v1/usage", house.base_url);
    let bob = house.client.get(&url).bearer_auth(house.token("bob")).send().await.unwrap();
    assert_eq!(bob.status(), 200);
    house.set_faults(FaultSet::default());
    house.usage().await;
}

#[tokio::test]
async fn going_offline_cuts_a_stream_in_its_middle() {
    let house = House::open().await;
    let sent = house.stream().send();
    let talk = house.upstream.call().await.talk();
    talk.token("Hi").await;
    let mut reading = Reading::of(sent.await.unwrap());
    assert_eq!(reading.next().await.unwrap(), Some(token("Hi")));
    house.set_faults(FaultSet { offline: true, ..FaultSet::default() });
    assert!(reading.next().await.is_err());
    talk.abandoned().await;
    house.quiet().await;
    house.set_faults(FaultSet::default());
    assert_eq!(house.usage().await.premium(), (1, 0));
}

#[tokio::test]
async fn a_lost_reply_was_completed_all_the_same() {
    let house = House::open().await;
    house.set_faults(FaultSet { lose_reply: true, ..FaultSet::default() });
    let sent = house.stream().conversation("talk").send();
    let talk = house.upstream.call().await.talk();
    talk.token("Hi").await;
    let mut reading = Reading::of(sent.await.unwrap());
    assert_eq!(reading.next().await.unwrap(), Some(token("Hi")));
    talk.finish().await;
    let mut rest = Vec::new();
    let broken = loop {
        match reading.next().await {
            Ok(Some(data)) => rest.push(data),
            Ok(None) => break false,
            Err(_) => break true,
        }
    };
    assert!(broken && !rest.iter().any(|data| data.contains("trueup") || data == "[DONE]"));
    assert_eq!(house.usage().await.premium(), (1, 0));
    assert_eq!(house.messages("talk").await.len(), 2);

    let sent = tokio::spawn(house.whole().try_send());
    house.upstream.call().await.answer(200, &whole("Hi"));
    assert!(sent.await.unwrap().is_err());
    assert_eq!(house.usage().await.premium(), (2, 0));
}

#[tokio::test]
async fn models_fail_as_they_are_told() {
    let house = House::open().await;
    house.set_faults(FaultSet { fail_before_token: true, ..FaultSet::default() });
    assert_eq!(house.stream().send().await.unwrap().status(), 502);
    assert!(house.upstream.is_idle().await);

    house.set_faults(FaultSet { fallback: true, ..FaultSet::default() });
    let sent = house.stream().send();
    let call = house.upstream.call().await;
    assert_eq!(call.json()["model"], "gpt-5-mini");
    let talk = call.talk();
    talk.token("Hi").await;
    talk.finish().await;
    let (_, last) = Reading::of(sent.await.unwrap()).until_last_chunk().await;
    assert_eq!(last["trueup"]["operations"][0]["cause"], "fallback");

    house.set_faults(FaultSet { fail_after_token: true, ..FaultSet::default() });
    let sent = house.stream().send();
    let talk = house.upstream.call().await.talk();
    talk.token("Hi").await;
    talk.finish().await;
    let (events, last) = Reading::of(sent.await.unwrap()).until_last_chunk().await;
    assert!(events.last().unwrap().contains("provider_failed"), "{events:?}");
    assert_eq!(last["trueup"]["operations"][0]["state"], "released");
}

#[tokio::test]
async fn the_page_is_served_under_a_strict_policy_or_says_how_to_build_it() {
    let house = House::open().await;
    let response = house.client.get(&house.base_url).send().await.unwrap();
    let policy = response.headers()["content-security-policy"].to_str().unwrap().to_owned();
    assert!(policy.contains("frame-ancestors 'none'"), "{policy}");
    assert!(response.headers()["content-type"].to_str().unwrap().starts_with("text/html"));
    assert!(response.text().await.unwrap().contains("<title>"));
    let missing = house.client.get(format!("{}/assets/none.js", house.base_url));
    let body: Value = missing.send().await.unwrap().json().await.unwrap();
    assert_eq!(body["error"]["code"], "not_found");
}
