//! What the driver does with the server, and what comes of it.

use std::rc::Rc;

use trueup_core::client::{Client as Machine, Request, RequestId};
use trueup_protocol::reply;

use super::Driver;
use crate::error::Fault;
use crate::event;
use crate::fetch::{self, Answer, Call, Reply};
use crate::session::Session;
use crate::token::Identity;

/// What there is to be done with the server.
pub enum Errand {
    /// Find out who is there.
    Identity,
    /// Fetch the catalog.
    Catalog,
    /// Carry out a request of the machine.
    Request(Request),
}

impl Errand {
    fn call(&self, session: &mut Session) -> Call {
        match self {
            Self::Request(request) => Call::of(request, session),
            Self::Identity | Self::Catalog => Call::get("/v1/catalog"),
        }
    }
}

impl Driver {
    /// Sets out on an errand. Nothing comes of it once its session is over.
    pub(super) fn send(self: &Rc<Self>, errand: Errand) {
        let generation = self.session.borrow().generation;
        let driver = Rc::clone(self);
        fetch::ask_token(&self.app.get_token, move |token| {
            if driver.is_current(generation) {
                match token {
                    Ok(token) => driver.call(errand, generation, token.as_deref()),
                    Err(fault) => driver.conclude(errand, Err(fault)),
                }
            }
        });
    }

    fn call(self: &Rc<Self>, errand: Errand, generation: u32, token: Option<&str>) {
        if !self.is_of_session(token) {
            // Nobody was known yet, or somebody else signed in and the app said nothing.
            return self.enter(Identity::of(token));
        }
        let Some(token) = token else { return };
        let driver = Rc::clone(self);
        let call = errand.call(&mut self.session.borrow_mut());
        call.send(&self.config.base_url, token, move |reply| {
            if driver.is_current(generation) {
                driver.conclude(errand, reply);
            }
        });
    }

    fn conclude(self: &Rc<Self>, errand: Errand, outcome: Result<Reply, Fault>) {
        match errand {
            Errand::Identity => self.conclude_identity(outcome.err()),
            Errand::Catalog => self.conclude_catalog(outcome),
            Errand::Request(request) => self.conclude_request(&request, outcome),
        }
    }

    /// It is still not known who is there: the first request will ask again.
    fn conclude_identity(self: &Rc<Self>, fault: Option<Fault>) {
        if let Some(fault) = fault {
            self.tell(&event::error(&fault));
        }
        self.enter(Identity::SignedIn(None));
    }

    fn conclude_catalog(self: &Rc<Self>, outcome: Result<Reply, Fault>) {
        self.session.borrow_mut().catalog_tried = true;
        let catalog =
            outcome.and_then(|reply| reply::catalog(&reply.body).map_err(|_| reply.fault()));
        match catalog {
            Ok(catalog) => self.with(|machine, _| machine.handle_catalog(catalog)),
            Err(fault) => {
                self.session.borrow_mut().catalog_asked_at = None;
                self.tell(&event::error(&fault));
                self.drain();
            }
        }
    }

    fn conclude_request(self: &Rc<Self>, request: &Request, outcome: Result<Reply, Fault>) {
        self.session.borrow_mut().usage_tried = true;
        if let Some(tag) = outcome.as_ref().ok().and_then(|reply| reply.tag.clone()) {
            self.session.borrow_mut().tag = Some(tag);
        }
        let retry_after_ms = outcome.as_ref().ok().and_then(|reply| reply.retry_after_ms);
        let answer = outcome.map_or_else(Answer::Failed, |reply| reply.answer(request));
        let answered = !matches!(answer, Answer::Failed(_));
        if let Answer::Failed(fault) = &answer {
            self.tell(&event::error(fault));
        }
        let id = id_of(request);
        self.with(|machine, now| match answer {
            Answer::Snapshot(snapshot) => machine.handle_answer(id, &snapshot, now),
            Answer::NotModified => machine.handle_not_modified(id, now),
            Answer::FenceRefused => machine.handle_fence_refused(id, now),
            Answer::Failed(_) => machine.handle_failure(id, retry_after_ms, now),
        });
        if answered && !self.read(Machine::has_catalog) {
            self.renew_catalog();
        }
    }
}

fn id_of(request: &Request) -> RequestId {
    match request {
        Request::Usage { id, .. } | Request::Fence { id, .. } => *id,
    }
}
