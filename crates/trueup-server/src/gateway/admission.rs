//! The beginning of a chat: what it will charge is set aside and what was said is saved, in one
//! transaction; or it turns out to have been sent before.

use bytes::Bytes;
use trueup_core::error::Rejection;
use trueup_core::ledger::Command;
use trueup_core::operation::OperationRecord;
use trueup_core::{OperationState, Snapshot, Timestamp};
use trueup_protocol::response::MessageResponse;
use trueup_protocol::time;

use super::ReplyBody;
use super::chat::Chat;
use super::chunk::Whole;
use super::completion::{Completion, FinishReason};
use super::members::Members;
use super::outlet;
use crate::engine::{Answer, NewMessage};
use crate::error::ApiError;

/// What came of asking to be admitted.
pub(super) enum Admission {
    /// Go on; the hold ends then by itself.
    Held(Timestamp),
    /// It was answered before: here is the answer again, free of charge.
    Replayed(Box<Saved>),
}

/// An answer that was saved.
pub(super) struct Saved {
    message: MessageResponse,
    snapshot: Snapshot,
}

impl Chat {
    pub(super) async fn admit(&self) -> Result<Admission, ApiError> {
        if self.shared.parts.shutdown.is_asked() {
            return Err(self.stopping());
        }
        self.find_provider()?;
        let said = self.call.request.said();
        let message = NewMessage {
            conversation: self.conversation.clone(),
            role: said.role.to_owned(),
            content: said.content.clone(),
            model: None,
        };
        let expires_at = self.shared.hold_until();
        let command = Command::Hold {
            operation: self.operation,
            actor: self.call.actor.clone(),
            model: Some(self.call.request.model().clone()),
            charge: self.requested.clone(),
            content: Some(self.call.request.fingerprint(self.call.conversation.as_deref())),
            expires_at,
        };
        let ledger = &self.shared.parts.ledger;
        let answer =
            ledger.command(&self.call.account, self.view(), command, vec![message]).await?;
        let Answer { outcome, snapshot } = answer;
        match outcome {
            Err(rejection) => Err(ApiError::rejected(rejection, &snapshot)),
            Ok(done) if !done.replayed => Ok(Admission::Held(expires_at)),
            Ok(done) => self.replayed(done.record, snapshot).await,
        }
    }

    async fn replayed(
        &self,
        record: Option<OperationRecord>,
        snapshot: Snapshot,
    ) -> Result<Admission, ApiError> {
        let record =
            record.ok_or_else(|| ApiError::internal("a replayed hold came without its record"))?;
        let operation = record.id;
        match record.state {
            OperationState::Settled => self.saved(&record, snapshot).await,
            // Whoever asks again soon may find the answer.
            OperationState::Held => {
                Err(ApiError::rejected(Rejection::Held(operation), &snapshot).with_retry(true))
            }
            state => Err(ApiError::rejected(Rejection::Ended { operation, state }, &snapshot)),
        }
    }

    async fn saved(
        &self,
        record: &OperationRecord,
        snapshot: Snapshot,
    ) -> Result<Admission, ApiError> {
        let (account, actor) = (&self.call.account, &self.call.actor);
        let ledger = &self.shared.parts.ledger;
        match ledger.answer(account, actor, &self.conversation, record.version).await? {
            Some(message) => Ok(Admission::Replayed(Box::new(Saved { message, snapshot }))),
            // Settled by hand, without an answer.
            None => {
                let (operation, state) = (record.id, record.state);
                Err(ApiError::rejected(Rejection::Ended { operation, state }, &snapshot))
            }
        }
    }

    /// Answers with what was saved. How many tokens it took was not saved, so no usage is invented.
    pub(super) fn replay(&self, saved: &Saved) -> serde_json::Result<ReplyBody> {
        let snapshot = trueup_protocol::snapshot::Snapshot::from(&saved.snapshot);
        let MessageResponse { content, model, created_at, .. } = &saved.message;
        let completion = Completion {
            id: format!("chatcmpl-{}", self.operation),
            created: time::parse(created_at).unwrap_or_default().millis() / 1000,
            model: model.as_deref().unwrap_or(self.call.request.model().as_str()).to_owned(),
        };
        if !self.call.request.stream() {
            let body = completion.whole(content, FinishReason::Stop, None)?;
            let whole =
                Whole::read(&body).map_err(<serde_json::Error as serde::de::Error>::custom)?;
            return Ok(ReplyBody::Whole(whole.body(Some(&snapshot))?));
        }
        let mut last: Members = serde_json::from_slice(&completion.usage_chunk(None)?)?;
        last.set("trueup", &snapshot)?;
        Ok(ReplyBody::Stream(outlet::complete([
            completion.role_chunk()?,
            completion.text_chunk(content)?,
            completion.finish_chunk(FinishReason::Stop)?,
            Bytes::from(serde_json::to_vec(&last)?),
        ])))
    }
}
