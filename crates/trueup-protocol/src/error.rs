//! The one error envelope, in the shape that OpenAI's clients already read.

use serde::{Deserialize, Serialize};

use crate::snapshot::Snapshot;

/// The body of every answer that is not a success.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "server", derive(utoipa::ToSchema))]
pub struct ErrorEnvelope {
    /// What went wrong.
    pub error: ErrorBody,
    /// The account's usage at that moment, when the caller may see it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub usage: Option<Snapshot>,
}

/// What went wrong, for programs (`code`) and for people (`message`).
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "server", derive(utoipa::ToSchema))]
pub struct ErrorBody {
    /// A stable word: see the list of error codes.
    pub code: String,
    /// One sentence that names the mend.
    pub message: String,
    /// The group of errors that OpenAI's clients know.
    #[serde(rename = "type")]
    pub kind: String,
    /// The field or parameter at fault, when one is.
    pub param: Option<String>,
    /// Quote it when asking for help; the server's log carries the same.
    pub request_id: String,
    /// The meter without room (`usage_limit_exceeded`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub meter: Option<String>,
    /// Units left of that meter (`usage_limit_exceeded`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remaining: Option<u64>,
    /// When the meter's window ends (`usage_limit_exceeded`), RFC 3339.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resets_at: Option<String>,
    /// How the operation ended (`op_ended`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<String>,
}
