//! The gateway as its clients see it: a real server on a real port with a real database, in front
//! of a provider whose every byte the test sends by hand.

mod admission;
mod bytes;
mod demo;
mod ends;
mod fallback;
mod house;
mod ledger_down;
mod upstream;
