//! What wraps every call: limits, security headers, the boundary.

use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::Router;
use axum::extract::{DefaultBodyLimit, Request};
use axum::http::{HeaderName, HeaderValue, Method, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use tokio::sync::Notify;
use tower::ServiceBuilder;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::cors::{AllowHeaders, AllowOrigin, CorsLayer};
use tower_http::set_header::SetResponseHeaderLayer;
use trueup_protocol::{CONVERSATION_HEADER, ErrorCode, OPERATION_HEADER};

use super::{AppState, boundary, load};
use crate::error::ApiError;

/// How much of a body is read, where a route does not say otherwise.
const MAX_BODY_BYTES: usize = 64 * 1024;
/// A call that is no stream is worked on for this long at most.
const CALL_TIMEOUT: Duration = Duration::from_secs(15);
/// A browser need not ask again whether it may call for this long.
const CORS_MAX_AGE: Duration = Duration::from_secs(3600);

/// Nothing that the API answers is a page.
const API_POLICY: &str = "default-src 'none'; frame-ancestors 'none'";
/// The demo and the documentation: everything from here, WebAssembly included, nothing from
/// elsewhere.
const PAGE_POLICY: &str = "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'; \
    style-src 'self' 'unsafe-inline'; img-src 'self' data:; connect-src 'self'; \
    object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";

/// Puts calls and pages together and wraps them.
pub(super) fn wrap(api: Router<AppState>, pages: Router<AppState>, state: AppState) -> Router {
    // What wraps together is called as one: every layer of a router's own is an allocation a call.
    let of_the_api = ServiceBuilder::new()
        .layer(if_not_present(header::CACHE_CONTROL, "no-store"))
        .layer(if_not_present(header::CONTENT_SECURITY_POLICY, API_POLICY));
    let of_all = ServiceBuilder::new()
        .layer(middleware::from_fn_with_state(state.clone(), boundary::boundary))
        .layer(middleware::from_fn_with_state(state.clone(), load::shed))
        .layer(CatchPanicLayer::custom(boundary::panicked))
        .layer(if_not_present(header::X_FRAME_OPTIONS, "DENY"))
        .layer(if_not_present(header::REFERRER_POLICY, "no-referrer"))
        .layer(if_not_present(header::X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .layer(if_not_present(header::CONTENT_SECURITY_POLICY, PAGE_POLICY))
        .layer(DefaultBodyLimit::max(MAX_BODY_BYTES));
    let router = api
        .layer(of_the_api)
        .merge(pages)
        .fallback(boundary::not_found)
        .method_not_allowed_fallback(boundary::method_not_allowed)
        .layer(of_all);
    // Outermost, so that a refused call can be read by the page that made it.
    let router = match cors(&state.settings.cors_origins) {
        Some(cors) => router.layer(cors),
        None => router,
    };
    router.with_state(state)
}

fn if_not_present(name: HeaderName, value: &'static str) -> SetResponseHeaderLayer<HeaderValue> {
    SetResponseHeaderLayer::if_not_present(name, HeaderValue::from_static(value))
}

/// Bearer tokens are sent by scripts and never by the browser itself, so credentials in the sense
/// of CORS (cookies) are not needed.
fn cors(origins: &[HeaderValue]) -> Option<CorsLayer> {
    if origins.is_empty() {
        return None;
    }
    let allowed = if origins.iter().any(|origin| origin == "*") {
        AllowOrigin::any()
    } else {
        AllowOrigin::list(origins.iter().cloned())
    };
    let exposed = [
        header::ETAG,
        header::RETRY_AFTER,
        super::REQUEST_ID,
        HeaderName::from_static(CONVERSATION_HEADER),
        HeaderName::from_static(OPERATION_HEADER),
    ];
    let methods = [Method::GET, Method::POST, Method::PUT];
    Some(
        CorsLayer::new()
            .allow_origin(allowed)
            .allow_methods(methods)
            // OpenAI's clients add headers of their own with every release.
            .allow_headers(AllowHeaders::mirror_request())
            .expose_headers(exposed)
            .max_age(CORS_MAX_AGE),
    )
}

/// Ends a call that takes too long. A change that the engine has begun is carried out all the same;
/// sending the request again under the same id tells what became of it.
pub(super) async fn call_timeout(mut request: Request, next: Next) -> Response {
    let timer = CallTimer::default();
    request.extensions_mut().insert(timer.clone());
    let mut answer = pin!(next.run(request));
    loop {
        let is_paused = timer.0.is_paused.load(Ordering::Acquire);
        tokio::select! {
            biased;
            response = &mut answer => return response,
            () = timer.0.changed.notified() => {}
            () = tokio::time::sleep(CALL_TIMEOUT), if !is_paused => {
                let message = "The call took too long; send the same request again.";
                return ApiError::new(ErrorCode::Unavailable, message).into_response();
            }
        }
    }
}

/// The time that a call may take. It stands still while its caller sends the body, and begins anew
/// when the body is there.
#[derive(Clone, Debug, Default)]
pub(super) struct CallTimer(Arc<Pause>);

#[derive(Debug, Default)]
struct Pause {
    is_paused: AtomicBool,
    /// One waits, and looks again whenever it changed.
    changed: Notify,
}

/// The time stands still until this is dropped.
pub(super) struct Paused(CallTimer);

impl CallTimer {
    pub(super) fn pause(&self) -> Paused {
        self.set(true);
        Paused(self.clone())
    }

    fn set(&self, is_paused: bool) {
        self.0.is_paused.store(is_paused, Ordering::Release);
        self.0.changed.notify_one();
    }
}

impl Drop for Paused {
    fn drop(&mut self) {
        self.0.set(false);
    }
}

#[cfg(test)]
mod tests {
    use axum::body::Body;
    use axum::http::StatusCode;
    use axum::routing::{get, post};
    use bytes::Bytes;
    use futures::{StreamExt as _, stream};
    use tower::Service as _;
    use trueup_protocol::request::FenceRequest;

    use super::super::extract::Json;
    use super::*;
    use crate::clock::Clock;
    use crate::config::{Flags, Sources};
    use crate::server::Server;
    use crate::shutdown::Shutdown;

    async fn answer(calls: Router<AppState>, request: Request) -> (StatusCode, serde_json::Value) {
        let folder = tempfile::tempdir().unwrap();
        let database = folder.path().join("trueup.db");
        let flags = Flags {
            database_url: Some(format!("sqlite:{}", database.display())),
            ..Flags::default()
        };
        let file_text = "jwt_secret = \"0123456789abcdef0123456789abcdef\"\n\
            default_plan = \"free\"\nplans.free.meters = {}";
        let sources = Sources { file_text: file_text.to_owned(), flags, ..Sources::default() };
        let (_trigger, shutdown) = Shutdown::new();
        let server = Server::open(sources.load().unwrap(), Clock::system(), shutdown).await;
        let server = server.unwrap();
        let mut router = wrap(calls, Router::new(), server.state().clone());
        // The clock of the network stands still and jumps to the next timer.
        tokio::time::pause();
        let response = router.call(request).await.unwrap();
        tokio::time::resume();
        let status = response.status();
        let body = axum::body::to_bytes(response.into_body(), 10_000).await.unwrap();
        server.close().await;
        (status, serde_json::from_slice(&body).unwrap_or_default())
    }

    fn get_call() -> Request {
        Request::get("/call").body(Body::empty()).unwrap()
    }

    /// A request whose body arrives piece by piece, each after a while.
    fn slow_call(pieces: &'static [(u64, &'static str)]) -> Request {
        let piece = |(seconds, text): &'static (u64, &'static str)| async move {
            tokio::time::sleep(Duration::from_secs(*seconds)).await;
            Ok::<_, std::convert::Infallible>(Bytes::from_static(text.as_bytes()))
        };
        let body = Body::from_stream(stream::iter(pieces).then(piece));
        let kind = "application/json";
        Request::post("/call").header(header::CONTENT_TYPE, kind).body(body).unwrap()
    }

    /// A call that works for as long as it may.
    fn working_call() -> Router<AppState> {
        async fn work(_: Json<FenceRequest>) {
            tokio::time::sleep(CALL_TIMEOUT - Duration::from_millis(1)).await;
        }
        Router::new().route("/call", post(work)).layer(middleware::from_fn(call_timeout))
    }

    #[tokio::test]
    async fn a_panic_is_a_failure_like_any_other() {
        async fn fails() -> StatusCode {
            panic!("a secret of ours")
        }
        let (status, body) = answer(Router::new().route("/call", get(fails)), get_call()).await;
        assert_eq!(status, StatusCode::INTERNAL_SERVER_ERROR);
        assert_eq!(body["error"]["code"], "internal");
        assert!(body["error"]["request_id"].as_str().unwrap().starts_with("req_"));
        assert!(!body.to_string().contains("secret"), "{body}");
    }

    #[tokio::test]
    async fn a_call_that_hangs_is_ended() {
        let hangs = get(std::future::pending::<StatusCode>);
        let calls = Router::new().route("/call", hangs).layer(middleware::from_fn(call_timeout));
        let (status, body) = answer(calls, get_call()).await;
        assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(body["error"]["code"], "unavailable");
    }

    #[tokio::test]
    async fn a_slow_body_takes_no_time_from_the_work() {
        let request = slow_call(&[(14, "{\"sin"), (15, "ce\":1}")]);
        let (status, body) = answer(working_call(), request).await;
        assert_eq!((status, body), (StatusCode::OK, serde_json::Value::Null));
    }

    #[tokio::test]
    async fn a_body_that_does_not_arrive_is_its_senders_failure() {
        let request = slow_call(&[(29, "{\"sin"), (2, "ce\":1}")]);
        let (status, body) = answer(working_call(), request).await;
        assert_eq!(status, StatusCode::REQUEST_TIMEOUT);
        assert_eq!(body["error"]["code"], "request_timeout");
    }
}
