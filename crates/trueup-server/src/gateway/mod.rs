//! The chat route: admitted before it costs anything, charged in the transaction that saves it.
//!
//! A chat runs in a task of its own, so a client that leaves tears nothing. It ends in one of four
//! ways: finished (settled), failed before or after the first token (released), or left by its
//! client (charged if a token had been delivered, else released). No database connection is held
//! while it streams.
//!
//! Reading order: [`request`] is what comes in, [`chat`] is the flow, [`attempt`] walks the
//! fallback order, [`hold`] keeps and ends what was set aside, [`outlet`] is the way to the client.

pub mod completion;
pub mod members;
pub mod provider;
pub mod request;
pub mod sse;

mod admission;
mod attempt;
mod chat;
mod chunk;
mod failure;
mod hold;
mod outlet;

pub use outlet::EventStream;

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::oneshot;
use tracing::Instrument;
use trueup_core::{AccountId, ActorId, OperationId, Timestamp, Version};

use crate::clock::Clock;
use crate::config::{Catalog, Settings};
use crate::demo::Faults;
use crate::error::ApiError;
use crate::ledger::Ledger;
use crate::metrics::{Metrics, Present};
use crate::running::Running;
use crate::shutdown::Shutdown;
use crate::traces::Origin;
use chat::Chat;
use provider::Provider;
use request::ChatRequest;

/// Answers chats; cheap to clone.
#[derive(Clone)]
pub struct Gateway(Arc<Shared>);

/// What every chat of a gateway uses.
pub struct Parts {
    /// Where holds and settles go.
    pub ledger: Ledger,
    /// What models charge and who answers in their place.
    pub catalog: Arc<Catalog>,
    /// Who answers, in the order in which they are asked.
    pub providers: Vec<Provider>,
    /// How long a hold lives between renewals.
    pub hold_ttl: Duration,
    /// What time it is.
    pub clock: Clock,
    /// What the demo was asked to do wrong.
    pub faults: Faults,
    /// Whether the server was asked to stop: running chats end then.
    pub shutdown: Shutdown,
    /// What operators watch.
    pub metrics: Arc<Metrics>,
}

struct Shared {
    parts: Parts,
    running: Running,
}

/// A chat that somebody asked for.
#[derive(Clone, Debug)]
pub struct Call {
    /// Whose quota.
    pub account: AccountId,
    /// Who acts.
    pub actor: ActorId,
    /// The operation that the client made; the gateway makes one when there is none.
    pub operation: Option<OperationId>,
    /// The version the client has.
    pub since: Option<Version>,
    /// Where messages are saved; a conversation named like the operation when `None`.
    pub conversation: Option<String>,
    /// Names the request in errors that travel inside a stream.
    pub request_id: String,
    /// What was asked.
    pub request: ChatRequest,
}

/// An answer that has begun.
pub struct ChatReply {
    /// The operation that it is charged to.
    pub operation: OperationId,
    /// Where its messages are saved.
    pub conversation: String,
    /// The answer.
    pub body: ReplyBody,
}

/// The ways in which an answer travels.
pub enum ReplyBody {
    /// Server-sent events.
    Stream(EventStream),
    /// One JSON body.
    Whole(Bytes),
    /// What a provider wrote about a request that it blames, with its status.
    Blamed(u16, Bytes),
    /// Nothing: the connection is cut, because the demo was asked to.
    Cut,
}

impl Gateway {
    /// A gateway of these parts.
    pub fn new(parts: Parts) -> Self {
        Self(Arc::new(Shared { parts, running: Running::default() }))
    }

    /// The gateway that the settings describe.
    ///
    /// # Errors
    /// When the system's TLS or resolver cannot be set up.
    pub fn from_settings(
        settings: &Settings,
        ledger: Ledger,
        clock: Clock,
        faults: Faults,
        shutdown: Shutdown,
        metrics: Arc<Metrics>,
    ) -> Result<Self, reqwest::Error> {
        let provider = |it| Provider::from_settings(it, &clock);
        let providers = settings.providers.iter().map(provider).collect::<Result<_, _>>()?;
        Ok(Self::new(Parts {
            ledger,
            catalog: Arc::clone(&settings.catalog),
            providers,
            hold_ttl: Duration::from_secs(u64::from(settings.hold_ttl_s)),
            clock,
            faults,
            shutdown,
            metrics,
        }))
    }

    /// Answers a chat. The future ends when the first token is there, or it is certain that none
    /// will come; dropping it earlier ends the chat as left by its client.
    ///
    /// # Errors
    /// [`ApiError`], with the account's usage once the caller was admitted or refused.
    pub async fn chat(&self, call: Call) -> Result<ChatReply, ApiError> {
        let chat = Chat::new(Arc::clone(&self.0), call)?;
        // Dropped in this order: who waits until none is left finds none counted.
        let running = (Present::of(&self.0.parts.metrics.chats_running), self.0.running.enter());
        let (door, opened) = oneshot::channel();
        let task = async move {
            chat.run(door).await;
            drop(running);
        };
        tokio::spawn(Origin::here().around(task).in_current_span());
        let lost = |_| Err(ApiError::internal("the chat's task ended without an answer"));
        opened.await.unwrap_or_else(lost)
    }

    /// Waits until no chat is running. After the signal to shut down that is soon; the ledger must
    /// be kept until then.
    pub async fn drained(&self) {
        self.0.running.none_left().await;
    }
}

impl Shared {
    fn hold_until(&self) -> Timestamp {
        let ttl_ms = i64::try_from(self.parts.hold_ttl.as_millis()).unwrap_or(i64::MAX);
        self.parts.clock.now().plus(ttl_ms)
    }
}
