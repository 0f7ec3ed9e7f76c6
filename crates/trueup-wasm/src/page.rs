//! What the page tells by itself: shown or hidden, online or offline, about to go.

use wasm_bindgen::prelude::*;
use web_sys::EventTarget;

use crate::host;

/// Listens until it is dropped.
pub struct Listeners {
    changed: Closure<dyn FnMut()>,
    leaving: Closure<dyn FnMut()>,
}

impl Listeners {
    /// Calls `changed` when the page was shown, hidden, or the network came or went, and `leaving`
    /// when it may be for the last time that anything runs.
    pub fn new(changed: impl FnMut() + 'static, leaving: impl FnMut() + 'static) -> Self {
        let listeners = Self { changed: Closure::new(changed), leaving: Closure::new(leaving) };
        listeners.each(|target, name, callback| {
            // A host without such events has nothing to tell.
            let _ = target.add_event_listener_with_callback(name, callback);
        });
        listeners
    }

    fn each(&self, act: impl Fn(&EventTarget, &str, &js_sys::Function)) {
        let changed = self.changed.as_ref().unchecked_ref();
        let page: EventTarget = JsValue::from(js_sys::global()).unchecked_into();
        act(&host::global("document").unchecked_into(), "visibilitychange", changed);
        act(&page, "online", changed);
        act(&page, "offline", changed);
        act(&page, "pagehide", self.leaving.as_ref().unchecked_ref());
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
    !host::get(&document, "hidden").is_truthy()
}

/// Whether there may be a network; hosts that cannot tell may have one.
pub fn is_online() -> bool {
    let navigator = host::global("navigator");
    host::get(&navigator, "onLine").as_bool().unwrap_or(true)
}
