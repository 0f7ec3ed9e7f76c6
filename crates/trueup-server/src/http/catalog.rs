//! `GET /v1/catalog`: what models charge.

use std::collections::BTreeSet;

use axum::extract::State;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use sha2::{Digest, Sha256};
use trueup_core::{MeterId, ModelId};
use trueup_protocol::decode;
use trueup_protocol::error::ErrorEnvelope;
use trueup_protocol::response::{CatalogModel, CatalogResponse};

use super::AppState;
use super::etag::{ETag, KnownTags};
use crate::auth::Bearer;
use crate::config::Catalog;
use crate::hex::hex;

/// Models and meters
///
/// What every model charges and who answers in its place, so that a client can predict what an
/// operation will cost before the server has decided.
#[utoipa::path(
    get,
    path = "/v1/catalog",
    operation_id = "get_catalog",
    tag = "usage",
    security(("browser" = []), ("backend" = [])),
    params(
        ("If-None-Match" = Option<String>, Header, description = "The ETag of an earlier answer"),
    ),
    responses(
        (status = 200, description = "The catalog", body = CatalogResponse,
         headers(("ETag" = String, description = "The catalog's content"))),
        (status = 304, description = "Nothing changed"),
        (status = 401, description = "No valid credentials", body = ErrorEnvelope),
    ),
)]
pub async fn get_catalog(State(state): State<AppState>, _: Bearer, known: KnownTags) -> Response {
    let CatalogReply { body, tag } = &*state.catalog;
    if tag.is_known_to(&known) {
        return tag.not_modified();
    }
    let kind = (header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    tag.mark(([kind], body.clone()).into_response())
}

/// The catalog as it is served. Settings do not change while a server runs, so it is written once.
#[derive(Debug)]
pub struct CatalogReply {
    body: Bytes,
    tag: ETag,
}

impl CatalogReply {
    /// Writes it.
    pub fn of(catalog: &Catalog) -> Self {
        // Texts, numbers and maps with text keys always serialise.
        let body = serde_json::to_vec(&describe(catalog)).unwrap_or_default();
        let tag = ETag::new(&hex(Sha256::digest(&body).iter().take(12)));
        Self { body: body.into(), tag }
    }
}

fn describe(catalog: &Catalog) -> CatalogResponse {
    let mut meters = BTreeSet::<&MeterId>::new();
    let mut models = std::collections::BTreeMap::new();
    for (name, model) in &catalog.models {
        meters.extend(model.charge.iter().map(|(meter, _)| meter));
        let fallback = model.fallback.iter().map(ModelId::to_string).collect();
        let charge = decode::charge_lines(&model.charge);
        models.insert(name.to_string(), CatalogModel { charge, fallback });
    }
    CatalogResponse { models, meters: meters.into_iter().map(MeterId::to_string).collect() }
}
