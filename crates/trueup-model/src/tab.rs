//! A page: the client machine with what it keeps over a reload, and what its user began there.

use trueup_core::client::{Client, Event, Request, Saved, Settings};
use trueup_core::{OperationId, Timestamp, Version};

use crate::names::{Figures, START, account};

#[derive(Clone, Debug, Hash)]
pub(crate) struct Tab {
    pub client: Client,
    /// Rises with every reload: replies to the page before find nobody.
    pub page: u8,
    pub now: Timestamp,
    disk: Option<Saved>,
    /// What was begun here and not taken back.
    pub own: Vec<Own>,
    /// The newest version that was shown.
    shown: Version,
    pub broken: Option<&'static str>,
}

/// An operation that was begun on the page.
#[derive(Clone, Debug, Hash)]
pub(crate) struct Own {
    pub id: OperationId,
    /// What it counts for until its first record.
    pub predicted: Figures,
    /// Begun, and not sent.
    pub waits: bool,
}

impl Tab {
    /// A page that was just opened, and what it asks first.
    pub fn open() -> (Self, Vec<Request>) {
        let mut tab = Self {
            client: Client::new(Settings::default()),
            page: 0,
            now: START,
            disk: None,
            own: Vec::new(),
            shown: Version(0),
            broken: None,
        };
        let requests = tab.sign_in();
        (tab, requests)
    }

    fn sign_in(&mut self) -> Vec<Request> {
        let saved = self.disk.clone();
        self.call(|client, now| client.handle_account(Some(account()), saved, now))
    }

    /// The page is loaded anew: what is left is what was kept.
    pub fn reload(&mut self, forgetful: bool) -> Vec<Request> {
        if forgetful {
            self.disk = None;
        }
        self.client = Client::new(Settings::default());
        self.page += 1;
        for own in &mut self.own {
            own.waits = false;
        }
        self.sign_in()
    }

    /// Calls the machine and drains it, as its contract has it.
    pub fn call(&mut self, input: impl FnOnce(&mut Client, Timestamp)) -> Vec<Request> {
        input(&mut self.client, self.now);
        while let Some(event) = self.client.poll_event() {
            if event == Event::SaveNeeded {
                self.disk = self.client.saved();
            }
        }
        let requests = std::iter::from_fn(|| self.client.poll_request(self.now)).collect();
        let version = self.client.view().version.unwrap_or(self.shown);
        if version < self.shown {
            self.broken = Some("a page went back to an earlier version");
        }
        self.shown = version;
        requests
    }

    /// When its next timer goes off, at the latest.
    pub fn timer(&self) -> Option<Timestamp> {
        let due = self.client.poll_timeout()?.not_after;
        // The window's end is no part of this world.
        (due.since(START) < 7 * 24 * 60 * 60 * 1000).then(|| due.max(self.now))
    }

    pub fn ring(&mut self, at: Timestamp) -> Vec<Request> {
        self.now = at;
        self.call(Client::handle_timeout)
    }
}
