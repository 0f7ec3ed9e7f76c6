//! What the page tells by itself: shown or hidden, online or offline, about to go.

use wasm_bindgen::prelude::*;
use web_sys::EventTarget;

use crate::host;

/// Listens until it is dropped.
pub struct Listeners(Closure<dyn FnMut()>);

impl Listeners {
    /// Calls `told` when the page was shown, hidden or is left, or the network came or went.
    pub fn new(told: impl FnMut() + 'static) -> Self {
        let listeners = Self(Closure::new(told));
        listeners.each(|target, name, callback| {
            // A host without such events has nothing to tell.
            let _ = target.add_event_listener_with_callback(name, callback);
        });
        listeners
    }

    fn each(&self, act: impl Fn(&EventTarget, &str, &js_sys::Function)) {
        let callback = self.0.as_ref().unchecked_ref();
        act(&host::global("document").unchecked_into(), "visibilitychange", callback);
        let page = host::global("self").unchecked_into();
        for name in ["online", "offline", "pagehide"] {
            act(&page, name, callback);
        }
    }
}

impl Drop for Listeners {
    fn drop(&mut self) {
        self.each(|target, name, callback| {
            let _ = target.remove_event_listener_with_callback(name, callback);
        });
    }
}

/// Whether the page can be seen; a worker or node counts as seen.
pub fn is_visible() -> bool {
    let document = host::global("document");
    host::get(&document, "hidden").as_bool() != Some(true)
}

/// Whether there may be a network; hosts that cannot tell may have one.
pub fn is_online() -> bool {
    let navigator = host::global("navigator");
    host::get(&navigator, "onLine").as_bool() != Some(false)
}
