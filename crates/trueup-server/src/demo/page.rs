//! The demo's page, carried inside the binary.

use std::borrow::Cow;

use axum::extract::Path;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use trueup_protocol::ErrorCode;

use crate::error::ApiError;

/// Scripts and styles from here, no inline ones; WebAssembly may be compiled.
const POLICY: &str = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; \
    style-src 'self'; img-src 'self' data:; font-src 'self'; connect-src 'self'; \
    manifest-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
/// The build names these files by their content.
const IMMUTABLE: &str = "public, max-age=31536000, immutable";
const FRESH: &str = "no-cache";

const ABSENT: &str = "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\">\
    <title>Trueup</title><h1>The demo page is not in this binary</h1>\
    <p>The server runs, but it was built without its page. In a checkout of Trueup, \
    <code>./justw demo</code> builds everything and serves it.</p>\
    <p>The API is described at <a href=\"/docs\">/docs</a>.</p></html>";

#[cfg(feature = "demo")]
#[derive(rust_embed::RustEmbed)]
#[folder = "../../web/demo/dist"]
#[allow_missing = true]
struct Files;

/// `GET /`: the page.
pub async fn index() -> Response {
    match read("index.html") {
        Some(content) => found("index.html", content, FRESH),
        None => (StatusCode::NOT_FOUND, axum::response::Html(ABSENT)).into_response(),
    }
}

/// `GET /{file}`: what lies beside the page, such as its icon.
pub async fn file(Path(path): Path<String>) -> Result<Response, ApiError> {
    let content = read(&path).ok_or_else(nothing)?;
    Ok(found(&path, content, FRESH))
}

/// `GET /assets/{path}`: scripts, styles and pictures.
pub async fn asset(Path(path): Path<String>) -> Result<Response, ApiError> {
    let content = read(&format!("assets/{path}")).ok_or_else(nothing)?;
    Ok(found(&path, content, IMMUTABLE))
}

#[cfg(feature = "demo")]
fn read(path: &str) -> Option<Cow<'static, [u8]>> {
    Files::get(path).map(|file| file.data)
}

#[cfg(not(feature = "demo"))]
fn read(_path: &str) -> Option<Cow<'static, [u8]>> {
    None
}

fn nothing() -> ApiError {
    let message = "There is nothing at this address; GET /openapi.json lists every call.";
    ApiError::new(ErrorCode::NotFound, message)
}

fn found(path: &str, content: Cow<'static, [u8]>, caching: &'static str) -> Response {
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static(kind(path))),
        (header::CACHE_CONTROL, HeaderValue::from_static(caching)),
        (header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY)),
    ];
    (headers, content.into_owned()).into_response()
}

fn kind(path: &str) -> &'static str {
    match path.rsplit('.').next() {
        Some("html") => "text/html; charset=utf-8",
        Some("js" | "mjs") => "text/javascript; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("json" | "map") => "application/json",
        Some("webmanifest") => "application/manifest+json",
        Some("wasm") => "application/wasm",
        Some("svg") => "image/svg+xml",
        Some("png") => "image/png",
        Some("ico") => "image/x-icon",
        Some("woff2") => "font/woff2",
        Some("txt") => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use super::kind;

    #[test]
    fn files_are_served_as_what_they_are() {
        for (path, expected) in [
            ("index.html", "text/html; charset=utf-8"),
            ("assets/index-BsF3.js", "text/javascript; charset=utf-8"),
            ("trueup_bg.wasm", "application/wasm"),
            ("LICENSE", "application/octet-stream"),
            ("", "application/octet-stream"),
        ] {
            assert_eq!(kind(path), expected, "{path}");
        }
    }
}
