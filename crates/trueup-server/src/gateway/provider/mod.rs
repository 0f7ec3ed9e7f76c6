//! Who answers: an upstream that speaks OpenAI's chat completions, or the built-in simulation.

pub use openai::{OpenAi, Timeouts};
pub use simulated::Simulated;

mod openai;
mod secrets;
mod simulated;

use bytes::Bytes;
use futures::stream::BoxStream;
use trueup_core::ModelId;

use self::secrets::Secrets;
use crate::clock::Clock;
use crate::config::ProviderSettings;
use crate::gateway::request::ChatRequest;

/// The most that a log says of one failure.
const REASON_CHARS: usize = 240;

/// Something that answers chats.
#[derive(Clone, Debug)]
pub enum Provider {
    /// Built in; needs no network.
    Simulated(Simulated),
    /// Anything that speaks OpenAI's chat completions.
    OpenAi(OpenAi),
}

/// An answer that has begun. Dropping it ends the call upstream.
pub enum Reply {
    /// The data of each event, in order and unchanged, [`crate::gateway::sse::DONE`] included.
    Stream(BoxStream<'static, Result<Bytes, ProviderError>>),
    /// The whole body, unchanged.
    Whole(Bytes),
}

/// Why a provider gave no answer, or stopped giving it. Texts are for logs, through
/// [`Provider::reason`]: they may hold what an upstream wrote.
#[derive(Clone, Debug, thiserror::Error)]
pub enum ProviderError {
    /// It could not be reached, or did not answer in time.
    #[error("it cannot be reached: {0}")]
    Unreachable(String),
    /// It answered with an error.
    #[error("it answered {status}: {}", String::from_utf8_lossy(.body))]
    Status {
        /// The HTTP status.
        status: u16,
        /// The body, without the key if it was repeated there.
        body: Bytes,
    },
    /// It reported an error inside its stream.
    #[error("it reported an error: {0}")]
    Reported(String),
    /// What it sent cannot be read, or ended in the middle.
    #[error("its answer broke: {0}")]
    Broken(String),
    /// A failure that was asked for.
    #[error("a fault that was switched on")]
    Injected,
}

impl ProviderError {
    fn without(&self, secrets: &Secrets) -> Self {
        match self {
            Self::Unreachable(text) => Self::Unreachable(secrets.hide(text)),
            Self::Status { status, body } => {
                let body = secrets.hide(&String::from_utf8_lossy(body)).into();
                Self::Status { status: *status, body }
            }
            Self::Reported(text) => Self::Reported(secrets.hide(text)),
            Self::Broken(text) => Self::Broken(secrets.hide(text)),
            Self::Injected => Self::Injected,
        }
    }

    /// The status of an answer that blames the request itself: another model would be asked the
    /// same, and only the caller can mend it.
    pub fn request_fault(&self) -> Option<(u16, &Bytes)> {
        match self {
            Self::Status { status: status @ (400 | 413 | 415 | 422), body } => {
                Some((*status, body))
            }
            _ => None,
        }
    }
}

impl Provider {
    /// The provider that the settings describe.
    ///
    /// # Errors
    /// When the system's TLS or resolver cannot be set up.
    pub fn from_settings(
        settings: &ProviderSettings,
        clock: &Clock,
    ) -> Result<Self, reqwest::Error> {
        Ok(match settings {
            ProviderSettings::Simulated(script) => {
                Self::Simulated(Simulated::new(script.clone(), clock.clone()))
            }
            ProviderSettings::OpenAi(upstream) => {
                Self::OpenAi(OpenAi::new(upstream, Timeouts::default())?)
            }
        })
    }

    /// How logs name it.
    pub fn name(&self) -> &str {
        match self {
            Self::Simulated(_) => "simulated",
            Self::OpenAi(upstream) => upstream.name(),
        }
    }

    /// What kind it is, in OpenTelemetry's words.
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Self::Simulated(_) => "simulated",
            Self::OpenAi(_) => "openai",
        }
    }

    /// What a log may say of its failure: little of what an upstream wrote, and nothing of what it
    /// was sent in confidence.
    pub fn reason(&self, error: &ProviderError) -> String {
        let reason = match self {
            Self::Simulated(_) => error.to_string(),
            Self::OpenAi(upstream) => error.without(upstream.secrets()).to_string(),
        };
        reason.chars().take(REASON_CHARS).collect()
    }

    /// Whether it may be asked for `model`.
    pub fn serves(&self, model: &ModelId) -> bool {
        match self {
            Self::Simulated(_) => true,
            Self::OpenAi(upstream) => upstream.serves(model),
        }
    }

    /// Asks it for an answer by `model`.
    ///
    /// # Errors
    /// [`ProviderError`] when no answer began.
    pub async fn ask(
        &self,
        request: &ChatRequest,
        model: &ModelId,
    ) -> Result<Reply, ProviderError> {
        match self {
            Self::Simulated(simulated) => simulated.ask(request, model).await,
            Self::OpenAi(upstream) => upstream.ask(request, model).await,
        }
    }
}
