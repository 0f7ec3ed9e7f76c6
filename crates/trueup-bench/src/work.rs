//! What a client asks for, again and again.

use trueup_core::OperationId;

use crate::Failure;
use crate::dice::Dice;
use crate::http::{self, Reply};
use crate::trueup::KEY;

/// What every client of a contest does.
#[derive(Clone)]
pub enum Work {
    /// Holds a unit of one of the accounts, and settles it: two calls.
    Pairs { accounts: u64 },
    /// The same, so many operations in one call.
    Batches { accounts: u64, size: usize },
    /// Takes a unit, with nothing held before and nothing written down: one call.
    Consume { accounts: u64 },
    /// Each client sends one of these, and gets the same status every time.
    Same { requests: Vec<String>, status: u16 },
}

/// One client at work.
pub struct Client {
    work: Work,
    dice: Dice,
    seat: usize,
    /// What is held and not settled yet.
    open: Vec<(String, OperationId)>,
}

/// A call, and how much is done when it was answered with `status`.
pub struct Call {
    pub request: String,
    pub status: u16,
    pub counts: u64,
}

impl Client {
    pub fn new(work: &Work, seed: u64) -> Self {
        let seat = usize::try_from(seed).unwrap_or(0);
        Self { work: work.clone(), dice: Dice::new(seed), seat, open: Vec::new() }
    }

    pub fn next(&mut self) -> Call {
        match self.work {
            Work::Pairs { accounts } => match self.open.pop() {
                None => {
                    let (account, operation) = self.operation(accounts);
                    let body = hold(&account, operation);
                    self.open.push((account, operation));
                    Call {
                        request: http::post("/v1/operations", KEY, &body),
                        status: 201,
                        counts: 1,
                    }
                }
                Some((account, operation)) => {
                    let path = format!("/v1/operations/{operation}/settle");
                    let request = http::post(&path, KEY, &settle(&account));
                    Call { request, status: 200, counts: 1 }
                }
            },
            Work::Batches { accounts, size } => self.batch(accounts, size),
            Work::Consume { accounts } => {
                let account = self.dice.below(accounts);
                let body = format!("{{\"account\":\"a-{account}\"}}");
                Call { request: http::post("/v1/consume", KEY, &body), status: 200, counts: 1 }
            }
            Work::Same { ref requests, status } => {
                let request = requests.get(self.seat % requests.len().max(1)).cloned();
                Call { request: request.unwrap_or_default(), status, counts: 1 }
            }
        }
    }

    fn batch(&mut self, accounts: u64, size: usize) -> Call {
        let settles = std::mem::take(&mut self.open);
        let lines: Vec<String> = if settles.is_empty() {
            let operations = (0..size).map(|_| self.operation(accounts));
            let operations: Vec<_> = operations.collect();
            let lines = operations.iter().map(|(account, id)| batch_hold(account, *id)).collect();
            self.open = operations;
            lines
        } else {
            settles.iter().map(|(account, id)| batch_settle(account, *id)).collect()
        };
        let body = format!("{{\"operations\":[{}]}}", lines.join(","));
        let counts = u64::try_from(size).unwrap_or(1);
        Call { request: http::post("/v1/operations/batch", KEY, &body), status: 200, counts }
    }

    fn operation(&mut self, accounts: u64) -> (String, OperationId) {
        (format!("a-{}", self.dice.below(accounts)), self.dice.operation())
    }
}

impl Call {
    /// Refuses an answer that is not the one there should be. Of several, none may be an error.
    pub fn check(&self, reply: &Reply<'_>) -> Result<(), Failure> {
        let failed = |body: &[u8]| body.windows(8).any(|it| it == b"\"error\":");
        if reply.status == self.status && (self.counts == 1 || !failed(reply.body)) {
            return Ok(());
        }
        let body = String::from_utf8_lossy(reply.body);
        Err(format!("{} was answered with {}: {body}", self.request, reply.status).into())
    }
}

/// The body of a hold.
pub fn hold(account: &str, operation: OperationId) -> String {
    format!("{{\"op_id\":\"{operation}\",\"account\":\"{account}\",\"model\":\"m\"}}")
}

/// The body of a settle.
pub fn settle(account: &str) -> String {
    format!("{{\"account\":\"{account}\",\"model\":\"m\"}}")
}

fn batch_hold(account: &str, operation: OperationId) -> String {
    format!(
        "{{\"kind\":\"hold\",\"op_id\":\"{operation}\",\"account\":\"{account}\",\"model\":\"m\"}}"
    )
}

fn batch_settle(account: &str, operation: OperationId) -> String {
    format!(
        "{{\"kind\":\"settle\",\"op_id\":\"{operation}\",\"account\":\"{account}\",\"model\":\"m\"}}"
    )
}
