//! Pages open, close, die, are copied, hidden and handed to somebody else.

use super::luck::About;
use super::tab::small;
use super::{Task, World};
use crate::audit::history::Event;
use crate::border;
use crate::design::{Design, Input, Other, Ours};
use crate::planted::{self, Bug};
use crate::report::Sometimes;

impl World<'_> {
    pub(super) fn new_design(&self) -> Box<dyn Design> {
        if let Some(rival) = self.rival {
            return Box::new(Other::new(rival));
        }
        let ours: Box<dyn Design> = Box::new(Ours::default());
        match self.bug {
            None => ours,
            Some(bug) => planted::client(bug, ours),
        }
    }

    /// A page is loaded, for whoever looked at it last.
    pub(super) fn open(&mut self, tab: usize) {
        let design = self.new_design();
        self.tabs[tab].load(design);
        if let Some(recorder) = &mut self.recorder {
            recorder.loaded(tab, &self.tabs[tab].disk);
        }
        let (page, visible) = (self.tabs[tab].page, self.tabs[tab].visible);
        let online = self.device(tab).is_online;
        if !visible {
            self.tell(tab, Input::Visible(false));
        }
        if !online {
            self.tell(tab, Input::Online(false));
        }
        // It may have died already.
        if self.tabs[tab].is_open && self.tabs[tab].page == page {
            if self.tabs[tab].who.is_none() {
                return self.visit(tab);
            }
            self.sign_in(tab);
            self.listen_soon(tab);
        }
    }

    /// The page begins a session for `who`, from what was kept for them.
    pub(super) fn sign_in(&mut self, tab: usize) {
        let Some((account, actor)) = self.tabs[tab].who else { return };
        let mut saved = self.tabs[tab].disk.get(&(account, actor)).cloned();
        let event = Event::Opened {
            tab: small(tab),
            account: small(account),
            actor,
            kept: saved.is_some(),
        };
        if saved.as_ref().is_some_and(|saved| !saved.pending.is_empty()) {
            self.reach(Sometimes::RestoredPending);
        }
        if self.has(Bug::ForgetsPendingOnReload)
            && let Some(saved) = &mut saved
        {
            saved.pending.clear();
        }
        self.note(event);
        let account = border::account_id(account);
        self.tell(tab, Input::Account(account, saved.map(Box::new)));
    }

    fn hang_up_all(&mut self, tab: usize) {
        for (stream, ..) in std::mem::take(&mut self.tabs[tab].streams) {
            self.hang_up(tab, stream);
        }
    }

    pub(super) fn close(&mut self, tab: usize) {
        self.hang_up_all(tab);
        self.tabs[tab].is_open = false;
        self.note(Event::Left { tab: small(tab) });
    }

    /// A page dies as it is; what was not kept is lost.
    pub(super) fn crash_page(&mut self, tab: usize) {
        self.fault("page crash");
        self.taking = None;
        if let Some(recorder) = &mut self.recorder {
            recorder.died(tab);
        }
        self.close(tab);
        let reopens_ms = self.draw_now(About::Reopen, tab).between(50, 20_000);
        self.after(reopens_ms, Task::Reopen(tab));
    }

    pub(super) fn reload(&mut self, tab: usize) {
        self.fault("reload");
        self.close(tab);
        self.open(tab);
    }

    pub(super) fn reopen(&mut self, tab: usize) {
        if !self.tabs[tab].is_open {
            self.open(tab);
        }
    }

    /// The browser opens a copy of a page, with a copy of what it kept, in place of another one.
    pub(super) fn copy_page(&mut self, from: usize, to: usize) {
        self.fault("page copied");
        if self.tabs[to].is_open {
            self.close(to);
        }
        let (disk, who) = (self.tabs[from].disk.clone(), self.tabs[from].who);
        if disk.values().any(|saved| !saved.pending.is_empty()) {
            self.reach(Sometimes::CopiedPending);
        }
        self.tabs[to].disk = disk;
        self.tabs[to].who = who;
        self.note(Event::Copied { from: small(from), to: small(to) });
        self.open(to);
    }

    /// Somebody else signs in on the same page; what is under way goes on.
    pub(super) fn switch(&mut self, tab: usize, who: (usize, u8)) {
        self.fault("account switch");
        if !self.tabs[tab].streams.is_empty() {
            self.reach(Sometimes::Switched);
        }
        if self.tabs[tab].who.is_none() && self.shows_pending(tab) {
            self.reach(Sometimes::SignedInPending);
        }
        self.tabs[tab].who = Some(who);
        self.tabs[tab].unsent.clear();
        self.tabs[tab].fences = None;
        self.sign_in(tab);
        self.listen_soon(tab);
    }

    fn shows_pending(&self, tab: usize) -> bool {
        self.tabs[tab].design.view().meters.values().any(|meter| !meter.pending.is_zero())
    }

    pub(super) fn show_page(&mut self, tab: usize, visible: bool) {
        self.tabs[tab].visible = visible;
        self.tell(tab, Input::Visible(visible));
    }

    pub(super) fn disconnect(&mut self, device: usize, for_ms: i64) {
        self.fault("offline");
        self.devices[device].is_online = false;
        self.tell_device(device, &Input::Online(false));
        self.after(for_ms, Task::Reconnect(device));
    }

    pub(super) fn reconnect(&mut self, device: usize) {
        if !self.devices[device].is_online {
            self.devices[device].is_online = true;
            self.tell_device(device, &Input::Online(true));
        }
    }

    pub(super) fn sleep(&mut self, device: usize, for_ms: i64) {
        if self.devices[device].wakes_at.is_some() {
            return;
        }
        self.fault("device asleep");
        let busy = |tab: &super::tab::Tab| tab.device == device && !tab.streams.is_empty();
        if self.tabs.iter().any(busy) {
            self.reach(Sometimes::Slept);
        }
        self.devices[device].wakes_at = Some(self.now + for_ms);
        for tab in 0..self.tabs.len() {
            if self.tabs[tab].device == device {
                self.note(Event::Dozes { tab: small(tab), until: self.now + for_ms });
            }
        }
        self.after(for_ms, Task::Wake(device));
    }

    pub(super) fn wake(&mut self, device: usize) {
        if self.devices[device].wakes_at.take().is_some() {
            for tab in 0..self.tabs.len() {
                if self.tabs[tab].device == device && self.tabs[tab].overdue {
                    self.ring_now(tab);
                }
            }
        }
    }

    fn tell_device(&mut self, device: usize, input: &Input) {
        for tab in 0..self.tabs.len() {
            if self.tabs[tab].device == device && self.tabs[tab].is_open {
                self.tell(tab, input.clone());
            }
        }
    }
}
