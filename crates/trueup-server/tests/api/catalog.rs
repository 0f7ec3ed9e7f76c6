//! `GET /v1/catalog`.

use serde_json::json;

use crate::house::House;

#[tokio::test]
async fn the_catalog_tells_what_models_charge() {
    let house = House::open().await;
    let catalog = house.get("/v1/catalog").bearer(&house.token("ann")).send().await;
    let tag = catalog.header("etag").to_owned();
    assert_eq!(
        catalog.expect(200),
        json!({
            "models": {
                "draft": { "charge": {}, "fallback": [] },
                "gpt-5": { "charge": { "premium_messages": 1 }, "fallback": ["gpt-5-mini"] },
                "gpt-5-mini": { "charge": { "standard_messages": 1 }, "fallback": [] },
            },
            "meters": ["premium_messages", "standard_messages"],
        })
    );
    let again = house.get("/v1/catalog").backend().header("if-none-match", &tag).send().await;
    assert_eq!((again.status.as_u16(), again.text.as_str()), (304, ""));
    house.get("/v1/catalog").send().await.refused(401, "unauthorized");
}
