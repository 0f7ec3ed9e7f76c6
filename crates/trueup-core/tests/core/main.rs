//! The core from outside: tables of what is decided and shown, and properties of every history.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    reason = "a test that fails is to stop, and says where"
)]

mod client;
mod kit;
mod ledger;
mod world;
