//! What travels, and what the network does to it.

use std::rc::Rc;

use trueup_core::client::Request;
use trueup_core::{Snapshot, Version};

use super::luck::About;
use super::tab::small;
use super::{Task, World};
use crate::audit::history::Event;
use crate::border;
use crate::dice::Dice;
use crate::planted::Bug;
use crate::report::Sometimes;
use crate::server::{Asker, Call, Listener};

/// Nobody waits longer than this for an answer.
const TIME_OUT_MS: i64 = 10_000;
/// The connection of a request that was sent again on the way: it leads to no page.
const LOST_STREAM: u64 = 0;

/// A message.
#[derive(Clone, Debug)]
pub(super) enum Packet {
    /// A page's own question.
    Ask { asker: Asker, account: usize, actor: u8, request: Rc<Request> },
    /// A chat request.
    Chat(Box<Call>),
    /// A connection was closed by the client.
    Left(u64),
    /// The answer to a page's question.
    Reply { asker: Asker, reply: Reply },
    /// A part of a chat's stream.
    Stream { stream: u64, tab: usize, page: u32, part: Part },
    /// A snapshot by push, or from another tab.
    Push { tab: usize, page: u32, who: Option<(usize, u8)>, snapshot: Rc<Snapshot>, relayed: bool },
}

/// What came of a question.
#[derive(Clone, Debug)]
pub(super) enum Reply {
    Answer(Rc<Snapshot>),
    /// Nothing is newer than that version.
    NotModified(Version),
    FenceRefused,
    Failed(Option<i64>),
}

/// What a stream carries.
#[derive(Clone, Debug)]
pub(super) enum Part {
    Token,
    /// The end, with a snapshot or without, well or not.
    End(Option<Rc<Snapshot>>, bool),
    /// The connection broke.
    Broken,
}

impl Packet {
    /// Whether the packet is on its way to the server.
    pub fn is_up(&self) -> bool {
        matches!(self, Self::Ask { .. } | Self::Chat(_) | Self::Left(_))
    }
}

