//! The faults stop: from then on everything arrives, at once and in order.

use trueup_core::Version;
use trueup_core::client::Client;
use trueup_core::ledger::Command;

use super::World;
use super::backend::Backend;
use super::oracle::{self, Why};
use super::tab::Who;

/// One poll, a tenth late at most; then what a window's end takes.
const ONE_POLL_MS: i64 = 33_000;

/// Ways to end a chat: what the plan has no meter for any more is given back.
const SETTLE: usize = 0;
const RELEASE: usize = 4;

impl World {
    /// Everything under way ends, and every page is brought back. Then, within one poll, every
    /// page must show what the server has.
    pub fn heal(&mut self) {
        // Longer than any hold lives, and not so close to a window's end that it would fall into the
        // poll that is watched.
        self.clock(self.now.plus(90_000));
        while let Some(left_ms) = self.next_window_ms().filter(|left_ms| *left_ms < 60_000) {
            self.clock(self.now.plus(left_ms));
        }
        self.deliver_all();
        for how in [SETTLE, RELEASE] {
            for at in (0..self.jobs.len()).rev() {
                // Half of the last chunks are lost.
                let told = self.jobs[at].operation.as_u128().is_multiple_of(2);
                self.serve(at, how, told);
            }
        }
        self.sweep();
        self.deliver_all();
        for tab in 0..self.tabs.len() {
            while self.tabs[tab].own.values().flatten().any(|own| own.unsent) {
                self.withdraw_oldest(tab);
            }
            self.call(tab, Why::Other, |it, now| it.handle_online(true, now));
            self.call(tab, Why::Other, |it, now| it.handle_visible(true, now));
        }
        self.deliver_all();
        // A page that asks for what became of its operations may fence them: that is a change too,
        // and the others have one poll from then on.
        let stands_still = (0..3).any(|_| {
            let before = self.newest();
            let limit = self.now.plus(ONE_POLL_MS);
            while self.ring_next(limit) {}
            self.clock(limit);
            self.newest() == before
        });
        assert!(stands_still, "pages keep changing the server");
        for tab in 0..self.tabs.len() {
            if let Who::Account(at, _) = self.tabs[tab].who {
                let newest = self.backends[at].newest();
                oracle::converged(&self.tabs[tab], at, newest);
            }
        }
    }

    fn newest(&mut self) -> Vec<(usize, Version)> {
        self.backends.iter_mut().map(Backend::newest).collect()
    }

    fn next_window_ms(&mut self) -> Option<i64> {
        self.newest();
        let meters = self.backends.iter().flat_map(|it| it.ledger.account.meters.values());
        meters.map(|it| it.terms.window.end.since(self.now)).min()
    }

    /// Holds whose chat is over without their history knowing it run out.
    fn sweep(&mut self) {
        for backend in &mut self.backends {
            let all: Vec<_> = backend.ledger.operations.keys().copied().collect();
            for operation in all {
                let _ = backend.run(&Command::Expire { operation, charged: false });
            }
        }
    }

    pub fn deliver_all(&mut self) {
        let mut count = 0;
        while !self.network.is_empty() {
            let packet = self.network.remove(0);
            self.deliver(packet);
            count += 1;
            assert!(count < 200, "the network never falls silent: {:?}", self.network);
        }
    }

    /// A page's timer goes off as late as it may: the next one is set for later. Then what is under
    /// way arrives, fails, or stays under way.
    pub fn ring_late(&mut self, tab: usize, fate: usize) {
        let Some(deadline) = self.tabs[tab].client.poll_timeout() else { return };
        let skew_ms = self.tabs[tab].skew_ms;
        self.clock(deadline.not_after.plus(-skew_ms));
        self.call(tab, Why::Other, Client::handle_timeout);
        if let Some(next) = self.tabs[tab].client.poll_timeout() {
            let now = self.now.plus(skew_ms);
            assert!(now < next.not_before, "busy: {next:?} at {now}, {:?}", self.tabs[tab].client);
            assert!(next.not_before <= next.not_after);
        }
        match fate {
            0 => {}
            1 => {
                for packet in std::mem::take(&mut self.network) {
                    self.lose(&packet, Some(100));
                }
            }
            _ => self.deliver_all(),
        }
    }

    /// The first timer of any page goes off, as late as it may.
    fn ring_next(&mut self, limit: trueup_core::Timestamp) -> bool {
        let due = |tab: usize| {
            let deadline = self.tabs[tab].client.poll_timeout()?;
            Some((deadline.not_after.plus(-self.tabs[tab].skew_ms).max(self.now), tab))
        };
        let next = (0..self.tabs.len()).filter_map(due).min();
        let Some((when, tab)) = next.filter(|(when, _)| *when <= limit) else { return false };
        self.clock(when);
        self.call(tab, Why::Other, Client::handle_timeout);
        self.deliver_all();
        true
    }
}
