//! What backends and browsers send. Strict: an unknown field is refused, since a misspelt
//! `charge` that is silently dropped would be a wrong number.
//!
//! [`crate::body`] reads them; what is said to `serde` here, only the API's description hears.

use std::collections::BTreeMap;

use utoipa::ToSchema;

use crate::Malformed;
use crate::body::{Body, Object, Read, Value};

/// `POST /v1/operations`: set units aside before an operation starts.
#[derive(Clone, Debug, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct HoldRequest {
    /// A `UUIDv7` made once per user action and reused by every retry.
    pub op_id: String,
    /// Whose quota it is.
    pub account: String,
    /// Whose action it is; the account itself when left out.
    pub actor: Option<String>,
    /// A model of the catalog: its charge is set aside. Give this or `charge`.
    pub model: Option<String>,
    /// Meter -> units. Give this or `model`.
    pub charge: Option<BTreeMap<String, u64>>,
    /// Seconds until the server gives the units back by itself: 1 to 3600, 120 when left out.
    pub ttl_s: Option<u64>,
    /// The version the caller has, so that the answer tells what happened since.
    pub since: Option<u64>,
}

impl Body for HoldRequest {
    fn read(object: &mut Object) -> Result<Self, Malformed> {
        Ok(Self {
            op_id: object.required("op_id")?,
            account: object.required("account")?,
            actor: object.optional("actor")?,
            model: object.optional("model")?,
            charge: object.optional("charge")?,
            ttl_s: object.optional("ttl_s")?.map(|Ttl(seconds)| seconds),
            since: object.optional("since")?,
        })
    }
}

/// `POST /v1/operations/{op_id}/settle`: charge what was really used.
#[derive(Clone, Debug, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SettleRequest {
    /// Whose quota it is.
    pub account: String,
    /// The model that answered: its charge is charged. Give this or `charge`.
    pub model: Option<String>,
    /// Meter -> units; empty charges nothing. Give this or `model`.
    pub charge: Option<BTreeMap<String, u64>>,
    /// Messages to save in the same transaction.
    #[serde(default)]
    pub messages: Vec<MessageRequest>,
    /// The version the caller has, so that the answer tells what happened since.
    pub since: Option<u64>,
}

impl Body for SettleRequest {
    fn read(object: &mut Object) -> Result<Self, Malformed> {
        Ok(Self {
            account: object.required("account")?,
            model: object.optional("model")?,
            charge: object.optional("charge")?,
            messages: object.or_default("messages")?,
            since: object.optional("since")?,
        })
    }
}

/// A message to save together with a settle.
#[derive(Clone, Debug, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct MessageRequest {
    /// Which conversation; created when new.
    pub conversation: String,
    /// `user`, `assistant`, `system` or `tool`.
    pub role: String,
    /// The text.
    pub content: String,
    /// The model that wrote it.
    pub model: Option<String>,
}

impl Body for MessageRequest {
    fn read(object: &mut Object) -> Result<Self, Malformed> {
        Ok(Self {
            conversation: object.required("conversation")?,
            role: object.required("role")?,
            content: object.required("content")?,
            model: object.optional("model")?,
        })
    }
}

/// `POST /v1/operations/{op_id}/release`: give the units back.
#[derive(Clone, Debug, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ReleaseRequest {
    /// Whose quota it is.
    pub account: String,
    /// `provider_failed`, `aborted` or `cancelled` (when left out).
    pub cause: Option<String>,
    /// The version the caller has, so that the answer tells what happened since.
    pub since: Option<u64>,
}

impl Body for ReleaseRequest {
    fn read(object: &mut Object) -> Result<Self, Malformed> {
        Ok(Self {
            account: object.required("account")?,
            cause: object.optional("cause")?,
            since: object.optional("since")?,
        })
    }
}

/// `POST /v1/operations/{op_id}/extend`: keep the hold open longer.
#[derive(Clone, Debug, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ExtendRequest {
    /// Whose quota it is.
    pub account: String,
    /// Seconds from now, 1 to 3600.
    pub ttl_s: u64,
    /// The version the caller has, so that the answer tells what happened since.
    pub since: Option<u64>,
}

impl Body for ExtendRequest {
    fn read(object: &mut Object) -> Result<Self, Malformed> {
        Ok(Self {
            account: object.required("account")?,
            ttl_s: object.required::<Ttl>("ttl_s")?.0,
            since: object.optional("since")?,
        })
    }
}

/// The longest that a hold may live without being renewed, in seconds.
pub const MAX_TTL_S: u64 = 3600;

/// How long a hold lives. A number out of range is refused where it is used.
struct Ttl(u64);

impl Read for Ttl {
    const SHAPE: &'static str = "a whole number from 1 to 3600";

    fn read(value: Value, path: &str) -> Result<Self, Malformed> {
        match value {
            Value::Whole(seconds) => Ok(Self(seconds)),
            _ => Err(Malformed::new(path, format!("must be {}", Self::SHAPE))),
        }
    }
}

/// `POST /v1/operations/{op_id}/fence`: the body is optional.
#[derive(Clone, Debug, Default, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct FenceRequest {
    /// The version the caller has, so that the answer tells what happened since.
    pub since: Option<u64>,
}

impl Body for FenceRequest {
    fn read(object: &mut Object) -> Result<Self, Malformed> {
        Ok(Self { since: object.optional("since")? })
    }
}

/// `PUT /v1/accounts/{id}`: the account's own terms. A field that is left out goes back to the
/// settings' default.
#[derive(Clone, Debug, Default, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AccountRequest {
    /// A plan of the settings.
    pub plan: Option<String>,
    /// An IANA time zone: where calendar windows begin. UTC when left out.
    pub time_zone: Option<String>,
    /// An RFC 3339 instant: windows are counted from here and not from the calendar.
    pub anchor: Option<String>,
    /// Limits of this account alone, meter -> limit; null is unlimited.
    #[serde(default)]
    pub overrides: BTreeMap<String, Option<u64>>,
}

impl Body for AccountRequest {
    fn read(object: &mut Object) -> Result<Self, Malformed> {
        Ok(Self {
            plan: object.optional("plan")?,
            time_zone: object.optional("time_zone")?,
            anchor: object.optional("anchor")?,
            overrides: object.or_default("overrides")?,
        })
    }
}

/// `POST /v1/accounts/{id}/grants`: add units to a meter's limit until its window ends.
#[derive(Clone, Debug, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct GrantRequest {
    /// A `UUIDv7` made by the caller: granting twice under one id grants once.
    pub grant_id: String,
    /// Which meter.
    pub meter: String,
    /// How many units, at least 1.
    pub units: u64,
}

impl Body for GrantRequest {
    fn read(object: &mut Object) -> Result<Self, Malformed> {
        Ok(Self {
            grant_id: object.required("grant_id")?,
            meter: object.required("meter")?,
            units: object.required("units")?,
        })
    }
}
