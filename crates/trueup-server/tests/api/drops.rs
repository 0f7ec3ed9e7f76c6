//! Clients that hang up: in the middle of what they send, of what is worked on, of what they read.

use std::sync::Arc;

use serde_json::{Value, json};
use sqlx::{Connection as _, PgConnection};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use trueup_core::OperationId;

use crate::audit;
use crate::dice::Dice;
use crate::house::{API_KEY, House, SECRET, new_id};

/// How many are dropped; more by `TRUEUP_TEST_DROPS`.
const DROPS: u64 = 3_000;
const AT_A_TIME: u64 = 32;
const ACCOUNTS: u32 = 8;
const PROVIDER: &str = "providers = [{ kind = \"simulated\", first_token_ms = 1, \
     tokens_per_second = 4000, tokens = 8 }]";

/// Transactions that nobody goes on with.
const FORGOTTEN: &str = "SELECT COUNT(*) FROM pg_stat_activity WHERE state LIKE 'idle in \
     transaction%' AND state_change < clock_timestamp() - interval '2 seconds'";

fn request(method: &str, path: &str, bearer: &str, more: &str, body: &Value) -> Vec<u8> {
    let body = if body.is_null() { String::new() } else { body.to_string() };
    let length = body.len();
    format!(
        "{method} {path} HTTP/1.1\r\nhost: trueup\r\nauthorization: Bearer {bearer}\r\n{more}\
         content-type: application/json\r\ncontent-length: {length}\r\n\r\n{body}"
    )
    .into_bytes()
}

/// A request to one of the routes, about an operation that was perhaps held before.
fn any_request(house: &House, dice: &mut Dice, ids: &mut Vec<OperationId>) -> Vec<u8> {
    let account = format!("acct_{}", dice.below(ACCOUNTS));
    if ids.is_empty() || dice.below(3) == 0 {
        ids.push(new_id(house.clock.now()));
    }
    let id = dice.pick(ids);
    let own = house.token(&account);
    let hold = json!({ "op_id": id.to_string(), "account": account, "model": "gpt-5-mini" });
    let end = json!({ "account": account, "model": "gpt-5-mini", "messages":
        [{ "conversation": "c", "role": "user", "content": "hello" }] });
    let item = |kind: &str, members: Value| {
        let mut item = json!({ "kind": kind, "op_id": id.to_string(), "account": account });
        item.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
        item
    };
    let mini = json!({ "model": "gpt-5-mini" });
    let operation = |how: &str| format!("/v1/operations/{id}/{how}");
    let named = format!("trueup-operation: {id}\r\n");
    let chat = json!({ "model": "gpt-5-mini", "stream": dice.below(4) > 0,
        "messages": [{ "role": "user", "content": "hello" }] });
    let none = Value::Null;
    let accounts = format!("/v1/accounts/{account}");
    match dice.below(15) {
        0 => request("GET", &format!("/v1/usage?since=0&ask={id}"), &own, "", &none),
        1 => request("GET", "/v1/catalog", &own, "", &none),
        2 => request("POST", "/v1/operations", API_KEY, "", &hold),
        3 => request("POST", &operation("settle"), API_KEY, "", &end),
        4 => request("POST", &operation("release"), API_KEY, "", &json!({ "account": account })),
        5 => {
            let body = json!({ "account": account, "ttl_s": 600 });
            request("POST", &operation("extend"), API_KEY, "", &body)
        }
        6 => request("POST", &operation("fence"), &own, "", &none),
        7 => {
            let end = if dice.below(2) == 0 { "settle" } else { "hold" };
            let items = [item("hold", mini.clone()), item(end, mini), item("release", json!({}))];
            request("POST", "/v1/operations/batch", API_KEY, "", &json!({ "operations": items }))
        }
        8 => request("GET", &accounts, API_KEY, "", &none),
        9 => request("PUT", &accounts, API_KEY, "", &json!({ "plan": "pro" })),
        10 => {
            let grant = json!({ "grant_id": id.to_string(), "meter": "tokens", "units": 3 });
            request("POST", &format!("{accounts}/grants"), API_KEY, "", &grant)
        }
        11 => request("GET", &format!("{accounts}/entries"), API_KEY, "", &none),
        12 => request("GET", "/v1/conversations", &own, "", &none),
        13 => request("GET", "/v1/usage/events?since=0", &own, "", &none),
        _ => request("POST", "/v1/chat/completions", &own, &named, &chat),
    }
}

/// Sends some of it, waits a moment or reads some of the answer, and hangs up.
async fn drop_one(house: &House, dice: &mut Dice, ids: &mut Vec<OperationId>) {
    let request = any_request(house, dice, ids);
    let mut stream = TcpStream::connect(&house.address).await.unwrap();
    let whole = request.len();
    let sent = match dice.below(3) {
        0 => usize::try_from(dice.below(u32::try_from(whole).unwrap() + 1)).unwrap(),
        _ => whole,
    };
    // The server may have hung up first, after an answer to what it did not read.
    let _ = stream.write_all(&request[..sent]).await;
    if dice.below(2) == 0 {
        for _ in 0..dice.below(40) {
            tokio::task::yield_now().await;
        }
    } else if sent == whole {
        let mut left = usize::try_from(dice.below(1_500)).unwrap();
        let mut bytes = [0; 256];
        while left > 0 {
            let most = left.min(bytes.len());
            match stream.read(&mut bytes[..most]).await {
                Ok(count) if count > 0 && !bytes[..count].ends_with(b"}") => left -= count,
                _ => break,
            }
        }
    }
    if dice.below(2) == 0 {
        // Reset, where the other way is to close in order.
        let _ = stream.set_zero_linger();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_that_hangs_up_anywhere_tears_nothing() {
    let drops = std::env::var("TRUEUP_TEST_DROPS").map_or(DROPS, |it| it.parse().unwrap());
    let seed = u64::from(std::process::id());
    println!("seed {seed}, {drops} drops");
    let first = format!("jwt_secret = \"{SECRET}\"\n{PROVIDER}");
    let house = Arc::new(House::with(&first).await);
    let tasks = (0..AT_A_TIME).map(|number| {
        let house = Arc::clone(&house);
        tokio::spawn(async move {
            let (mut dice, mut ids) = (Dice::new(seed * AT_A_TIME + number), Vec::new());
            for _ in 0..drops.div_ceil(AT_A_TIME) {
                drop_one(&house, &mut dice, &mut ids).await;
                if ids.len() > 64 {
                    ids.clear();
                }
            }
        })
    });
    for task in tasks.collect::<Vec<_>>() {
        task.await.unwrap();
    }
    house.state.gateway.drained().await;
    // Whatever was sent before is carried out before this, and this at once.
    for number in 0..ACCOUNTS {
        let account = format!("acct_{number}");
        house.hold(&account, "gpt-5-mini").await;
        house.get("/v1/usage").bearer(&house.token(&account)).send().await.expect(200);
    }
    house.get("/readyz").send().await.expect(200);
    let url = house.state.settings.database_url.expose().to_owned();
    audit::audit(&url).await;
    if url.starts_with("postgres") {
        let mut connection = PgConnection::connect(&url).await.unwrap();
        let forgotten: i64 =
            sqlx::query_scalar(FORGOTTEN).fetch_one(&mut connection).await.unwrap();
        assert_eq!(forgotten, 0);
        connection.close().await.unwrap();
    }
    house.ask_to_stop();
    Arc::into_inner(house).unwrap().stopped().await;
}
