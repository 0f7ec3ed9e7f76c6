//! One chat, from admission to its end.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures::StreamExt;
use tokio::sync::oneshot;
use tokio::time::{Instant, timeout};
use trueup_core::{Cause, Charge, OperationId, Snapshot};
use trueup_protocol::snapshot;

use super::admission::Admission;
use super::attempt::{Answer, Opening, Streaming};
use super::chunk::{Assembly, Piece, Whole};
use super::failure::with_usage;
use super::hold::{End, Hold};
use super::outlet::{self, Outlet};
use super::provider::{Provider, ProviderError};
use super::{Call, ChatReply, ReplyBody, Shared, sse};
use crate::demo::FaultSet;
use crate::engine::{NewMessage, View};
use crate::error::ApiError;
use crate::metrics::ChatEnd;

/// How long the client waits for the ledger at the end; after that it heals by itself.
const LAST_CHUNK_PATIENCE: Duration = Duration::from_secs(2);
/// Where the demo lets an answer break.
const TOKENS_BEFORE_FAULT: usize = 5;

/// Where the answer, or the reason for none, is handed out. Closed when the client has left.
pub(super) type Door = oneshot::Sender<Result<ChatReply, ApiError>>;

/// What one chat knows.
pub(super) struct Chat {
    pub(super) shared: Arc<Shared>,
    pub(super) call: Call,
    pub(super) operation: OperationId,
    pub(super) conversation: String,
    pub(super) requested: Charge,
    pub(super) faults: FaultSet,
}

/// How a stream ended.
pub(super) enum Ended {
    Finished,
    /// The reason, for the log.
    Failed(String),
    Left,
    ShutDown,
}

impl Ended {
    fn counted(&self, has_delivered: bool) -> ChatEnd {
        match self {
            Self::Finished => ChatEnd::Settled,
            Self::Failed(_) => ChatEnd::FailedAfterToken,
            Self::Left if has_delivered => ChatEnd::AbortedCharged,
            Self::Left => ChatEnd::Aborted,
            Self::ShutDown => ChatEnd::Shutdown,
        }
    }
}

impl Chat {
    pub(super) fn new(shared: Arc<Shared>, call: Call) -> Result<Self, ApiError> {
        let model = call.request.model();
        let entry = shared.parts.catalog.models.get(model);
        let requested =
            entry.ok_or_else(|| ApiError::unknown_model(model.as_str()))?.charge.clone();
        let operation = match call.operation {
            Some(operation) => operation,
            None => {
                let mut entropy = [0; 10];
                getrandom::fill(&mut entropy)
                    .map_err(|error| ApiError::internal(error.to_string()))?;
                OperationId::new_v7(shared.parts.clock.now(), entropy)
            }
        };
        let conversation = call.conversation.clone().unwrap_or_else(|| operation.to_string());
        let faults = shared.parts.faults.of(&call.account);
        Ok(Self { shared, call, operation, conversation, requested, faults })
    }

    pub(super) async fn run(self, door: Door) {
        match self.admit().await {
            Err(error) => {
                self.count(ChatEnd::Refused);
                self.refuse(door, error);
            }
            Ok(Admission::Replayed(saved)) => {
                self.count(ChatEnd::Replayed);
                match self.replay(&saved) {
                    Ok(body) => self.answer(door, body),
                    Err(error) => self.refuse(door, ApiError::internal(error.to_string())),
                }
            }
            Ok(Admission::Held(expires_at)) => {
                let Self { shared, call, .. } = &self;
                let hold =
                    Hold::keep(shared, &call.account, self.operation, self.view(), expires_at);
                self.run_held(hold, door).await;
            }
        }
    }

