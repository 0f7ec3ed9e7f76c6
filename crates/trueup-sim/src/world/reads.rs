//! Reads of usage: from the primary, or from a replica that has seen enough.

use std::rc::Rc;

use trueup_core::client::Request as Question;
use trueup_core::ledger::Command;
use trueup_core::{ActorId, OperationId, Snapshot, Version};

use super::World;
use super::luck::About;
use super::network::{Packet, Reply};
use crate::audit::history::Event;
use crate::border;
use crate::dice::Dice;
use crate::planted::{self, Bug};
use crate::report::Sometimes;
use crate::server::rows::Glance;
use crate::server::{Asker, ReplyTo, Request};

impl World<'_> {
    /// A snapshot of an account as it is, or as a replica has it.
    pub(super) fn look(
        &mut self,
        account: usize,
        actor: &ActorId,
        since: Option<Version>,
        ask: &[OperationId],
        replica: bool,
    ) -> Rc<Snapshot> {
        let server = &self.server;
        let rows = if replica { &server.replica.rows } else { &server.rows };
        let epoch = border::epoch_id(server.epoch);
        let glance = Glance { epoch: &epoch, actor, since, ask, now: self.clock() };
        #[expect(clippy::indexing_slicing, reason = "accounts are never removed")]
        let rows = &rows[account];
        let mut snapshot = rows.snapshot(glance);
        if let Some(bug) = self.bug {
            planted::snapshot(bug, rows, glance, &mut snapshot);
        }
        if snapshot.reset {
            self.reach(Sometimes::Reset);
        }
        self.note(Event::Read(border::read(&snapshot, actor, ask)));
        Rc::new(snapshot)
    }

    /// Somebody's question about usage.
    pub(super) fn read_usage(&mut self, packet: &Packet, asker: Asker, request: &Question) {
        let Packet::Ask { account, actor, .. } = *packet else { return };
        let actor = border::actor_id(actor);
        match request {
            Question::Fence { operation, since, .. } => {
                let command = Command::Fence { operation: *operation, actor: actor.clone() };
                let request = Request::of(account, actor, Some(command));
                self.submit(Request { since: *since, to: ReplyTo::Page(asker), ..request });
            }
            Question::Usage { since, ask, known, .. } => {
                let mut dice = self.draw(About::Read, asker.key(), self.now);
                if dice.chance(self.profile.read_fails) {
                    self.fault("read failed");
                    let retry_after_ms = self.draw_retry_after(asker);
                    return self.reply(asker, Reply::Failed(retry_after_ms));
                }
                let replica = self.draw_replica(account, *since, &mut dice);
                let server = &self.server;
                let rows = if replica { &server.replica.rows } else { &server.rows };
                let Some(rows) = rows.get(account) else { return };
                if rows.is_outdated(self.clock()) {
                    let (since, ask, to) = (*since, ask.clone(), ReplyTo::Page(asker));
                    let request = Request::of(account, actor, None);
                    return self.submit(Request { since, ask, to, ..request });
                }
                let (epoch, version) = (server.epoch, rows.account.version);
                let is_known = known.as_ref().is_some_and(|(known, at)| {
                    let same_epoch =
                        border::epoch(known) == epoch || self.has(Bug::TagWithoutEpoch);
                    same_epoch && *at == version
                });
                if is_known && ask.is_empty() {
                    let known = known.as_ref().map(|(known, at)| (border::epoch(known), at.0));
                    let place = (epoch, version.0);
                    self.note(Event::Unchanged { known: known.unwrap_or(place), place });
                    self.reach(Sometimes::NotModified);
                    if replica {
                        self.reach(Sometimes::NotModifiedByReplica);
                    }
                    return self.reply(asker, Reply::NotModified(version));
                }
                let snapshot = self.look(account, &actor, *since, ask, replica);
                self.reply(asker, Reply::Answer(snapshot));
            }
        }
    }

    /// Whether a read may be answered by the replica: only if that has seen what the reader has.
    fn draw_replica(&mut self, account: usize, since: Option<Version>, dice: &mut Dice) -> bool {
        let (share, lag_ms) = self.profile.replica;
        if !dice.chance(share) {
            return false;
        }
        let lag_ms = dice.between(0, lag_ms);
        self.server.replica.catch_up(self.now - lag_ms);
        let newest = self.server.rows.get(account).map(|rows| rows.account.version);
        let Some(rows) = self.server.replica.rows.get(account) else { return false };
        let version = rows.account.version;
        let has_seen =
            since.is_none_or(|since| since <= version) || self.has(Bug::ReplicaForgetsMinimum);
        if has_seen && Some(version) != newest {
            self.fault("old read");
            self.reach(Sometimes::OldRead);
        }
        has_seen
    }

    pub(super) fn draw_retry_after(&self, asker: Asker) -> Option<i64> {
        let mut dice = self.draw(About::RetryAfter, asker.key(), self.now);
        dice.chance(200).then(|| 1_000 * dice.between(0, 20))
    }
}
