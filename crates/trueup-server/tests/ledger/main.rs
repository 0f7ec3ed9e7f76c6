//! The ledger engine on a real SQLite file, without HTTP.

#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test that cannot go on should say where"
)]

mod admission;
mod audit;
#[path = "../kit/database.rs"]
mod database;
mod failures;
mod history;
mod house;
mod windows;
