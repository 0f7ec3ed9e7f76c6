//! What arrives, and what becomes of it.

use std::rc::Rc;

use trueup_core::{Snapshot, Version};

use super::gateway::Step;
use super::luck::About;
use super::network::{Packet, Part, Reply};
use super::tab::{Who, small};
use super::{Task, World};
use crate::audit::history::Event;
use crate::border;
use crate::design::Input;
use crate::planted::Bug;
use crate::report::Sometimes;
use crate::server::Asker;

impl World<'_> {
    /// A message arrives.
    pub(super) fn deliver(&mut self, packet: Packet) {
        if packet.is_up() {
            return self.deliver_up(packet);
        }
        let (Packet::Reply { asker: Asker { tab, page, .. }, .. }
        | Packet::Stream { tab, page, .. }
        | Packet::Push { tab, page, .. }) = packet
        else {
            return;
        };
        if !self.tabs[tab].is_open || self.tabs[tab].page != page {
            return;
        }
        let device = self.device(tab);
        if let Some(wakes_at) = device.wakes_at {
            let late = match packet {
                Packet::Reply { asker, .. } => Packet::Reply { asker, reply: Reply::Failed(None) },
                Packet::Stream { stream, .. } => {
                    Packet::Stream { stream, tab, page, part: Part::Broken }
                }
                _ => return,
            };
            return self.queue.push(wakes_at, Task::Deliver(late));
        }
        let offline = !device.is_online;
        match packet {
            Packet::Reply { asker, .. } if offline => self.hear(asker, Reply::Failed(None)),
            Packet::Reply { asker, reply } => self.hear(asker, reply),
            Packet::Stream { stream, .. } if offline => self.stream(tab, stream, Part::Broken),
            Packet::Stream { stream, part, .. } => self.stream(tab, stream, part),
            Packet::Push { snapshot, relayed, who, .. }
                if (relayed || !offline) && !self.is_of_other_actor(tab, who) =>
            {
                self.pushed(tab, &snapshot, relayed);
            }
            _ => {}
        }
    }

    fn deliver_up(&mut self, packet: Packet) {
        let is_up = self.server.is_up;
        match packet {
            Packet::Ask { asker, .. } if !is_up => self.reply(asker, Reply::Failed(None)),
            Packet::Ask { asker, ref request, .. } => {
                let request = Rc::clone(request);
                self.read_usage(&packet, asker, &request);
            }
            Packet::Chat(call) if !is_up => self.break_stream(call.stream, call.tab, call.page),
            Packet::Chat(call) => self.chat(*call),
            Packet::Left(stream) => {
                if let Some(job) = self.streams.remove(&stream) {
                    self.go_on_job(job, Step::Left);
                }
            }
            _ => {}
        }
    }

    fn hear(&mut self, asker: Asker, reply: Reply) {
        let (tab, id) = (asker.tab, asker.id);
        let input = match reply {
            Reply::Answer(snapshot) => {
                self.received(tab, &snapshot);
                let page = self.tabs[tab].page;
                self.tell(tab, Input::Answer(id, Rc::clone(&snapshot)));
                if self.tabs[tab].who == Some(asker.who) {
                    self.relay(tab, page, &snapshot);
                }
                return;
            }
            Reply::NotModified(version) => {
                if self.tabs[tab].design.since().is_some_and(|since| since > version) {
                    self.reach(Sometimes::NotModifiedLate);
                }
                Input::NotModified(id)
            }
            Reply::FenceRefused => return self.fence_refused(tab, id),
            Reply::Failed(retry_after_ms) => {
                // What is still answered after that finds nobody.
                self.tabs[tab].fences.take_if(|(known, _)| *known == id);
                let retry_after = retry_after_ms.unwrap_or_default();
                self.note(Event::Failed { tab: small(tab), retry_after });
                Input::Failure(id, retry_after_ms)
            }
        };
        self.tell(tab, input);
    }

    fn stream(&mut self, tab: usize, stream: u64, part: Part) {
        let Some(at) = self.tabs[tab].streams.iter().position(|(known, ..)| *known == stream)
        else {
            return;
        };
        let (_, operation, begun_by) = self.tabs[tab].streams[at];
        let page = self.tabs[tab].page;
        self.note(Event::Heard { tab: small(tab), op: border::op(operation) });
        if matches!(part, Part::Token) {
            return self.tell(tab, Input::Heard(operation));
        }
        self.tabs[tab].streams.remove(at);
        let well = match part {
            Part::End(snapshot, well) => {
                if let Some(snapshot) = snapshot {
                    self.received(tab, &snapshot);
                    self.tell(tab, Input::Reply(operation, Rc::clone(&snapshot)));
                    if self.tabs[tab].who == begun_by {
                        self.relay(tab, page, &snapshot);
                    }
                }
                well
            }
            _ => false,
        };
        // It may have died of what it heard.
        if self.tabs[tab].is_open && self.tabs[tab].page == page {
            if !well {
                self.note(Event::Broke { tab: small(tab), op: border::op(operation) });
            }
            let over = if well { Input::Finished(operation) } else { Input::Failed(operation) };
            self.tell(tab, over);
            if !well && self.has(Bug::ResendsChat) {
                self.resend(tab);
            }
        }
    }

    /// A driver ends its channels with the session: a snapshot names its account, not for whom of
    /// its actors it was made.
    fn is_of_other_actor(&self, tab: usize, made_for: Option<Who>) -> bool {
        let both = self.tabs[tab].who.zip(made_for);
        both.is_some_and(|(now, before)| now.0 == before.0 && now.1 != before.1)
    }

    fn pushed(&mut self, tab: usize, snapshot: &Rc<Snapshot>, relayed: bool) {
        let before = self.tabs[tab].design.since();
        if before.is_some_and(|before| snapshot.since > before) {
            self.reach(Sometimes::PushGap);
        }
        self.received(tab, snapshot);
        self.tell(tab, Input::Snapshot(Rc::clone(snapshot)));
        if self.tabs[tab].design.since() > before {
            self.reach(if relayed { Sometimes::Relayed } else { Sometimes::Pushed });
        }
    }

    fn received(&mut self, tab: usize, snapshot: &Snapshot) {
        if self.tabs[tab].design.epoch().is_some_and(|own| own != snapshot.epoch) {
            self.reach(Sometimes::OtherEpoch);
        }
        if let Some(since) = self.tabs[tab].design.since() {
            if snapshot.version < since {
                self.reach(Sometimes::Stale);
            } else if snapshot.since > since {
                self.reach(Sometimes::Gap);
            }
        }
        self.note(Event::Received {
            tab: small(tab),
            account: border::account(&snapshot.account),
            place: (border::epoch(&snapshot.epoch), snapshot.version.0),
            as_of: snapshot.as_of.millis(),
        });
    }

    /// What a page learns it tells the other tabs of its browser that show the same to the same.
    fn relay(&mut self, tab: usize, page: u32, snapshot: &Rc<Snapshot>) {
        let (device, who) = (self.tabs[tab].device, self.tabs[tab].who);
        if self.tabs[tab].page != page || !self.tabs[tab].is_open {
            return;
        }
        for other in 0..self.tabs.len() {
            let it = &self.tabs[other];
            if other != tab && it.device == device && it.is_open && it.who == who {
                let (page, mut snapshot) = (it.page, Rc::clone(snapshot));
                if self.has(Bug::RelayWidens) {
                    Rc::make_mut(&mut snapshot).since = Version(0);
                }
                let packet = Packet::Push { tab: other, page, who, snapshot, relayed: true };
                let delay_ms = self.draw_now(About::Relay, other).between(0, 20);
                self.after(delay_ms, Task::Deliver(packet));
            }
        }
    }
}
