//! What time it is: this program measures it, so it may read it.

use std::time::{Instant, SystemTime, UNIX_EPOCH};

use trueup_core::Timestamp;

/// For durations.
#[expect(clippy::disallowed_methods, reason = "a benchmark is about time")]
pub fn instant() -> Instant {
    Instant::now()
}

/// For operation ids, which carry the time of their making.
#[expect(clippy::disallowed_methods, reason = "operation ids are made by clients, on their clocks")]
pub fn timestamp() -> Timestamp {
    let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_millis(i64::try_from(since_1970.as_millis()).unwrap_or(0))
}
