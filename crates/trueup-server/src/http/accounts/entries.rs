//! `GET /v1/accounts/{id}/entries`: the ledger, entry by entry.

use axum::extract::State;
use trueup_protocol::Malformed;
use trueup_protocol::error::ErrorEnvelope;
use trueup_protocol::response::EntriesResponse;

use crate::auth::Backend;
use crate::error::ApiError;
use crate::http::AppState;
use crate::http::extract::{self, AccountPath};
use crate::http::query::{Parameters, Query, QueryString};

#[derive(Debug, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct EntriesQuery {
    /// The version after which to begin; from the first entry when left out.
    #[param(minimum = 0, maximum = 9_007_199_254_740_991_u64)]
    after: Option<u64>,
}

impl Parameters for EntriesQuery {
    fn read(query: &mut Query) -> Result<Self, Malformed> {
        Ok(Self { after: query.number("after")? })
    }
}

/// An account's ledger
///
/// Every change there ever was, oldest first. The figures of a meter are sums of these: for each
/// window number, `used`, `held` and `granted` add up to what the account shows.
#[utoipa::path(
    get,
    path = "/v1/accounts/{id}/entries",
    operation_id = "list_entries",
    tag = "accounts",
    security(("backend" = [])),
    params(("id" = String, Path, description = "The account"), EntriesQuery),
    responses(
        (status = 200, description = "A page of entries", body = EntriesResponse),
        (status = 400, description = "Malformed", body = ErrorEnvelope),
        (status = 401, description = "No valid credentials", body = ErrorEnvelope),
        (status = 403, description = "A browser may not read the ledger", body = ErrorEnvelope),
        (status = 503, description = "The ledger cannot be read now", body = ErrorEnvelope),
    ),
)]
pub async fn list_entries(
    State(state): State<AppState>,
    _: Backend,
    AccountPath(account): AccountPath,
    QueryString(query): QueryString<EntriesQuery>,
) -> Result<axum::Json<EntriesResponse>, ApiError> {
    let after = extract::version("after", query.after)?.unwrap_or_default();
    Ok(axum::Json(state.ledger.entries(&account, after).await?))
}
