//! The ledger engine on a real SQLite file, without HTTP.

mod admission;
mod failures;
mod history;
mod house;
mod windows;