    async fn run_held(&self, hold: Hold, mut door: Door) {
        let held_at = Instant::now();
        let opening = tokio::select! {
            biased;
            () = door.closed() => {
                self.count(ChatEnd::Aborted);
                return self.give_back(hold, Cause::Aborted, |_| ()).await;
            }
            () = self.shared.parts.shutdown.asked() => {
                self.count(ChatEnd::Shutdown);
                let refuse = |usage: Option<&Snapshot>| {
                    self.refuse(door, with_usage(self.stopping(), usage));
                };
                return self.give_back(hold, Cause::Shutdown, refuse).await;
            }
            opening = self.open(&hold) => opening,
        };
        if let Ok(Opening { model, .. }) = &opening {
            let is_fallback = model != self.call.request.model();
            self.shared.parts.metrics.first_token(held_at, is_fallback);
        }
        match opening {
            Err(no_answer) => {
                self.count(ChatEnd::FailedBeforeToken);
                let refuse = |usage: Option<&Snapshot>| self.fail(door, no_answer, usage);
                self.give_back(hold, Cause::ProviderFailed, refuse).await;
            }
            Ok(Opening { model, charge, answer: Answer::Whole(whole), trace }) => {
                self.count(ChatEnd::Settled);
                trace.ended(ChatEnd::Settled.as_str(), false);
                let end = self.settle(charge, model.as_str(), whole.text(), None);
                self.finish_whole(hold, end, whole, door).await;
            }
            Ok(Opening { model, charge, answer: Answer::Streaming(mut streaming), trace }) => {
                let (outlet, stream) = outlet::channel(self.shared.parts.shutdown.clone());
                self.answer(door, ReplyBody::Stream(stream));
                let ended = self.pass(&mut streaming, &outlet).await;
                // Whatever the provider still sends, nobody waits for it.
                let Streaming { assembly, .. } = streaming;
                let text = assembly.text();
                let counted = ended.counted(outlet.has_delivered());
                self.count(counted);
                trace.ended(counted.as_str(), matches!(ended, Ended::Failed(_)));
                let end = match &ended {
                    Ended::Finished => self.settle(charge, model.as_str(), text, None),
                    Ended::Left if outlet.has_delivered() => {
                        self.settle(charge, model.as_str(), text, Some(Cause::Aborted))
                    }
                    Ended::Left => End::Release(Cause::Aborted),
                    Ended::Failed(_) => End::Release(Cause::ProviderFailed),
                    Ended::ShutDown => End::Release(Cause::Shutdown),
                };
                self.finish_stream(hold, end, &ended, &assembly, outlet).await;
            }
        }
    }

    /// Passes a stream on until it ends in one way or another.
    async fn pass(&self, streaming: &mut Streaming, outlet: &Outlet) -> Ended {
        let failed =
            |provider: &Provider, error: &ProviderError| Ended::Failed(provider.reason(error));
        let mut tokens = 0;
        for (data, piece) in std::mem::take(&mut streaming.begun) {
            tokens += usize::from(piece == Piece::Token);
            if let Err(ended) = self.forward(outlet, data, piece).await {
                return ended;
            }
        }
        loop {
            if self.faults.fail_after_token && tokens >= TOKENS_BEFORE_FAULT {
                return failed(&streaming.provider, &ProviderError::Injected);
            }
            let next = tokio::select! {
                biased;
                () = outlet.gone() => return Ended::Left,
                () = self.shared.parts.shutdown.asked() => return Ended::ShutDown,
                next = streaming.upstream.next() => next,
            };
            let data = match next {
                Some(Ok(data)) if data != sse::DONE => data,
                Some(Err(error)) => return failed(&streaming.provider, &error),
                Some(Ok(_)) | None if self.faults.fail_after_token => {
                    return failed(&streaming.provider, &ProviderError::Injected);
                }
                // A stream that says it is done, and not why, was cut by somebody in between.
                Some(Ok(_)) | None if streaming.assembly.is_finished() => return Ended::Finished,
                Some(Ok(_)) | None => {
                    let reason = "it ended in the middle".to_owned();
                    return failed(&streaming.provider, &ProviderError::Broken(reason));
                }
            };
            let (data, piece) = match streaming.assembly.take(data) {
                Ok(taken) => taken,
                Err(error) => return failed(&streaming.provider, &error),
            };
            tokens += usize::from(piece == Piece::Token);
            if let Err(ended) = self.forward(outlet, data, piece).await {
                return ended;
            }
        }
    }

