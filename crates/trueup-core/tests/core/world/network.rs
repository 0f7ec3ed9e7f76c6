//! What travels, and what becomes of it at either end.

use trueup_core::client::{Request, RequestId};
use trueup_core::ledger::{Command, Decision};
use trueup_core::{Charge, OperationId, Snapshot, Version};

use super::World;
use super::oracle::Why;
use super::tab::{ACCOUNTS, Who};
use crate::kit::{account, actor};

/// Everybody who uses a page is Ann.
pub(crate) const ANN: &str = "ann";

#[derive(Clone, Debug)]
pub(crate) enum Packet {
    /// To the server, with the token of an account.
    Up { account: usize, tab: usize, page: u32, ask: Ask },
    /// To a page.
    Down { tab: usize, page: u32, reply: Reply },
}

#[derive(Clone, Debug)]
pub(crate) enum Ask {
    Request(Request),
    Chat { operation: OperationId, charge: Charge, since: Option<Version> },
}

#[derive(Clone, Debug)]
pub(crate) enum Reply {
    Answer(RequestId, Box<Snapshot>),
    NotModified(RequestId),
    /// A part of a chat's reply.
    Activity(OperationId),
    /// A chat's reply ends, well or not, with a snapshot or without.
    Chat {
        operation: OperationId,
        snapshot: Option<Box<Snapshot>>,
        well: bool,
    },
    Push(Box<Snapshot>),
}

/// A chat that the server runs.
#[derive(Clone, Debug)]
pub(crate) struct Job {
    pub account: usize,
    pub tab: usize,
    pub page: u32,
    pub operation: OperationId,
    pub since: Option<Version>,
    pub charge: Charge,
}

impl World {
    /// A packet arrives.
    pub fn deliver(&mut self, packet: Packet) {
        match packet {
            Packet::Up { account, tab, page, ask: Ask::Request(request) } => {
                let reply = self.answer(account, &request);
                self.network.push(Packet::Down { tab, page, reply });
            }
            Packet::Up { account, tab, page, ask: Ask::Chat { operation, charge, since } } => {
                self.chat(Job { account, tab, page, operation, since, charge });
            }
            Packet::Down { tab, page, reply } if page == self.tabs[tab].page => {
                self.receive(tab, reply);
            }
            Packet::Down { .. } => {}
        }
    }

    /// A packet is lost, and its sender learns that.
    pub fn lose(&mut self, packet: &Packet, retry_after_ms: Option<i64>) {
        let (tab, page) = match packet {
            Packet::Up { tab, page, .. } | Packet::Down { tab, page, .. } => (*tab, *page),
        };
        if page != self.tabs[tab].page {
            return;
        }
        match packet {
            Packet::Up { ask: Ask::Request(Request::Usage { id, .. }), .. }
            | Packet::Up { ask: Ask::Request(Request::Fence { id, .. }), .. }
            | Packet::Down { reply: Reply::Answer(id, _) | Reply::NotModified(id), .. } => {
                let id = *id;
                self.call(tab, Why::Other, |client, now| {
                    client.handle_failure(id, retry_after_ms, now);
                });
            }
            Packet::Up { ask: Ask::Chat { operation, .. }, .. }
            | Packet::Down { reply: Reply::Chat { operation, .. }, .. } => {
                self.end_reply(tab, *operation, false);
            }
            Packet::Down { reply: Reply::Activity(_) | Reply::Push(_), .. } => {}
        }
    }

    fn answer(&mut self, account: usize, request: &Request) -> Reply {
        let backend = &mut self.backends[account];
        let actor = actor(ANN);
        match request {
            Request::Usage { id, since, ask, known } => {
                let (number, version) = backend.newest();
                if *known == Some((crate::kit::epoch(number), version)) {
                    return Reply::NotModified(*id);
                }
                Reply::Answer(*id, Box::new(backend.snapshot(&actor, *since, ask)))
            }
            Request::Fence { id, operation, since } => {
                // Whatever becomes of the fence, the answer tells of the operation.
                let command = Command::Fence { operation: *operation, actor: actor.clone() };
                let _ = backend.run(&command);
                Reply::Answer(*id, Box::new(backend.snapshot(&actor, *since, &[*operation])))
            }
        }
    }

