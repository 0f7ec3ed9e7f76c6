//! Faults stop: then every page must be right within a stated time.

use trueup_core::ledger::Command;

use super::luck::About;
use super::tab::small;
use super::{Task, World};
use crate::audit::{PATIENCE_MS, history::Event};
use crate::border;
use crate::profile::DAY;
use crate::server::Request;
use crate::server::plan::Plan;

const CALM_MS: i64 = 600_000;

impl World<'_> {
    pub(super) fn heal(&mut self) {
        if self.violation.is_some() {
            return;
        }
        self.stop_faults();
        self.wait_until_due();
        self.judge();
        self.probe();
    }

    /// Faults stop, and there is time for several checks of any design.
    pub(super) fn calm(&mut self) {
        self.stop_faults();
        self.pass(self.now + CALM_MS);
    }

    fn stop_faults(&mut self) {
        self.healing = true;
        self.profile = self.profile.healed();
        self.calm_down();
        let clock = self.clock().millis();
        self.note(Event::FaultsStopped { clock });
    }

    fn calm_down(&mut self) {
        let (now, mut dice) = (self.now, self.draw(About::Heal, 0, 0));
        self.queue.replan(|at, task| match task {
            // What is under way arrives.
            Task::Deliver(_) => Some(at.min(now + dice.between(20, 1_000))),
            Task::Act(_)
            | Task::GoOn { .. }
            | Task::Reopen(_)
            | Task::Wake(_)
            | Task::Reconnect(_)
            | Task::Operate
            | Task::Start
            | Task::Prune => None,
            // Pages that are visible run their timers in time.
            _ => Some(at),
        });
        if !self.server.is_up {
            self.start_server();
        }
        for device in 0..self.devices.len() {
            self.wake(device);
            self.reconnect(device);
        }
        for tab in 0..self.tabs.len() {
            self.reopen(tab);
            while let Some((id, ..)) = self.tabs[tab].unsent.pop() {
                self.withdraw(tab, id);
            }
            if !self.tabs[tab].visible {
                self.show_page(tab, true);
            }
            self.listen_soon(tab);
        }
        // Windows that end all the time would be changes all the time.
        for account in 0..self.server.rows.len() {
            let offset = self.clock().millis() - DAY / 4;
            let mut dice = self.draw(About::Heal, 1, i64::from(small(account)));
            let mut plan = Plan::draw(&mut dice, &[DAY]);
            plan.0.iter_mut().for_each(|line| line.offset = offset);
            let request = Request::of(account, border::actor_id(0), None);
            self.submit(Request { plan: Some(plan), ..request });
        }
    }

    fn wait_until_due(&mut self) {
        let until = self.now + PATIENCE_MS;
        while self.violation.is_none() && self.now < until {
            let due = self.auditor.due();
            let busy = self.auditor.is_busy() || !self.server.jobs.is_empty();
            if self.now > due && !busy && self.server.batch.is_none() {
                return;
            }
            // Nothing is due where nobody is signed in.
            self.pass(if busy { self.now + 1_000 } else { due.max(self.now) + 1 });
        }
    }

    fn judge(&mut self) {
        for tab in 0..self.tabs.len() {
            let saved = self.tabs[tab].design.saved();
            let pending = saved.map(|saved| saved.pending).unwrap_or_default();
            let ops = pending.iter().map(|it| border::op(it.id)).collect();
            self.note(Event::Undecided { tab: small(tab), ops });
        }
        self.note(Event::Judged);
    }

    /// One more change, which pages that listen must see at once.
    fn probe(&mut self) {
        for account in 0..self.server.rows.len() {
            self.next_op += 1;
            self.note(Event::ByHand { op: self.next_op });
            let operation = border::operation_id(self.next_op, self.clock());
            let actor = border::actor_id(0);
            let command = Command::Hold {
                operation,
                actor: actor.clone(),
                model: None,
                charge: border::charge(&[]),
                content: None,
                expires_at: self.clock(),
            };
            self.submit(Request::of(account, actor, Some(command)));
        }
        self.pass(self.now + 20);
        self.pass(self.now + 500);
        self.note(Event::Judged);
        self.wait_until_due();
        self.judge();
    }
}
