//! What can happen, drawn at random.

use proptest::prelude::*;
use trueup_core::client::Client;
use trueup_core::error::Rejection;
use trueup_core::ledger::Command;
use trueup_core::{Cause, Charge};

use super::World;
use super::network::{ANN, Packet, Reply};
use super::oracle::Why;
use super::tab::Who;
use crate::kit::{actor, charge, op, plan};

/// One thing that happens; numbers choose among what there is.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Step {
    Begin(usize, usize),
    Send(usize, usize),
    Withdraw(usize),
    EndVisit(usize, bool),
    Deliver(usize),
    Double(usize),
    Lose(usize, Option<i64>),
    /// The server ends or changes a chat, in some way, and may fail to say so.
    Serve(usize, usize, bool),
    Push(usize, usize),
    Others(usize, usize),
    Plan(usize, usize),
    Wait(i64),
    Timer(usize),
    Visible(usize, bool),
    Online(usize, bool),
    Refresh(usize),
    Reload(usize),
    SignIn(usize, usize),
    Forget(usize),
    Restore(usize, usize),
}

const PLANS: [&str; 3] = [
    "premium 4 every 1000, standard 20 every 1000, tokens unlimited",
    "premium 2 every 1000, standard 3 soft every 1000, tokens 50",
    "premium unlimited, standard 20 every 1000",
];

pub(crate) fn steps(count: usize) -> impl Strategy<Value = Vec<Step>> {
    let tab = 0..2_usize;
    let account = || prop_oneof![3 => Just(0_usize), 1 => Just(1)];
    let n = || 0..1000_usize;
    let step = prop_oneof![
        12 => (tab.clone(), n()).prop_map(|(tab, n)| Step::Begin(tab, n)),
        12 => (tab.clone(), n()).prop_map(|(tab, n)| Step::Send(tab, n)),
        2 => tab.clone().prop_map(Step::Withdraw),
        2 => (tab.clone(), any::<bool>()).prop_map(|(tab, well)| Step::EndVisit(tab, well)),
        30 => n().prop_map(Step::Deliver),
        3 => n().prop_map(Step::Double),
        5 => (n(), proptest::option::of(0..2000_i64)).prop_map(|(n, after)| Step::Lose(n, after)),
        16 => (n(), n(), any::<bool>()).prop_map(|(n, how, told)| Step::Serve(n, how, told)),
        4 => (tab.clone(), n()).prop_map(|(tab, n)| Step::Push(tab, n)),
        5 => (account(), n()).prop_map(|(account, n)| Step::Others(account, n)),
        1 => (account(), n()).prop_map(|(account, n)| Step::Plan(account, n)),
        6 => prop_oneof![0..2000_i64, 0..100_000_i64, 0..1_000_000_i64].prop_map(Step::Wait),
        8 => tab.clone().prop_map(Step::Timer),
        2 => (tab.clone(), any::<bool>()).prop_map(|(tab, on)| Step::Visible(tab, on)),
        2 => (tab.clone(), any::<bool>()).prop_map(|(tab, on)| Step::Online(tab, on)),
        1 => tab.clone().prop_map(Step::Refresh),
        2 => tab.clone().prop_map(Step::Reload),
        2 => (tab, n()).prop_map(|(tab, n)| Step::SignIn(tab, n)),
        1 => account().prop_map(Step::Forget),
        1 => (account(), n()).prop_map(|(account, n)| Step::Restore(account, n)),
    ];
    proptest::collection::vec(step, 1..count)
}

impl World {
    pub fn step(&mut self, step: Step) {
        match step {
            Step::Begin(tab, n) => self.begin(tab, n),
            Step::Send(tab, n) => self.send_oldest(tab, n),
            Step::Withdraw(tab) => self.withdraw_oldest(tab),
            Step::EndVisit(tab, well) => self.end_visit(tab, well),
            Step::Deliver(n) => {
                if let Some(packet) = self.pick(n) {
                    self.deliver(packet);
                }
            }
            Step::Double(n) => {
                if let Some(packet) = self.pick(n) {
                    self.network.extend([packet.clone(), packet]);
                }
            }
            Step::Lose(n, retry_after_ms) => {
                if let Some(packet) = self.pick(n) {
                    self.lose(&packet, retry_after_ms);
                }
            }
            Step::Serve(n, how, told) => self.serve(n, how, told),
            Step::Push(tab, n) => self.push(tab, n),
            Step::Others(account, n) => self.others(account, n),
            Step::Plan(account, n) => {
                self.backends[account].ledger.plan = plan(PLANS[n % PLANS.len()]);
                self.backends[account].newest();
            }
            Step::Wait(ms) => self.clock(self.now.plus(ms)),
            Step::Timer(tab) => self.ring(tab),
            Step::Visible(tab, on) => {
                self.call(tab, Why::Other, |it, now| it.handle_visible(on, now));
            }
            Step::Online(tab, on) => {
                self.call(tab, Why::Other, |it, now| it.handle_online(on, now));
            }
            Step::Refresh(tab) => self.call(tab, Why::Other, |it, _| it.handle_refresh()),
            Step::Reload(tab) => self.reload(tab),
            Step::SignIn(tab, n) => {
                let who = [
                    Who::Account(0, true),
                    Who::Account(1, true),
                    Who::Account(0, false),
                    Who::Account(1, false),
                    Who::Visitor,
                ];
                self.sign_in(tab, who[n % who.len()]);
            }
            Step::Forget(account) => self.backends[account].forget(),
            Step::Restore(account, n) => self.backends[account].restore(n % 20),
        }
    }

