//! What was said, page by page.

use serde_json::{Value, json};

use crate::house::House;

/// Settles an operation of Ann's that charges nothing, with messages.
async fn say(house: &House, messages: &[Value]) {
    let id = house.hold("ann", "draft").await;
    let body = json!({ "account": "ann", "model": "draft", "messages": messages });
    let path = format!("/v1/operations/{id}/settle");
    house.post(&path).backend().json(&body).send().await.expect(200);
}

fn message(conversation: &str, content: &str) -> Value {
    json!({ "conversation": conversation, "role": "user", "content": content })
}

/// Every page of a list, the first one first.
async fn pages(house: &House, path: &str) -> Vec<Value> {
    let token = house.token("ann");
    let mut pages: Vec<Value> = Vec::new();
    loop {
        let before = pages.last().map_or(Some(""), |page| page["next_before"].as_str());
        let Some(before) = before else { return pages };
        let query = if before.is_empty() { String::new() } else { format!("?before={before}") };
        pages.push(house.get(&format!("{path}{query}")).bearer(&token).send().await.expect(200));
    }
}

fn texts<'a>(page: &'a Value, list: &str, name: &str) -> Vec<&'a str> {
    page[list].as_array().unwrap().iter().map(|it| it[name].as_str().unwrap()).collect()
}

#[tokio::test]
async fn a_long_conversation_is_read_from_its_end_page_by_page() {
    let house = House::open().await;
    let said: Vec<String> = (0..1_100).map(|at| format!("line {at}")).collect();
    for lines in said.chunks(100) {
        let messages: Vec<_> = lines.iter().map(|line| message("long", line)).collect();
        say(&house, &messages).await;
    }
    let pages = pages(&house, "/v1/conversations/long/messages").await;
    let read: Vec<_> = pages.iter().map(|page| texts(page, "messages", "content")).collect();
    assert_eq!(read.iter().map(Vec::len).collect::<Vec<_>>(), [1_000, 100]);
    assert_eq!(read.into_iter().rev().flatten().collect::<Vec<_>>(), said);
}

#[tokio::test]
async fn a_page_of_long_messages_is_a_short_one() {
    let house = House::open().await;
    let long = "x".repeat(60_000);
    for _ in 0..100 {
        say(&house, &[message("big", &long)]).await;
    }
    let pages = pages(&house, "/v1/conversations/big/messages").await;
    let counts = pages.iter().map(|page| page["messages"].as_array().unwrap().len());
    assert_eq!(counts.collect::<Vec<_>>(), [69, 31]);
}

#[tokio::test]
async fn many_conversations_are_read_from_the_newest_page_by_page() {
    let house = House::open().await;
    let ids: Vec<String> = (0..450).map(|at| format!("talk.{at:03}")).collect();
    for (at, some) in ids.chunks(90).enumerate() {
        // Several stand at one instant, also across the end of a page.
        if at % 2 == 0 {
            house.wait_ms(1_000);
        }
        say(&house, &some.iter().map(|id| message(id, "hello")).collect::<Vec<_>>()).await;
    }
    let pages = pages(&house, "/v1/conversations").await;
    let read: Vec<_> = pages.iter().map(|page| texts(page, "conversations", "id")).collect();
    assert_eq!(read.iter().map(Vec::len).collect::<Vec<_>>(), [200, 200, 50]);
    let newest_first: Vec<_> = ids.iter().rev().collect();
    assert_eq!(read.concat(), newest_first);
}

#[tokio::test]
async fn what_is_no_place_in_a_list_is_refused() {
    let house = House::open().await;
    say(&house, &[message("talk", "hello")]).await;
    let get = |path: &str, account| house.get(path).bearer(&house.token(account));
    for list in ["/v1/conversations", "/v1/conversations/talk/messages"] {
        for before in ["", "7", "x.y"] {
            let reply = get(&format!("{list}?before={before}"), "ann").send().await;
            assert_eq!(
                reply.refused(400, "invalid_request")["error"]["param"],
                "before",
                "{before}"
            );
        }
        get(&format!("{list}?after=1.0"), "ann").send().await.refused(400, "invalid_request");
    }
    // Before the first message there is nothing; of somebody else's there is not even that.
    let path = "/v1/conversations/talk/messages?before=1.0";
    let page = get(path, "ann").send().await.expect(200);
    assert_eq!(page, json!({ "messages": [], "next_before": null }));
    get(path, "bob").send().await.refused(404, "unknown_conversation");
}
