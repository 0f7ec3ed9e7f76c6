//! Two pages of one account, a server, and a network that loses, doubles and reorders.

use std::fmt;
use std::hash::{Hash, Hasher};

use trueup_core::client::{Client, Request, RequestId};
use trueup_core::ledger::Command;
use trueup_core::{Cause, Charge, OperationId, Snapshot, Version};

use crate::hashed::Hashed;
use crate::names::{self, START, actor, figures};
use crate::server::Server;
use crate::tab::{Own, Tab};

/// One moment of the world.
#[derive(Clone)]
pub(crate) struct World {
    pub server: Hashed<Server>,
    pub tabs: [Hashed<Tab>; 2],
    /// In the order of their hashes: a network has no order.
    pub network: Vec<Hashed<Packet>>,
    /// Chats that run on the server.
    pub chats: Vec<Chat>,
    pub left: Budget,
    pub planted: Option<Planted>,
}

/// A defect put into the world, to see that it is found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, clap::ValueEnum)]
pub(crate) enum Planted {
    /// A page keeps nothing over a reload.
    Forgetful,
    /// A snapshot says that it tells everything since a version, and leaves operations out.
    Silent,
    /// A snapshot has the figures of now and the version of before.
    Torn,
}

/// How much may still happen. What is not bounded would go on for ever.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Budget {
    /// Operations that each page may begin.
    pub begins: [u8; 2],
    /// Packets that may be lost, or stripped of their snapshot.
    pub losses: u8,
    /// Packets that may arrive twice.
    pub doubles: u8,
    /// Pages that may be loaded anew.
    pub reloads: u8,
    /// Timers that may go off.
    pub timers: u8,
    /// Snapshots that the server may send unasked.
    pub pushes: u8,
}

/// What travels between a page and the server.
#[derive(Clone, Debug, Hash)]
pub(crate) enum Packet {
    Ask { tab: usize, page: u8, request: Request },
    Chat(Chat),
    Answer { tab: usize, page: u8, id: RequestId, snapshot: Option<Snapshot> },
    End { tab: usize, page: u8, operation: OperationId, snapshot: Option<Snapshot>, well: bool },
    Push { tab: usize, page: u8, snapshot: Snapshot },
}

/// A chat, on its way to the server or running there.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Chat {
    pub tab: usize,
    page: u8,
    pub operation: OperationId,
    charge: Charge,
    since: Option<Version>,
}

/// How a chat ends on the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Ending {
    Settled,
    Fallback,
    Failed,
    Expired,
}

impl World {
    pub fn new(left: Budget, planted: Option<Planted>) -> Self {
        let (first, asks) = Tab::open();
        let tabs = [Hashed::new(first.clone()), Hashed::new(first)];
        let server = Hashed::new(Server::new());
        let (network, chats) = (Vec::new(), Vec::new());
        let mut world = Self { server, tabs, network, chats, left, planted };
        world.ask(0, asks.clone());
        world.ask(1, asks);
        // Pages that were just opened show nothing, and cannot be wrong: they begin with figures.
        while let Some(packet) = world.network.pop() {
            world.deliver(&packet);
        }
        world
    }

    /// Adds a packet in its place.
    pub fn send(&mut self, packet: Packet) {
        let packet = Hashed::new(packet);
        let at = self.network.partition_point(|other| other.hash() < packet.hash());
        self.network.insert(at, packet);
    }

    fn ask(&mut self, tab: usize, requests: Vec<Request>) {
        let page = self.tab(tab).page;
        for request in requests {
            self.send(Packet::Ask { tab, page, request });
        }
    }

    pub fn tab(&self, at: usize) -> &Tab {
        let [first, second] = &self.tabs;
        if at == 0 { first } else { second }
    }

    pub fn change_tab(&mut self, at: usize, change: impl FnOnce(&mut Tab) -> Vec<Request>) {
        let [first, second] = &mut self.tabs;
        let requests = (if at == 0 { first } else { second }).change(change);
        self.ask(at, requests);
    }

