//! The loop around the machine: tell it something, then carry out what it wants.

use std::cell::{Cell, RefCell};
use std::rc::{Rc, Weak};

use js_sys::{Function, Promise};
use trueup_core::client::{Client as Machine, Event, Local};
use trueup_core::view::Status;
use trueup_core::{Map, OperationId, Snapshot, Timestamp};
use trueup_protocol::reply;
use wasm_bindgen::JsValue;

use crate::config::Config;
use crate::page::{self, Listeners};
use crate::session::Session;
use crate::sse::Scanner;
use crate::timers::Alarm;
use crate::token::Identity;
use crate::{event, host, storage, view};

mod clock;
mod errands;

use clock::Clock;
use errands::Errand;

/// Where bytes come from: the reply to an operation, or what the server pushes.
pub type Source = Option<OperationId>;

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
    streams: RefCell<Vec<(Source, Scanner)>>,
    shown: RefCell<Option<JsValue>>,
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
        self.session.borrow_mut().renew(None);
        let ready = Promise::new(&mut |resolve, _| self.waiting.borrow_mut().push(resolve));
        if self.is_stopped() {
            self.release();
            return ready;
        }
        // Whoever was there before is not shown any longer.
        self.with(|machine, now| machine.handle_account(None, None, now));
        self.listen();
        self.send(Errand::Identity);
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

    /// The server's time, as far as it is known.
    pub fn server_time(&self) -> Timestamp {
        self.machine.borrow().server_time(self.clock.now())
    }

    /// Whether it is known who is there.
    pub fn is_identified(&self) -> bool {
        self.session.borrow().identity.is_some()
    }

    /// Whether `token` speaks for who is there.
    pub fn is_of_session(&self, token: Option<&str>) -> bool {
        self.session.borrow().identity.as_ref() == Some(&Identity::of(token))
    }

    pub fn is_stopped(&self) -> bool {
        self.stopped.get()
    }

    /// The view, the same object until it changes.
    pub fn view(&self) -> JsValue {
        let shown = &mut *self.shown.borrow_mut();
        shown.get_or_insert_with(|| view::to_js(self.machine.borrow().view())).clone()
    }

    /// The next bytes of an event stream.
    pub fn feed(self: &Rc<Self>, source: Source, bytes: &[u8]) {
        let mut scanner = self.end_stream(source).unwrap_or_default();
        scanner.push(bytes, |json| self.receive(source, json));
        if scanner.is_within_line() {
            self.streams.borrow_mut().push((source, scanner));
        }
        // After what it says: whatever is asked now is asked with that.
        self.take_in(source, None);
    }

    /// A part of a reply that may carry a snapshot.
    pub fn receive(self: &Rc<Self>, source: Source, body: &str) {
        self.take_in(source, reply::snapshot_in(body));
    }

    fn take_in(self: &Rc<Self>, source: Source, snapshot: Option<Snapshot>) {
        self.with(|machine, now| {
            if let Some(id) = source {
                machine.handle_activity(id, now);
            }
            match (source, snapshot) {
                (Some(id), Some(snapshot)) => machine.handle_reply(id, &snapshot, now),
                (None, Some(snapshot)) => machine.handle_snapshot(&snapshot, now),
                _ => {}
            }
        });
    }

    /// The stream is over.
    pub fn end_stream(&self, source: Source) -> Option<Scanner> {
        let mut streams = self.streams.borrow_mut();
        let at = streams.iter().position(|(known, _)| *known == source)?;
        Some(streams.swap_remove(at).1)
    }

    /// Asks for the catalog, unless that was done a moment ago.
    pub fn renew_catalog(self: &Rc<Self>) {
        let now = self.clock.now();
        let mut session = self.session.borrow_mut();
        if !page::is_online() {
            // Nothing to wait for. The first answer after this brings it along.
            session.catalog_tried = true;
            return;
        }
        if session.may_ask_catalog(now) {
            session.catalog_asked_at = Some(now);
            drop(session);
            self.send(Errand::Catalog);
        }
    }

    /// Ends everything: nothing is sent, set or told any more.
    pub fn stop(&self) {
        self.stopped.set(true);
        self.alarm.clear();
        self.listeners.take();
        self.session.borrow_mut().renew(None);
        self.streams.take();
        self.release();
    }

    fn enter(self: &Rc<Self>, identity: Identity) {
        let mut session = self.session.borrow_mut();
        session.renew(Some(identity.clone()));
        let key = session.storage_key().filter(|_| self.config.storage);
        drop(session);
        self.renew_catalog();
        self.with(|machine, now| match identity {
            Identity::Anonymous => {
                machine.handle_catalog(self.config.anonymous_charges.clone());
                let used = self.config.storage.then(storage::load_visitor).flatten();
                let limits = self.config.anonymous_limits.clone();
                machine.handle_anonymous(Local::new(limits, used.unwrap_or_default()), now);
            }
            Identity::SignedIn(holder) => {
                machine.handle_catalog(Map::new());
                let saved = key.and_then(|key| storage::load(&key));
                machine.handle_account(holder.map(|holder| holder.account), saved, now);
            }
        });
    }

    fn listen(self: &Rc<Self>) {
        let itself = self.itself.clone();
        self.listeners.borrow_mut().get_or_insert_with(|| {
            Listeners::new(move || {
                if let Some(driver) = itself.upgrade() {
                    driver.look_at_page();
                    // It may be the last time that anything runs here.
                    driver.save();
                }
            })
        });
        self.look_at_page();
    }

    fn look_at_page(self: &Rc<Self>) {
        // Both before anything is sent: a page that has just lost its network asks nobody.
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
                Some(Event::ViewChanged) => {
                    self.shown.take();
                    self.call_back(&self.app.on_change, &JsValue::UNDEFINED);
                }
                Some(Event::Corrected(correction)) => {
                    let corrected = &mut self.session.borrow_mut().corrected;
                    *corrected += correction.cause.as_str();
                    *corrected += ",";
                    self.tell(&event::correction(&correction));
                }
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
            self.send(Errand::Request(request));
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
            let _ = host::call(&resolve, &JsValue::UNDEFINED);
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
        self.call_back(&self.app.on_event, event);
    }

    fn call_back(&self, callback: &Function, argument: &JsValue) {
        if !self.is_stopped() {
            // What the app throws in its own listener is not ours to handle, and must not stop us.
            let _ = host::call(callback, argument);
        }
    }

    fn is_current(&self, generation: u32) -> bool {
        self.session.borrow().generation == generation
    }
}
