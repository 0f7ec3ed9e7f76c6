//! The chat route: admission, providers that fail, fallback, renewal, and the four ends.

use trueup_core::error::Rejection;
use trueup_core::ledger::{Command, Decision};
use trueup_core::{Cause, Fingerprint, OperationState};

use super::engine::Answer;
use super::luck::About;
use super::network::Part;
use super::{Task, World};
use crate::audit::history::Amounts;
use crate::border;
use crate::dice::Dice;
use crate::report::Sometimes;
use crate::server::plan::{charge_of, fallback_of};
use crate::server::{Call, Doing, End, HOLD_MS, Job, ReplyTo, Request};

/// How a running chat goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// The provider answers, or fails before its first token.
    Open,
    /// Something of the answer.
    Token,
    /// The hold is to be renewed.
    Renew,
    /// The end is tried again.
    Retry,
    /// The client has waited long enough for the end.
    Patience,
    /// The client left.
    Left,
}

impl World<'_> {
    /// A chat request arrives.
    pub(super) fn chat(&mut self, call: Call) {
        let actor = border::actor_id(call.actor);
        let command = Command::Hold {
            operation: call.operation,
            actor: actor.clone(),
            model: None,
            charge: border::charge(&charge_of(call.model)),
            content: Some(print(call.content)),
            expires_at: self.clock().plus(HOLD_MS),
        };
        let request = Request::of(call.account, actor, Some(command));
        self.submit(Request { since: call.since, to: ReplyTo::Chat(Box::new(call)), ..request });
    }

    /// The ledger said whether a chat may run.
    pub(super) fn admitted(&mut self, call: Call, answer: Answer) {
        let (stream, tab, page) = (call.stream, call.tab, call.page);
        let op = u64::from(border::op(call.operation));
        let Some((outcome, snapshot)) = answer else { return self.break_stream(stream, tab, page) };
        let expires_at = match &outcome {
            Ok(Some(Decision::Changed(written))) => {
                written.operation.as_ref().map(|record| record.expires_at)
            }
            _ => None,
        };
        let Some(expires_at) = expires_at else {
            // Refused, or an id that was used before: the answer of before, or an error.
            match &outcome {
                Ok(Some(Decision::Replayed(_))) if call.is_retry => {
                    self.reach(Sometimes::RetryReplayed);
                }
                Err(Rejection::Conflict(_)) if call.is_retry => {
                    self.reach(Sometimes::RetryConflicts);
                }
                _ => {}
            }
            let well = matches!(&outcome, Ok(Some(Decision::Replayed(record)))
                if record.state == OperationState::Settled);
            let mut dice = self.draw(About::Answer, op, self.now);
            let at = self.draw_arrival(&mut dice);
            let part = Part::End(Some(snapshot), well);
            self.tell_stream(stream, (tab, page), at, part, &mut dice);
            return;
        };
        self.server.next_job += 1;
        let number = self.server.next_job;
        if let Some(stream) = stream {
            self.streams.insert(stream, number);
        }
        let model = call.model;
        let mut dice = self.draw(About::Job, op, i64::from(call.is_retry));
        let (opens_ms, renews_ms) = (dice.between(50, 2_500), self.draw_renewal(&mut dice));
        let job = Job {
            dice,
            model,
            charge: border::charge(&charge_of(model)),
            fell_back: false,
            tokens: (0, 0),
            is_heard: stream.is_some(),
            expires_at,
            doing: Doing::Chatting,
            pause_ms: 100,
            told: false,
            arrives_at: 0,
            call,
        };
        self.server.jobs.insert(number, job);
        self.after(opens_ms, Task::Job { job: number, step: Step::Open });
        self.after(renews_ms, Task::Job { job: number, step: Step::Renew });
    }

    fn draw_renewal(&mut self, dice: &mut Dice) -> i64 {
        if dice.chance(self.profile.stall) {
            self.fault("hold not renewed");
            return 4 * HOLD_MS;
        }
        HOLD_MS / 2
    }

    pub(super) fn go_on_job(&mut self, number: u64, step: Step) {
        let Some(job) = self.server.jobs.get_mut(&number) else { return };
        match step {
            Step::Left => job.is_heard = false,
            Step::Retry => {
                if let Doing::Ending(end) = job.doing.clone() {
                    self.reach(Sometimes::SettleRetried);
                    self.submit_end(number, &end);
                }
                return;
            }
            Step::Patience => {
                if !job.told {
                    job.told = true;
                    self.reach(Sometimes::LastChunkBare);
                    self.tell_job(number, Part::End(None, true));
                }
                return;
            }
            Step::Renew => {
                let expires_at = self.clock().plus(HOLD_MS);
                return self
                    .ask_ledger(number, |operation| Command::Extend { operation, expires_at });
            }
            Step::Open | Step::Token => {}
        }
        if job.doing != Doing::Chatting {
            return;
        }
        if !job.is_heard {
            let begun = job.tokens.0 > 0;
            let end = if begun { self.settled(number) } else { End::Release(Cause::Aborted) };
            self.reach(if begun { Sometimes::AbortedCharged } else { Sometimes::AbortedFree });
            return self.end(number, end);
        }
        match step {
            Step::Open => self.open_model(number),
            Step::Token => self.token(number),
            _ => {}
        }
    }

    fn open_model(&mut self, number: u64) {
        let (provider, model) = (self.profile.provider, self.job_model(number));
        let Some(job) = self.server.jobs.get_mut(&number) else { return };
        let (fails, tokens) = (job.dice.chance(provider), job.dice.between(1, 8));
        if fails {
            self.fault("provider failed");
            return match fallback_of(model).filter(|_| !self.has_fallen_back(number)) {
                Some(next) => self.try_model(number, next),
                None => {
                    self.reach(Sometimes::ProviderFailedEarly);
                    self.end(number, End::Release(Cause::ProviderFailed));
                }
            };
        }
        let tokens = u32::try_from(tokens).unwrap_or(1);
        if let Some(job) = self.server.jobs.get_mut(&number) {
            job.tokens = (0, tokens);
        }
        self.after(1, Task::Job { job: number, step: Step::Token });
    }

    fn try_model(&mut self, number: u64, next: usize) {
        let charge = border::charge(&charge_of(next));
        if let Some(job) = self.server.jobs.get_mut(&number) {
            job.doing = Doing::Moving(next);
            job.fell_back = true;
        }
        self.ask_ledger(number, |operation| Command::Rehold { operation, charge });
    }

    fn token(&mut self, number: u64) {
        let provider = self.profile.provider / 6;
        let Some(job) = self.server.jobs.get_mut(&number) else { return };
        let (fails, slow) = (job.dice.chance(provider), job.dice.chance(40));
        let gap_ms =
            if slow { job.dice.between(5_000, 50_000) } else { job.dice.between(100, 4_000) };
        if fails {
            self.fault("provider failed");
            self.reach(Sometimes::ProviderFailedLate);
            return self.end(number, End::Release(Cause::ProviderFailed));
        }
        let Some(job) = self.server.jobs.get_mut(&number) else { return };
        let (sent, left) = job.tokens;
        if left == 0 {
            let end = self.settled(number);
            return self.end(number, end);
        }
        job.tokens = (sent + 1, left - 1);
        self.tell_job(number, Part::Token);
        self.after(gap_ms, Task::Job { job: number, step: Step::Token });
    }

    /// What a chat is charged: what its model charges, by what the provider reports.
    fn settled(&mut self, number: u64) -> End {
        let Some(job) = self.server.jobs.get_mut(&number) else {
            return End::Release(Cause::Aborted);
        };
        let dice = &mut job.dice;
        // Messages are counted, tokens are measured.
        let (is_metered, thirds) = (dice.chance(800), dice.below(1 << 32));
        let (whole, fell_back) = (job.is_heard, job.fell_back);
        let mut amounts: Amounts = border::amounts(&job.charge);
        if fell_back {
            self.reach(Sometimes::FellBack);
        }
        for (meter, units) in &mut amounts {
            if *meter == 2 && is_metered && *units > 0 {
                *units = thirds % (3 * *units);
                self.reach(Sometimes::Metered);
            }
        }
        amounts.retain(|(_, units)| *units > 0);
        End::Settle(border::charge(&amounts), whole)
    }

    fn end(&mut self, number: u64, end: End) {
        self.submit_end(number, &end);
        if let Some(job) = self.server.jobs.get_mut(&number) {
            job.doing = Doing::Ending(end);
        }
        self.after(2_000, Task::Job { job: number, step: Step::Patience });
    }

    fn submit_end(&mut self, number: u64, end: &End) {
        self.ask_ledger(number, |operation| match end {
            End::Settle(charge, whole) => Command::Settle {
                operation,
                charge: charge.clone(),
                content: Some(print(7)),
                cause: (!whole).then_some(Cause::Aborted),
            },
            End::Release(cause) => Command::Release { operation, cause: *cause },
        });
    }

    fn ask_ledger(
        &mut self,
        number: u64,
        command: impl FnOnce(trueup_core::OperationId) -> Command,
    ) {
        let Some(Job { call, .. }) = self.server.jobs.get(&number) else { return };
        let command = Some(command(call.operation));
        let request = Request::of(call.account, border::actor_id(call.actor), command);
        let request = Request { since: call.since, to: ReplyTo::Job(number), ..request };
        if self.server.is_up {
            self.submit(request);
        }
    }

    /// The ledger answered a running chat.
    pub(super) fn job_answered(&mut self, number: u64, command: Option<&Command>, answer: Answer) {
        let half = HOLD_MS / 2;
        let clock = self.clock();
        let Some(job) = self.server.jobs.get_mut(&number) else { return };
        match (command, job.doing.clone(), answer) {
            (Some(Command::Extend { expires_at, .. }), _, answer) => {
                let wait_ms = match answer {
                    Some((Ok(_), _)) => {
                        job.expires_at = *expires_at;
                        half
                    }
                    Some((Err(_), _)) => return,
                    None => half / 8,
                };
                self.after(wait_ms, Task::Job { job: number, step: Step::Renew });
            }
            (Some(Command::Rehold { charge, .. }), Doing::Moving(next), answer) => {
                job.doing = Doing::Chatting;
                match answer {
                    Some((Ok(_), _)) => {
                        job.model = next;
                        job.charge = charge.clone();
                        let opens_ms = job.dice.between(50, 2_000);
                        self.after(opens_ms, Task::Job { job: number, step: Step::Open });
                    }
                    _ => self.end(number, End::Release(Cause::ProviderFailed)),
                }
            }
            (_, Doing::Ending(end), Some((_, snapshot))) => {
                let strips = job.dice.chance(self.profile.strips);
                self.ended_early(number);
                let well = matches!(end, End::Settle(..));
                if !self.server.jobs.get(&number).is_some_and(|job| job.told) {
                    let is_bare = well && strips;
                    if is_bare {
                        self.fault("snapshot stripped from a reply");
                        self.reach(Sometimes::LastChunkBare);
                    }
                    let snapshot = Some(snapshot).filter(|_| !is_bare);
                    self.tell_job(number, Part::End(snapshot, well));
                }
                self.server.jobs.remove(&number);
            }
            (_, Doing::Ending(_), None) => {
                let pause_ms = job.pause_ms;
                job.pause_ms = (2 * pause_ms).min(5_000);
                if job.expires_at <= clock {
                    self.tell_job(number, Part::End(None, false));
                    self.server.jobs.remove(&number);
                } else {
                    self.after(pause_ms, Task::Job { job: number, step: Step::Retry });
                }
            }
            _ => {}
        }
    }

    fn ended_early(&mut self, number: u64) {
        let Some(job) = self.server.jobs.get(&number) else { return };
        let (tab, page) = (job.call.tab, job.call.page);
        let earlier = self
            .server
            .jobs
            .range(..number)
            .any(|(_, other)| (other.call.tab, other.call.page) == (tab, page));
        if earlier {
            self.reach(Sometimes::OutOfOrder);
        }
    }

    /// Something for the client of a chat, after all that was sent to it before.
    fn tell_job(&mut self, number: u64, part: Part) {
        let Some(job) = self.server.jobs.get_mut(&number) else { return };
        let mut part_dice = job.dice.split();
        if !job.is_heard {
            return;
        }
        let (stream, tab, page) = (job.call.stream, job.call.tab, job.call.page);
        let arrives_at = self.draw_arrival(&mut part_dice);
        let Some(job) = self.server.jobs.get_mut(&number) else { return };
        job.arrives_at = job.arrives_at.max(arrives_at);
        let at = job.arrives_at;
        if !self.tell_stream(stream, (tab, page), at, part, &mut part_dice)
            && let Some(job) = self.server.jobs.get_mut(&number)
        {
            // The server notices when it writes again.
            job.is_heard = false;
        }
    }

    /// The server stops in order: what runs is given back first.
    pub(super) fn shut_down(&mut self) {
        self.reach(Sometimes::ShutDown);
        let running = self.server.jobs.iter().filter(|(_, job)| job.doing == Doing::Chatting);
        let running: Vec<u64> = running.map(|(number, _)| *number).collect();
        for number in running {
            self.end(number, End::Release(Cause::Shutdown));
        }
    }

    fn job_model(&self, number: u64) -> usize {
        self.server.jobs.get(&number).map_or(0, |job| job.model)
    }

    fn has_fallen_back(&self, number: u64) -> bool {
        self.server.jobs.get(&number).is_some_and(|job| job.fell_back)
    }
}

fn print(content: u8) -> Fingerprint {
    Fingerprint([content; 16])
}
