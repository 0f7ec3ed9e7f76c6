//! `GET /v1/catalog`: what models charge.

use std::collections::BTreeSet;

use axum::Json;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Response};
use sha2::{Digest, Sha256};
use trueup_core::{MeterId, ModelId};
use trueup_protocol::decode;
use trueup_protocol::error::ErrorEnvelope;
use trueup_protocol::response::{CatalogModel, CatalogResponse};

use super::AppState;
use super::etag::ETag;
use crate::auth::Bearer;
use crate::config::Catalog;
use crate::error::ApiError;
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
pub async fn get_catalog(
    State(state): State<AppState>,
    _: Bearer,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let response = describe(&state.settings.catalog);
    let bytes = serde_json::to_vec(&response).map_err(|it| ApiError::internal(it.to_string()))?;
    let digest = Sha256::digest(&bytes);
    let tag = ETag::new(&hex(digest.iter().take(12)));
    if tag.is_known_to(&headers) {
        return Ok(tag.not_modified());
    }
    Ok(tag.mark(Json(response).into_response()))
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
