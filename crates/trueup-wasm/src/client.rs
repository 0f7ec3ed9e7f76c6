//! What JavaScript sees.

use std::rc::Rc;

use js_sys::{Function, Promise};
use trueup_core::{Charge, ModelId, OperationId, Timestamp};
use trueup_protocol::text;
use wasm_bindgen::prelude::*;

use crate::config::{Asked, Config};
use crate::driver::{App, Driver, Source};
use crate::error::Fault;
use crate::{event, host};

/// One visitor's usage in one page.
#[wasm_bindgen]
pub struct Client {
    driver: Rc<Driver>,
}

#[wasm_bindgen]
impl Client {
    /// A client that has not started. `get_token` gives a browser token, `null` for an anonymous
    /// visitor, or a promise of either; `on_change` is called after the view changed, `on_event`
    /// with every correction, decision and passing error.
    ///
    /// # Errors
    /// `invalid_config` when an option is not what it must be.
    #[wasm_bindgen(constructor)]
    pub fn new(
        config: &JsValue,
        get_token: Function,
        on_change: Function,
        on_event: Function,
    ) -> Result<Client, JsValue> {
        let config = Config::read(&host::json(config))?;
        Ok(Self { driver: Driver::new(config, App { get_token, on_change, on_event }) })
    }

    /// Finds out who is there, restores what was kept, and asks for figures and the catalog.
    /// Resolves when there is something to show, or no hope of it soon.
    pub fn start(&self) -> Promise {
        self.driver.begin_session()
    }

    /// Begins an operation, which counts from now on. `request` names a `model`, or says its
    /// `charge`.
    ///
    /// # Errors
    /// `loading` (also once it is stopped), `invalid_request`, `unknown_model`, `unknown_meter`,
    /// `too_many_pending`.
    pub fn begin(&self, request: &JsValue) -> Result<JsValue, JsValue> {
        if !self.driver.is_identified() {
            return Err(Fault::new("loading", "it is not known yet who is there").into());
        }
        let charge = self.charge_of(Asked::read(&host::json(request))?)?;
        let id = new_id(self.driver.server_time())?;
        let begun = self
            .driver
            .with(|machine, now| machine.handle_begin(id, &charge, now))
            .map_err(|_| Fault::new("too_many_pending", "too many operations are undecided"))?;
        Ok(event::begun(id, &begun))
    }

    /// The operation's request has left.
    pub fn sent(&self, id: &str) {
        self.tell(id, |driver, source| {
            if let Some(id) = source {
                driver.with(|machine, now| machine.handle_sent(id, now));
            }
        });
    }

    /// Bytes of the operation's event stream, as they arrive. Without an id: of the stream of
    /// `GET /v1/usage/events`.
    pub fn feed(&self, id: &str, bytes: &[u8]) {
        self.tell(id, |driver, source| driver.feed(source, bytes));
    }

    /// The whole JSON body of the operation's reply, or of an error in its place.
    pub fn receive(&self, id: &str, body: &str) {
        self.tell(id, |driver, source| driver.receive(source, body));
    }

    /// The operation's reply has ended: well, or it broke, was aborted, or how it ended is not
    /// known. Without an id: the stream of `GET /v1/usage/events` has.
    pub fn end(&self, id: &str, well: bool) {
        self.tell(id, |driver, source| {
            driver.end_stream(source);
            let Some(id) = source else { return };
            driver.with(|machine, now| {
                if well { machine.handle_finished(id, now) } else { machine.handle_failed(id, now) }
            });
        });
    }

    /// Whether `token` speaks for who is there: what is pushed to somebody else is not for this
    /// client, also when it is of the same account.
    #[wasm_bindgen(js_name = isFor)]
    pub fn is_for(&self, token: &str) -> bool {
        self.driver.is_of_session(Some(token))
    }

    /// The value for `Trueup-Since`, once there is one.
    #[wasm_bindgen(js_name = sinceHeader)]
    pub fn since_header(&self) -> Option<String> {
        self.driver.read(|machine| machine.since().map(|version| text::decimal(version.0)))
    }

    /// What the user should see: a frozen object, the same one until it changes.
    pub fn view(&self) -> JsValue {
        self.driver.view()
    }

    /// Asks the server now.
    pub fn refresh(&self) {
        if !self.driver.is_stopped() {
            self.driver.with(|machine, _| machine.handle_refresh());
        }
    }

    /// Somebody signed in, out, or switched the account: everything begins anew.
    #[wasm_bindgen(js_name = sessionChanged)]
    pub fn session_changed(&self) -> Promise {
        self.driver.begin_session()
    }

    /// Ends everything: nothing is sent, set or told any more.
    pub fn stop(&self) {
        self.driver.stop();
    }

    fn tell(&self, id: &str, act: impl FnOnce(&Rc<Driver>, Source)) {
        // An id that is none names no operation, and one that is over is no news.
        let id = if id.is_empty() { Ok(None) } else { id.parse().map(Some) };
        if !self.driver.is_stopped()
            && let Ok(source) = id
        {
            act(&self.driver, source);
        }
    }

    fn charge_of(&self, asked: Asked) -> Result<Charge, Fault> {
        match asked {
            Asked::Model(model) => {
                let known = ModelId::new(&model).ok().and_then(|model| {
                    self.driver.read(|machine| machine.charge_of(&model).cloned())
                });
                known.ok_or_else(|| {
                    self.driver.renew_catalog();
                    Fault::new("unknown_model", "the catalog has no such model")
                })
            }
            Asked::Charge(charge) => {
                let known = self.driver.read(|machine| {
                    let meters = &machine.view().meters;
                    meters.is_empty() || charge.iter().all(|(meter, _)| meters.contains_key(meter))
                });
                if !known {
                    return Err(Fault::new("unknown_meter", "the plan has no such meter"));
                }
                Ok(charge)
            }
        }
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        self.driver.stop();
    }
}

fn new_id(made_at: Timestamp) -> Result<OperationId, Fault> {
    let mut entropy = [0; 10];
    host::global("crypto")
        .unchecked_into::<web_sys::Crypto>()
        .get_random_values_with_u8_array(&mut entropy)
        .map_err(|_| Fault::new("unsupported", "the host has no source of randomness"))?;
    Ok(OperationId::new_v7(made_at, entropy))
}
