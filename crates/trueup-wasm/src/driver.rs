//! The loop around the machine: tell it something, then carry out what it wants.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::{Rc, Weak};

use js_sys::{Function, Promise};
use trueup_core::client::{Client as Machine, Event, Local, Request, RequestId};
use trueup_core::view::{Status, View};
use trueup_core::{OperationId, Timestamp};
use trueup_protocol::reply;
use wasm_bindgen::JsValue;
use wasm_bindgen_futures::spawn_local;
use web_sys::AbortController;

use crate::config::Config;
use crate::error::Fault;
use crate::fetch::{self, Answer, Call, Failure, Reply};
use crate::page::{self, Listeners};
use crate::session::Session;
use crate::sse::Scanner;
use crate::timers::Alarm;
use crate::token::Identity;
use crate::{event, host, storage, view};

/// The functions that the app gave.
pub struct App {
    pub get_token: Function,
    pub on_change: Function,
    pub on_event: Function,
}

/// One client at work.
pub struct Driver {
    app: App,
    config: Config,
    machine: RefCell<Machine>,
    session: RefCell<Session>,
    streams: RefCell<BTreeMap<OperationId, Scanner>>,
    shown: RefCell<Option<(View, JsValue)>>,
    waiting: RefCell<Vec<Function>>,
    listeners: RefCell<Option<Listeners>>,
    alarm: Alarm,
    clock: Clock,
    stopped: Cell<bool>,
    itself: Weak<Self>,
}

impl Driver {
    pub fn new(config: Config, app: App) -> Rc<Self> {
        Rc::new_cyclic(|itself: &Weak<Self>| {
            let rung = itself.clone();
            Self {
                app,
                machine: RefCell::new(Machine::new(config.settings)),
                config,
                session: RefCell::default(),
                streams: RefCell::default(),
                shown: RefCell::default(),
                waiting: RefCell::default(),
                listeners: RefCell::default(),
                alarm: Alarm::new(move || {
                    if let Some(driver) = rung.upgrade() {
                        driver.ring();
                    }
                }),
                clock: Clock::default(),
                stopped: Cell::new(false),
                itself: itself.clone(),
            }
        })
    }

    /// Finds out who is there and begins a new session; the promise resolves when there is
    /// something to show.
    pub fn begin_session(self: &Rc<Self>) -> Promise {
        let ready = Promise::new(&mut |resolve, _| self.waiting.borrow_mut().push(resolve));
        self.listen();
        let generation = self.session.borrow_mut().renew();
        // Whoever was there before is not shown any longer.
        self.with(|machine, now| machine.handle_account(None, None, now));
        let driver = Rc::clone(self);
        spawn_local(async move {
            let identity = match driver.ask_token().await {
                Ok(token) => Identity::of(token.as_deref()),
                Err(fault) => {
                    driver.tell(&event::error(&fault));
                    Identity::SignedIn(None)
                }
            };
            if driver.is_current(generation) {
                driver.enter(identity);
            }
        });
        ready
    }

    /// Tells the machine something and carries out what it wants.
    pub fn with<T>(self: &Rc<Self>, tell: impl FnOnce(&mut Machine, Timestamp) -> T) -> T {
        let now = self.clock.now();
        let told = tell(&mut self.machine.borrow_mut(), now);
        self.drain();
        told
    }

    /// Looks something up in the machine.
    pub fn read<T>(&self, look: impl FnOnce(&Machine) -> T) -> T {
        look(&self.machine.borrow())
    }

    /// Whether it is known who is there.
    pub fn is_identified(&self) -> bool {
        self.session.borrow().identity.is_some()
    }

    pub fn is_stopped(&self) -> bool {
        self.stopped.get()
    }

    /// The view, the same object until it changes.
    pub fn view(&self) -> JsValue {
        let machine = self.machine.borrow();
        let mut shown = self.shown.borrow_mut();
        match &*shown {
            Some((view, object)) if view == machine.view() => object.clone(),
            _ => {
                let object = view::to_js(machine.view());
                *shown = Some((machine.view().clone(), object.clone()));
                object
            }
        }
    }

    /// The next bytes of an operation's stream.
    pub fn feed(self: &Rc<Self>, id: OperationId, bytes: &[u8]) {
        let mut found = Vec::new();
        let mut streams = self.streams.borrow_mut();
        streams.entry(id).or_default().push(bytes, |json| found.extend(reply::snapshot_in(json)));
        drop(streams);
        self.with(|machine, now| machine.handle_activity(id, now));
        for snapshot in found {
            self.with(|machine, now| machine.handle_snapshot(&snapshot, now));
        }
    }