    /// Hands a piece on. A client that takes none keeps the server from stopping no more than one
    /// that waits for the next.
    async fn forward(&self, outlet: &Outlet, data: Bytes, piece: Piece) -> Result<(), Ended> {
        let is_token = match piece {
            Piece::Usage => return Ok(()),
            Piece::Silent | Piece::Finish => false,
            Piece::Token => true,
        };
        tokio::select! {
            biased;
            sent = outlet.send(data, is_token) => sent.map_err(|outlet::Gone| Ended::Left),
            () = self.shared.parts.shutdown.asked() => Err(Ended::ShutDown),
        }
    }

    async fn finish_stream(
        &self,
        hold: Hold,
        end: End,
        ended: &Ended,
        assembly: &Assembly,
        outlet: Outlet,
    ) {
        let error = self.stream_error(ended);
        // It takes the outlet along: the body ends when the client was told, not when the ledger is
        // done.
        let tell = async move |usage: Option<&Snapshot>| {
            if self.faults.lose_reply {
                return outlet.cut().await;
            }
            if let Some(error) = error {
                outlet.send(error, false).await?;
            }
            let usage = usage.map(snapshot::Snapshot::from);
            match assembly.last_chunk(usage.as_ref()) {
                Ok(last) => outlet.send(last, false).await?,
                Err(error) => tracing::error!(%error, "a last chunk could not be written"),
            }
            outlet.done().await
        };
        // Whether the client still listens changes nothing any more.
        let _ = self.end(hold, end, tell).await;
    }

    async fn finish_whole(&self, hold: Hold, end: End, whole: Whole, door: Door) {
        let tell = async |usage: Option<&Snapshot>| {
            if self.faults.lose_reply {
                return self.answer(door, ReplyBody::Cut);
            }
            let usage = usage.map(snapshot::Snapshot::from);
            match whole.body(usage.as_ref()) {
                Ok(body) => self.answer(door, ReplyBody::Whole(body)),
                Err(error) => self.refuse(door, ApiError::internal(error.to_string())),
            }
        };
        self.end(hold, end, tell).await;
    }

    async fn give_back(&self, hold: Hold, cause: Cause, tell: impl FnOnce(Option<&Snapshot>)) {
        self.end(hold, End::Release(cause), async |usage: Option<&Snapshot>| tell(usage)).await;
    }

    /// Ends the hold, and tells the client once that is written, or has taken too long to wait.
    async fn end<T>(
        &self,
        hold: Hold,
        end: End,
        tell: impl AsyncFnOnce(Option<&Snapshot>) -> T,
    ) -> T {
        let mut ending = pin!(hold.end(end));
        match timeout(LAST_CHUNK_PATIENCE, &mut ending).await {
            Ok(usage) => tell(usage.as_ref()).await,
            Err(_) => {
                // A client that reads slowly keeps the ledger from nothing.
                let (told, _) = tokio::join!(tell(None), ending);
                told
            }
        }
    }

    fn settle(&self, charge: Charge, model: &str, text: &str, cause: Option<Cause>) -> End {
        let fallback = model != self.call.request.model().as_str();
        let message = NewMessage {
            conversation: self.conversation.clone(),
            role: "assistant".to_owned(),
            content: text.to_owned(),
            model: Some(model.to_owned()),
        };
        End::Settle { charge, cause: cause.or(fallback.then_some(Cause::Fallback)), message }
    }

    pub(super) fn answer(&self, door: Door, body: ReplyBody) {
        let (operation, conversation) = (self.operation, self.conversation.clone());
        // A client that left in the meantime finds the answer by its operation.
        let _ = door.send(Ok(ChatReply { operation, conversation, body }));
    }

    pub(super) fn refuse(&self, door: Door, error: ApiError) {
        let _ = door.send(Err(error));
    }

    fn count(&self, end: ChatEnd) {
        self.shared.parts.metrics.chat(end);
    }

    pub(super) fn view(&self) -> View {
        View { actor: self.call.actor.clone(), since: self.call.since, ask: Vec::new() }
    }
}
