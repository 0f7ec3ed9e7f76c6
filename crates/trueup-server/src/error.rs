//! The one way in which a request fails: a code, a sentence, and what a client needs to go on.
//!
//! A handler returns [`ApiError`]; the middleware in [`crate::http::boundary`] gives it the
//! request's id, writes the one log line, and turns it into the envelope that clients read.

use std::sync::Arc;

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use trueup_core::error::{InvalidId, Rejection};
use trueup_core::{OperationState, Refusal, Snapshot};
use trueup_protocol::error::{ErrorBody, ErrorEnvelope};
use trueup_protocol::{ErrorCode, Malformed, time};

use crate::engine::EngineError;
use crate::store::StoreError;

/// Why a request failed.
#[derive(Clone, Debug)]
pub struct ApiError(Box<Failure>);

#[derive(Clone, Debug)]
struct Failure {
    code: ErrorCode,
    message: String,
    param: Option<String>,
    refusal: Option<Refusal>,
    state: Option<OperationState>,
    usage: Option<Snapshot>,
    retry: Option<bool>,
    reason: Option<String>,
    is_logged: bool,
}

impl ApiError {
    /// A failure with a sentence that names the mend. Both reach the client.
    pub fn new(code: ErrorCode, message: impl Into<String>) -> Self {
        Self(Box::new(Failure {
            code,
            message: message.into(),
            param: None,
            refusal: None,
            state: None,
            usage: None,
            retry: None,
            reason: None,
            is_logged: false,
        }))
    }

    /// A defect of ours. `reason` goes to the log and never to the client.
    pub fn internal(reason: impl Into<String>) -> Self {
        let message =
            "The server failed; nothing was changed. Quote request_id when you report it.";
        Self::new(ErrorCode::Internal, message).because(reason)
    }

    /// The catalog has no model of that name.
    pub fn unknown_model(name: &str) -> Self {
        let name: String = name.chars().take(128).collect();
        let message = format!("There is no model {name:?}; GET /v1/catalog lists the models.");
        Self::new(ErrorCode::UnknownModel, message).at("model")
    }

    /// What the ledger turned down, with the account as it stands.
    pub fn rejected(rejection: Rejection, snapshot: &Snapshot) -> Self {
        Self::from(rejection).with_usage(snapshot)
    }

    /// Names the field, parameter or header at fault.
    #[must_use]
    pub fn at(mut self, param: impl Into<String>) -> Self {
        self.0.param = Some(param.into());
        self
    }

    /// Says where in a larger body the field at fault stands.
    #[must_use]
    pub fn within(mut self, path: &str) -> Self {
        if let Some(param) = &mut self.0.param {
            let whole = format!("{path}.{param}");
            if let Some(rest) = self.0.message.strip_prefix(param.as_str()) {
                self.0.message = format!("{whole}{rest}");
            }
            *param = whole;
        }
        self
    }

    /// Sends the account's usage along. Only for callers that may see it.
    #[must_use]
    pub fn with_usage(mut self, snapshot: &Snapshot) -> Self {
        self.0.usage = Some(snapshot.clone());
        self
    }

    /// Says whether sending the same request again can help. Left alone, the code decides.
    #[must_use]
    pub fn with_retry(mut self, retry: bool) -> Self {
        self.0.retry = Some(retry);
        self
    }

    /// Keeps the reason for the log.
    #[must_use]
    pub fn because(mut self, reason: impl Into<String>) -> Self {
        self.0.reason = Some(reason.into());
        self
    }

    /// Says that whoever made it has told the log, in a way of its own.
    #[must_use]
    pub fn logged_already(mut self) -> Self {
        self.0.is_logged = true;
        self
    }

    /// Which kind of failure.
    pub fn code(&self) -> ErrorCode {
        self.0.code
    }

