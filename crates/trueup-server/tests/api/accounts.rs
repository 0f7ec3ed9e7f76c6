//! `GET|PUT /v1/accounts/{id}`, grants, and the ledger.

use serde_json::{Value, json};

use crate::house::{House, Reply, figures};

async fn put(house: &House, body: &Value) -> Reply {
    house.put("/v1/accounts/ann").backend().json(body).send().await
}

#[tokio::test]
async fn an_accounts_terms_are_set_whole() {
    let house = House::open().await;
    let first = house.get("/v1/accounts/ann").backend().send().await.expect(200);
    assert_eq!((&first["plan"], &first["time_zone"]), (&json!("free"), &json!("UTC")));
    assert_eq!((&first["anchor"], &first["overrides"]), (&Value::Null, &json!({})));

    let terms = json!({
        "plan": "pro", "time_zone": "Europe/Berlin", "anchor": "2026-01-31T10:00:00Z",
        "overrides": { "premium_messages": 7, "tokens": null },
    });
    let set = put(&house, &terms).await.expect(200);
    for (name, value) in terms.as_object().unwrap() {
        assert_eq!(&set[name], value, "{name}");
    }
    assert_eq!(figures(&set["usage"], "premium_messages"), (0, 0, Some(7)));
    assert_eq!(figures(&set["usage"], "tokens"), (0, 0, None));
    let window = &set["usage"]["meters"]["premium_messages"]["window"];
    assert_eq!(window["end"], "2026-11-30T10:00:00Z");
    let read = house.get("/v1/accounts/ann").backend().send().await.expect(200);
    assert_eq!(read["usage"]["meters"], set["usage"]["meters"]);

    let back = put(&house, &json!({})).await.expect(200);
    assert_eq!((&back["plan"], &back["anchor"]), (&json!("free"), &Value::Null));
    assert_eq!(figures(&back["usage"], "premium_messages"), (0, 0, Some(2)));
    assert_eq!(back["usage"]["meters"].get("tokens"), None);
}

#[tokio::test]
async fn what_was_used_stays_used_when_the_plan_changes() {
    let house = House::open().await;
    let id = house.hold("ann", "gpt-5").await;
    let body = json!({ "account": "ann", "model": "gpt-5" });
    let path = format!("/v1/operations/{id}/settle");
    house.post(&path).backend().json(&body).send().await.expect(200);
    let token = house.token("ann");
    let before = house.get("/v1/usage").bearer(&token).send().await.expect(200);

    let set = put(&house, &json!({ "plan": "pro" })).await.expect(200);
    assert_eq!(figures(&set["usage"], "premium_messages"), (1, 0, Some(100)));
    // The user is told why the number moved.
    let path = format!("/v1/usage?since={}", before["version"]);
    let after = house.get(&path).bearer(&token).send().await.expect(200);
    let change = after["changes"].as_array().unwrap().iter();
    let change: Vec<_> = change.filter(|it| it["meter"] == "premium_messages").collect();
    assert_eq!(change.len(), 1, "{after}");
    assert_eq!((&change[0]["cause"], &change[0]["units"]), (&json!("plan_changed"), &json!(98)));
}

#[tokio::test]
async fn wrong_terms_change_nothing() {
    let house = House::open().await;
    let before = put(&house, &json!({ "plan": "pro" })).await.expect(200);
    for (body, status, code, param) in [
        (json!({ "plan": "gold" }), 404, "unknown_plan", "plan"),
        (json!({ "time_zone": "Mars/Olympus" }), 400, "invalid_value", "time_zone"),
        (json!({ "anchor": "2026-01-31" }), 400, "invalid_value", "anchor"),
        (json!({ "anchor": "1969-12-31T23:59:59Z" }), 400, "invalid_value", "anchor"),
        (json!({ "anchor": "2300-01-01T00:00:00Z" }), 400, "invalid_value", "anchor"),
        (json!({ "overrides": { "tokens": 1 } }), 404, "unknown_meter", "overrides.tokens"),
        (json!({ "overrides": { "To kens": 1 } }), 404, "unknown_meter", "overrides.To kens"),
        (
            json!({ "overrides": { "premium_messages": 9_007_199_254_740_992_u64 } }),
            400,
            "invalid_value",
            "overrides.premium_messages",
        ),
        (
            json!({ "overrides": { "premium_messages": -1 } }),
            400,
            "invalid_request",
            "overrides.premium_messages",
        ),
        (
            json!({ "overrides": { "premium_messages": "7" } }),
            400,
            "invalid_request",
            "overrides.premium_messages",
        ),
        (json!({ "overrides": [["premium_messages", 7]] }), 400, "invalid_request", "overrides"),
        (json!({ "overrides": null }), 400, "invalid_request", "overrides"),
        (json!({ "plans": "pro" }), 400, "invalid_request", "plans"),
    ] {
        let error = put(&house, &body).await.refused(status, code);
        assert_eq!(error["error"]["param"], param, "{error}");
    }
    // The last one would win otherwise, and be a limit that nobody meant.
    let twice = r#"{"overrides":{"premium_messages":7,"premium_messages":70}}"#;
    let call = house.put("/v1/accounts/ann").backend().header("content-type", "application/json");
    let error = call.text(twice).send().await.refused(400, "invalid_request");
    assert_eq!(error["error"]["param"], "overrides.premium_messages");
    let after = house.get("/v1/accounts/ann").backend().send().await.expect(200);
    assert_eq!(after["usage"]["version"], before["usage"]["version"]);
    house.get("/v1/accounts/a%20b").backend().send().await.refused(400, "invalid_value");
    let long = format!("/v1/accounts/{}", "a".repeat(129));
    house.get(&long).backend().send().await.refused(400, "invalid_value");
}