impl World<'_> {
    /// When something arrives that keeps its place in a stream.
    pub(super) fn draw_arrival(&self, dice: &mut Dice) -> i64 {
        let (least, most) = self.profile.delay_ms;
        self.now + dice.between(least, most)
    }

    /// When something arrives that may be overtaken.
    fn draw_late_arrival(&mut self, dice: &mut Dice) -> i64 {
        let (share, most_ms) = self.profile.reordering;
        let mut arrival = self.draw_arrival(dice);
        if dice.chance(share) {
            self.fault("reordered");
            // As often seconds as hours.
            let scale = dice.pick(&[1_000, 30_000, 600_000, 86_400_000]).unwrap_or(1_000);
            arrival += dice.between(0, most_ms.min(scale));
        }
        arrival
    }

    fn is_lost(&mut self, dice: &mut Dice) -> bool {
        let lost = dice.chance(self.profile.loss);
        if lost {
            self.fault("lost");
        }
        lost
    }

    fn is_doubled(&mut self, dice: &mut Dice) -> bool {
        let doubled = dice.chance(self.profile.doubling);
        if doubled {
            self.fault("doubled");
        }
        doubled
    }

    /// Sends something that may be lost, late or doubled; when it arrives, if it does.
    fn post(&mut self, packet: Packet, dice: &mut Dice) -> Option<i64> {
        if self.is_lost(dice) {
            return None;
        }
        let at = self.draw_late_arrival(dice);
        if self.is_doubled(dice) {
            let again_at = self.draw_late_arrival(dice);
            let mut copy = packet.clone();
            if let Packet::Chat(call) = &mut copy {
                call.stream = None;
            }
            self.queue.push(again_at, Task::Deliver(copy));
        }
        self.queue.push(at, Task::Deliver(packet));
        Some(at)
    }

    /// A page asks the server.
    pub(super) fn ask(&mut self, tab: usize, request: Request) {
        let (page, sent_at) = (self.tabs[tab].page, self.now);
        let Some((account, actor)) = self.tabs[tab].who else {
            return self.note(Event::AskedAlone { tab: small(tab) });
        };
        if let Request::Fence { id, .. } = request
            && self.has(Bug::GivesUpUnfenced)
        {
            return self.fence_refused(tab, id);
        }
        let (Request::Usage { id, .. } | Request::Fence { id, .. }) = request;
        if let Request::Usage { ask, .. } = &request
            && self.tabs[tab].streams.iter().any(|(_, operation, _)| ask.contains(operation))
        {
            self.reach(Sometimes::AskedWhole);
        }
        let kind = usize::from(matches!(request, Request::Fence { .. }));
        let nth = self.tabs[tab].asked[kind];
        self.tabs[tab].asked[kind] += 1;
        let asker = Asker { tab, page, who: (account, actor), id, sent_at, nth: (kind, nth) };
        let mut dice = self.draw(About::Ask, asker.key(), 0);
        let arrives = if self.device(tab).is_online {
            let request = Rc::new(request);
            self.post(Packet::Ask { asker, account, actor, request }, &mut dice)
        } else {
            None
        };
        if arrives.is_none_or(|at| at > sent_at + TIME_OUT_MS) {
            let fails_at = if arrives.is_none() && dice.chance(500) {
                sent_at + dice.between(5, TIME_OUT_MS)
            } else {
                sent_at + TIME_OUT_MS
            };
            self.fail(asker, fails_at);
        }
    }

    fn fail(&mut self, asker: Asker, at: i64) {
        let reply = Reply::Failed(None);
        self.queue.push(at.max(self.now), Task::Deliver(Packet::Reply { asker, reply }));
    }

    /// The server answers a page.
    pub(super) fn reply(&mut self, asker: Asker, reply: Reply) {
        let gives_up_at = asker.sent_at + TIME_OUT_MS;
        let mut dice = self.draw(About::Reply, asker.key(), self.now);
        let arrives = self.post(Packet::Reply { asker, reply }, &mut dice);
        if arrives.is_none_or(|at| at > gives_up_at) {
            self.fail(asker, gives_up_at);
        }
    }

    /// A part of a stream leaves the server; whether the stream goes on.
    pub(super) fn tell_stream(
        &mut self,
        stream: Option<u64>,
        (tab, page): (usize, u32),
        at: i64,
        part: Part,
        dice: &mut Dice,
    ) -> bool {
        let breaks = dice.chance(self.profile.loss / 5);
        let Some(stream) = stream else { return false };
        if breaks {
            self.fault("stream broken");
            self.break_stream(Some(stream), tab, page);
            return false;
        }
        self.queue.push(at, Task::Deliver(Packet::Stream { stream, tab, page, part }));
        true
    }

    /// A connection breaks: the client learns that, or just hears nothing any more.
    pub(super) fn break_stream(&mut self, stream: Option<u64>, tab: usize, page: u32) {
        let Some(stream) = stream else { return };
        let mut dice = self.draw_now(About::Break, tab);
        if dice.chance(700) || self.healing {
            let at = self.draw_arrival(&mut dice) + dice.between(0, 3_000);
            let part = Part::Broken;
            self.queue.push(at, Task::Deliver(Packet::Stream { stream, tab, page, part }));
        }
    }

    /// A client sends a chat; when it arrives first, if it does.
    pub(super) fn send_chat(&mut self, mut call: Call) -> Option<i64> {
        let (stream, tab, page) = (call.stream, call.tab, call.page);
        let op = u64::from(border::op(call.operation));
        let mut dice = self.draw(About::Chat, op, 0);
        let is_sent_again = dice.chance(self.profile.retries);
        if !self.device(tab).is_online {
            self.break_stream(stream, tab, page);
            return None;
        }
        if is_sent_again {
            self.send_again(&call, &mut dice);
            // Whatever is answered to the first one, nobody passes it on.
            call.stream = stream.map(|_| LOST_STREAM);
        }
        let arrives = self.post(Packet::Chat(Box::new(call)), &mut dice);
        if arrives.is_none() && !is_sent_again {
            self.break_stream(stream, tab, page);
        }
        arrives
    }

    /// A gateway or a backend on the way hears nothing for a while and sends the same again, under
    /// the same id; and sometimes, wrongly, something else under it.
    fn send_again(&mut self, call: &Call, dice: &mut Dice) {
        self.fault("sent again on the way");
        let is_other = dice.chance(250);
        let content = if is_other { call.content + 1 } else { call.content };
        let again = Call { is_retry: true, content, ..call.clone() };
        let at = self.draw_arrival(dice) + dice.pause(6_000);
        self.queue.push(at, Task::Deliver(Packet::Chat(Box::new(again))));
    }

    /// A client closes a connection.
    pub(super) fn hang_up(&mut self, tab: usize, stream: u64) {
        let mut dice = self.draw_now(About::Left, tab);
        let at = self.draw_arrival(&mut dice);
        self.queue.push(at, Task::Deliver(Packet::Left(stream)));
    }

    pub(super) fn push_to(&mut self, listener: Listener, snapshot: Rc<Snapshot>) {
        let Listener { tab, page, account, actor, .. } = listener;
        let who = Some((account, actor));
        let mut dice = self.draw_now(About::Push, tab);
        self.post(Packet::Push { tab, page, who, snapshot, relayed: false }, &mut dice);
    }
}
