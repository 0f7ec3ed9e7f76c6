//! The browser side of Trueup.
//!
//! The rules are `trueup_core::client`'s and the shapes are `trueup_protocol`'s. This crate only
//! drives them in a page: it carries out requests, sets timers, watches the page, keeps what must
//! outlive a reload, and turns views and events into plain JavaScript objects.
//!
//! What is absent: no decision about usage, and no panic that input could cause. A borrow of the
//! machine is never held across a call into JavaScript or an await, because the page may call back.
//!
//! Reading order: [`client`] is what JavaScript sees, `driver` is the loop behind it.

pub mod client;
mod config;
mod driver;
mod error;
mod event;
mod fetch;
mod host;
mod page;
mod record;
mod session;
mod sse;
mod storage;
mod timers;
mod token;
mod view;

pub use client::Client;

#[cfg(target_arch = "wasm32")]
#[global_allocator]
static ALLOCATOR: rlsf::SmallGlobalTlsf = rlsf::SmallGlobalTlsf::new();
