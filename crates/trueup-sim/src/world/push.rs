//! Server push: a coalesced hint after every change, a snapshot for whoever listens.

use super::luck::About;
use super::{Task, World};
use crate::border;
use crate::server::Listener;

/// Changes within that are told together.
const COALESCE_MS: i64 = 50;

impl World<'_> {
    /// An account changed.
    pub(super) fn announce(&mut self, account: usize) {
        let listened = self.server.listeners.iter().any(|it| it.account == account);
        let Some(announced) = self.server.announced.get_mut(account).filter(|_| listened) else {
            return;
        };
        if !std::mem::replace(announced, true) {
            self.after(COALESCE_MS, Task::Push(account));
        }
    }

    pub(super) fn push(&mut self, account: usize) {
        if let Some(announced) = self.server.announced.get_mut(account) {
            *announced = false;
        }
        for at in 0..self.server.listeners.len() {
            let Some(listener) = self.server.listeners.get(at).copied() else { break };
            if listener.account == account {
                self.push_to_listener(at, listener);
            }
        }
        let tabs = &self.tabs;
        self.server.listeners.retain(|it| {
            let tab = &tabs[it.tab];
            tab.is_open && tab.page == it.page && tab.who == Some((it.account, it.actor))
        });
    }

    fn push_to_listener(&mut self, at: usize, listener: Listener) {
        let Listener { account, actor, since, .. } = listener;
        let newest = self.server.rows.get(account).map(|rows| rows.account.version);
        if newest.is_none() || newest == since || !self.server.is_up {
            return;
        }
        let snapshot = self.look(account, &border::actor_id(actor), since, &[], false);
        if let Some(listener) = self.server.listeners.get_mut(at) {
            listener.since = Some(snapshot.version);
        }
        self.push_to(listener, snapshot);
    }

    /// A page that pushes reach begins to listen after a moment.
    pub(super) fn listen_soon(&mut self, tab: usize) {
        if self.tabs[tab].pushes {
            let page = self.tabs[tab].page;
            let delay_ms = self.draw_now(About::Listen, tab).between(50, 3_000);
            self.after(delay_ms, Task::Listen { tab, page });
        }
    }

    pub(super) fn listen(&mut self, tab: usize, page: u32) {
        let it = &self.tabs[tab];
        let Some((account, actor)) = it.who else { return };
        if !it.is_open || it.page != page {
            return;
        }
        let online = self.device(tab).is_online && self.device(tab).wakes_at.is_none();
        let since = it.design.since();
        if !self.server.is_up || !online || since.is_none() {
            return self.listen_soon(tab);
        }
        self.server.listeners.retain(|known| known.tab != tab);
        let listener = Listener { tab, page, account, actor, since };
        self.server.listeners.push(listener);
        // What happened before is told at once.
        self.push_to_listener(self.server.listeners.len() - 1, listener);
        // Connections do not live for ever: the page listens anew now and then.
        if self.healing {
            return self
                .note(crate::audit::history::Event::Listening { tab: super::tab::small(tab) });
        }
        let lives_ms = self.draw_now(About::Listen, tab).pause(120_000);
        self.after(lives_ms, Task::Listen { tab, page });
    }
}
