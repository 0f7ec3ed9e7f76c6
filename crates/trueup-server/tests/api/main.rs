//! The HTTP API through real HTTP, over a real database file: every call, and every way to get it
//! wrong.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test that cannot go on fails, also in its helpers"
)]

mod accounts;
#[path = "../ledger/audit.rs"]
mod audit;
mod bad_input;
mod batch;
mod boundary;
mod catalog;
mod collector;
mod command;
mod connections;
mod conversations;
mod dashboard;
#[path = "../kit/database.rs"]
mod database;
#[path = "../kit/dice.rs"]
mod dice;
mod document;
mod drops;
mod events;
mod house;
mod keys;
mod log;
mod metrics;
mod operations;
mod polls;
#[path = "../kit/scrape.rs"]
mod scrape;
mod shedding;
mod stopping;
mod tokens;
mod traces;
mod usage;
