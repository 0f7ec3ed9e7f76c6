//! What people do. Drawn from a stream of its own.

use super::tab::small;
use super::{Task, World};
use crate::audit::history::Event;
use crate::border::{self, START};
use crate::design::Input;
use crate::profile::HOUR;
use crate::record::Act;
use crate::report::Sometimes;
use crate::server::Call;
use crate::server::plan::{MODELS, charge_of};

impl World<'_> {
    pub(super) fn act(&mut self, tab: usize) {
        let pause_ms = self.people.pause(self.profile.acts_ms);
        let wandering = self.people.chance(self.profile.wandering);
        let clocks = self.people.chance(self.profile.clocks / 10);
        let night = self.profile.nights && (self.now / HOUR).rem_euclid(24) >= 9;
        if night && !self.people.chance(20) {
            if self.tabs[tab].is_open && self.tabs[tab].visible {
                self.show_page(tab, false);
            }
            return self.after(pause_ms.max(HOUR), Task::Act(tab));
        }
        self.after(pause_ms, Task::Act(tab));
        let device = self.tabs[tab].device;
        if clocks {
            self.fault("client clock jump");
            let jump_ms = self.people.between(-600_000, 600_000);
            self.devices[device].ahead_ms += jump_ms;
            for tab in 0..self.tabs.len() {
                if self.tabs[tab].device == device {
                    self.note(Event::ClockSet { tab: small(tab) });
                }
            }
        }
        if !self.tabs[tab].is_open || self.device(tab).wakes_at.is_some() {
            return;
        }
        if wandering {
            self.wander(tab);
        } else {
            self.work(tab);
        }
    }

    fn work(&mut self, tab: usize) {
        if !self.tabs[tab].visible && self.people.chance(700) {
            self.show_page(tab, true);
        }
        if self.people.below(3_000) == 0 {
            // More than a page may have undecided at once.
            (0..110).for_each(|_| self.begin(tab));
        }
        match self.people.below(100) {
            0..70 => self.begin(tab),
            70..78 => {
                self.begin(tab);
                self.begin(tab);
            }
            78..90 => self.stop(tab),
            90..94 => self.tell(tab, Input::Refresh),
            _ => self.show_page(tab, false),
        }
    }

    fn wander(&mut self, tab: usize) {
        let device = self.tabs[tab].device;
        match self.people.below(100) {
            0..22 => {
                let visible = !self.tabs[tab].visible;
                self.show_page(tab, visible);
            }
            22..34 => {
                let for_ms = self.people.pause(20_000);
                self.disconnect(device, for_ms);
            }
            34..50 => self.reload(tab),
            50..58 => {
                let for_ms = self.people.pause(60_000);
                self.close(tab);
                self.after(for_ms, Task::Reopen(tab));
            }
            58..66 => {
                let for_ms = self.people.pause(120_000);
                self.sleep(device, for_ms);
            }
            66..76 => {
                let to = self.people.index(self.tabs.len());
                if to != tab && self.tabs[to].device == device {
                    self.copy_page(tab, to);
                }
            }
            76..90 => {
                let who = self.draw_who();
                if self.tabs[tab].who != Some(who) {
                    self.switch(tab, who);
                }
            }
            _ => self.begin(tab),
        }
    }

    pub(super) fn draw_who(&mut self) -> (usize, u8) {
        let account = self.people.index(self.server.rows.len());
        (account, small(self.people.index(self.actors)))
    }

    /// The user begins something, and mostly sends it at once.
    fn begin(&mut self, tab: usize) {
        let model = self.people.index(MODELS);
        let (at_once, sends_anyway) = (self.people.chance(850), self.people.chance(500));
        if !self.tabs[tab].is_open {
            return;
        }
        self.next_op += 1;
        let op = self.next_op;
        let asked = charge_of(model);
        let (now, page) = (self.page_clock(tab), self.tabs[tab].page);
        let id = border::operation_id(op, self.tabs[tab].design.server_time(now));
        let charge = border::charge(&asked);
        let begun = self.tabs[tab].design.begin(id, &charge, now);
        self.take_step(|| Act::Began(id, charge, begun.clone()));
        let Some(begun) = begun else {
            self.end_step(tab);
            return self.reach(Sometimes::TooMany);
        };
        if begun.refusal.is_some() {
            self.reach(Sometimes::PredictedRefusal);
        }
        let predicted = border::amounts(&begun.predicted);
        let refusal = begun.refusal.as_ref().map(border::denial);
        self.note(Event::Began { tab: small(tab), op, asked, predicted, refusal });
        self.drain(tab, now, false);
        if self.tabs[tab].page != page || !self.tabs[tab].is_open {
            return;
        }
        if at_once && (begun.refusal.is_none() || sends_anyway) {
            self.send(tab, id, model);
        } else {
            self.tabs[tab].unsent.push((id, model));
            let later_ms = self.people.pause(10_000);
            self.after(later_ms, Task::GoOn { tab, page, op });
        }
    }

    pub(super) fn go_on(&mut self, tab: usize, page: u32, op: u32) {
        let sends = self.people.chance(500);
        if self.tabs[tab].page != page || !self.tabs[tab].is_open {
            return;
        }
        let unsent = &mut self.tabs[tab].unsent;
        let Some(at) = unsent.iter().position(|(id, _)| border::op(*id) == op) else { return };
        let (id, model) = unsent.remove(at);
        if sends {
            self.send(tab, id, model);
        } else {
            self.withdraw(tab, id);
        }
    }

    pub(super) fn withdraw(&mut self, tab: usize, id: trueup_core::OperationId) {
        self.reach(Sometimes::Withdrew);
        self.note(Event::Withdrawn { tab: small(tab), op: border::op(id) });
        self.tell(tab, Input::Failed(id));
    }

    fn send(&mut self, tab: usize, id: trueup_core::OperationId, model: usize) {
        let page = self.tabs[tab].page;
        let since = self.tabs[tab].design.since();
        self.note(Event::Leaving { tab: small(tab), op: border::op(id) });
        self.tell(tab, Input::Sent(id));
        let Some((account, actor)) = self.tabs[tab].who else { return };
        if self.tabs[tab].page != page || !self.tabs[tab].is_open {
            return;
        }
        self.note(Event::Sent { tab: small(tab), op: border::op(id) });
        self.next_stream += 1;
        let stream = self.next_stream;
        self.tabs[tab].streams.push((stream, id, Some((account, actor))));
        if self.tabs[tab].streams.len() > 1 {
            self.reach(Sometimes::Overlapping);
        }
        let content = u8::try_from(border::op(id) % 5).unwrap_or_default();
        let stream = Some(stream);
        let call = Call { tab, page, stream, account, actor, operation: id, model, since, content };
        self.send_chat(call);
    }

    /// What no page may do by itself.
    pub(super) fn resend(&mut self, tab: usize) {
        let Some((account, actor)) = self.tabs[tab].who else { return };
        self.next_op += 1;
        let operation = border::operation_id(self.next_op, START.plus(self.now));
        let (page, since) = (self.tabs[tab].page, self.tabs[tab].design.since());
        let (model, content, stream) = (0, 0, None);
        self.send_chat(Call {
            tab,
            page,
            stream,
            account,
            actor,
            operation,
            model,
            since,
            content,
        });
    }

    /// The user stops a chat.
    fn stop(&mut self, tab: usize) {
        let at = self.people.index(self.tabs[tab].streams.len());
        if at >= self.tabs[tab].streams.len() {
            return self.begin(tab);
        }
        let (stream, id, _) = self.tabs[tab].streams.remove(at);
        self.hang_up(stream);
        self.note(Event::Heard { tab: small(tab), op: border::op(id) });
        self.note(Event::Broke { tab: small(tab), op: border::op(id) });
        self.tell(tab, Input::Failed(id));
    }
}
