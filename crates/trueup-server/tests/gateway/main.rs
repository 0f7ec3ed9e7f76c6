//! The gateway as its clients see it: a real server on a real port with a real database, in front
//! of a provider whose every byte the test sends by hand.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test that cannot go on fails, also in its helpers"
)]

mod admission;
mod bytes;
mod client;
#[path = "../kit/database.rs"]
mod database;
mod demo;
mod ends;
mod fallback;
mod house;
mod ledger_down;
#[path = "../api/log.rs"]
mod log;
mod metrics;
mod provider;
#[path = "../kit/scrape.rs"]
mod scrape;
mod upstream;