    /// The HTTP status it travels with.
    pub fn status(&self) -> StatusCode {
        StatusCode::from_u16(self.0.code.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    /// Whether the same request may succeed later. OpenAI's clients retry a 409 and every 5xx
    /// unless they are told not to.
    pub fn may_retry(&self) -> bool {
        self.0.retry.unwrap_or(matches!(
            self.0.code,
            ErrorCode::Unavailable | ErrorCode::StoreFailed | ErrorCode::Internal
        ))
    }

    /// The body that a client reads.
    pub fn envelope(&self, request_id: &str) -> ErrorEnvelope {
        let refusal = self.0.refusal.as_ref();
        ErrorEnvelope {
            error: ErrorBody {
                code: self.0.code.as_str().to_owned(),
                message: self.0.message.clone(),
                kind: self.0.code.kind().to_owned(),
                param: self.0.param.clone(),
                request_id: request_id.to_owned(),
                meter: refusal.map(|it| it.meter.as_str().to_owned()),
                remaining: refusal.map(|it| it.remaining.get()),
                resets_at: refusal.and_then(|it| it.resets_at).map(time::format),
                state: self.0.state.map(|state| state.as_str().to_owned()),
            },
            usage: self.0.usage.as_ref().map(Into::into),
        }
    }

    /// Writes the one line about it. Failures of the caller are no alarm.
    pub fn log(&self) {
        if self.0.is_logged {
            return;
        }
        let code = self.0.code.as_str();
        let reason = self.0.reason.as_deref().unwrap_or(&self.0.message);
        if self.status().is_server_error() {
            tracing::error!(code, reason, "request failed");
        } else {
            tracing::info!(code, reason, "request refused");
        }
    }
}

/// Leaves the failure in the response for the boundary to finish: only there is the id known.
impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let mut response = self.status().into_response();
        response.extensions_mut().insert(Arc::new(self));
        response
    }
}

impl From<Malformed> for ApiError {
    fn from(malformed: Malformed) -> Self {
        let Malformed { param, message } = malformed;
        Self::new(ErrorCode::InvalidValue, format!("{param} {message}.")).at(param)
    }
}

impl From<InvalidId> for ApiError {
    fn from(invalid: InvalidId) -> Self {
        Self::new(ErrorCode::InvalidValue, format!("This is {invalid}."))
    }
}

impl From<EngineError> for ApiError {
    fn from(error: EngineError) -> Self {
        let (code, message) = match &error {
            EngineError::Stopped => {
                (ErrorCode::Unavailable, "The server is stopping; send the request again.")
            }
            EngineError::Unwritable(_) => (
                ErrorCode::StoreFailed,
                "The ledger cannot be written now; send requests elsewhere until it can.",
            ),
            EngineError::Store(StoreError::Unreachable(_)) => (
                ErrorCode::StoreFailed,
                "The ledger could not be reached; send the same request again: what was carried out \
                 is not done twice.",
            ),
            EngineError::Store(_) => (
                ErrorCode::StoreFailed,
                "The ledger could not be reached and nothing was changed; send the request again.",
            ),
        };
        Self::new(code, message).because(error.to_string())
    }
}

impl From<Refusal> for ApiError {
    fn from(refusal: Refusal) -> Self {
        let Refusal { meter, asked, remaining, .. } = &refusal;
        // What was refused stays refused, also when there would be room by now.
        let message = if remaining >= asked {
            format!(
                "This operation was refused when the limit of {meter} was reached, and stays so. \
                 There is room now: begin a new operation."
            )
        } else {
            format!(
                "The limit of {meter} is reached: {remaining} left, {asked} asked for. \
                 Wait for the window to end at resets_at, or raise the limit."
            )
        };
        let mut error = Self::new(ErrorCode::UsageLimitExceeded, message);
        error.0.refusal = Some(refusal);
        error
    }
}

