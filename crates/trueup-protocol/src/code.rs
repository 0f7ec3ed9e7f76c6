//! Error codes: stable words that programs may branch on.

macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident = $word:literal, $status:literal, $kind:literal;)*) => {
        /// Why a request failed. The word never changes its meaning; new words may appear.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum ErrorCode {
            $($(#[$doc])* $name,)*
        }

        impl ErrorCode {
            /// Every code.
            pub const ALL: &[Self] = &[$(Self::$name,)*];

            /// The word in JSON.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $word,)* }
            }

            /// The HTTP status it travels with.
            pub const fn status(self) -> u16 {
                match self { $(Self::$name => $status,)* }
            }

            /// The `type` that OpenAI's clients read.
            pub const fn kind(self) -> &'static str {
                match self { $(Self::$name => $kind,)* }
            }

            /// The code of that word.
            pub fn from_word(word: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|code| code.as_str() == word)
            }
        }
    };
}

codes! {
    /// The body is no JSON of the expected shape.
    InvalidRequest = "invalid_request", 400, "invalid_request_error";
    /// A field's value is outside what it may be.
    InvalidValue = "invalid_value", 400, "invalid_request_error";
    /// The operation id is no `UUIDv7`.
    InvalidOperationId = "invalid_operation_id", 400, "invalid_request_error";
    /// The operation id's own time is older than the server keeps operations.
    OperationTooOld = "operation_too_old", 400, "invalid_request_error";
    /// The operation id's own time is more than ten minutes ahead.
    OperationFromFuture = "operation_from_future", 400, "invalid_request_error";
    /// The catalog has no such model.
    UnknownModel = "unknown_model", 404, "invalid_request_error";
    /// The account's plan has no such meter.
    UnknownMeter = "unknown_meter", 404, "invalid_request_error";
    /// The settings have no such plan.
    UnknownPlan = "unknown_plan", 404, "invalid_request_error";
    /// No operation was admitted under this id.
    UnknownOperation = "unknown_operation", 404, "invalid_request_error";
    /// No such conversation of this account.
    UnknownConversation = "unknown_conversation", 404, "invalid_request_error";
    /// A backend's call names no account.
    AccountMissing = "account_missing", 400, "invalid_request_error";
    /// There is nothing at this address.
    NotFound = "not_found", 404, "invalid_request_error";
    /// The address exists, the method does not.
    MethodNotAllowed = "method_not_allowed", 405, "invalid_request_error";
    /// No credentials, or none that hold.
    Unauthorized = "unauthorized", 401, "authentication_error";
    /// The token's time is over; get another one.
    TokenExpired = "token_expired", 401, "authentication_error";
    /// The credentials do not allow this call.
    Forbidden = "forbidden", 403, "permission_error";
    /// The body did not arrive in time.
    RequestTimeout = "request_timeout", 408, "invalid_request_error";
    /// The plan has no room for the operation.
    UsageLimitExceeded = "usage_limit_exceeded", 402, "insufficient_quota";
    /// The operation id was used before with other content.
    OperationConflict = "op_conflict", 409, "invalid_request_error";
    /// The operation is running; only its holder can end it.
    OperationHeld = "op_held", 409, "invalid_request_error";
    /// The operation ended before, in another way.
    OperationEnded = "op_ended", 409, "invalid_request_error";
    /// The operation was fenced: it can never run.
    OperationFenced = "op_fenced", 410, "invalid_request_error";
    /// The body is larger than this endpoint reads.
    BodyTooLarge = "body_too_large", 413, "invalid_request_error";
    /// The body is not declared as JSON, or is compressed.
    UnsupportedMediaType = "unsupported_media_type", 415, "invalid_request_error";
    /// A counter would pass 2^53-1.
    CounterOverflow = "counter_overflow", 422, "invalid_request_error";
    /// Every provider of the model failed.
    ProviderFailed = "provider_failed", 502, "api_error";
    /// The server is stopping or has more work than it takes.
    Unavailable = "unavailable", 503, "api_error";
    /// The ledger could not be read or written now; the same request may be sent again.
    StoreFailed = "store_failed", 503, "api_error";
    /// A defect of the server.
    Internal = "internal", 500, "api_error";
}
