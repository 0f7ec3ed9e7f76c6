//! One page: the client machine, what it keeps over a reload, and a driver that obeys the contract.

use std::collections::BTreeMap;

use trueup_core::client::{Client, Event, Local, Request, Saved, Settings};
use trueup_core::view::View;
use trueup_core::{Charge, Map, OperationId, Timestamp, Version};

use super::oracle::Own;
use crate::kit::{account, meter, units};

/// The accounts that somebody may sign in to.
pub(crate) const ACCOUNTS: [&str; 2] = ["one", "two"];

/// Who looks at the page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Who {
    Visitor,
    /// The index of an account, and whether the page knows its name before it asked.
    Account(usize, bool),
}

pub(crate) struct Tab {
    pub client: Client,
    /// Rises with every reload; replies to an earlier page find nobody.
    pub page: u32,
    pub who: Who,
    /// How far the page's clock is off.
    pub skew_ms: i64,
    disk: BTreeMap<usize, Saved>,
    visitor: Option<Local>,
    /// What was begun here, account by account.
    pub own: BTreeMap<usize, Vec<Own>>,
    /// What a visitor began and ended well, or is doing.
    pub visited: Vec<(OperationId, Charge)>,
    /// The last (epoch, version) that was shown, account by account.
    pub shown: BTreeMap<usize, (usize, Version)>,
}

/// What the machine said when it was drained.
pub(crate) struct Said {
    pub before: View,
    pub events: Vec<Event>,
    pub requests: Vec<Request>,
}

impl Tab {
    pub fn new(skew_ms: i64) -> Self {
        Self {
            client: Client::new(Settings::default()),
            page: 0,
            who: Who::Visitor,
            skew_ms,
            disk: BTreeMap::new(),
            visitor: None,
            own: BTreeMap::new(),
            visited: Vec::new(),
            shown: BTreeMap::new(),
        }
    }

    /// Calls the machine once, then drains it: what is to be kept is kept before anything is sent.
    pub fn call(&mut self, now: Timestamp, input: impl FnOnce(&mut Client, Timestamp)) -> Said {
        let now = now.plus(self.skew_ms);
        let before = self.client.view().clone();
        input(&mut self.client, now);
        let events: Vec<Event> = std::iter::from_fn(|| self.client.poll_event()).collect();
        if events.contains(&Event::SaveNeeded) {
            self.save();
        }
        let requests = std::iter::from_fn(|| self.client.poll_request(now)).collect();
        assert_eq!(self.client.poll_event(), None, "asking for requests tells nothing");
        Said { before, events, requests }
    }

    fn save(&mut self) {
        match self.who {
            Who::Visitor => self.visitor = self.client.local().cloned(),
            Who::Account(at, _) => {
                if let Some(saved) = self.client.saved() {
                    assert_eq!(saved.account, account(ACCOUNTS[at]), "kept for the wrong account");
                    self.disk.insert(at, saved);
                }
            }
        }
    }

    /// Somebody else looks at the page now, or the same again.
    pub fn sign_in(&mut self, who: Who, now: Timestamp) -> Said {
        self.who = who;
        let saved = match who {
            Who::Visitor => None,
            Who::Account(at, true) => self.disk.get(&at).cloned(),
            // Without a name there is nothing to look for.
            Who::Account(at, false) => self.disk.remove(&at).and(None),
        };
        let limits = Map::from([(meter("premium"), units(3))]);
        let used = self.visitor.take().map(|local| local.used).unwrap_or_default();
        let visitor = Local::new(limits, used);
        self.visitor = Some(visitor.clone());
        self.call(now, |client, now| match who {
            Who::Visitor => client.handle_anonymous(visitor, now),
            Who::Account(at, named) => {
                let name = named.then(|| account(ACCOUNTS[at]));
                client.handle_account(name, saved, now);
            }
        })
    }

    /// The page is loaded anew: all that is left is what was kept.
    pub fn reload(&mut self, now: Timestamp) -> Said {
        self.client = Client::new(Settings::default());
        self.page += 1;
        self.sign_in(self.who, now)
    }
}
