//! What comes of what people mean to do.

use trueup_core::OperationId;

use super::intent::{Deed, Left, Message};
use super::tab::small;
use super::{Task, World};
use crate::audit::history::Event;
use crate::border::{self, START};
use crate::design::Input;
use crate::record::Act;
use crate::report::Sometimes;
use crate::server::Call;
use crate::server::plan::charge_of;

/// After so long without a word a page asks what became of a request that has left it.
const SILENCE_MS: i64 = 60_000;

impl World<'_> {
    pub(super) fn act(&mut self, tab: usize) {
        let (intent, messages) = self.intend(tab);
        self.after(intent.pause_ms, Task::Act(tab));
        if let Some(jump_ms) = intent.clock_jump_ms {
            self.set_clock(self.tabs[tab].device, jump_ms);
        }
        if intent.deed == Deed::Rest {
            if self.tabs[tab].is_open && self.tabs[tab].visible {
                self.show_page(tab, false);
            }
            return;
        }
        // Whoever finds the page closed does without what they meant to do.
        if !self.tabs[tab].is_open || self.device(tab).wakes_at.is_some() {
            return;
        }
        if intent.looks && !self.tabs[tab].visible {
            self.show_page(tab, true);
        }
        self.carry_out(tab, intent.deed, messages);
    }

    fn carry_out(&mut self, tab: usize, deed: Deed, messages: Vec<Message>) {
        let device = self.tabs[tab].device;
        match deed {
            Deed::Rest => {}
            Deed::Begin(_) => messages.into_iter().for_each(|message| self.begin(tab, message)),
            Deed::Stop(which) => self.stop(tab, which),
            Deed::Refresh => self.tell(tab, Input::Refresh),
            Deed::Show(visible) => self.show_page(tab, visible),
            Deed::Offline(for_ms) => self.disconnect(device, for_ms),
            Deed::Reload => self.reload(tab),
            Deed::Close(for_ms) => {
                self.close(tab);
                self.after(for_ms, Task::Reopen(tab));
            }
            Deed::Sleep(for_ms) => self.sleep(device, for_ms),
            Deed::Copy(to) => {
                if to != tab && self.tabs[to].device == device {
                    self.copy_page(tab, to);
                }
            }
            Deed::SignIn(who) => {
                if self.tabs[tab].who != Some(who) {
                    self.switch(tab, who);
                }
            }
            Deed::SignOut => {
                if self.tabs[tab].who.is_some() {
                    self.sign_out(tab);
                }
            }
        }
    }

    fn set_clock(&mut self, device: usize, jump_ms: i64) {
        self.fault("client clock jump");
        self.devices[device].ahead_ms += jump_ms;
        for tab in 0..self.tabs.len() {
            if self.tabs[tab].device == device {
                self.note(Event::ClockSet { tab: small(tab) });
            }
        }
    }

    /// The user begins something, and mostly sends it at once.
    fn begin(&mut self, tab: usize, message: Message) {
        if !self.tabs[tab].is_open {
            return;
        }
        let Message { op, model, .. } = message;
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
        if message.at_once && (begun.refusal.is_none() || message.sends_anyway) {
            self.send(tab, id, message);
        } else {
            self.tabs[tab].unsent.push((id, message, self.now));
            self.after(message.later_ms, Task::GoOn { tab, page, op });
        }
    }

    pub(super) fn go_on(&mut self, tab: usize, page: u32, op: u32) {
        if self.tabs[tab].page != page || !self.tabs[tab].is_open {
            return;
        }
        let unsent = &mut self.tabs[tab].unsent;
        let Some(at) = unsent.iter().position(|(_, message, _)| message.op == op) else { return };
        let (id, message, begun_at) = unsent.remove(at);
        if message.sends_later {
            if self.now - begun_at > SILENCE_MS {
                self.reach(Sometimes::SentLate);
            }
            self.send(tab, id, message);
        } else {
            self.withdraw(tab, id);
        }
    }

    pub(super) fn withdraw(&mut self, tab: usize, id: OperationId) {
        self.reach(Sometimes::Withdrew);
        self.note(Event::Withdrawn { tab: small(tab), op: border::op(id) });
        self.tell(tab, Input::Failed(id));
    }

    fn send(&mut self, tab: usize, id: OperationId, message: Message) {
        let page = self.tabs[tab].page;
        let since = self.tabs[tab].design.since();
        self.note(Event::Leaving { tab: small(tab), op: message.op });
        self.tell(tab, Input::Sent(id));
        let Some((account, actor)) = self.tabs[tab].who else {
            let (takes_ms, well) = message.alone;
            return self.after(takes_ms, Task::Alone { tab, page, id, well });
        };
        if self.tabs[tab].page != page || !self.tabs[tab].is_open {
            return;
        }
        self.note(Event::Sent { tab: small(tab), op: message.op });
        self.next_stream += 1;
        let stream = self.next_stream;
        self.tabs[tab].streams.push((stream, id, Some((account, actor))));
        if self.tabs[tab].streams.len() > 1 {
            self.reach(Sometimes::Overlapping);
        }
        let content = u8::try_from(message.op % 5).unwrap_or_default();
        let (stream, model) = (Some(stream), message.model);
        let call = Call {
            tab,
            page,
            stream,
            account,
            actor,
            operation: id,
            model,
            since,
            content,
            is_retry: false,
        };
        let arrives = self.send_chat(call);
        if let Some(traffic) = &mut self.traffic {
            traffic.left.push(Left { op: message.op, at: self.now, arrives });
        }
    }

    /// What no page may do by itself.
    pub(super) fn resend(&mut self, tab: usize) {
        let Some((account, actor)) = self.tabs[tab].who else { return };
        self.next_op += 1;
        let operation = border::operation_id(self.next_op, START.plus(self.now));
        let (page, since) = (self.tabs[tab].page, self.tabs[tab].design.since());
        let (model, content, stream, is_retry) = (0, 0, None, false);
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
            is_retry,
        });
    }

    /// The user stops a chat, if one runs.
    fn stop(&mut self, tab: usize, which: u64) {
        let running = self.tabs[tab].streams.len() as u64;
        let Some(at) = which.checked_rem(running) else { return };
        let at = usize::try_from(at).unwrap_or_default();
        let (stream, id, _) = self.tabs[tab].streams.remove(at);
        self.hang_up(tab, stream);
        self.note(Event::Heard { tab: small(tab), op: border::op(id) });
        self.note(Event::Broke { tab: small(tab), op: border::op(id) });
        self.tell(tab, Input::Failed(id));
    }
}
