//! The rules of Trueup, and nothing else.
//!
//! The same code decides on the server (compiled natively) and predicts in the browser (compiled
//! to WebAssembly), so the two cannot disagree about what a plan allows.
//!
//! What is absent here is the point: no clock, no randomness, no serde, no async runtime, no I/O
//! and no `unsafe`. Time comes in as an argument. Effects go out as data. The client machine
//! follows one contract: call a `handle_*`, then drain every `poll_*`, then call the next.
//!
//! Reading order: [`units`], [`meter`], [`window`], [`quota`] are the vocabulary; [`operation`] and
//! [`ledger`] are the server's side; [`snapshot`] is what travels; [`pending`], [`reconcile`],
//! [`view`], [`correction`] and [`client`] are the browser's side.

pub mod client;
pub mod correction;
pub mod error;
pub mod ids;
pub mod ledger;
pub mod map;
pub mod meter;
pub mod operation;
pub mod pending;
pub mod quota;
pub mod reconcile;
pub mod snapshot;
pub mod units;
pub mod view;
pub mod window;

pub use error::Refusal;
pub use ids::{AccountId, ActorId, Epoch, Fingerprint, ModelId, OperationId, Version};
pub use map::Map;
pub use meter::{Charge, MeterId};
pub use operation::{Cause, OperationState};
pub use quota::{Enforcement, MeterBalance, MeterTerms};
pub use snapshot::{Change, MeterReading, OperationOutcome, Snapshot};
pub use units::Units;
pub use window::{Timestamp, Window};
