//! What people mean to do: a function of the seed alone. What a page shows decides what comes of an
//! intention, never which intention is next; so people of the same seed want the same at the same
//! times, whatever design runs in their pages.

use super::World;
use super::luck::About;
use super::tab::{Who, small};
use crate::profile::HOUR;
use crate::server::plan::MODELS;

/// More than a page may have undecided at once.
const BURST: usize = 110;

/// What somebody means to do on a page, and when they act again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Intent {
    pub pause_ms: i64,
    /// By how much the device's clock is set.
    pub clock_jump_ms: Option<i64>,
    /// Whether they look at the page first when it is hidden.
    pub looks: bool,
    pub deed: Deed,
}

/// What somebody does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Deed {
    /// They sleep.
    Rest,
    /// They begin as many messages.
    Begin(usize),
    /// They stop one of the chats that run.
    Stop(u64),
    Refresh,
    Show(bool),
    Offline(i64),
    Reload,
    Close(i64),
    Sleep(i64),
    /// They copy the page over another of the device.
    Copy(usize),
    SignIn(Who),
    /// They sign out, and go on as a visitor.
    SignOut,
}

impl Deed {
    fn begins(self) -> usize {
        match self {
            Self::Begin(count) => count,
            _ => 0,
        }
    }
}

/// A message that somebody means to send.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Message {
    pub op: u32,
    pub model: usize,
    /// Whether it is sent as soon as it is begun.
    pub at_once: bool,
    /// Also when the page expects a refusal.
    pub sends_anyway: bool,
    /// If it waits: for how long, and whether it is sent then.
    pub later_ms: i64,
    pub sends_later: bool,
    /// For a visitor, whom no server counts: how long the reply takes, and whether it ends well.
    pub alone: (i64, bool),
}

/// A message that somebody meant to send, when, and on which page.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Meant {
    /// In simulated milliseconds.
    pub at: i64,
    /// On which page.
    pub tab: usize,
    /// The operation's number.
    pub op: u32,
    /// The model asked for.
    pub model: usize,
    /// How long it waits if it is not sent at once.
    pub later_ms: Option<i64>,
}

/// A chat request that left a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Left {
    /// The operation's number.
    pub op: u32,
    /// When, in simulated milliseconds.
    pub at: i64,
    /// When it arrives at the server; never when it is lost.
    pub arrives: Option<i64>,
}

/// What people of a run meant, and what left their pages.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Traffic {
    /// Messages as they were meant.
    pub meant: Vec<Meant>,
    /// Requests as they left.
    pub left: Vec<Left>,
}

impl World<'_> {
    /// The next thing that somebody means to do on a page.
    pub(super) fn intend(&mut self, tab: usize) -> (Intent, Vec<Message>) {
        let nth = self.tabs[tab].acts;
        self.tabs[tab].acts += 1;
        let intent = self.draw_intent(tab, nth);
        let messages: Vec<_> = (0..intent.deed.begins()).map(|_| self.mean_message()).collect();
        if let Some(traffic) = &mut self.traffic {
            let at = self.now;
            traffic.meant.extend(messages.iter().map(|it| Meant {
                at,
                tab,
                op: it.op,
                model: it.model,
                later_ms: (!it.at_once).then_some(it.later_ms),
            }));
        }
        (intent, messages)
    }

    fn draw_intent(&self, tab: usize, nth: i64) -> Intent {
        let profile = &self.profile;
        let mut dice = self.draw(About::Intent, tab as u64, nth);
        let pause_ms = dice.pause(profile.acts_ms);
        let wanders = dice.chance(profile.wandering);
        let jumps = dice.chance(profile.clocks / 10);
        let jump_ms = dice.between(-600_000, 600_000);
        let is_night = profile.nights && (self.now / HOUR).rem_euclid(24) >= 9;
        let rests = is_night && !dice.chance(20);
        let looks = !wanders && dice.chance(700);
        let deed = match (rests, wanders) {
            (true, _) => Deed::Rest,
            (_, true) => self.draw_wandering(&mut dice),
            _ if dice.below(3_000) == 0 => Deed::Begin(BURST),
            _ => match dice.below(100) {
                0..70 => Deed::Begin(1),
                70..78 => Deed::Begin(2),
                78..90 => Deed::Stop(dice.below(1 << 32)),
                90..94 => Deed::Refresh,
                _ => Deed::Show(false),
            },
        };
        Intent {
            pause_ms: if rests { pause_ms.max(HOUR) } else { pause_ms },
            clock_jump_ms: jumps.then_some(jump_ms).filter(|_| !rests),
            looks: looks && !rests,
            deed,
        }
    }

    fn draw_wandering(&self, dice: &mut crate::dice::Dice) -> Deed {
        match dice.below(100) {
            0..22 => Deed::Show(dice.chance(500)),
            22..34 => Deed::Offline(dice.pause(20_000)),
            34..50 => Deed::Reload,
            50..58 => Deed::Close(dice.pause(60_000)),
            58..66 => Deed::Sleep(dice.pause(120_000)),
            66..76 => Deed::Copy(dice.index(self.tabs.len())),
            76..80 => Deed::SignOut,
            80..90 => {
                let account = dice.index(self.server.rows.len());
                Deed::SignIn((account, small(dice.index(self.actors))))
            }
            _ => Deed::Begin(1),
        }
    }

    /// A message has its number whether or not anything comes of it.
    fn mean_message(&mut self) -> Message {
        self.next_op += 1;
        let op = self.next_op;
        let mut dice = self.draw(About::Message, u64::from(op), 0);
        Message {
            op,
            model: dice.index(MODELS),
            at_once: dice.chance(850),
            sends_anyway: dice.chance(500),
            // Now and then longer than a reply may be silent.
            later_ms: if dice.chance(80) {
                dice.between(61_000, 240_000)
            } else {
                dice.pause(10_000)
            },
            sends_later: dice.chance(500),
            alone: (dice.pause(6_000), dice.chance(800)),
        }
    }
}
