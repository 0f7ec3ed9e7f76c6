//! The API's description: a document for programs, and a page for people.

use axum::Router;
use axum::response::IntoResponse;
use axum::routing::get;
use trueup_protocol::ErrorCode;
use utoipa::OpenApi as _;
use utoipa::openapi::path::Operation;
use utoipa::openapi::security::{Http, HttpAuthScheme, SecurityScheme};
use utoipa::openapi::{Components, ContentBuilder, OpenApi, Ref, RefOr, ResponseBuilder, Schema};
use utoipa_swagger_ui::{Config, SwaggerUi};

use crate::http::{self, AppState};

#[derive(utoipa::OpenApi)]
#[openapi(
    info(
        title = "Trueup",
        description = "Usage quotas that are never wrong: an exact ledger, and a gateway that \
            charges what it really delivered.\n\nEvery answer about usage is one snapshot, and \
            every failure is one envelope with a stable `code`. Only what is no HTTP request, or has an \
            address or headers that nobody reads to their end, never gets that far: the connection \
            itself answers 400, 414 or 431, without a body, and closes.",
        license(name = "MIT OR Apache-2.0"),
    ),
    tags(
        (name = "usage", description = "What browsers ask"),
        (name = "chat", description = "OpenAI-compatible chats, admitted and charged by the ledger"),
        (name = "operations", description = "For backends that run their own models"),
        (name = "accounts", description = "Plans, grants and the ledger"),
        (name = "operators", description = "For those who watch over the server"),
    ),
)]
struct Head;

/// The document before any path is added to it.
pub fn head() -> OpenApi {
    let mut document = Head::openapi();
    let components = document.components.get_or_insert_with(Components::new);
    let mut browser = Http::new(HttpAuthScheme::Bearer);
    browser.bearer_format = Some("JWT".to_owned());
    browser.description = Some(
        "A short-lived token with `sub` (the actor), `acct` (the account; `sub` when left out), \
         `iss`, `aud` and `exp`."
            .to_owned(),
    );
    let mut backend = Http::new(HttpAuthScheme::Bearer);
    backend.description =
        Some("An API key of the settings. Never give it to a browser.".to_owned());
    components.add_security_scheme("browser", SecurityScheme::Http(browser));
    components.add_security_scheme("backend", SecurityScheme::Http(backend));
    document
}

/// The whole document.
pub fn document() -> OpenApi {
    finish(http::api().into_openapi())
}

/// The whole document as it is committed: indented, with a line end.
///
/// # Errors
/// Never for a document of ours; the writer's signature wants it.
pub fn text() -> Result<String, serde_json::Error> {
    document().to_pretty_json().map(|json| json + "\n")
}

/// `/openapi.json`, and `/docs` to read it.
pub fn pages(document: OpenApi) -> Router<AppState> {
    let json = finish(document).to_json().unwrap_or_default();
    let serve = || async move { ([("content-type", "application/json")], json).into_response() };
    let ui = SwaggerUi::new("/docs")
        .config(Config::new(["/openapi.json"]).try_it_out_enabled(true).validator_url("none"));
    Router::new().route("/openapi.json", get(serve)).merge(ui)
}

/// Says what is the same everywhere, and would be forgotten somewhere if every call said it.
fn finish(mut document: OpenApi) -> OpenApi {
    list_codes(&mut document);
    for path in document.paths.paths.values_mut() {
        for call in [&mut path.post, &mut path.put].into_iter().flatten() {
            add_failures_of_bodies(call);
        }
    }
    document
}

/// What can go wrong with any body before it is read.
fn add_failures_of_bodies(call: &mut Operation) {
    if call.request_body.is_none() {
        return;
    }
    for (status, description) in [
        ("408", "The body did not arrive in time"),
        ("413", "The body is larger than this call reads"),
        ("415", "The body is not declared as JSON"),
    ] {
        let schema = Ref::from_schema_name("ErrorEnvelope");
        let content = ContentBuilder::new().schema(Some(schema)).build();
        let response = ResponseBuilder::new().description(description);
        let response = response.content("application/json", content).build();
        let known = &mut call.responses.responses;
        known.entry(status.to_owned()).or_insert_with(|| response.into());
    }
}

/// Lists the error codes where the schema only says "a text", so that generated types know them.
fn list_codes(document: &mut OpenApi) {
    let schemas = document.components.as_mut().map(|components| &mut components.schemas);
    let body = schemas.and_then(|schemas| schemas.get_mut("ErrorBody"));
    if let Some(RefOr::T(Schema::Object(body))) = body
        && let Some(RefOr::T(Schema::Object(code))) = body.properties.get_mut("code")
    {
        let words = ErrorCode::ALL.iter().map(|code| code.as_str().into());
        code.enum_values = Some(words.collect());
    }
}
