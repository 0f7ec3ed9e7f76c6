//! What only a store that several servers share can do, and get wrong.

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test that cannot go on should say where"
)]

#[path = "../ledger/audit.rs"]
mod audit;
mod bus;
mod desk;
#[path = "../kit/dice.rs"]
mod dice;
mod differential;
mod locked;
mod nats;
mod opening;
mod partition;
#[path = "../kit/postgres.rs"]
mod postgres;
#[path = "../../../trueup-bench/src/proxy.rs"]
mod proxy;
mod replicas;
