//! What operators and backends do: plans, grants, restores, clocks, and operations by hand.

use trueup_core::ledger::Command;
use trueup_core::operation::OperationRecord;
use trueup_core::{Cause, Fingerprint, OperationId, Version};

use super::luck::About;
use super::tab::small;
use super::{Task, World};
use crate::audit::history::Event;
use crate::border;
use crate::dice::Dice;
use crate::profile::DAY;
use crate::report::Sometimes;
use crate::server::plan::{MODELS, Plan, charge_of};
use crate::server::rows::Rows;
use crate::server::{HOLD_MS, Request};

impl World<'_> {
    pub(super) fn operate(&mut self) {
        let mut dice = self.draw(About::Operators, 0, self.operated);
        self.operated += 1;
        let dice = &mut dice;
        // What a backend begins has its number whether or not anything begins.
        self.next_op += 1;
        let fresh = self.next_op;
        let pause_ms = dice.pause(self.profile.operates_ms);
        self.after(pause_ms, Task::Operate);
        let account = dice.index(self.server.rows.len());
        if dice.chance(300) {
            self.server.backup = (self.restores, self.server.rows.clone());
        }
        let profile = &self.profile;
        if dice.chance(profile.restore) {
            self.restore(dice);
        } else if dice.chance(profile.clocks) {
            self.fault("server clock jump");
            self.server.ahead_ms = dice.between(-300_000, 300_000);
        } else if dice.chance(profile.plans) {
            self.change_terms(account, fresh, dice);
        } else if dice.chance(100) {
            self.fault("outcome log cut");
            if let Some(rows) = self.server.rows.get_mut(account) {
                let kept = rows.account.version.0.saturating_sub(dice.below(6));
                rows.kept_since = Version(kept);
            }
        } else if dice.chance(60) {
            self.shut_down();
        } else {
            self.by_hand(account, fresh, dice);
        }
    }

    fn change_terms(&mut self, account: usize, fresh: u32, dice: &mut Dice) {
        let open = self.server.rows.get(account).is_some_and(|rows| !rows.open.is_empty());
        let actor = border::actor_id(dice.below(2));
        if dice.chance(500) {
            let meter = small(dice.index(3));
            let charge = border::charge(&[(meter, 1 + dice.below(20))]);
            let operation = self.new_id(fresh, 0);
            if open {
                self.reach(Sometimes::Granted);
            }
            let times = 1 + dice.below(2);
            for _ in 0..times {
                let (actor, charge) = (actor.clone(), charge.clone());
                let command = Command::Grant { operation, actor: actor.clone(), charge };
                self.submit(Request::of(account, actor, Some(command)));
            }
        } else {
            let plan = Plan::draw(dice, self.profile.periods_ms);
            let request = Request::of(account, actor, None);
            self.submit(Request { plan: Some(plan), ..request });
        }
    }

    /// An id made by a backend, so old by its own clock.
    fn new_id(&mut self, op: u32, age_ms: i64) -> OperationId {
        self.note(Event::ByHand { op });
        border::operation_id(op, self.clock().plus(-age_ms))
    }

    /// A backend holds and ends operations itself, in any order and more than once.
    fn by_hand(&mut self, account: usize, op: u32, dice: &mut Dice) {
        let number = dice.below(2);
        let actor = border::actor_id(number);
        let charge = border::charge(&charge_of(dice.index(MODELS)));
        let print = Some(Fingerprint([small(dice.index(2)); 16]));
        let any = dice.chance(150);
        let known =
            if any { self.any_operation(account, dice) } else { self.by_hand.last().copied() };
        let expires_at = self.clock().plus(HOLD_MS);
        let fresh = known.is_none() || dice.chance(400);
        let operation = match known.filter(|_| !fresh) {
            Some(operation) => operation,
            None => {
                let age_ms = dice.pick(&[0, 0, 0, 0, 0, 8 * DAY, -1_200_000]);
                let id = self.new_id(op, age_ms.unwrap_or_default());
                self.by_hand.push(id);
                id
            }
        };
        let command = match dice.below(if fresh { 1 } else { 8 }) {
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
        let times = if dice.chance(300) { 2 } else { 1 };
        for _ in 0..times {
            self.submit(Request::of(account, actor.clone(), Some(command.clone())));
        }
    }

    fn any_operation(&self, account: usize, dice: &mut Dice) -> Option<OperationId> {
        let rows = self.server.rows.get(account)?;
        let at = dice.index(rows.operations.len());
        rows.operations.keys().nth(at).copied()
    }

    /// The database is restored from a backup, or emptied: another history begins.
    fn restore(&mut self, dice: &mut Dice) {
        self.fault("database restored");
        self.crash_server(Vec::new());
        let empty = dice.chance(300);
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
