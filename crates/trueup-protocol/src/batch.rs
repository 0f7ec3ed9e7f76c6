//! `POST /v1/operations/batch`: many of the single calls in one, and an answer for each.

mod described;

use serde::Serialize;
use utoipa::ToSchema;

use crate::Malformed;
use crate::body::{Body, Object, Read, Value};
use crate::error::ErrorBody;
use crate::request::{ExtendRequest, HoldRequest, ReleaseRequest, SettleRequest};
use crate::snapshot::Snapshot;

/// How many operations one call may name.
pub const MAX_OPERATIONS: usize = 500;

/// `POST /v1/operations/batch`: hold, settle, release and extend in one call.
#[derive(Clone, Debug, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct BatchRequest {
    /// At most 500. Those of one account are decided in this order.
    #[schema(value_type = Vec<OperationRequest>, max_items = 500)]
    pub operations: Vec<Item>,
}

impl Body for BatchRequest {
    fn read(object: &mut Object) -> Result<Self, Malformed> {
        Ok(Self { operations: object.required("operations")? })
    }
}

/// One of them, or what is wrong with it: what is malformed fails alone.
#[derive(Clone, Debug)]
pub struct Item(pub Result<OperationRequest, Malformed>);

impl Read for Item {
    const SHAPE: &'static str = Object::SHAPE;

    fn read(value: Value, path: &str) -> Result<Self, Malformed> {
        Ok(Self(Read::read(value, path)))
    }
}

/// What one of the single calls would be sent; `op_id` stands beside the rest.
#[derive(Clone, Debug)]
pub enum OperationRequest {
    /// `"kind": "hold"`.
    Hold(HoldRequest),
    /// `"kind": "settle"`.
    Settle(String, SettleRequest),
    /// `"kind": "release"`.
    Release(String, ReleaseRequest),
    /// `"kind": "extend"`.
    Extend(String, ExtendRequest),
}

impl OperationRequest {
    /// The version the caller has.
    pub fn since(&self) -> Option<u64> {
        match self {
            Self::Hold(request) => request.since,
            Self::Settle(_, request) => request.since,
            Self::Release(_, request) => request.since,
            Self::Extend(_, request) => request.since,
        }
    }
}

impl Body for OperationRequest {
    fn read(object: &mut Object) -> Result<Self, Malformed> {
        Ok(match object.required("kind")? {
            Kind::Hold => Self::Hold(Body::read(object)?),
            Kind::Settle => Self::Settle(object.required("op_id")?, Body::read(object)?),
            Kind::Release => Self::Release(object.required("op_id")?, Body::read(object)?),
            Kind::Extend => Self::Extend(object.required("op_id")?, Body::read(object)?),
        })
    }
}

/// Which of the single calls.
enum Kind {
    Hold,
    Settle,
    Release,
    Extend,
}

impl Read for Kind {
    const SHAPE: &'static str = "hold, settle, release or extend";

    fn read(value: Value, path: &str) -> Result<Self, Malformed> {
        match value {
            Value::Text(word) if word == "hold" => Ok(Self::Hold),
            Value::Text(word) if word == "settle" => Ok(Self::Settle),
            Value::Text(word) if word == "release" => Ok(Self::Release),
            Value::Text(word) if word == "extend" => Ok(Self::Extend),
            _ => Err(Malformed::new(path, format!("must be {}", Self::SHAPE))),
        }
    }
}

/// An answer for each operation, in the order of the request.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct BatchResponse {
    /// As many as operations were sent.
    pub answers: Vec<OperationAnswer>,
}

/// What the single call would have answered: its status, and its body in two members.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct OperationAnswer {
    /// The HTTP status of the single call: 201, 200, 402, 409 …
    pub status: u16,
    /// What went wrong, when something did; then nothing else of this operation happened.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<ErrorBody>,
    /// The account's usage with this operation, and with later ones that were written together with
    /// it; with an error, when the ledger was asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub usage: Option<Snapshot>,
}

#[cfg(test)]
mod tests {
    use super::{BatchRequest, OperationRequest};
    use crate::body::{self, Unreadable};

    /// The first item's fault.
    fn fault(item: &str) -> (String, String) {
        let body = format!(r#"{{"operations":[{item}]}}"#);
        let batch: BatchRequest = body::read(body.as_bytes()).unwrap();
        let malformed = batch.operations.into_iter().next().unwrap().0.unwrap_err();
        (malformed.param, malformed.message)
    }

    #[test]
    fn each_kind_is_read_as_its_single_call() {
        let body = br#"{"operations":[
            {"kind":"hold","op_id":"a","account":"ann","model":"gpt-5"},
            {"op_id":"a","account":"ann","model":"gpt-5","since":7,"kind":"settle"},
            {"kind":"release","op_id":"a","account":"ann","cause":"aborted"},
            {"kind":"extend","op_id":"a","account":"ann","ttl_s":60}]}"#;
        let batch: BatchRequest = body::read(body).unwrap();
        let read: Vec<_> = batch.operations.into_iter().map(|item| item.0.unwrap()).collect();
        let [
            OperationRequest::Hold(_),
            settle @ OperationRequest::Settle(..),
            OperationRequest::Release(..),
            OperationRequest::Extend(..),
        ] = &read[..]
        else {
            panic!("{read:?}");
        };
        assert_eq!(settle.since(), Some(7));
    }

    #[test]
    fn what_is_wrong_with_one_is_told_where_it_stands() {
        for (item, param, message) in [
            ("7", "operations[0]", "must be an object"),
            ("{}", "operations[0].kind", "is missing; it must be hold, settle, release or extend"),
            (
                r#"{"kind":"fence"}"#,
                "operations[0].kind",
                "must be hold, settle, release or extend",
            ),
            (r#"{"kind":["hold"]}"#, "operations[0].kind", "must be hold, settle"),
            (r#"{"kind":"settle"}"#, "operations[0].op_id", "is missing; it must be a text"),
            (r#"{"kind":"hold","kind":"hold"}"#, "operations[0].kind", "is given twice"),
            (
                r#"{"kind":"release","op_id":"a","account":"b","model":"c"}"#,
                "operations[0].model",
                "or use one of kind, op_id, account, cause, since",
            ),
        ] {
            let (at, told) = fault(item);
            assert_eq!(at, param, "{item}");
            assert!(told.contains(message), "{item}: {told}");
        }
    }

    #[test]
    fn a_malformed_whole_is_no_batch() {
        for body in ["[]", "{}", r#"{"operations":{}}"#, r#"{"operations":[],"more":1}"#] {
            let read = body::read::<BatchRequest>(body.as_bytes());
            assert!(matches!(read, Err(Unreadable::Shape(_))), "{body}");
        }
    }
}
