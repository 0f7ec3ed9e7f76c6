//! Operations as a backend sees them: what was acknowledged, and what it cannot know.

use std::collections::BTreeMap;

use serde_json::Value;
use trueup_core::OperationId;

use crate::Failure;
use crate::http::{self, Connection};
use crate::trueup::KEY;
use crate::work;

/// What an account says of its one meter.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Figures {
    pub used: u64,
    pub held: u64,
}

/// Asks a server.
pub async fn figures(connection: &mut Connection, account: &str) -> Result<Figures, Failure> {
    let headers = [format!("trueup-account: {account}")];
    let reply = connection.call(&http::get("/v1/usage", KEY, &headers)).await?;
    let body: Value = serde_json::from_slice(reply.body)?;
    let number = |name| body.pointer(&format!("/meters/units/{name}"))?.as_u64();
    match (number("used"), number("held")) {
        (Some(used), Some(held)) => Ok(Figures { used, held }),
        _ => Err(format!("{account} was answered with {}: {body}", reply.status).into()),
    }
}

/// A step that a backend asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Step {
    Hold,
    Settle,
}

impl Step {
    pub fn request(self, account: &str, operation: OperationId) -> String {
        match self {
            Self::Hold => http::post("/v1/operations", KEY, &work::hold(account, operation)),
            Self::Settle => {
                let path = format!("/v1/operations/{operation}/settle");
                http::post(&path, KEY, &work::settle(account))
            }
        }
    }

    /// What a retry may be answered with as well: a hold that was there before.
    pub fn is_done(self, status: u16) -> bool {
        match self {
            Self::Hold => matches!(status, 200 | 201),
            Self::Settle => status == 200,
        }
    }

    pub fn state(self) -> &'static str {
        match self {
            Self::Hold => "held",
            Self::Settle => "settled",
        }
    }
}

/// What a backend has written down.
#[derive(Clone, Debug, Default)]
pub struct Book {
    /// The last step of each operation that was acknowledged.
    pub acknowledged: BTreeMap<(String, OperationId), Step>,
    /// Steps that were sent and not answered.
    pub unknown: Vec<(String, OperationId, Step)>,
    /// Answers that there should not have been.
    pub odd: Vec<String>,
}

impl Book {
    pub fn acknowledge(&mut self, account: &str, operation: OperationId, step: Step) {
        self.acknowledged.insert((account.to_owned(), operation), step);
    }

    pub fn add(&mut self, other: Self) {
        self.acknowledged.extend(other.acknowledged);
        self.unknown.extend(other.unknown);
        self.odd.extend(other.odd);
    }

    /// What every account must say, once nothing is unknown.
    pub fn figures(&self) -> BTreeMap<&str, Figures> {
        let mut all: BTreeMap<&str, Figures> = BTreeMap::new();
        for ((account, _), step) in &self.acknowledged {
            let figures = all.entry(account).or_default();
            match step {
                Step::Hold => figures.held += 1,
                Step::Settle => figures.used += 1,
            }
        }
        all
    }
}
