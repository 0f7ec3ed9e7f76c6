//! The ledger engine on a real SQLite file, without HTTP.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test that cannot go on should say where"
)]

mod admission;
mod failures;
mod history;
mod house;
mod windows;
