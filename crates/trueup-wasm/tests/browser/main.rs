//! The driver in a real browser: what it sends, when, and what it tells the page.
#![cfg(target_arch = "wasm32")]
// Tests may: a failed expectation is what they are for.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod anonymous;
mod errors;
mod kit;
mod operations;
mod page;
mod push;
mod sessions;
mod storage;
mod view;

wasm_bindgen_test::wasm_bindgen_test_configure!(run_in_browser);
