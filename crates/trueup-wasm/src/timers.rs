//! One timer for everything the machine waits for.

use std::cell::RefCell;

use trueup_core::Timestamp;
use trueup_core::client::Deadline;
use wasm_bindgen::prelude::*;

use crate::host;

/// Timers of hosts overflow after 24 days; one that goes off early changes nothing.
const MAX_DELAY_MS: i64 = 86_400_000;

/// A timer that is set anew for every deadline.
pub struct Alarm {
    ring: Closure<dyn FnMut()>,
    set: RefCell<Option<Set>>,
}

struct Set {
    handle: JsValue,
    /// By the host's ticks.
    rings_at: f64,
}

impl Alarm {
    /// A timer that will call `ring`.
    pub fn new(ring: impl FnMut() + 'static) -> Self {
        Self { ring: Closure::new(ring), set: RefCell::new(None) }
    }

    /// Sets the timer for an instant inside the deadline, a random one so that clients spread out.
    /// One that goes off earlier is left as it is: the machine does nothing before its time, and
    /// streams move the deadline with every chunk. What it has to go is compared and not the time of
    /// day, which may have been set ahead since.
    pub fn set(&self, deadline: Option<Deadline>, now: Timestamp) {
        let Some(deadline) = deadline else { return self.clear() };
        let ticks = host::ticks();
        let latest = ticks + delay_ms(deadline.not_after, now);
        if self.set.borrow().as_ref().is_some_and(|set| set.rings_at <= latest) {
            return;
        }
        self.clear();
        let earliest = ticks + delay_ms(deadline.not_before, now);
        let rings_at = earliest + js_sys::Math::random() * (latest - earliest);
        let handle = host::set_timeout(self.ring.as_ref().unchecked_ref(), rings_at - ticks);
        *self.set.borrow_mut() = Some(Set { handle, rings_at });
    }

    /// The timer went off.
    pub fn rung(&self) {
        *self.set.borrow_mut() = None;
    }

    /// Takes the timer back.
    pub fn clear(&self) {
        if let Some(set) = self.set.borrow_mut().take() {
            host::clear_timeout(&set.handle);
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "at most a day")]
fn delay_ms(at: Timestamp, now: Timestamp) -> f64 {
    at.since(now).clamp(0, MAX_DELAY_MS) as f64
}

impl Drop for Alarm {
    fn drop(&mut self) {
        self.clear();
    }
}
