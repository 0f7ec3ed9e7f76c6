//! Every shape that Trueup sends, receives or stores as JSON, and no logic.
//!
//! The server refuses fields it does not know; a client ignores them, so that an old client reads a
//! new server. Numbers are capped at 2^53-1, instants are RFC 3339 in UTC. The wire shapes are
//! separate from the core's types on purpose: the core knows no JSON, and what it would consider
//! malformed cannot get past the conversions here.

#[cfg(feature = "server")]
pub mod batch;
#[cfg(feature = "server")]
pub mod body;
pub mod claims;
pub mod code;
#[cfg(feature = "server")]
pub mod column;
pub mod corrections;
pub mod decode;
pub mod error;
pub mod json;
pub mod read;
pub mod reply;
pub mod snapshot;
pub mod storage;
pub mod text;
pub mod time;

#[cfg(feature = "server")]
pub mod request;
#[cfg(feature = "server")]
pub mod response;

pub use code::ErrorCode;
pub use decode::Malformed;

/// The version of the shapes in this crate. It rises when an older client could misread a newer
/// server; fields that may be ignored do not raise it.
pub const PROTOCOL_VERSION: u32 = 1;

/// The request header that names the operation, a `UUIDv7`.
pub const OPERATION_HEADER: &str = "trueup-operation";
/// The request header that names the version the client has, so that the reply's snapshot tells
/// what happened since.
pub const SINCE_HEADER: &str = "trueup-since";
/// The header that names the conversation a chat belongs to, on requests and replies.
pub const CONVERSATION_HEADER: &str = "trueup-conversation";
/// The request header with which a backend names the account it acts for.
pub const ACCOUNT_HEADER: &str = "trueup-account";
/// The request header with which a backend names the actor it acts for.
pub const ACTOR_HEADER: &str = "trueup-actor";