    fn pick(&mut self, n: usize) -> Option<Packet> {
        let count = self.network.len();
        (count > 0).then(|| self.network.remove(n % count))
    }

    /// The page's timer goes off where it is set, in the middle of its range.
    fn ring(&mut self, tab: usize) {
        let Some(deadline) = self.tabs[tab].client.poll_timeout() else { return };
        let half = deadline.not_after.since(deadline.not_before) / 2;
        let due = deadline.not_before.plus(half).plus(-self.tabs[tab].skew_ms);
        if due.since(self.now) < 120_000 {
            self.clock(due);
            self.call(tab, Why::Other, Client::handle_timeout);
        }
    }

    /// A chat goes on, or ends in one of many ways.
    pub fn serve(&mut self, n: usize, how: usize, told: bool) {
        if self.jobs.is_empty() {
            return;
        }
        let at = n % self.jobs.len();
        let job = self.jobs[at].clone();
        let operation = job.operation;
        let settle =
            |charge: Charge| Command::Settle { operation, charge, content: None, cause: None };
        let more = charge("premium=3 standard=1 tokens=9");
        let command = match how % 8 {
            0 | 1 => settle(job.charge.clone()),
            2 => settle(charge("standard=1")),
            3 => settle(more),
            4 => Command::Release { operation, cause: Cause::ProviderFailed },
            5 => Command::Rehold { operation, charge: charge("standard=1") },
            6 => Command::Extend { operation, expires_at: self.now.plus(90_000) },
            _ => {
                self.clock(self.now.plus(100_000));
                Command::Expire { operation, charged: told }
            }
        };
        let ended = match self.backends[job.account].run(&command) {
            Ok(_) => !matches!(how % 8, 5 | 6),
            Err(Rejection::Refused(_) | Rejection::UnknownMeter(_)) => false,
            // A restore lost the operation: the chat is over all the same.
            Err(_) => true,
        };
        if ended {
            self.jobs.remove(at);
            let snapshot = told.then(|| Box::new(self.snapshot_for(&job)));
            let reply = Reply::Chat { operation, snapshot, well: !how.is_multiple_of(3) };
            self.network.push(Packet::Down { tab: job.tab, page: job.page, reply });
        }
    }

    /// A snapshot that nobody asked for, cut from somewhere.
    fn push(&mut self, tab: usize, n: usize) {
        let account = n % 2;
        let version = self.backends[account].newest().1;
        let since = trueup_core::Version(version.0.saturating_sub(n as u64 % 9));
        let snapshot = self.backends[account].snapshot(&actor(ANN), Some(since), &[]);
        let page = self.tabs[tab].page;
        let reply = Reply::Push(Box::new(snapshot));
        self.network.push(Packet::Down { tab, page, reply });
    }

    /// What Bob and the operators do.
    fn others(&mut self, account: usize, n: usize) {
        let bob = actor("bob");
        let id = 20_000 + (n as u16 / 8 % 12);
        let operation = op(id);
        let asked = charge(["premium=1", "standard=1 tokens=3"][n % 2]);
        let settle = |charge| Command::Settle { operation, charge, content: None, cause: None };
        let command = match n % 8 {
            0 | 1 => Command::Hold {
                operation,
                actor: bob,
                model: None,
                charge: asked,
                content: None,
                expires_at: self.now.plus(1),
            },
            2 => settle(asked),
            3 => settle(charge("standard=2")),
            4 => Command::Release { operation, cause: Cause::Cancelled },
            5 => Command::Expire { operation, charged: true },
            6 => Command::Fence { operation, actor: bob },
            // A grant may be made in anybody's name.
            _ => Command::Grant { operation: op(id + 100), actor: actor(ANN), charge: asked },
        };
        let _ = self.backends[account].run(&command);
    }
}