impl From<Rejection> for ApiError {
    fn from(rejection: Rejection) -> Self {
        match rejection {
            Rejection::Refused(refusal) => refusal.into(),
            Rejection::Conflict(id) => Self::new(
                ErrorCode::OperationConflict,
                format!(
                    "Operation {id} was sent before with other content. Make a new id for every \
                     user action, and repeat a request unchanged."
                ),
            ),
            Rejection::Fenced(id) => Self::new(
                ErrorCode::OperationFenced,
                format!("Operation {id} was fenced and can never run. Begin a new operation."),
            ),
            Rejection::Ended { operation, state } => {
                let message = format!(
                    "Operation {operation} has ended already, as {}. Begin a new operation.",
                    state.as_str()
                );
                let mut error = Self::new(ErrorCode::OperationEnded, message);
                error.0.state = Some(state);
                error
            }
            Rejection::Held(id) => Self::new(
                ErrorCode::OperationHeld,
                format!("Operation {id} is running; only its holder can end it. Wait for its end."),
            ),
            Rejection::Unknown(id) => Self::new(
                ErrorCode::UnknownOperation,
                format!("No operation {id} was admitted for this account. Hold it first."),
            ),
            Rejection::TooOld(id) => Self::new(
                ErrorCode::OperationTooOld,
                format!("Operation id {id} is too old to be accepted. Make a new one."),
            ),
            Rejection::FromFuture(id) => Self::new(
                ErrorCode::OperationFromFuture,
                format!("Operation id {id} lies in the future. Set the clock that made it."),
            ),
            Rejection::UnknownMeter(meter) => Self::new(
                ErrorCode::UnknownMeter,
                format!("The account's plan has no meter {meter}. GET /v1/catalog lists meters."),
            ),
            Rejection::Overflow(meter) => Self::new(
                ErrorCode::CounterOverflow,
                format!("Meter {meter} would pass 9007199254740991, the largest count there is."),
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use trueup_core::error::Rejection;
    use trueup_core::{MeterId, OperationId, OperationState, Refusal, Timestamp, Units};
    use trueup_protocol::{ErrorCode, Malformed};

    use super::ApiError;
    use crate::engine::EngineError;
    use crate::store::StoreError;

    #[test]
    fn every_cause_has_its_own_code() {
        let id = OperationId::new_v7(Timestamp::from_millis(0), [7; 10]);
        let meter = MeterId::new("tokens").unwrap();
        let refusal = Refusal {
            meter: meter.clone(),
            asked: Units::from(2),
            remaining: Units::from(1),
            resets_at: None,
        };
        let ended = Rejection::Ended { operation: id, state: OperationState::Released };
        let cases: Vec<(ApiError, ErrorCode, bool)> = vec![
            (Rejection::Refused(refusal).into(), ErrorCode::UsageLimitExceeded, false),
            (Rejection::Conflict(id).into(), ErrorCode::OperationConflict, false),
            (Rejection::Fenced(id).into(), ErrorCode::OperationFenced, false),
            (ended.into(), ErrorCode::OperationEnded, false),
            (Rejection::Held(id).into(), ErrorCode::OperationHeld, false),
            (Rejection::Unknown(id).into(), ErrorCode::UnknownOperation, false),
            (Rejection::TooOld(id).into(), ErrorCode::OperationTooOld, false),
            (Rejection::FromFuture(id).into(), ErrorCode::OperationFromFuture, false),
            (Rejection::UnknownMeter(meter.clone()).into(), ErrorCode::UnknownMeter, false),
            (Rejection::Overflow(meter).into(), ErrorCode::CounterOverflow, false),
            (EngineError::Stopped.into(), ErrorCode::Unavailable, true),
            (EngineError::Unwritable(String::new()).into(), ErrorCode::StoreFailed, true),
            (EngineError::from(StoreError::Injected).into(), ErrorCode::StoreFailed, true),
            (Malformed::new("units", "must be 1").into(), ErrorCode::InvalidValue, false),
            (ApiError::internal("a bug"), ErrorCode::Internal, true),
        ];
        for (error, code, retry) in cases {
            assert_eq!((error.code(), error.may_retry()), (code, retry));
        }
    }

    #[test]
    fn the_reason_stays_inside_and_the_details_go_out() {
        let error = ApiError::internal("column \"secret\" is damaged");
        let body = serde_json::to_string(&error.envelope("req_1")).unwrap();
        assert!(body.contains("req_1") && !body.contains("column"), "{body}");

        let refusal = Refusal {
            meter: MeterId::new("tokens").unwrap(),
            asked: Units::from(2),
            remaining: Units::from(1),
            resets_at: Some(Timestamp::from_millis(1000)),
        };
        let body = ApiError::from(refusal).envelope("req_2").error;
        assert_eq!(body.code, "usage_limit_exceeded");
        assert_eq!(body.kind, "insufficient_quota");
        assert_eq!(body.meter.as_deref(), Some("tokens"));
        assert_eq!(body.remaining, Some(1));
        assert_eq!(body.resets_at.as_deref(), Some("1970-01-01T00:00:01Z"));
    }
}
