//! The browser's side: what is shown, what is asked, and when.

mod apply;
mod failures;
mod life;
mod properties;
mod sentences;
mod session;
mod timers;
