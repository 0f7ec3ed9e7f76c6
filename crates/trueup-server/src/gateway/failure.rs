//! What clients are told when there is no answer, or half of one.

use bytes::Bytes;
use trueup_core::Snapshot;
use trueup_protocol::{ErrorCode, snapshot};

use super::ReplyBody;
use super::attempt::NoAnswer;
use super::chat::{Chat, Door, Ended};
use super::chunk::SNAPSHOT;
use super::members::Members;
use crate::error::ApiError;

impl Chat {
    pub(super) fn stopping(&self) -> ApiError {
        let message = "The server is stopping; nothing was charged. Try again as a new operation.";
        ApiError::new(ErrorCode::Unavailable, message).with_retry(self.may_retry())
    }

    pub(super) fn fail(&self, door: Door, no_answer: NoAnswer, usage: Option<&Snapshot>) {
        match no_answer {
            NoAnswer::Lost(rejection) => {
                self.refuse(door, with_usage(ApiError::from(rejection), usage));
            }
            NoAnswer::Exhausted(reason) => {
                self.refuse(door, with_usage(self.provider_failed(&reason), usage));
            }
            NoAnswer::Blamed(status, body) => match self.blamed(&body, usage) {
                Some(body) => self.answer(door, ReplyBody::Blamed(status, body)),
                None => {
                    let reason = format!("it answered {status} with a body that is no error");
                    self.refuse(door, with_usage(self.provider_failed(&reason), usage));
                }
            },
        }
    }

    fn provider_failed(&self, reason: &str) -> ApiError {
        let model = self.call.request.model();
        let message = format!(
            "{model} and its fallbacks failed before their first token. Nothing was charged; \
             try again as a new operation."
        );
        ApiError::new(ErrorCode::ProviderFailed, message)
            .because(reason)
            .with_retry(self.may_retry())
    }

    // An operation that the client named has ended, so repeating it could not succeed.
    fn may_retry(&self) -> bool {
        self.call.operation.is_none()
    }

    // The provider's own words, so that clients find the codes that they know; but no figures of
    // its own, which clients would take for ours.
    fn blamed(&self, body: &Bytes, usage: Option<&Snapshot>) -> Option<Bytes> {
        let mut members: Members = serde_json::from_slice(body).ok()?;
        let mut error: Members = members.read("error").ok()??;
        error.set("request_id", &self.call.request_id).ok()?;
        members.set("error", &error).ok()?;
        members.remove("usage");
        members.remove(SNAPSHOT);
        if let Some(usage) = usage {
            members.set("usage", &snapshot::Snapshot::from(usage)).ok()?;
        }
        serde_json::to_vec(&members).ok().map(Bytes::from)
    }

    pub(super) fn stream_error(&self, ended: &Ended) -> Option<Bytes> {
        let error = match ended {
            Ended::Finished | Ended::Left => return None,
            Ended::ShutDown => self.stopping(),
            Ended::Failed(reason) => {
                let message = "The model failed in the middle of its answer. Nothing is charged; \
                               try again as a new operation.";
                ApiError::new(ErrorCode::ProviderFailed, message).because(reason.as_str())
            }
        };
        error.log();
        serde_json::to_vec(&error.envelope(&self.call.request_id)).ok().map(Bytes::from)
    }
}

pub(super) fn with_usage(error: ApiError, usage: Option<&Snapshot>) -> ApiError {
    match usage {
        Some(usage) => error.with_usage(usage),
        None => error,
    }
}
