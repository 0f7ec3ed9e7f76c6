//! A client, its page, and the server on the other side.

use js_sys::{Function, JSON, Promise};
use trueup_wasm::Client;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;

#[wasm_bindgen(module = "/tests/browser/page.js")]
extern "C" {
    pub type Server;
    #[wasm_bindgen(constructor)]
    fn new() -> Server;
    #[wasm_bindgen(method)]
    fn next(this: &Server) -> Promise;
    #[wasm_bindgen(method, getter)]
    pub fn count(this: &Server) -> u32;
    #[wasm_bindgen(method)]
    fn close(this: &Server);

    pub type Call;
    #[wasm_bindgen(method, getter)]
    pub fn url(this: &Call) -> String;
    #[wasm_bindgen(method, getter)]
    pub fn method(this: &Call) -> String;
    #[wasm_bindgen(method, getter)]
    pub fn body(this: &Call) -> Option<String>;
    #[wasm_bindgen(method)]
    pub fn header(this: &Call, name: &str) -> Option<String>;
    #[wasm_bindgen(method)]
    fn answer(this: &Call, status: u16, body: &str, retry_after: Option<&str>);
    #[wasm_bindgen(method, js_name = breakOff)]
    pub fn break_off(this: &Call);

    pub type App;
    #[wasm_bindgen(constructor)]
    fn new() -> App;
    #[wasm_bindgen(method, getter, js_name = getToken)]
    fn get_token(this: &App) -> Function;
    #[wasm_bindgen(method, getter, js_name = onChange)]
    fn on_change(this: &App) -> Function;
    #[wasm_bindgen(method, getter, js_name = onEvent)]
    fn on_event(this: &App) -> Function;
    #[wasm_bindgen(method, getter)]
    pub fn changes(this: &App) -> u32;
    #[wasm_bindgen(method, setter)]
    pub fn set_hook(this: &App, hook: &Function);
    #[wasm_bindgen(method, js_name = signIn)]
    pub fn sign_in(this: &App, token: Option<&str>);
    #[wasm_bindgen(method, js_name = breakToken)]
    pub fn break_token(this: &App);
    #[wasm_bindgen(method, js_name = takeEvents)]
    pub fn take_events(this: &App) -> String;
    #[wasm_bindgen(method)]
    fn told(this: &App) -> Promise;

    #[wasm_bindgen(js_name = tokenOf)]
    pub fn token_of(claims: &str) -> String;
    #[wasm_bindgen(js_name = showPage)]
    pub fn show_page(visible: bool);
    #[wasm_bindgen(js_name = connectPage)]
    pub fn connect_page(online: bool);
    #[wasm_bindgen(js_name = setClock)]
    pub fn set_clock(ahead_ms: i32);
    pub fn stringify(value: &JsValue) -> String;
}

pub const CATALOG: &str = r#"{"models":{"gpt-5":{"charge":{"premium_messages":1},"fallback":["gpt-5-mini"]},
    "gpt-5-mini":{"charge":{"standard_messages":1},"fallback":[]}},"meters":["premium_messages","standard_messages"]}"#;

impl Call {
    pub fn reply(&self, status: u16, body: &str) {
        self.answer(status, body, None);
    }

    pub fn refuse(&self, status: u16, code: &str, retry_after: Option<&str>) {
        let body = format!(r#"{{"error":{{"code":"{code}","message":"no"}}}}"#);
        self.answer(status, &body, retry_after);
    }
}

/// One client under test. What it leaves behind is taken away when it is dropped.
pub struct World {
    pub app: App,
    pub server: Server,
    pub client: Client,
}

impl World {
    /// A client of `app`'s visitor that has not started. Whatever was stored is still there.
    pub fn of(app: App, config: &str) -> Self {
        let config = JSON::parse(config).unwrap();
        let client =
            Client::new(&config, app.get_token(), app.on_change(), app.on_event()).unwrap();
        Self { app, server: Server::new(), client }
    }