    fn call(&mut self, tab: usize, input: impl FnOnce(&mut Client, trueup_core::Timestamp)) {
        self.change_tab(tab, |tab| tab.call(input));
    }

    /// The page's user begins something.
    pub fn begin(&mut self, tab: usize, number: u8) {
        let (id, charge) = (names::operation(number), names::premium());
        self.change_tab(tab, |tab| {
            let mut predicted = [0, 0];
            let requests = tab.call(|client, now| {
                let begun = client.handle_begin(id, &charge, now);
                predicted = begun.map_or([0, 0], |begun| figures(&begun.predicted));
            });
            tab.own.push(Own { id, predicted, waits: true });
            requests
        });
    }

    /// What was begun is sent, whatever was expected to come of it.
    pub fn send_chat(&mut self, tab: usize, operation: OperationId) {
        let (page, since) = (self.tab(tab).page, self.tab(tab).client.since());
        let charge = names::premium();
        self.send(Packet::Chat(Chat { tab, page, operation, charge, since }));
        self.change_tab(tab, |tab| {
            tab.own.iter_mut().filter(|own| own.id == operation).for_each(|own| own.waits = false);
            tab.call(|client, now| client.handle_sent(operation, now))
        });
    }

    /// The user thinks better of it before anything was sent.
    pub fn withdraw(&mut self, tab: usize, operation: OperationId) {
        self.change_tab(tab, |tab| {
            tab.own.retain(|own| own.id != operation);
            tab.call(|client, now| client.handle_failed(operation, now))
        });
    }

    /// A packet arrives.
    pub fn deliver(&mut self, packet: &Packet) {
        match packet {
            Packet::Ask { tab, page, request } => self.answer(*tab, *page, request),
            Packet::Chat(chat) => self.start(chat),
            Packet::Answer { tab, page, id, snapshot } if self.is_there(*tab, *page) => {
                self.call(*tab, |client, now| match snapshot {
                    Some(snapshot) => client.handle_answer(*id, snapshot, now),
                    None => client.handle_not_modified(*id, now),
                });
            }
            Packet::End { tab, page, operation, snapshot, well } if self.is_there(*tab, *page) => {
                if let Some(snapshot) = snapshot {
                    self.call(*tab, |client, now| client.handle_reply(*operation, snapshot, now));
                }
                self.end_reply(*tab, *operation, *well);
            }
            Packet::Push { tab, page, snapshot } if self.is_there(*tab, *page) => {
                self.call(*tab, |client, now| client.handle_snapshot(snapshot, now));
            }
            Packet::Answer { .. } | Packet::End { .. } | Packet::Push { .. } => {}
        }
    }

    /// A packet is lost, which its page notices.
    pub fn lose(&mut self, packet: &Packet) {
        match packet {
            Packet::Ask {
                tab,
                page,
                request: Request::Usage { id, .. } | Request::Fence { id, .. },
            }
            | Packet::Answer { tab, page, id, .. }
                if self.is_there(*tab, *page) =>
            {
                self.call(*tab, |client, now| client.handle_failure(*id, None, now));
            }
            Packet::Chat(Chat { tab, page, operation, .. })
            | Packet::End { tab, page, operation, .. }
                if self.is_there(*tab, *page) =>
            {
                self.end_reply(*tab, *operation, false);
            }
            _ => {}
        }
    }

    fn is_there(&self, tab: usize, page: u8) -> bool {
        self.tab(tab).page == page
    }

    fn end_reply(&mut self, tab: usize, operation: OperationId, well: bool) {
        self.call(tab, |client, now| {
            if well {
                client.handle_finished(operation, now);
            } else {
                client.handle_failed(operation, now);
            }
        });
    }

