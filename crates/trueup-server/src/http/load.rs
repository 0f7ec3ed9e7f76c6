//! Load shedding: how many requests are worked on at a time. More are turned away before their
//! bodies are read, since what waits in memory helps nobody.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use tokio::sync::Semaphore;
use trueup_protocol::ErrorCode;

use super::AppState;
use crate::error::ApiError;

/// The places of requests that are worked on, from the end of their head to the beginning of their
/// answer: a stream that waits for its next token takes none.
#[derive(Clone, Debug)]
pub struct Load {
    calls: Arc<Semaphore>,
    /// A chat waits for a model before it answers, and must not keep calls out meanwhile.
    chats: Arc<Semaphore>,
    turned_away: Arc<AtomicU64>,
}

/// Those who are turned away are told of together: a flood of requests must not become one of lines.
const LINE_INTERVAL: Duration = Duration::from_secs(1);

impl Load {
    /// As many calls, and as many chats that have not begun to answer.
    pub fn new(max_requests: usize) -> Self {
        let places = || Arc::new(Semaphore::new(max_requests));
        Self { calls: places(), chats: places(), turned_away: Arc::default() }
    }

    /// Counts one; the log learns of it within the interval, with all that came meanwhile.
    fn turn_away(&self) {
        if self.turned_away.fetch_add(1, Ordering::Relaxed) > 0 {
            return;
        }
        let turned_away = Arc::clone(&self.turned_away);
        tokio::spawn(async move {
            tokio::time::sleep(LINE_INTERVAL).await;
            let requests = turned_away.swap(0, Ordering::Relaxed);
            tracing::warn!(
                requests,
                "max_requests is reached: requests were turned away; raise it if the machine can \
                 carry more"
            );
        });
    }

    /// Where a request takes its place. Nobody keeps out those who watch over the server.
    fn places(&self, path: &str) -> Option<&Semaphore> {
        match path {
            "/v1/chat/completions" => Some(&self.chats),
            _ => path.starts_with("/v1/").then_some(&self.calls),
        }
    }
}

/// Turns away what finds no place.
pub(super) async fn shed(State(state): State<AppState>, request: Request, next: Next) -> Response {
    let _place = match state.load.places(request.uri().path()).map(Semaphore::try_acquire) {
        Some(Err(_)) => {
            let message = "The server has more work than it takes; send the request again.";
            state.load.turn_away();
            return ApiError::new(ErrorCode::Unavailable, message).logged_already().into_response();
        }
        Some(Ok(place)) => Some(place),
        None => None,
    };
    next.run(request).await
}
