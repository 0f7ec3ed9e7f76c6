//! A simulator that tries to make Trueup show a wrong number, lose a unit or charge one twice.
//!
//! One seed is one history: people with pages, a network that loses, doubles and delays, and a
//! server that dies at its commits, all in simulated milliseconds on one thread. The ledger and the
//! client are `trueup_core`'s own, the code that ships. What happens is told in plain numbers to an
//! auditor ([`audit`]) that shares no code with them and recomputes what every page may show.
//!
//! The same seed gives the same events on every machine: whole numbers only, no clock, ordered
//! maps, and one portable generator.

pub mod audit;
pub mod border;
pub mod design;
pub mod dice;
pub mod planted;
pub mod profile;
pub mod queue;
pub mod record;
pub mod report;
pub mod server;
mod trace;
mod world;

pub use trace::line;
pub use world::{
    Failure, Left, Meant, Run, Trace, Traffic, measure, record, run, traffic, visitor_limits,
};