    fn chat(&mut self, job: Job) {
        let command = Command::Hold {
            operation: job.operation,
            actor: actor(ANN),
            model: None,
            charge: job.charge.clone(),
            content: None,
            expires_at: self.now.plus(60_000),
        };
        let (tab, page, operation) = (job.tab, job.page, job.operation);
        let reply = match self.backends[job.account].run(&command) {
            Ok(Decision::Changed(_)) => {
                self.jobs.push(job);
                Reply::Activity(operation)
            }
            // Only a doubled request finds itself; its second reply goes nowhere.
            Ok(Decision::Replayed(_)) => return,
            Ok(Decision::Refused(..)) | Err(_) => {
                let snapshot = Some(Box::new(self.snapshot_for(&job)));
                Reply::Chat { operation, snapshot, well: true }
            }
        };
        self.network.push(Packet::Down { tab, page, reply });
    }

    pub fn snapshot_for(&mut self, job: &Job) -> Snapshot {
        self.backends[job.account].snapshot(&actor(ANN), job.since, &[job.operation])
    }

    fn receive(&mut self, tab: usize, reply: Reply) {
        match reply {
            Reply::Answer(id, snapshot) => {
                let why = self.why(tab, &snapshot);
                self.call(tab, why, |client, now| client.handle_answer(id, &snapshot, now));
            }
            Reply::NotModified(id) => {
                self.call(tab, Why::Other, |client, now| client.handle_not_modified(id, now));
            }
            Reply::Activity(operation) => {
                self.call(tab, Why::Other, |client, now| client.handle_activity(operation, now));
            }
            Reply::Push(snapshot) => self.take(tab, &snapshot),
            Reply::Chat { operation, snapshot, well } => {
                if let Some(snapshot) = snapshot {
                    let why = self.why_unasked(tab, &snapshot);
                    self.call(tab, why, |client, now| {
                        client.handle_reply(operation, &snapshot, now);
                    });
                }
                self.end_reply(tab, operation, well);
            }
        }
    }

    fn take(&mut self, tab: usize, snapshot: &Snapshot) {
        let why = self.why_unasked(tab, snapshot);
        self.call(tab, why, |client, now| client.handle_snapshot(snapshot, now));
    }

    fn why_unasked(&self, tab: usize, snapshot: &Snapshot) -> Why {
        let nobody_yet = self.tabs[tab].client.view().account.is_none();
        if nobody_yet { Why::Late } else { self.why(tab, snapshot) }
    }

    fn end_reply(&mut self, tab: usize, operation: OperationId, well: bool) {
        self.call(tab, Why::Other, |client, now| match well {
            true => client.handle_finished(operation, now),
            false => client.handle_failed(operation, now),
        });
    }

    /// Whether a snapshot goes on from what the page shows.
    fn why(&self, tab: usize, snapshot: &Snapshot) -> Why {
        let Who::Account(at, _) = self.tabs[tab].who else { return Why::Late };
        if snapshot.account != account(ACCOUNTS[at]) {
            return Why::Late;
        }
        let is_shown = self.tabs[tab].client.view().version.is_some();
        let Some((history, version)) = self.tabs[tab].shown.get(&at).filter(|_| is_shown) else {
            return Why::Other;
        };
        let number = snapshot.epoch.as_str().strip_prefix("epoch-").unwrap();
        let number = number.parse::<usize>().unwrap();
        if (number, snapshot.version) < (*history, *version) {
            return Why::Late;
        }
        let goes_on = number == *history && !snapshot.reset && snapshot.since <= *version;
        if goes_on { Why::Next } else { Why::Other }
    }
}
