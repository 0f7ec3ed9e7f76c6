//! How bad the world is: fault profiles, each with a name.

use crate::dice::Dice;

const SECOND: i64 = 1_000;
const MINUTE: i64 = 60 * SECOND;
/// Milliseconds.
pub(crate) const HOUR: i64 = 60 * MINUTE;
/// Milliseconds.
pub(crate) const DAY: i64 = 24 * HOUR;

/// Probabilities are of a thousand, times are milliseconds.
#[derive(Clone, Debug)]
pub struct Profile {
    /// Its name.
    pub name: &'static str,
    /// How long people act and faults happen.
    pub lasts_ms: i64,
    /// The most accounts, actors of an account, devices of an actor, and tabs of a device.
    pub most: [u64; 4],
    /// Between two actions on a page.
    pub acts_ms: i64,
    /// Between two acts of operators and backends.
    pub operates_ms: i64,
    /// How long windows last.
    pub periods_ms: &'static [i64],
    /// How long a message is under way.
    pub delay_ms: (i64, i64),
    /// Messages lost.
    pub loss: u32,
    /// Replies that end well without their snapshot: something on the way strips what it does not know.
    pub strips: u32,
    /// Messages that arrive twice.
    pub doubling: u32,
    /// Chats that something on the way sends again under the same id.
    pub retries: u32,
    /// Messages that arrive much later, and how much at most.
    pub reordering: (u32, i64),
    /// Commits that fail, and that fail after they were written.
    pub commit_fails: u32,
    /// Commits that were written and answered with an error.
    pub commit_unknown: u32,
    /// Commits at which the server dies, before or after they are written.
    pub crash: u32,
    /// Reads that are answered with an error.
    pub read_fails: u32,
    /// Steps of a page after which it dies.
    pub page_crash: u32,
    /// Reads that a replica answers, and how late it is at most.
    pub replica: (u32, i64),
    /// Tries of a provider that fail.
    pub provider: u32,
    /// Chats whose hold is not renewed in time.
    pub stall: u32,
    /// Clocks that jump, of the acts of operators and people.
    pub clocks: u32,
    /// How far clocks are off.
    pub skew_ms: i64,
    /// Restores of the database, of the acts of operators.
    pub restore: u32,
    /// Changes of plans and grants, of the acts of operators.
    pub plans: u32,
    /// Actions that show, hide, reload, copy, close or switch pages.
    pub wandering: u32,
    /// Pages that the server pushes to.
    pub push: u32,
    /// Whether people sleep at night: pages are hidden for long.
    pub nights: bool,
}

const CALM: Profile = Profile {
    name: "calm",
    lasts_ms: 10 * MINUTE,
    most: [2, 2, 2, 2],
    acts_ms: 15 * SECOND,
    operates_ms: 90 * SECOND,
    periods_ms: &[5 * MINUTE, HOUR, DAY],
    delay_ms: (5, 120),
    loss: 0,
    strips: 0,
    doubling: 0,
    retries: 0,
    reordering: (0, 0),
    commit_fails: 0,
    commit_unknown: 0,
    crash: 0,
    read_fails: 0,
    page_crash: 0,
    replica: (0, 0),
    provider: 60,
    stall: 0,
    clocks: 0,
    skew_ms: 30 * SECOND,
    restore: 0,
    plans: 300,
    wandering: 150,
    push: 500,
    nights: false,
};