    /// A started client of an account whose storage is empty, with its first figures: version 1,
    /// 5 premium messages of which 1 is used, and the catalog.
    pub async fn live() -> Self {
        Self::live_with(r#"{"baseUrl":""}"#).await
    }

    pub async fn live_with(config: &str) -> Self {
        clear_storage();
        let world = Self::of(app_of("ada"), config);
        world.start().await;
        world
    }

    /// Starts, answers the first two requests, and waits until the client is ready.
    pub async fn start(&self) {
        let ready = self.client.start();
        for _ in 0..2 {
            let call = self.next().await;
            let body =
                if call.url().ends_with("/v1/catalog") { CATALOG } else { &snapshot(1, 1, "") };
            call.reply(200, body);
        }
        JsFuture::from(ready).await.unwrap();
    }

    /// The next request.
    pub async fn next(&self) -> Call {
        JsFuture::from(self.server.next()).await.unwrap().unchecked_into()
    }

    /// Waits until the client tells something for which `is_there` holds.
    pub async fn until(&self, is_there: impl Fn(&Self) -> bool) {
        while !is_there(self) {
            JsFuture::from(self.app.told()).await.unwrap();
        }
    }

    /// Begins an operation with the premium model; answers with its id.
    pub fn begin(&self) -> String {
        let begun = self.client.begin(&object(r#"{"model":"gpt-5"}"#)).unwrap();
        text(&begun, "id").unwrap()
    }

    /// A figure of the premium meter, as JSON.
    pub fn premium(&self, figure: &str) -> String {
        let meters = get(&self.client.view(), "meters");
        stringify(&get(&get(&meters, "premium_messages"), figure))
    }

    pub fn status(&self) -> String {
        text(&self.client.view(), "status").unwrap()
    }
}

impl Drop for World {
    fn drop(&mut self) {
        self.client.stop();
        self.server.close();
        show_page(true);
        connect_page(true);
        set_clock(0);
    }
}

/// An app whose visitor is signed in to that account.
pub fn app_of(account: &str) -> App {
    let app = App::new();
    app.sign_in(Some(&token_of(&format!(r#"{{"sub":"{account}"}}"#))));
    app
}

/// An app with an anonymous visitor.
pub fn app_of_nobody() -> App {
    App::new()
}

/// ada's usage: `used` premium messages of 5, and operations as JSON.
pub fn snapshot(version: u64, used: u64, operations: &str) -> String {
    snapshot_of("ada", version, used, operations)
}

pub fn snapshot_of(account: &str, version: u64, used: u64, operations: &str) -> String {
    let window = r#"{"start":"2026-11-01T00:00:00Z","end":"2026-12-01T00:00:00Z"}"#;
    format!(
        r#"{{"account":"{account}","epoch":"e1","since":{since},"version":{version},
        "as_of":"2026-11-24T03:00:00Z","reset":false,"meters":{{
          "premium_messages":{{"limit":5,"used":{used},"held":0,"enforcement":"hard","window":{window}}},
          "standard_messages":{{"limit":null,"used":0,"held":0,"enforcement":"soft","window":{window}}}}},
        "operations":[{operations}],"changes":[]}}"#,
        since = version - 1,
    )
}

/// The end of an operation with the premium model.
pub fn ended(id: &str, version: u64, state: &str, cause: &str, charged: &str) -> String {
    format!(
        r#"{{"id":"{id}","version":{version},"state":"{state}","cause":"{cause}",
        "requested":{{"premium_messages":1}},"charged":{charged}}}"#
    )
}

pub fn object(json: &str) -> JsValue {
    JSON::parse(json).unwrap()
}

pub fn get(object: &JsValue, name: &str) -> JsValue {
    js_sys::Reflect::get(object, &name.into()).unwrap()
}

pub fn text(object: &JsValue, name: &str) -> Option<String> {
    get(object, name).as_string()
}

pub fn storage(name: &str) -> web_sys::Storage {
    get(&js_sys::global(), name).unchecked_into()
}

pub fn clear_storage() {
    storage("sessionStorage").clear().unwrap();
    storage("localStorage").clear().unwrap();
}

/// Lets time pass, to see that nothing happens in it. What does happen is awaited instead.
pub async fn pause(ms: i32) {
    let promise = Promise::new(&mut |resolve, _| {
        let set_timeout: Function = get(&js_sys::global(), "setTimeout").unchecked_into();
        set_timeout.call2(&JsValue::UNDEFINED, &resolve, &ms.into()).unwrap();
    });
    JsFuture::from(promise).await.unwrap();
}
