//! A small world: two pages, two accounts on one server, and a network that loses, doubles and
//! reorders. Every call of a machine is checked against the oracle.

use trueup_core::client::Client;
use trueup_core::{Charge, OperationId, Timestamp};

use crate::kit::{START, charge, op};
use backend::Backend;
use oracle::{Own, Why};
use tab::{ACCOUNTS, Said, Tab, Who};

pub(crate) mod backend;
pub(crate) mod heal;
pub(crate) mod network;
pub(crate) mod oracle;
pub(crate) mod steps;
pub(crate) mod tab;

use network::{Ask, Job, Packet};

/// What operations ask for.
pub(crate) const CHARGES: [&str; 5] =
    ["premium=1", "premium=1", "premium=2", "standard=1 tokens=7", "-"];

pub(crate) struct World {
    pub now: Timestamp,
    pub backends: Vec<Backend>,
    pub tabs: Vec<Tab>,
    pub network: Vec<Packet>,
    pub jobs: Vec<Job>,
    next_op: u16,
}

impl World {
    pub fn new() -> Self {
        let mut world = Self {
            now: START,
            backends: ACCOUNTS.iter().map(|name| Backend::new(name)).collect(),
            // Clocks of pages are never right.
            tabs: [-3_600_000, 90_000_000].map(Tab::new).into(),
            network: Vec::new(),
            jobs: Vec::new(),
            next_op: 0,
        };
        for tab in 0..world.tabs.len() {
            world.sign_in(tab, Who::Account(0, true));
        }
        world
    }

    pub fn clock(&mut self, now: Timestamp) {
        self.now = self.now.max(now);
        for backend in &mut self.backends {
            backend.clock(self.now);
        }
    }

    /// Calls a page's machine and checks what came of it.
    pub fn call(&mut self, tab: usize, why: Why, input: impl FnOnce(&mut Client, Timestamp)) {
        let said = self.tabs[tab].call(self.now, input);
        self.heard(tab, said, why);
    }

    fn heard(&mut self, tab: usize, said: Said, why: Why) {
        oracle::check(&mut self.tabs[tab], &self.backends, &said, why);
        for request in said.requests {
            self.send(tab, Ask::Request(request));
        }
    }

    fn send(&mut self, tab: usize, ask: Ask) {
        let (who, page) = (self.tabs[tab].who, self.tabs[tab].page);
        let Who::Account(account, _) = who else { return };
        self.network.push(Packet::Up { account, tab, page, ask });
    }

    pub fn sign_in(&mut self, tab: usize, who: Who) {
        if let Who::Account(at, false) = who {
            // A page that does not know whose it is keeps nothing of before.
            self.tabs[tab].own.remove(&at);
        }
        self.forget_unsent(tab);
        let said = self.tabs[tab].sign_in(who, self.now);
        self.heard(tab, said, Why::Page);
    }

    pub fn reload(&mut self, tab: usize) {
        let who = self.tabs[tab].who;
        if let Who::Account(at, false) = who {
            self.tabs[tab].own.remove(&at);
        }
        self.forget_unsent(tab);
        let said = self.tabs[tab].reload(self.now);
        self.heard(tab, said, Why::Page);
    }

    /// A page that is left cannot tell any more what it had not sent.
    fn forget_unsent(&mut self, tab: usize) {
        let tab = &mut self.tabs[tab];
        if let (Who::Account(at, _), None) = (tab.who, &tab.client.view().account) {
            // Without a name there is no place to keep it.
            tab.own.remove(&at);
        }
        tab.own.values_mut().flatten().for_each(|own| own.unsent = false);
        if tab.who == Who::Visitor {
            // What a visitor had not ended is nobody's.
            let used = tab.client.local().map(|local| local.used.clone()).unwrap_or_default();
            let kept = used.into_iter().map(|(meter, units)| (op(0), Charge::of(meter, units)));
            tab.visited = kept.collect();
        }
    }

    pub fn begin(&mut self, tab: usize, kind: usize) {
        self.next_op += 1;
        let id = op(self.next_op);
        let charge = charge(CHARGES[kind % CHARGES.len()]);
        let expected = oracle::expects_refusal(self.tabs[tab].client.view(), &charge);
        let now = self.now.plus(self.tabs[tab].skew_ms);
        // The page notes what it begins before it is checked.
        let begun = self.tabs[tab].client.clone().handle_begin(id, &charge, now);
        let Ok(begun) = begun else { return };
        assert_eq!(begun.refusal.is_some(), expected, "{charge:?}: {begun:?}");
        let predicted = if expected { Charge::empty() } else { charge.clone() };
        assert_eq!(begun.predicted, predicted);
        match self.tabs[tab].who {
            Who::Visitor => self.tabs[tab].visited.push((id, predicted)),
            Who::Account(at, _) => {
                let own = Own { id, predicted, unsent: true, ended: false };
                self.tabs[tab].own.entry(at).or_default().push(own);
            }
        }
        self.call(tab, Why::Page, |client, now| {
            client.handle_begin(id, &charge, now).unwrap();
        });
    }

    /// Sends the oldest operation that was begun and not sent; asks for what it was begun for.
    pub fn send_oldest(&mut self, tab: usize, kind: usize) {
        let Some(id) = self.oldest_unsent(tab) else { return };
        let since = self.tabs[tab].client.since();
        let Who::Account(at, _) = self.tabs[tab].who else { return };
        let own = self.tabs[tab].own.get_mut(&at).unwrap();
        let own = own.iter_mut().find(|own| own.id == id).unwrap();
        own.unsent = false;
        let predicted = own.predicted.clone();
        // What was expected to be refused asks for something all the same.
        let asked =
            if predicted.is_empty() { charge(CHARGES[kind % CHARGES.len()]) } else { predicted };
        self.call(tab, Why::Other, |client, now| client.handle_sent(id, now));
        self.send(tab, Ask::Chat { operation: id, charge: asked, since });
    }

    /// The user thinks better of it before anything left.
    pub fn withdraw_oldest(&mut self, tab: usize) {
        let Some(id) = self.oldest_unsent(tab) else { return };
        let Who::Account(at, _) = self.tabs[tab].who else { return };
        self.tabs[tab].own.get_mut(&at).unwrap().retain(|own| own.id != id);
        self.call(tab, Why::Page, |client, now| client.handle_failed(id, now));
    }

    fn oldest_unsent(&self, tab: usize) -> Option<OperationId> {
        let Who::Account(at, _) = self.tabs[tab].who else { return None };
        let own = self.tabs[tab].own.get(&at)?;
        own.iter().find(|own| own.unsent).map(|own| own.id)
    }

    /// A visitor's oldest operation ends.
    pub fn end_visit(&mut self, tab: usize, well: bool) {
        let visited = &self.tabs[tab].visited;
        let open = visited.iter().map(|(id, _)| *id).find(|id| *id != op(0));
        let Some(id) = open.filter(|_| self.tabs[tab].who == Who::Visitor) else { return };
        let position = visited.iter().position(|(it, _)| *it == id).unwrap();
        if well {
            self.tabs[tab].visited[position].0 = op(0);
            self.call(tab, Why::Page, |client, now| client.handle_finished(id, now));
        } else {
            self.tabs[tab].visited.remove(position);
            self.call(tab, Why::Page, |client, now| client.handle_failed(id, now));
        }
    }
}