/// Every profile that seeds choose from.
pub const PROFILES: [Profile; 11] = [
    CALM,
    Profile { name: "lossy", loss: 250, retries: 100, strips: 150, provider: 150, ..CALM },
    Profile { name: "doubling", doubling: 500, retries: 100, delay_ms: (5, 3_000), ..CALM },
    Profile { name: "reordering", reordering: (300, DAY), lasts_ms: 20 * MINUTE, ..CALM },
    Profile {
        name: "crashing",
        crash: 60,
        commit_fails: 50,
        commit_unknown: 100,
        page_crash: 25,
        provider: 150,
        stall: 100,
        ..CALM
    },
    Profile {
        name: "clocks",
        clocks: 300,
        skew_ms: 10 * MINUTE,
        periods_ms: &[MINUTE, 5 * MINUTE, HOUR],
        stall: 200,
        ..CALM
    },
    Profile {
        name: "replicas",
        replica: (700, 30 * SECOND),
        read_fails: 100,
        page_crash: 10,
        ..CALM
    },
    Profile {
        name: "restoring",
        restore: 250,
        replica: (200, 5 * SECOND),
        operates_ms: 60 * SECOND,
        ..CALM
    },
    Profile {
        name: "wandering",
        wandering: 600,
        page_crash: 20,
        acts_ms: 8 * SECOND,
        loss: 30,
        ..CALM
    },
    Profile {
        name: "storm",
        lasts_ms: 12 * MINUTE,
        most: [3, 2, 3, 3],
        acts_ms: 8 * SECOND,
        operates_ms: 30 * SECOND,
        periods_ms: &[MINUTE, 10 * MINUTE, HOUR],
        delay_ms: (5, 5_000),
        loss: 500,
        strips: 50,
        doubling: 300,
        retries: 50,
        reordering: (150, DAY),
        commit_fails: 50,
        commit_unknown: 100,
        crash: 30,
        read_fails: 50,
        page_crash: 10,
        replica: (300, 20 * SECOND),
        provider: 300,
        stall: 100,
        clocks: 100,
        skew_ms: 10 * MINUTE,
        restore: 60,
        wandering: 300,
        ..CALM
    },
    Profile {
        name: "weeks",
        lasts_ms: 10 * DAY,
        most: [1, 2, 2, 2],
        acts_ms: 40 * MINUTE,
        operates_ms: 8 * HOUR,
        periods_ms: &[HOUR, DAY, 7 * DAY],
        loss: 20,
        strips: 20,
        doubling: 20,
        retries: 20,
        reordering: (20, DAY),
        commit_unknown: 10,
        crash: 5,
        page_crash: 2,
        read_fails: 10,
        replica: (50, 20 * SECOND),
        clocks: 20,
        restore: 20,
        nights: true,
        ..CALM
    },
];

/// A year of one account with eight clients, to measure by.
pub const YEAR: Profile = Profile {
    name: "year",
    lasts_ms: 365 * DAY,
    most: [1, 2, 2, 2],
    acts_ms: 30 * MINUTE,
    operates_ms: DAY,
    periods_ms: &[DAY, 7 * DAY, 30 * DAY],
    loss: 10,
    doubling: 5,
    reordering: (5, DAY),
    commit_unknown: 5,
    crash: 2,
    page_crash: 1,
    nights: true,
    ..CALM
};

impl Profile {
    /// The profile that a seed lives in.
    pub fn draw(dice: &mut Dice) -> Self {
        // Weeks take as long as a hundred of the others.
        let many = !dice.chance(20);
        let at = if many { dice.index(PROFILES.len() - 1) } else { PROFILES.len() - 1 };
        PROFILES.get(at).cloned().unwrap_or(CALM)
    }

    /// The profile of that name.
    pub fn named(name: &str) -> Option<Self> {
        PROFILES.iter().chain([&YEAR]).find(|profile| profile.name == name).cloned()
    }

    /// The same people, and no faults any more.
    pub fn healed(&self) -> Self {
        Self {
            name: self.name,
            lasts_ms: self.lasts_ms,
            most: self.most,
            acts_ms: self.acts_ms,
            operates_ms: self.operates_ms,
            periods_ms: self.periods_ms,
            skew_ms: self.skew_ms,
            push: self.push,
            nights: self.nights,
            provider: 0,
            plans: 0,
            wandering: 0,
            ..CALM
        }
    }
}
