//! Clients that hang up: in the middle of what they send, of what is worked on, of what they read.

use std::collections::HashMap;
use std::sync::Arc;

use serde_json::{Value, json};
use sqlx::{Connection as _, PgConnection, SqliteConnection};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use trueup_core::OperationId;

use crate::audit;
use crate::dice::Dice;
use crate::house::{API_KEY, House, SECRET, new_id};

/// How many are dropped; more by `TRUEUP_TEST_DROPS`.
const DROPS: u64 = 3_000;
const AT_A_TIME: u64 = 32;
/// So many are met at a time, and others after so many drops: an account that has gone through much
/// answers with much, and the test would spend its time on reading.
const ACCOUNTS: u32 = 8;
const DROPS_AN_ACCOUNT: u64 = DROPS / AT_A_TIME;
const PROVIDER: &str = "providers = [{ kind = \"simulated\", first_token_ms = 1, \
     tokens_per_second = 4000, tokens = 8 }]";

/// Changes of which only a part is there. Every change of an operation is an entry at its version, and
/// a message is saved with one.
const HALF_MADE: [&str; 3] = [
    "SELECT o.account_id || ' ' || CAST(o.op_id AS TEXT) FROM operation o LEFT JOIN entry e \
     ON e.account_id = o.account_id AND e.op_id = o.op_id AND e.version = o.version \
     WHERE e.version IS NULL",
    "SELECT e.account_id || ' ' || CAST(e.op_id AS TEXT) FROM entry e LEFT JOIN operation o \
     ON o.account_id = e.account_id AND o.op_id = e.op_id \
     WHERE e.op_id IS NOT NULL AND o.op_id IS NULL",
    "SELECT m.account_id || ' ' || CAST(m.op_id AS TEXT) FROM message m LEFT JOIN entry e \
     ON e.account_id = m.account_id AND e.op_id = m.op_id AND e.version = m.version \
     WHERE e.version IS NULL",
];
const STATES: &str = "SELECT account_id || ' ' || CAST(op_id AS TEXT), state FROM operation";

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

/// What was asked for: where it succeeds, the operation is there, in a state that it never leaves.
struct Asked {
    request: Vec<u8>,
    operation: String,
    makes: Option<Makes>,
}

/// What a success says of the operation.
#[derive(Clone, Copy)]
enum Makes {
    Known,
    Ended(&'static str),
}

/// What was acknowledged, by operation: the state that it has for ever, when it is one.
type Acknowledged = HashMap<String, Option<&'static str>>;

/// A request to one of the routes, about an operation that was perhaps held before.
fn any_request(house: &House, dice: &mut Dice, ids: &mut Vec<OperationId>, done: u64) -> Asked {
    let era = done / DROPS_AN_ACCOUNT;
    let account = format!("acct_{era}_{}", dice.below(ACCOUNTS));
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
    let route = dice.below(15);
    let makes = match route {
        2 | 6 | 14 => Some(Makes::Known),
        3 => Some(Makes::Ended("settled")),
        4 => Some(Makes::Ended("released")),
        _ => None,
    };
    let request = match route {
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
    };
    Asked { request, operation: format!("{account} {id}"), makes }
}

/// Sends some of it, waits a moment or reads some of the answer, and hangs up.
async fn drop_one(
    house: &House,
    dice: &mut Dice,
    ids: &mut Vec<OperationId>,
    done: u64,
    acknowledged: &mut Acknowledged,
) {
    let Asked { request, operation, makes } = any_request(house, dice, ids, done);
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
        let (mut bytes, mut begins) = ([0; 256], true);
        while left > 0 {
            let most = left.min(bytes.len());
            match stream.read(&mut bytes[..most]).await {
                Ok(count) if count > 0 => {
                    let told = &bytes[..count];
                    if begins && told.starts_with(b"HTTP/1.1 20") {
                        acknowledge(acknowledged, &operation, makes);
                    }
                    if is_over(told) {
                        break;
                    }
                    (left, begins) = (left - count, false);
                }
                _ => break,
            }
        }
    }
    if dice.below(2) == 0 {
        // Reset, where the other way is to close in order.
        let _ = stream.set_zero_linger();
    }
}

/// Whether nothing more may come for long: the end of an answer, of a stream, of an event of usage.
fn is_over(told: &[u8]) -> bool {
    told.ends_with(b"}") || told.ends_with(b"0\r\n\r\n") || told.ends_with(b"}\n\n\r\n")
}

fn acknowledge(acknowledged: &mut Acknowledged, operation: &str, makes: Option<Makes>) {
    match makes {
        Some(Makes::Known) => _ = acknowledged.entry(operation.to_owned()).or_default(),
        Some(Makes::Ended(state)) => {
            let before = acknowledged.insert(operation.to_owned(), Some(state)).flatten();
            assert!(before.is_none_or(|before| before == state), "{operation} ended twice");
        }
        None => {}
    }
}

/// Whatever was acknowledged is there, and nothing is there by half.
async fn compare(url: &str, acknowledged: &Acknowledged) {
    let (mut half_made, stored): (Vec<(String,)>, Vec<(String, String)>);
    half_made = Vec::new();
    if url.starts_with("sqlite:") {
        let mut connection = SqliteConnection::connect(url).await.unwrap();
        for sql in HALF_MADE {
            half_made.extend(sqlx::query_as(sql).fetch_all(&mut connection).await.unwrap());
        }
        stored = sqlx::query_as(STATES).fetch_all(&mut connection).await.unwrap();
    } else {
        let mut connection = PgConnection::connect(url).await.unwrap();
        for sql in HALF_MADE {
            half_made.extend(sqlx::query_as(sql).fetch_all(&mut connection).await.unwrap());
        }
        stored = sqlx::query_as(STATES).fetch_all(&mut connection).await.unwrap();
        let forgotten: i64 =
            sqlx::query_scalar(FORGOTTEN).fetch_one(&mut connection).await.unwrap();
        assert_eq!(forgotten, 0);
    }
    assert!(half_made.is_empty(), "{half_made:?}");
    let stored: HashMap<String, String> = stored.into_iter().collect();
    println!("{} operations, {} of them acknowledged", stored.len(), acknowledged.len());
    for (operation, state) in acknowledged {
        let found = stored.get(operation);
        assert!(found.is_some(), "{operation} was acknowledged and is missing");
        let found = found.map(String::as_str);
        assert!(state.is_none() || *state == found, "{operation}: {state:?}, but {found:?}");
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
            let mut acknowledged = Acknowledged::new();
            for done in 0..drops.div_ceil(AT_A_TIME) {
                drop_one(&house, &mut dice, &mut ids, done, &mut acknowledged).await;
                if ids.len() > 64 {
                    ids.clear();
                }
            }
            acknowledged
        })
    });
    let mut acknowledged = Acknowledged::new();
    for task in tasks.collect::<Vec<_>>() {
        acknowledged.extend(task.await.unwrap());
    }
    house.state.gateway.drained().await;
    // Whatever was sent before is carried out before this, and this at once.
    let last = drops.div_ceil(AT_A_TIME).saturating_sub(1) / DROPS_AN_ACCOUNT;
    for number in 0..ACCOUNTS {
        let account = format!("acct_{last}_{number}");
        house.hold(&account, "gpt-5-mini").await;
        house.get("/v1/usage").bearer(&house.token(&account)).send().await.expect(200);
    }
    house.get("/readyz").send().await.expect(200);
    let url = house.state.settings.database_url.expose().to_owned();
    audit::audit(&url).await;
    compare(&url, &acknowledged).await;
    house.ask_to_stop();
    Arc::into_inner(house).unwrap().stopped().await;
}
