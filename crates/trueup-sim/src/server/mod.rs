//! The server's side: the core's ledger over rows in memory, a replica that lags, and the chats
//! that run.

use std::collections::{BTreeMap, VecDeque};

use trueup_core::client::RequestId;
use trueup_core::ledger::Command;
use trueup_core::{ActorId, Charge, OperationId, Timestamp, Version};

use crate::dice::Dice;

pub mod plan;
pub mod rows;

use plan::Plan;
use rows::{Rows, Write};

/// How long a hold lives without being renewed.
pub const HOLD_MS: i64 = 60_000;
/// Between two looks for due holds.
pub const SWEEP_MS: i64 = 5_000;

/// Everything that the server knows.
#[derive(Debug)]
pub struct Server {
    /// Account by account.
    pub rows: Vec<Rows>,
    /// Account by account.
    pub plans: Vec<Plan>,
    /// The number of the database's history.
    pub epoch: u32,
    /// What a restore brings back, and the history that it is of.
    pub backup: (u32, Vec<Rows>),
    /// Images of before, for reads that need not be the newest.
    pub replica: Replica,
    /// What waits for the next batch.
    pub waiting: Vec<Request>,
    /// What is being committed.
    pub batch: Option<Vec<Request>>,
    /// Chats by number.
    pub jobs: BTreeMap<u64, Job>,
    /// The number of the last chat.
    pub next_job: u64,
    /// How far the server's clock is ahead.
    pub ahead_ms: i64,
    /// Whether it runs.
    pub is_up: bool,
    /// Rises with every start, so that nothing of before goes on.
    pub life: u32,
    /// Whether the sweeper's next look is planned.
    pub sweeping: bool,
    /// Accounts that push is planned for.
    pub announced: Vec<bool>,
    /// Who listens.
    pub listeners: Vec<Listener>,
}

/// A copy that is told every write, late.
#[derive(Debug, Default)]
pub struct Replica {
    /// Account by account.
    pub rows: Vec<Rows>,
    /// Writes under way to it: when they were committed, whose.
    pub log: VecDeque<(i64, usize, Write)>,
}

impl Replica {
    /// Takes in everything that was committed up to `time`.
    pub fn catch_up(&mut self, time: i64) {
        while self.log.front().is_some_and(|(at, _, _)| *at <= time) {
            if let Some((_, account, write)) = self.log.pop_front()
                && let Some(rows) = self.rows.get_mut(account)
            {
                rows.apply(&write);
            }
        }
    }
}

/// Somebody who listens to push.
#[derive(Clone, Copy, Debug)]
pub struct Listener {
    /// On which page.
    pub tab: usize,
    /// Which life of the page.
    pub page: u32,
    /// Whose usage.
    pub account: usize,
    /// For whom.
    pub actor: u8,
    /// The last version that was pushed.
    pub since: Option<Version>,
}

/// Something for the ledger's engine.
#[derive(Clone, Debug)]
pub struct Request {
    /// Whose.
    pub account: usize,
    /// For whom the answer is.
    pub actor: ActorId,
    /// The version that the answer tells everything after.
    pub since: Option<Version>,
    /// What is to be done; nothing but looking at the calendar when `None`.
    pub command: Option<Command>,
    /// The account's plan from now on.
    pub plan: Option<Plan>,
    /// Operations to be told by id.
    pub ask: Vec<OperationId>,
    /// Who waits.
    pub to: ReplyTo,
}

impl Request {
    /// A command that nobody waits for.
    pub fn of(account: usize, actor: ActorId, command: Option<Command>) -> Self {
        let (since, plan, ask, to) = (None, None, Vec::new(), ReplyTo::Nobody);
        Self { account, actor, since, command, plan, ask, to }
    }
}

/// Who waits for the engine.
#[derive(Clone, Debug)]
pub enum ReplyTo {
    /// Nobody.
    Nobody,
    /// A page's own question.
    Page(Asker),
    /// A chat that asks to be admitted.
    Chat(Box<Call>),
    /// A chat that runs.
    Job(u64),
}

/// A page's question.
#[derive(Clone, Copy, Debug)]
pub struct Asker {
    /// On which page.
    pub tab: usize,
    /// Which life of the page.
    pub page: u32,
    /// For whom.
    pub who: (usize, u8),
    /// The question's number there.
    pub id: RequestId,
    /// When it was sent.
    pub sent_at: i64,
    /// Of which kind it is, and how many of them the page had asked before.
    pub nth: (usize, i64),
}

impl Asker {
    /// A number for the question, whichever page of a design asks how often.
    pub fn key(&self) -> u64 {
        let (kind, nth) = self.nth;
        (self.tab as u64) << 48 | (kind as u64) << 40 | nth.cast_unsigned()
    }
}

/// A chat request.
#[derive(Clone, Debug)]
pub struct Call {
    /// From which page.
    pub tab: usize,
    /// Which life of the page.
    pub page: u32,
    /// The connection; none for a copy that nobody listens to.
    pub stream: Option<u64>,
    /// Whose usage.
    pub account: usize,
    /// Who asks.
    pub actor: u8,
    /// The operation.
    pub operation: OperationId,
    /// The model asked for.
    pub model: usize,
    /// The version that replies tell everything after.
    pub since: Option<Version>,
    /// What it says.
    pub content: u8,
    /// Whether something on the way sent it again.
    pub is_retry: bool,
}

/// A chat that was admitted.
#[derive(Clone, Debug)]
pub struct Job {
    /// As it was asked for.
    pub call: Call,
    /// How it goes on.
    pub dice: Dice,
    /// The model that is tried, or answers.
    pub model: usize,
    /// What it charges.
    pub charge: Charge,
    /// Whether another model was tried before.
    pub fell_back: bool,
    /// Tokens delivered, and still to come.
    pub tokens: (u32, u32),
    /// Whether the client still listens.
    pub is_heard: bool,
    /// When the hold ends by itself.
    pub expires_at: Timestamp,
    /// What the ledger was asked last.
    pub doing: Doing,
    /// Until the next try to end.
    pub pause_ms: i64,
    /// Whether the client was told the end.
    pub told: bool,
    /// When the last thing sent to the client arrives.
    pub arrives_at: i64,
}

/// What a chat waits for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Doing {
    /// The provider.
    Chatting,
    /// The ledger: may another model answer?
    Moving(usize),
    /// The ledger: the end.
    Ending(End),
}

/// How a chat ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum End {
    /// Charged; whether its answer is whole.
    Settle(Charge, bool),
    /// Given back.
    Release(trueup_core::Cause),
}
