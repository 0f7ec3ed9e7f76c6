//! The HTTP API: one endpoint a file, and here the list of them all.

pub use accounts::terms::look_up as look_up_account;
pub use boundary::{REQUEST_ID, RequestId};
pub use catalog::CatalogReply;
pub use load::Load;
pub use state::{AppParts, AppState};

pub mod extract;

mod accounts;
mod boundary;
mod catalog;
mod chat;
mod conversations;
mod etag;
mod events;
mod health;
mod layers;
mod load;
mod metrics;
mod operations;
mod query;
mod state;
mod usage;

use axum::{Router, middleware};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::demo;

/// Every call of the API, with its description.
pub fn api() -> OpenApiRouter<AppState> {
    // A stream takes as long as it takes; everything else answers soon.
    let calls = calls().layer(middleware::from_fn(layers::call_timeout));
    let streams = chat::routes().routes(routes!(events::usage_events));
    OpenApiRouter::with_openapi(crate::openapi::head()).merge(streams).merge(calls)
}

fn calls() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .merge(operations::batch::routes())
        .routes(routes!(usage::get_usage))
        .routes(routes!(catalog::get_catalog))
        .routes(routes!(operations::hold::hold))
        .routes(routes!(operations::settle::settle))
        .routes(routes!(operations::release::release))
        .routes(routes!(operations::extend::extend))
        .routes(routes!(operations::fence::fence))
        .routes(routes!(conversations::list_conversations))
        .routes(routes!(conversations::list_messages))
        .routes(routes!(accounts::terms::get_account, accounts::terms::put_account))
        .routes(routes!(accounts::grants::grant))
        .routes(routes!(accounts::entries::list_entries))
        .routes(routes!(health::live))
        .routes(routes!(health::ready))
        .routes(routes!(metrics::metrics))
}

/// The whole server as one service.
pub fn router(state: AppState) -> Router {
    let (mut calls, document) = api().split_for_parts();
    let mut pages = crate::openapi::pages(document);
    if state.settings.demo {
        calls = calls.layer(middleware::from_fn_with_state(state.clone(), demo::misbehave));
        pages = pages.merge(demo::router());
    }
    layers::wrap(calls, pages, state)
}
