//! Labels, and their few values.

use std::fmt;
use std::hash::{Hash, Hasher};

use axum::extract::MatchedPath;
use axum::http::{Method, StatusCode};
use prometheus_client::encoding::{EncodeLabelSet, EncodeLabelValue, LabelValueEncoder};
use trueup_core::error::Rejection;
use trueup_core::ledger::Command;

use crate::engine::{Action, Answer, EngineError};

/// Of a ledger command.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct OperationLabels {
    pub kind: &'static str,
    pub outcome: &'static str,
}

/// What becomes of commands when all is well, or as well as a plan allows.
pub(super) const COMMON_OUTCOMES: [(&str, &str); 8] = [
    ("hold", "held"),
    ("hold", "refused"),
    ("rehold", "held"),
    ("settle", "settled"),
    ("release", "released"),
    ("extend", "held"),
    ("expire", "expired"),
    ("fence", "fenced"),
];

impl OperationLabels {
    /// `None` for what is no command.
    pub fn of(action: &Action, answer: &Result<Answer, EngineError>) -> Option<Self> {
        let Action::Command { command, .. } = action else { return None };
        let outcome = match answer.as_ref().map(|answer| &answer.outcome) {
            Err(_) => "failed",
            Ok(Err(rejection)) => rejected(rejection),
            Ok(Ok(done)) if done.replayed => "replayed",
            Ok(Ok(done)) => match (command, &done.record) {
                (Command::Grant { .. }, _) | (_, None) => "granted",
                (_, Some(record)) => record.state.as_str(),
            },
        };
        Some(Self { kind: kind(command), outcome })
    }
}

fn kind(command: &Command) -> &'static str {
    match command {
        Command::Hold { .. } => "hold",
        Command::Rehold { .. } => "rehold",
        Command::Settle { .. } => "settle",
        Command::Release { .. } => "release",
        Command::Extend { .. } => "extend",
        Command::Expire { .. } => "expire",
        Command::Fence { .. } => "fence",
        Command::Grant { .. } => "grant",
    }
}

/// Words of their own for what is turned down: a fence that was carried out is `fenced`, and what
/// came too late for one is `op_fenced`, as its caller is told.
fn rejected(rejection: &Rejection) -> &'static str {
    match rejection {
        Rejection::Refused(_) => "refused",
        Rejection::Conflict(_) => "op_conflict",
        Rejection::Fenced(_) => "op_fenced",
        Rejection::Ended { .. } => "op_ended",
        Rejection::Held(_) => "op_held",
        Rejection::Unknown(_) => "unknown_operation",
        Rejection::TooOld(_) => "operation_too_old",
        Rejection::FromFuture(_) => "operation_from_future",
        Rejection::UnknownMeter(_) => "unknown_meter",
        Rejection::Overflow(_) => "counter_overflow",
    }
}

/// Why pages corrected what they showed.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct CorrectionLabels {
    pub cause: &'static str,
}

/// Of a transaction that was rolled back.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct BatchLabels {
    reason: &'static str,
}

impl BatchLabels {
    /// Another server's came between; it is run again.
    pub const CONFLICT: Self = Self { reason: "conflict" };
    /// Somebody else keeps an account locked; what is of others is run without it.
    pub const LOCKED: Self = Self { reason: "locked" };
    /// The store failed, or refused what one of its requests wrote.
    pub const FAILED: Self = Self { reason: "failed" };
}

/// A route as it is declared, and never as it was called: what is called has ids in it.
#[derive(Clone, Debug)]
pub(super) struct Route(pub Option<MatchedPath>);

impl Route {
    fn as_str(&self) -> &str {
        self.0.as_ref().map_or("none", MatchedPath::as_str)
    }
}

impl PartialEq for Route {
    fn eq(&self, other: &Self) -> bool {
        self.as_str() == other.as_str()
    }
}

impl Eq for Route {}

impl Hash for Route {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.as_str().hash(state);
    }
}

impl EncodeLabelValue for Route {
    fn encode(&self, encoder: &mut LabelValueEncoder<'_>) -> Result<(), fmt::Error> {
        self.as_str().encode(encoder)
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct RouteLabels {
    pub route: Route,
    pub method: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct CallLabels {
    pub route: Route,
    pub method: &'static str,
    pub status: &'static str,
}

/// Anybody may make up a method.
pub(super) fn method(method: &Method) -> &'static str {
    match method.as_str() {
        "GET" => "GET",
        "POST" => "POST",
        "PUT" => "PUT",
        "HEAD" => "HEAD",
        "OPTIONS" => "OPTIONS",
        _ => "other",
    }
}

pub(super) fn class(status: StatusCode) -> &'static str {
    match status.as_u16() {
        100..200 => "1xx",
        200..300 => "2xx",
        300..400 => "3xx",
        400..500 => "4xx",
        _ => "5xx",
    }
}

/// How a chat ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ChatEnd {
    /// It was answered and charged.
    Settled,
    /// Its client left after a token was delivered: charged.
    AbortedCharged,
    /// Its client left before that: given back.
    Aborted,
    /// No model gave a first token: given back.
    FailedBeforeToken,
    /// The model failed in the middle: given back.
    FailedAfterToken,
    /// The server stopped: given back.
    Shutdown,
    /// It was not admitted.
    Refused,
    /// It was answered before, and is answered again.
    Replayed,
}

impl ChatEnd {
    /// Every end.
    pub const ALL: [Self; 8] = [
        Self::Settled,
        Self::AbortedCharged,
        Self::Aborted,
        Self::FailedBeforeToken,
        Self::FailedAfterToken,
        Self::Shutdown,
        Self::Refused,
        Self::Replayed,
    ];

    /// The word for it.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Settled => "settled",
            Self::AbortedCharged => "aborted_charged",
            Self::Aborted => "aborted",
            Self::FailedBeforeToken => "failed_before_token",
            Self::FailedAfterToken => "failed_after_token",
            Self::Shutdown => "shutdown",
            Self::Refused => "refused",
            Self::Replayed => "replayed",
        }
    }
}

impl EncodeLabelValue for ChatEnd {
    fn encode(&self, encoder: &mut LabelValueEncoder<'_>) -> Result<(), fmt::Error> {
        self.as_str().encode(encoder)
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct ChatLabels {
    pub end: ChatEnd,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct PoolLabels {
    pub pool: &'static str,
    pub state: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct BuildLabels {
    pub version: &'static str,
    pub database: &'static str,
}