    /// The operation's stream is over.
    pub fn end_stream(&self, id: OperationId) {
        self.streams.borrow_mut().remove(&id);
    }

    /// Asks for the catalog, unless that was done a moment ago.
    pub fn renew_catalog(self: &Rc<Self>) {
        let now = self.clock.now();
        let mut session = self.session.borrow_mut();
        if !session.may_ask_catalog(now) {
            return;
        }
        session.catalog_asked_at = Some(now);
        let generation = session.generation;
        drop(session);
        let driver = Rc::clone(self);
        spawn_local(async move { driver.fetch_catalog(generation).await });
    }

    /// Ends everything: nothing is sent, set or told any more.
    pub fn stop(&self) {
        self.stopped.set(true);
        self.alarm.clear();
        self.listeners.take();
        self.session.borrow_mut().renew();
        self.streams.take();
        self.release();
    }

    fn enter(self: &Rc<Self>, identity: Identity) {
        let now = self.clock.now();
        let mut session = self.session.borrow_mut();
        session.renew();
        session.identity = Some(identity.clone());
        let key = session.storage_key().filter(|_| self.config.storage);
        drop(session);
        self.with(|machine, _| match identity {
            Identity::Anonymous => {
                machine.handle_catalog(self.config.anonymous_charges.clone());
                let used = self.config.storage.then(storage::load_visitor).flatten();
                let limits = self.config.anonymous_limits.clone();
                machine.handle_anonymous(Local::new(limits, used.unwrap_or_default()), now);
            }
            Identity::SignedIn(holder) => {
                machine.handle_catalog(BTreeMap::new());
                let saved = key.and_then(|key| storage::load(&key));
                machine.handle_account(holder.map(|holder| holder.account), saved, now);
            }
        });
        self.renew_catalog();
    }

    fn listen(self: &Rc<Self>) {
        let (changed, leaving) = (self.itself.clone(), self.itself.clone());
        self.listeners.borrow_mut().get_or_insert_with(|| {
            Listeners::new(
                move || changed.upgrade().into_iter().for_each(|driver| driver.look_at_page()),
                move || leaving.upgrade().into_iter().for_each(|driver| driver.save()),
            )
        });
        self.look_at_page();
    }

    fn look_at_page(self: &Rc<Self>) {
        self.with(|machine, now| {
            machine.handle_visible(page::is_visible(), now);
            machine.handle_online(page::is_online(), now);
        });
    }

    fn ring(self: &Rc<Self>) {
        self.alarm.rung();
        self.with(Machine::handle_timeout);
    }

    fn drain(self: &Rc<Self>) {
        loop {
            let event = self.machine.borrow_mut().poll_event();
            match event {
                None => break,
                Some(Event::SaveNeeded) => self.save(),
                Some(Event::ViewChanged) => self.call(&self.app.on_change, None),
                Some(Event::Corrected(correction)) => self.tell(&event::correction(&correction)),
                Some(Event::Ended { operation, state, cause }) => {
                    self.tell(&event::decided(operation, state, cause));
                }
            }
        }
        if self.is_stopped() {
            return;
        }
        let now = self.clock.now();
        // While it is not known who is there, there is nobody to ask for.
        while self.is_identified() {
            let Some(request) = self.machine.borrow_mut().poll_request(now) else { break };
            spawn_local(Rc::clone(self).carry_out(request));
        }
        if self.is_ready() {
            self.release();
        }
        self.alarm.set(self.machine.borrow().poll_timeout(), now);
    }

    fn is_ready(&self) -> bool {
        let session = self.session.borrow();
        match &session.identity {
            None => false,
            Some(Identity::Anonymous) => true,
            Some(Identity::SignedIn(_)) => {
                let shown = self.machine.borrow().view().status != Status::Loading;
                session.catalog_tried && (session.usage_tried || shown)
            }
        }
    }

    fn release(&self) {
        for resolve in self.waiting.take() {
            // A promise's own functions do not throw.
            let _ = resolve.call0(&JsValue::UNDEFINED);
        }
    }

    fn save(&self) {
        if !self.config.storage {
            return;
        }
        let machine = self.machine.borrow();
        if let Some(local) = machine.local() {
            storage::save_visitor(&local.used);
        }
        if let (Some(key), Some(saved)) = (self.session.borrow().storage_key(), machine.saved()) {
            storage::save(&key, &saved);
        }
    }

