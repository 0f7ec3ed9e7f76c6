//! What chance is about. Every question that chance answers has a stream of its own, named by the seed
//! and by what is asked: the third act on a page, the fate of one message, a commit at one moment. So
//! nothing that a page does moves the answer to another question, and all designs meet the same people
//! and the same weather.

use super::World;
use crate::dice::Dice;

/// A kind of question.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u64)]
pub(super) enum About {
    /// The world at its beginning.
    Shape,
    /// What somebody means to do on a page: (page, how many times they acted).
    Intent,
    /// How somebody goes about a message: (operation).
    Message,
    /// What operators and backends do: (how many times they acted).
    Operators,
    /// What the network does to a chat's request: (operation).
    Chat,
    /// How a chat goes on the server: (operation, how many times it was asked for).
    Job,
    /// What the network does to the answer to a chat that does not run: (operation, when).
    Answer,
    /// How a connection breaks: (page, when).
    Break,
    /// How long it takes until the server knows that a client left: (page, when).
    Left,
    /// What the network does to a page's question: (page and kind, how many it asked).
    Ask,
    /// What the server makes of a page's question: (page and kind and number, when).
    Read,
    /// What the network does to the answer: (page and kind and number, when).
    Reply,
    /// When the server wants to be asked again: (page and kind and number, when).
    RetryAfter,
    /// What the network does to a push: (page, when).
    Push,
    /// How long one tab takes to tell another: (the other, when).
    Relay,
    /// When a page begins to listen: (page, when).
    Listen,
    /// Whether a page dies in a step: (page, when and which step of that moment).
    Death,
    /// When a dead page is opened again: (page, when).
    Reopen,
    /// When a page's timers go off: (page).
    Timers,
    /// How long a batch takes: (when).
    Batch,
    /// What becomes of a commit: (when, more or less).
    Fate,
    /// How long the server is down: (when).
    Down,
    /// What stays when faults stop.
    Heal,
}

impl World<'_> {
    /// The stream of one question.
    pub(super) fn draw(&self, about: About, which: u64, nth: i64) -> Dice {
        draw(self.seed, about, which, nth)
    }

    /// The stream of a question about a page, now.
    pub(super) fn draw_now(&self, about: About, tab: usize) -> Dice {
        self.draw(about, tab as u64, self.now)
    }
}

/// The stream of one question of a seed.
pub(super) fn draw(seed: u64, about: About, which: u64, nth: i64) -> Dice {
    Dice::about(seed, [about as u64, which, nth.cast_unsigned()])
}