#[tokio::test]
async fn a_grant_counts_once_and_until_its_window_ends() {
    let house = House::open().await;
    let token = house.token("ann");
    let before = house.get("/v1/usage").bearer(&token).send().await.expect(200);
    let grant = |id: &str, units: u64| {
        let body = json!({ "grant_id": id, "meter": "premium_messages", "units": units });
        let call = house.post("/v1/accounts/ann/grants").backend().json(&body);
        async move { call.send().await }
    };
    let id = house.new_id().to_string();
    let granted = grant(&id, 50).await.expect(201);
    assert_eq!(figures(&granted, "premium_messages"), (0, 0, Some(52)));
    let again = grant(&id, 50).await.expect(200);
    assert_eq!(again["version"], granted["version"]);
    grant(&id, 51).await.refused(409, "op_conflict");

    let path = format!("/v1/usage?since={}", before["version"]);
    let usage = house.get(&path).bearer(&token).send().await.expect(200);
    let change = &usage["changes"][0];
    assert_eq!((&change["cause"], &change["units"]), (&json!("grant"), &json!(50)));
    assert_eq!(usage["operations"], json!([]));

    house.wait_ms(8 * 24 * 3_600_000);
    let december = house.get("/v1/usage").bearer(&house.token("ann")).send().await.expect(200);
    assert_eq!(figures(&december, "premium_messages"), (0, 0, Some(2)));
}

#[tokio::test]
async fn a_wrong_grant_changes_nothing() {
    let house = House::open().await;
    put(&house, &json!({ "plan": "pro" })).await.expect(200);
    let id = house.new_id().to_string();
    let most = 9_007_199_254_740_991_u64;
    for (body, status, code) in [
        (json!({ "grant_id": "1", "meter": "tokens", "units": 1 }), 400, "invalid_operation_id"),
        (json!({ "grant_id": id, "meter": "To kens", "units": 1 }), 400, "invalid_value"),
        (json!({ "grant_id": id, "meter": "images", "units": 1 }), 404, "unknown_meter"),
        (json!({ "grant_id": id, "meter": "tokens", "units": 0 }), 400, "invalid_value"),
        (json!({ "grant_id": id, "meter": "tokens", "units": most + 1 }), 400, "invalid_value"),
        (json!({ "grant_id": id, "meter": "tokens", "units": 1.5 }), 400, "invalid_request"),
        (json!({ "grant_id": id, "meter": "tokens" }), 400, "invalid_request"),
    ] {
        let call = house.post("/v1/accounts/ann/grants").backend().json(&body);
        call.send().await.refused(status, code);
    }
    let account = house.get("/v1/accounts/ann").backend().send().await.expect(200);
    assert_eq!(figures(&account["usage"], "tokens"), (0, 0, Some(most)));
}

#[tokio::test]
async fn the_ledger_tells_how_the_figures_came_to_be() {
    let house = House::open().await;
    let id = house.hold("ann", "gpt-5").await;
    let body = json!({ "account": "ann", "model": "gpt-5-mini" });
    let path = format!("/v1/operations/{id}/settle");
    let usage = house.post(&path).backend().json(&body).send().await.expect(200);

    let page = house.get("/v1/accounts/ann/entries").backend().send().await.expect(200);
    let entries = page["entries"].as_array().unwrap();
    let kinds: Vec<_> = entries.iter().map(|entry| entry["kind"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["terms", "terms", "hold", "settle"]);
    assert_eq!(page["next_after"], Value::Null);
    for meter in ["premium_messages", "standard_messages"] {
        let sum = |column: &str| -> i64 {
            let lines = entries.iter().flat_map(|entry| entry["lines"].as_array().unwrap());
            lines.filter(|it| it["meter"] == meter).map(|it| it[column].as_i64().unwrap()).sum()
        };
        let (used, held, _) = figures(&usage, meter);
        assert_eq!((sum("used").unsigned_abs(), sum("held").unsigned_abs()), (used, held));
    }
    let after = format!("/v1/accounts/ann/entries?after={}", usage["version"]);
    let rest = house.get(&after).backend().send().await.expect(200);
    assert_eq!(rest["entries"], json!([]));
    let wrong = house.get("/v1/accounts/ann/entries?after=-1").backend().send().await;
    wrong.refused(400, "invalid_request");
}
