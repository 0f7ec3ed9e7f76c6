//! The time that the machine is told.

use std::cell::Cell;

use trueup_core::Timestamp;

use crate::host;

/// The host's clock without its steps back: they would only put checks off. Not the one of
/// `performance`, which many hosts stop while the machine sleeps: figures from before would pass for
/// fresh. A step forward that was no sleep only makes a check come early.
#[derive(Default)]
pub struct Clock {
    last: Cell<Timestamp>,
    lost_ms: Cell<i64>,
}

impl Clock {
    /// The time since 1970, or a little behind it for ever after a step back.
    pub fn now(&self) -> Timestamp {
        let read = host::now();
        let back_ms = self.last.replace(read).since(read);
        if back_ms > 0 {
            self.lost_ms.set(self.lost_ms.get().saturating_add(back_ms));
        }
        read.plus(self.lost_ms.get())
    }
}