    fn tell(&self, event: &JsValue) {
        self.call(&self.app.on_event, Some(event));
    }

    fn call(&self, callback: &Function, argument: Option<&JsValue>) {
        if self.is_stopped() {
            return;
        }
        // What the app throws in its own listener is not ours to handle, and must not stop us.
        let _ = match argument {
            None => callback.call0(&JsValue::UNDEFINED),
            Some(argument) => callback.call1(&JsValue::UNDEFINED, argument),
        };
    }

    fn is_current(&self, generation: u32) -> bool {
        self.session.borrow().generation == generation
    }

    async fn carry_out(self: Rc<Self>, request: Request) {
        let generation = self.session.borrow().generation;
        let outcome = match self.send(Call::of(&request), generation).await {
            Some(Ok(reply)) => reply.answer(&request),
            Some(Err(failure)) => Err(failure),
            None => return,
        };
        self.session.borrow_mut().usage_tried = true;
        let id = id_of(&request);
        match outcome {
            Ok(answer) => {
                self.with(|machine, now| match answer {
                    Answer::Snapshot(snapshot) => machine.handle_answer(id, &snapshot, now),
                    Answer::NotModified => machine.handle_not_modified(id, now),
                    Answer::FenceRefused => machine.handle_fence_refused(id, now),
                });
                if !self.read(Machine::has_catalog) {
                    self.renew_catalog();
                }
            }
            Err(Failure { fault, retry_after_ms }) => {
                self.tell(&event::error(&fault));
                self.with(|machine, now| machine.handle_failure(id, retry_after_ms, now));
            }
        }
    }

    async fn fetch_catalog(self: Rc<Self>, generation: u32) {
        let outcome = match self.send(Call::get("/v1/catalog"), generation).await {
            Some(Ok(reply)) if reply.status == 200 => {
                reply::catalog(&reply.body).map_err(|_| reply.failure())
            }
            Some(Ok(reply)) => Err(reply.failure()),
            Some(Err(failure)) => Err(failure),
            None => return,
        };
        self.session.borrow_mut().catalog_tried = true;
        match outcome {
            Ok(catalog) => self.with(|machine, _| machine.handle_catalog(catalog)),
            Err(failure) => {
                self.tell(&event::error(&failure.fault));
                self.drain();
            }
        }
    }

    /// Sends a call of a session; nothing comes of it once that session is over.
    async fn send(self: &Rc<Self>, call: Call, generation: u32) -> Option<Result<Reply, Failure>> {
        let token = self.ask_token().await;
        if !self.is_current(generation) {
            return None;
        }
        let token = match token {
            Ok(token) => token,
            Err(fault) => return Some(Err(fault.into())),
        };
        let identity = Identity::of(token.as_deref());
        if self.session.borrow().identity.as_ref() != Some(&identity) {
            // Somebody else has signed in and the app has not said so.
            self.enter(identity);
            return None;
        }
        let token = token?;
        let controller = AbortController::new().ok()?;
        self.session.borrow_mut().calls.push(controller.clone());
        let reply = call.send(&self.config.base_url, &token, &controller).await;
        if !self.is_current(generation) {
            return None;
        }
        self.session.borrow_mut().calls.retain(|call| *call != controller);
        Some(reply.map_err(Failure::from))
    }

    async fn ask_token(&self) -> Result<Option<String>, Fault> {
        let failed = |_| Fault::new("token_failed", "getToken failed or did not answer in time");
        let given = self.app.get_token.call0(&JsValue::UNDEFINED).map_err(failed)?;
        let token = fetch::within(&Promise::resolve(&given)).await.map_err(failed)?;
        Ok(token.as_string())
    }
}

fn id_of(request: &Request) -> RequestId {
    match request {
        Request::Usage { id, .. } | Request::Fence { id, .. } => *id,
    }
}

/// The host's clock without its steps back: they would only put checks off.
#[derive(Default)]
struct Clock {
    last: Cell<Timestamp>,
    lost_ms: Cell<i64>,
}

impl Clock {
    fn now(&self) -> Timestamp {
        let read = host::now();
        let back_ms = self.last.replace(read).since(read);
        if back_ms > 0 {
            self.lost_ms.set(self.lost_ms.get().saturating_add(back_ms));
        }
        read.plus(self.lost_ms.get())
    }
}
