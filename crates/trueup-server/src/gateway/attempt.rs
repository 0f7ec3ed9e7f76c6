//! Walking the fallback order until somebody answers.

use bytes::Bytes;
use futures::StreamExt;
use futures::stream::BoxStream;
use trueup_core::error::Rejection;
use trueup_core::{Charge, ModelId};
use trueup_protocol::ErrorCode;

use super::chat::Chat;
use super::chunk::{Assembly, Piece, Whole};
use super::hold::Hold;
use super::provider::{Provider, ProviderError, Reply};
use super::sse;
use crate::error::ApiError;
use crate::metrics::ChatEnd;
use crate::traces::Span;

/// Nothing that a provider says before its first token is worth more memory than this.
const MOST_SILENT_CHUNKS: usize = 64;

/// An answer whose first token is there.
pub(super) struct Opening {
    /// Who answers.
    pub model: ModelId,
    /// What that charges.
    pub charge: Charge,
    /// The answer.
    pub answer: Answer,
    /// How long it takes, and how it ends.
    pub trace: Span,
}

/// The answer's form.
pub(super) enum Answer {
    /// It goes on.
    Streaming(Streaming),
    /// It is complete.
    Whole(Whole),
}

/// A stream whose beginning was read ahead.
pub(super) struct Streaming {
    /// What was read ahead, in order.
    pub begun: Vec<(Bytes, Piece)>,
    /// What follows.
    pub upstream: BoxStream<'static, Result<Bytes, ProviderError>>,
    /// All of it, as far as it was read.
    pub assembly: Assembly,
    /// Who says it.
    pub provider: Provider,
}

/// Why no answer began.
pub(super) enum NoAnswer {
    /// A provider blames the request itself.
    Blamed(u16, Bytes),
    /// Everybody failed; the last reason.
    Exhausted(String),
    /// The hold was ended by somebody else.
    Lost(Rejection),
}

impl Chat {
    /// Asks the requested model, then its fallbacks, until one gives a first token.
    pub(super) async fn open(&self, hold: &Hold) -> Result<Opening, NoAnswer> {
        let mut held = self.requested.clone();
        let mut reason = "no provider serves the model".to_owned();
        for (at, model, charge) in self.candidates() {
            if *charge != held {
                match hold.move_to(charge.clone()).await {
                    Ok(answer) => match answer.outcome {
                        Ok(_) => held = charge.clone(),
                        // No room on its meter: whoever comes next may have.
                        Err(Rejection::Refused(_)) => continue,
                        Err(rejection) => return Err(NoAnswer::Lost(rejection)),
                    },
                    Err(error) => {
                        reason = error.to_string();
                        continue;
                    }
                }
            }
            for provider in self.shared.parts.providers.iter().filter(|it| it.serves(model)) {
                let trace = Span::model(provider.kind(), model.as_str());
                let error = match self.attempt(provider, model, at).await {
                    Ok(answer) => {
                        trace.first_token();
                        let (model, charge) = (model.clone(), charge.clone());
                        return Ok(Opening { model, charge, answer, trace });
                    }
                    Err(error) => error,
                };
                trace.ended(ChatEnd::FailedBeforeToken.as_str(), true);
                if let Some((status, body)) = error.request_fault() {
                    return Err(NoAnswer::Blamed(status, body.clone()));
                }
                reason = provider.reason(&error);
                let provider = provider.name();
                tracing::warn!(provider, %model, reason, "a model failed before its first token");
            }
        }
        Err(NoAnswer::Exhausted(reason))
    }

    /// A model that nobody here can ask is refused before anything is held for it.
    pub(super) fn find_provider(&self) -> Result<(), ApiError> {
        if self.candidates().next().is_some() {
            return Ok(());
        }
        let model = self.call.request.model();
        let message = format!(
            "No provider of this server serves {model} or its fallbacks. Name it in the `models` of \
             one, or ask for another model."
        );
        Err(ApiError::new(ErrorCode::UnknownModel, message).at("model"))
    }

    /// The requested model and its fallbacks, as far as anybody here serves them: in which place each
    /// comes, and what it charges.
    fn candidates(&self) -> impl Iterator<Item = (usize, &ModelId, &Charge)> {
        let requested = self.call.request.model();
        let (models, providers) = (&self.shared.parts.catalog.models, &self.shared.parts.providers);
        let fallbacks = models.get(requested).map(|model| &*model.fallback).unwrap_or_default();
        std::iter::once(requested)
            .chain(fallbacks)
            .enumerate()
            .filter(|(_, id)| providers.iter().any(|provider| provider.serves(id)))
            .filter_map(|(at, id)| Some((at, id, &models.get(id)?.charge)))
    }

    async fn attempt(
        &self,
        provider: &Provider,
        model: &ModelId,
        at: usize,
    ) -> Result<Answer, ProviderError> {
        let faults = &self.faults;
        if faults.fail_before_token || (faults.fallback && at == 0) {
            return Err(ProviderError::Injected);
        }
        match provider.ask(&self.call.request, model).await? {
            // An answer that comes whole has no middle to fail in.
            Reply::Whole(_) if faults.fail_after_token => Err(ProviderError::Injected),
            Reply::Whole(body) => Whole::read(&body).map(Answer::Whole),
            Reply::Stream(upstream) => read_ahead(provider, upstream).await.map(Answer::Streaming),
        }
    }
}

async fn read_ahead(
    provider: &Provider,
    mut upstream: BoxStream<'static, Result<Bytes, ProviderError>>,
) -> Result<Streaming, ProviderError> {
    let mut assembly = Assembly::default();
    let mut begun = Vec::new();
    loop {
        let data = match upstream.next().await {
            Some(data) => data?,
            None => return Err(ProviderError::Broken("it ended before it began".to_owned())),
        };
        if data == sse::DONE {
            return Err(ProviderError::Broken("it was done before it began".to_owned()));
        }
        let (data, piece) = assembly.take(data)?;
        begun.push((data, piece));
        if matches!(piece, Piece::Token | Piece::Finish) {
            let provider = provider.clone();
            return Ok(Streaming { begun, upstream, assembly, provider });
        }
        if begun.len() > MOST_SILENT_CHUNKS {
            return Err(ProviderError::Broken("it talks without saying anything".to_owned()));
        }
    }
}
