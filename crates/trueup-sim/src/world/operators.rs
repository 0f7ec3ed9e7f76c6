//! What operators and backends do: plans, grants, restores, clocks, and operations by hand.

use trueup_core::ledger::Command;
use trueup_core::operation::OperationRecord;
use trueup_core::{Cause, Fingerprint, OperationId, Version};

use super::tab::small;
use super::{Task, World};
use crate::audit::history::Event;
use crate::border;
use crate::profile::DAY;
use crate::report::Sometimes;
use crate::server::plan::{MODELS, Plan, charge_of};
use crate::server::rows::Rows;
use crate::server::{HOLD_MS, Request};

impl World<'_> {
    pub(super) fn operate(&mut self) {
        let pause_ms = self.people.pause(self.profile.operates_ms);
        self.after(pause_ms, Task::Operate);
        let account = self.people.index(self.server.rows.len());
        if self.people.chance(300) {
            self.server.backup = (self.restores, self.server.rows.clone());
        }
        let profile = &self.profile;
        if self.people.chance(profile.restore) {
            self.restore();
        } else if self.people.chance(profile.clocks) {
            self.fault("server clock jump");
            self.server.ahead_ms = self.people.between(-300_000, 300_000);
        } else if self.people.chance(profile.plans) {
            self.change_terms(account);
        } else if self.people.chance(100) {
            self.fault("outcome log cut");
            if let Some(rows) = self.server.rows.get_mut(account) {
                let kept = rows.account.version.0.saturating_sub(self.people.below(6));
                rows.kept_since = Version(kept);
            }
        } else if self.people.chance(60) {
            self.shut_down();
        } else {
            self.by_hand(account);
        }
    }

    fn change_terms(&mut self, account: usize) {
        let open = self.server.rows.get(account).is_some_and(|rows| !rows.open.is_empty());
        let actor = border::actor_id(self.people.below(2));
        if self.people.chance(500) {
            let meter = small(self.people.index(3));
            let charge = border::charge(&[(meter, 1 + self.people.below(20))]);
            let operation = self.new_id(0);
            if open {
                self.reach(Sometimes::Granted);
            }
            let times = 1 + self.people.below(2);
            for _ in 0..times {
                let (actor, charge) = (actor.clone(), charge.clone());
                let command = Command::Grant { operation, actor: actor.clone(), charge };
                self.submit(Request::of(account, actor, Some(command)));
            }
        } else {
            let plan = Plan::draw(&mut self.people, self.profile.periods_ms);
            let request = Request::of(account, actor, None);
            self.submit(Request { plan: Some(plan), ..request });
        }
    }

    /// An id made by a backend, so old by its own clock.
    fn new_id(&mut self, age_ms: i64) -> OperationId {
        self.next_op += 1;
        self.note(Event::ByHand { op: self.next_op });
        border::operation_id(self.next_op, self.clock().plus(-age_ms))
    }

    /// A backend holds and ends operations itself, in any order and more than once.
    fn by_hand(&mut self, account: usize) {
        let number = self.people.below(2);
        let actor = border::actor_id(number);
        let charge = border::charge(&charge_of(self.people.index(MODELS)));
        let print = Some(Fingerprint([small(self.people.index(2)); 16]));
        let any = self.people.chance(150);
        let known = if any { self.any_operation(account) } else { self.by_hand.last().copied() };
        let expires_at = self.clock().plus(HOLD_MS);
        let fresh = known.is_none() || self.people.chance(400);
        let operation = match known.filter(|_| !fresh) {
            Some(operation) => operation,
            None => {
                let age_ms = self.people.pick(&[0, 0, 0, 0, 0, 8 * DAY, -1_200_000]);
                let id = self.new_id(age_ms.unwrap_or_default());
                self.by_hand.push(id);
                id
            }
        };
        let command = match self.people.below(if fresh { 1 } else { 8 }) {
            0 => Command::Hold {
                operation,
                actor: actor.clone(),
                model: None,
                charge,
                content: print,
                expires_at,
            },
            1..4 => Command::Settle { operation, charge, content: print, cause: None },
            4 => Command::Release { operation, cause: Cause::Cancelled },
            5 => Command::Extend { operation, expires_at },
            6 => Command::Rehold { operation, charge },
            _ => Command::Fence { operation, actor: actor.clone() },
        };
        let times = if self.people.chance(300) { 2 } else { 1 };
        for _ in 0..times {
            self.submit(Request::of(account, actor.clone(), Some(command.clone())));
        }
    }

    fn any_operation(&mut self, account: usize) -> Option<OperationId> {
        let rows = self.server.rows.get(account)?;
        let at = self.people.index(rows.operations.len());
        rows.operations.keys().nth(at).copied()
    }

    /// The database is restored from a backup, or emptied: another history begins.
    fn restore(&mut self) {
        self.fault("database restored");
        self.crash_server(Vec::new());
        let empty = self.people.chance(300);
        let rows: Vec<Rows> = if empty {
            self.server.rows.iter().map(|rows| Rows::new(rows.account.id.clone())).collect()
        } else {
            self.server.backup.1.clone()
        };
        if !self.has(crate::planted::Bug::RestoreKeepsEpoch) {
            self.server.epoch += 1;
        }
        let versions = rows.iter().map(|rows| rows.account.version.0).collect();
        self.server.replica.rows.clone_from(&rows);
        self.server.replica.log.clear();
        self.server.rows = rows;
        self.restores += 1;
        let (epoch, from) = (self.restores, self.server.backup.0);
        self.note(Event::Restored { epoch, from, versions });
    }

    /// Records go that no retry can be accepted under any more.
    pub(super) fn prune(&mut self) {
        self.after(DAY, Task::Prune);
        let kept_ms = if self.has(crate::planted::Bug::PrunesTooEarly) { 2 } else { 8 } * DAY;
        let clock = self.clock();
        for account in 0..self.server.rows.len() {
            let Some(rows) = self.server.rows.get_mut(account) else { continue };
            let is_old = |it: &&OperationRecord| {
                it.state.is_end() && clock.since(it.id.created_at()) > kept_ms
            };
            let old: Vec<_> = rows.operations.values().filter(is_old).cloned().collect();
            for record in &old {
                // What may have gone cannot be told as a range.
                rows.kept_since = rows.kept_since.max(record.version);
                rows.operations.remove(&record.id);
            }
            if let Some(rows) = self.server.replica.rows.get_mut(account) {
                old.iter().for_each(|record| drop(rows.operations.remove(&record.id)));
            }
            for record in old {
                self.reach(Sometimes::Pruned);
                let (account, op) = (small(account), border::op(record.id));
                self.note(Event::Pruned { account, op, clock: clock.millis() });
            }
        }
    }
}
