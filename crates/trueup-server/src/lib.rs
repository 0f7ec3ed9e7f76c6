//! The Trueup server.
//!
//! Reading order: [`config`] is what an operator says, [`engine`] is where every change is made,
//! [`store`] is where all SQL lives, [`http`] is one endpoint a file, [`gateway`] is the chat route.

pub mod auth;
pub mod bus;
pub mod calendar;
mod chain;
pub mod clock;
pub mod config;
mod connections;
pub mod demo;
pub mod engine;
pub mod error;
mod fingerprint;
pub mod gateway;
mod hex;
pub mod http;
mod lanes;
pub mod ledger;
pub mod metrics;
pub mod openapi;
mod polls;
pub mod push;
mod running;
pub mod server;
pub mod shutdown;
pub mod store;
pub mod sweep;
pub mod traces;
