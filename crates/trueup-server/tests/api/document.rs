//! The API's description.

use std::collections::BTreeSet;

use serde_json::Value;
use trueup_protocol::ErrorCode;

use crate::house::House;

const COMMITTED: &str = include_str!("../../../../openapi.json");

#[test]
fn the_committed_document_is_that_of_the_code() {
    let written = trueup_server::openapi::text().unwrap();
    assert!(written == COMMITTED, "openapi.json is out of date: run ./justw generate");
}

#[tokio::test]
async fn the_served_document_is_the_committed_one() {
    let house = House::open().await;
    let served = house.get("/openapi.json").send().await;
    assert_eq!(served.header("content-type"), "application/json");
    let committed: Value = serde_json::from_str(COMMITTED).unwrap();
    assert_eq!(served.expect(200), committed);
}

#[test]
fn every_call_says_what_it_is_who_may_make_it_and_how_it_fails() {
    let document: Value = serde_json::from_str(COMMITTED).unwrap();
    let mut names = BTreeSet::new();
    for (path, calls) in document["paths"].as_object().unwrap() {
        for (method, call) in calls.as_object().unwrap() {
            let place = format!("{method} {path}");
            assert!(call["summary"].is_string() && call["description"].is_string(), "{place}");
            assert!(names.insert(call["operationId"].as_str().unwrap().to_owned()), "{place}");
            if !path.starts_with("/v1/") {
                continue;
            }
            assert!(!call["security"].as_array().unwrap().is_empty(), "{place}");
            for status in ["408", "413", "415"] {
                let is_told = call["responses"].get(status).is_some();
                assert_eq!(is_told, call.get("requestBody").is_some(), "{place} {status}");
            }
            for (status, response) in call["responses"].as_object().unwrap() {
                if status.starts_with(['4', '5']) {
                    let schema = &response["content"]["application/json"]["schema"]["$ref"];
                    assert_eq!(schema, "#/components/schemas/ErrorEnvelope", "{place} {status}");
                }
            }
        }
    }
    let codes = &document["components"]["schemas"]["ErrorBody"]["properties"]["code"]["enum"];
    let codes: Vec<_> = codes.as_array().unwrap().iter().map(|it| it.as_str().unwrap()).collect();
    assert_eq!(codes, ErrorCode::ALL.iter().map(|code| code.as_str()).collect::<Vec<_>>());
}

#[tokio::test]
async fn the_docs_are_served_without_any_other_server() {
    let house = House::open().await;
    let page = house.get("/docs/").send().await;
    assert_eq!(page.status.as_u16(), 200);
    assert!(!page.text.contains("https://"), "{}", page.text);
    let script = house.get("/docs/swagger-ui-bundle.js").send().await;
    assert_eq!(script.status.as_u16(), 200);
    let start = house.get("/docs/swagger-initializer.js").send().await;
    assert!(start.text.contains("/openapi.json"), "{}", start.text);
}
