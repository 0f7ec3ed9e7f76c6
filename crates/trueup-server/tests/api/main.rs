//! The HTTP API through real HTTP, over a real database file: every call, and every way to get it
//! wrong.

mod accounts;
mod bad_input;
mod boundary;
mod catalog;
mod document;
mod house;
mod keys;
mod operations;
mod stopping;
mod tokens;
mod usage;