    fn answer(&mut self, tab: usize, page: u8, request: &Request) {
        let (id, snapshot) = match request {
            Request::Usage { id, known, .. }
                if known.as_ref().is_some_and(|(_, version)| *version == self.server.version()) =>
            {
                (*id, None)
            }
            Request::Usage { id, since, ask, .. } => (*id, Some(self.server.snapshot(*since, ask))),
            Request::Fence { id, operation, since } => {
                let command = Command::Fence { operation: *operation, actor: actor() };
                self.server.change(|server| server.run(&command));
                // Whatever becomes of the fence, the answer tells of the operation.
                (*id, Some(self.server.snapshot(*since, &[*operation])))
            }
        };
        self.send(Packet::Answer { tab, page, id, snapshot });
    }

    fn start(&mut self, chat: &Chat) {
        let Chat { tab, page, operation, ref charge, since } = *chat;
        let command = Command::Hold {
            operation,
            actor: actor(),
            model: None,
            charge: charge.clone(),
            content: None,
            expires_at: START,
        };
        let was_held = self.server.holds(operation);
        if self.server.change(|server| server.run(&command)) {
            self.chats.push(chat.clone());
            return;
        }
        // A doubled request finds itself, and its reply goes nowhere.
        if !was_held {
            let snapshot = Some(self.server.snapshot(since, &[operation]));
            self.send(Packet::End { tab, page, operation, snapshot, well: true });
        }
    }

    /// A chat ends on the server, which tells its page.
    pub fn end_chat(&mut self, at: usize, ending: Ending) {
        let Chat { tab, page, operation, charge, since } = self.chats.remove(at);
        let command = match ending {
            Ending::Settled => Command::Settle { operation, charge, content: None, cause: None },
            Ending::Fallback => {
                Command::Settle { operation, charge: names::standard(), content: None, cause: None }
            }
            Ending::Failed => Command::Release { operation, cause: Cause::ProviderFailed },
            Ending::Expired => Command::Expire { operation, charged: false },
        };
        self.server.change(|server| server.run(&command));
        let snapshot = Some(self.cut(since, operation));
        let well = matches!(ending, Ending::Settled | Ending::Fallback);
        self.send(Packet::End { tab, page, operation, snapshot, well });
    }

    /// The snapshot at a chat's end.
    fn cut(&self, since: Option<Version>, operation: OperationId) -> Snapshot {
        let mut snapshot = self.server.snapshot(since, &[operation]);
        match self.planted {
            Some(Planted::Silent) => snapshot.operations.clear(),
            Some(Planted::Torn) => snapshot.version = Version(snapshot.version.0 - 1),
            Some(Planted::Forgetful) | None => {}
        }
        snapshot
    }

    /// The server tells a page the news unasked, from what it was told last.
    pub fn push(&mut self, tab: usize) {
        let Some(since) = self.tab(tab).client.since() else { return };
        let snapshot = self.server.snapshot(Some(since), &[]);
        let page = self.tab(tab).page;
        self.send(Packet::Push { tab, page, snapshot });
    }
}

impl Hash for World {
    fn hash<H: Hasher>(&self, state: &mut H) {
        let Self { server, tabs, network, chats, left, planted: _ } = self;
        (server, tabs, network, chats, left).hash(state);
    }
}

impl PartialEq for World {
    fn eq(&self, other: &Self) -> bool {
        let parts = |it: &Self| {
            let network: Vec<u64> = it.network.iter().map(Hashed::hash).collect();
            (it.server.hash(), [it.tabs[0].hash(), it.tabs[1].hash()], network, it.left)
        };
        parts(self) == parts(other) && self.chats == other.chats
    }
}

impl Eq for World {}

impl fmt::Debug for World {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "server at {}: {:?}", self.server.version(), self.server.newest())?;
        for tab in &self.tabs {
            writeln!(f, "page: {:?} {:?}", tab.client.view(), tab.own)?;
        }
        self.network.iter().try_for_each(|packet| writeln!(f, "on its way: {:?}", **packet))
    }
}
