//! Faults between the network and the API: late, cut before the answer, or cut in its middle.

use std::io;
use std::time::Duration;

use axum::body::Body;
use axum::extract::{FromRequestParts, Request, State};
use axum::http::header;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use futures::StreamExt;
use trueup_core::AccountId;

use super::Faults;
use crate::auth::Caller;
use crate::http::AppState;

/// A response that the connection ends on: hyper hangs up when a body fails, and has then not even
/// sent the head, since it sends that together with the first piece of the body.
pub fn cut_connection() -> Response {
    let failing = futures::stream::iter([Err::<Bytes, _>(cut())]);
    Body::from_stream(failing).into_response()
}

/// The middleware that makes calls of an account late or cuts them, as its visitor asked. Only a
/// demo has it.
pub async fn misbehave(State(state): State<AppState>, request: Request, next: Next) -> Response {
    let (mut parts, body) = request.into_parts();
    let caller = Caller::from_request_parts(&mut parts, &state).await;
    let request = Request::from_parts(parts, body);
    // Whoever is not let in has no faults either; the handler finds the words for it.
    let Ok(Caller { account, .. }) = caller else { return next.run(request).await };
    let slow_ms = state.faults.of(&account).slow_ms;
    if slow_ms > 0 {
        tokio::time::sleep(Duration::from_millis(slow_ms.into())).await;
    }
    tokio::select! {
        biased;
        () = state.faults.offline(&account) => cut_connection(),
        response = next.run(request) => until_offline(response, state.faults.clone(), account),
    }
}

// An answer that streams is cut in its middle, as a network would.
fn until_offline(response: Response, faults: Faults, account: AccountId) -> Response {
    let kind = response.headers().get(header::CONTENT_TYPE);
    if kind.is_none_or(|kind| kind != "text/event-stream") {
        return response;
    }
    response.map(|body| {
        let begin = Some((body.into_data_stream(), faults, account));
        Body::from_stream(futures::stream::unfold(begin, |state| async move {
            let (mut body, faults, account) = state?;
            tokio::select! {
                biased;
                () = faults.offline(&account) => Some((Err(cut()), None)),
                piece = body.next() => {
                    let piece = piece?.map_err(io::Error::other);
                    Some((piece, Some((body, faults, account))))
                }
            }
        }))
    })
}

fn cut() -> io::Error {
    io::ErrorKind::ConnectionAborted.into()
}
