//! The demo: a page, sessions for anybody, and faults to switch on. All of it is absent from a
//! server that was not started as a demo.

pub use cut::{cut_connection, misbehave};
pub use faults::{FaultSet, Faults};

mod control;
mod cut;
mod faults;
mod page;

use axum::Router;
use axum::routing::{get, post};

use crate::http::AppState;

/// The demo's page and controls.
pub fn router() -> Router<AppState> {
    Router::new()
        .route("/", get(page::index))
        .route("/{file}", get(page::file))
        .route("/assets/{*path}", get(page::asset))
        .route("/demo/session", post(control::open_session))
        .route("/demo/faults", get(control::get_faults).put(control::put_faults))
}
