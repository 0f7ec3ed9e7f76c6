//! Server push: whoever watches an account is told that it changed, and reads the truth from the
//! store. Nothing here holds a number that anybody is shown.

mod events;
mod feed;
mod resync;

pub use events::Events;
pub use feed::{Feed, Watcher};
pub use resync::run as resync;
