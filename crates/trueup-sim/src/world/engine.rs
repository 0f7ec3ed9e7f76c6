//! The ledger's engine: batches, each one transaction, with everything that can go wrong at its
//! commit.

use std::rc::Rc;

use trueup_core::error::Rejection;
use trueup_core::ledger::{Acceptance, Command, Decision, Written};
use trueup_core::{OperationId, Snapshot};

use super::luck::About;
use super::network::Reply;
use super::{Task, World};
use crate::audit::history::Event;
use crate::border;
use crate::planted;
use crate::report::Sometimes;
use crate::server::rows::{Rows, Write};
use crate::server::{Asker, ReplyTo, Request};

/// Commits of one such moment share their fate.
const MOMENT_MS: i64 = 20;

/// What the engine answers: what was decided and the account after, or an error.
pub(super) type Answer = Option<(Result<Option<Decision>, Rejection>, Rc<Snapshot>)>;

/// What becomes of a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    Written,
    Failed,
    WrittenAndFailed,
    CrashBefore,
    CrashAfter,
}

impl World<'_> {
    /// Gives the engine something to do.
    pub(super) fn submit(&mut self, request: Request) {
        self.server.waiting.push(request);
        self.begin_batch();
    }

    fn begin_batch(&mut self) {
        if self.server.batch.is_none() && !self.server.waiting.is_empty() {
            self.server.batch = Some(std::mem::take(&mut self.server.waiting));
            let life = self.server.life;
            let takes_ms = self.draw(About::Batch, 0, self.now).between(1, 8);
            self.after(takes_ms, Task::Commit { life });
        }
    }

    pub(super) fn commit(&mut self, life: u32) {
        if life != self.server.life {
            return;
        }
        let Some(batch) = self.server.batch.take() else { return };
        match self.draw_fate() {
            Fate::Written => {
                let answers = self.write(&batch);
                for (request, answer) in batch.into_iter().zip(answers) {
                    self.answer(request, answer);
                }
            }
            Fate::Failed => {
                self.fault("commit failed");
                batch.into_iter().for_each(|request| self.answer(request, None));
            }
            Fate::WrittenAndFailed => {
                self.fault("commit unknown");
                self.reach(Sometimes::CommitUnknown);
                self.write(&batch);
                batch.into_iter().for_each(|request| self.answer(request, None));
            }
            Fate::CrashBefore => {
                self.reach(Sometimes::CrashedBefore);
                if self.has(planted::Bug::TornCommit) {
                    self.write_torn(&batch);
                }
                self.crash_server(batch);
            }
            Fate::CrashAfter => {
                self.reach(Sometimes::CrashedAfter);
                self.write(&batch);
                self.crash_server(batch);
            }
        }
        self.begin_batch();
    }

    fn draw_fate(&mut self) -> Fate {
        let profile = &self.profile;
        // A moment later or earlier is no other weather.
        let mut dice = self.draw(About::Fate, 0, self.now / MOMENT_MS);
        if dice.chance(profile.commit_unknown) {
            Fate::WrittenAndFailed
        } else if dice.chance(profile.commit_fails) {
            Fate::Failed
        } else if !dice.chance(profile.crash) {
            Fate::Written
        } else if dice.chance(500) {
            Fate::CrashBefore
        } else {
            Fate::CrashAfter
        }
    }

    /// Decides every command of a batch and writes what was decided; the answers' figures are of
    /// the whole batch.
    fn write(&mut self, batch: &[Request]) -> Vec<Answer> {
        let decided: Vec<_> = batch.iter().map(|request| self.decide(request)).collect();
        let answers = batch.iter().zip(decided).map(|(request, decided)| {
            let operation = request.command.as_ref().map(Command::operation);
            let snapshot = self.snapshot(request, operation);
            Some((decided, snapshot))
        });
        answers.collect()
    }

    fn decide(&mut self, request: &Request) -> Result<Option<Decision>, Rejection> {
        if let (Some(plan), Some(known)) =
            (&request.plan, self.server.plans.get_mut(request.account))
        {
            known.clone_from(plan);
            let account = u8::try_from(request.account).unwrap_or(u8::MAX);
            self.note(Event::Planned { account, plan: plan.0.clone() });
        }
        let begins_here = matches!(request.command, Some(Command::Hold { .. }))
            && self.server.rows.get(request.account).is_some_and(Rows::is_unknown);
        if begins_here {
            self.reach(Sometimes::OpenedByHold);
        }
        self.align(request.account);
        let Some(command) = &request.command else { return Ok(None) };
        let clock = self.clock();
        let Some(rows) = self.server.rows.get(request.account) else { return Ok(None) };
        let known = rows.operations.get(&command.operation());
        let honest = rows.account.decide(known, command, clock, Acceptance::default());
        let decided = match self.bug {
            None => honest,
            Some(bug) => planted::decide(bug, rows, command, clock, honest),
        };
        let written = match &decided {
            Ok(Decision::Changed(written) | Decision::Refused(written, _)) => Some(&**written),
            _ => None,
        };
        let event = Event::Decided {
            account: border::account(&rows.account.id),
            epoch: self.server.epoch,
            clock: clock.millis(),
            command: border::command(command),
            outcome: border::outcome(&decided),
            entry: written.map(|written| border::entry(&written.entry, None)),
        };
        self.count(command, &decided);
        if let Some(written) = written {
            self.store(request.account, written);
        }
        self.note(event);
        decided.map(Some)
    }

    fn store(&mut self, account: usize, written: &Written) {
        let write = Write {
            account: written.account.clone(),
            operation: written.operation.clone(),
            entries: vec![written.entry.clone()],
        };
        self.apply(account, write);
        self.announce(account);
        self.begin_sweeping();
    }

    fn apply(&mut self, account: usize, write: Write) {
        if let Some(rows) = self.server.rows.get_mut(account) {
            rows.apply(&write);
        }
        if self.profile.replica.0 > 0 {
            self.server.replica.log.push_back((self.now, account, write));
        }
    }

    /// Brings an account up to date with its plan and the calendar.
    fn align(&mut self, account: usize) {
        let clock = self.clock();
        let Some(rows) = self.server.rows.get(account) else { return };
        let Some(plan) = self.server.plans.get(account) else { return };
        let mut aligned = rows.account.clone();
        let mut entries = aligned.align(&plan.terms(clock), clock);
        if let Some(bug) = self.bug {
            planted::align(bug, rows, &mut aligned, &mut entries);
        }
        if entries.is_empty() {
            return;
        }
        let open = rows.account.meters.values().any(|balance| !balance.held.is_zero());
        let (number, epoch) = (border::account(&rows.account.id), self.server.epoch);
        let write = Write { account: aligned, operation: None, entries: entries.clone() };
        for entry in &entries {
            let meter = entry.lines.first().map(|line| &line.meter);
            let balance = meter.and_then(|meter| write.account.meters.get(meter));
            let told = border::entry(entry, balance.map(border::terms));
            if open {
                let rolled = told.kind == "window";
                self.reach(if rolled { Sometimes::Rolled } else { Sometimes::PlanMoved });
            }
            let event =
                Event::Aligned { account: number, epoch, clock: clock.millis(), entry: told };
            self.note(event);
        }
        self.apply(account, write);
        self.announce(account);
    }

    /// Half of a batch: what a store without transactions would leave behind.
    fn write_torn(&mut self, batch: &[Request]) {
        for request in batch {
            let before = self.server.rows.get(request.account).map(|rows| rows.account.clone());
            let decided = self.decide(request);
            if let (Ok(Some(Decision::Changed(_))), Some(before)) = (decided, before)
                && let Some(rows) = self.server.rows.get_mut(request.account)
            {
                rows.account = before;
            }
        }
    }

    fn snapshot(&mut self, request: &Request, operation: Option<OperationId>) -> Rc<Snapshot> {
        let ask: Vec<_> = request.ask.iter().copied().chain(operation).collect();
        self.look(request.account, &request.actor, request.since, &ask, false)
    }

    fn answer(&mut self, request: Request, answer: Answer) {
        match request.to {
            ReplyTo::Nobody => {}
            ReplyTo::Page(asker) => self.answer_page(asker, request.command.as_ref(), answer),
            ReplyTo::Chat(call) => self.admitted(*call, answer),
            ReplyTo::Job(job) => self.job_answered(job, request.command.as_ref(), answer),
        }
    }

    fn answer_page(&mut self, asker: Asker, command: Option<&Command>, answer: Answer) {
        let fences = matches!(command, Some(Command::Fence { .. }));
        let reply = match answer {
            None => Reply::Failed(self.draw_retry_after(asker)),
            Some((Ok(_), snapshot)) => Reply::Answer(snapshot),
            // That the operation is held is told along with where it stands: as good as an answer.
            Some((Err(Rejection::Held(_)), snapshot)) if fences => {
                self.reach(Sometimes::FenceOfHeld);
                Reply::Answer(snapshot)
            }
            Some((
                Err(Rejection::TooOld(_) | Rejection::FromFuture(_) | Rejection::Conflict(_)),
                _,
            )) => Reply::FenceRefused,
            Some((Err(_), _)) => Reply::Failed(None),
        };
        self.reply(asker, reply);
    }

    /// The server dies: what waits is lost, chats break, and after a while it starts again.
    pub(super) fn crash_server(&mut self, lost: Vec<Request>) {
        self.fault("server crash");
        self.server.life += 1;
        self.server.is_up = false;
        self.server.sweeping = false;
        self.server.listeners.clear();
        let waiting = std::mem::take(&mut self.server.waiting);
        let batch = self.server.batch.take().unwrap_or_default();
        for request in lost.into_iter().chain(batch).chain(waiting) {
            match request.to {
                ReplyTo::Page(asker) => self.reply(asker, Reply::Failed(None)),
                ReplyTo::Chat(call) => self.break_stream(call.stream, call.tab, call.page),
                ReplyTo::Nobody | ReplyTo::Job(_) => {}
            }
        }
        for (_, job) in std::mem::take(&mut self.server.jobs) {
            self.break_stream(
                job.call.stream.filter(|_| job.is_heard),
                job.call.tab,
                job.call.page,
            );
        }
        let down_ms = self.draw(About::Down, 0, self.now).between(200, 20_000);
        self.after(down_ms, Task::Start);
    }

    pub(super) fn start_server(&mut self) {
        self.server.is_up = true;
        self.begin_sweeping();
    }

    fn count(&mut self, command: &Command, decided: &Result<Decision, Rejection>) {
        let state = match (command, decided) {
            (Command::Hold { .. }, Ok(Decision::Replayed(_))) => Sometimes::ReplayedHold,
            (Command::Settle { .. }, Ok(Decision::Replayed(_))) => Sometimes::ReplayedSettle,
            (Command::Hold { .. }, Err(Rejection::Fenced(_))) => Sometimes::LateAfterFence,
            (Command::Settle { .. }, Err(Rejection::Ended { state, .. }))
                if *state == trueup_core::OperationState::Expired =>
            {
                Sometimes::ExpiryWon
            }
            (Command::Rehold { .. }, Err(Rejection::Refused(_))) => Sometimes::FallbackRefused,
            (Command::Extend { .. }, Ok(Decision::Changed(_))) => Sometimes::Renewed,
            (_, Err(Rejection::Conflict(_))) => Sometimes::Conflict,
            (_, Err(Rejection::TooOld(_))) => Sometimes::TooOld,
            (_, Err(Rejection::FromFuture(_))) => Sometimes::FromFuture,
            (_, Ok(Decision::Changed(written)))
                if written.entry.lines.iter().any(|line| !line.overage.is_zero()) =>
            {
                Sometimes::Overage
            }
            _ => return,
        };
        self.reach(state);
    }
}
