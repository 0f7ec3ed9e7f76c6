//! Several sides, in turns: what the machine does beside it meets all of them.

use crate::load::{Load, Measured, median};
use crate::{Failure, database, pgbench};

use super::{Arena, steps};

/// What is compared.
pub struct Contest {
    pub title: String,
    /// What is counted.
    pub unit: &'static str,
    /// What is to be known about it.
    pub text: String,
    pub sides: Vec<Side>,
}

/// One who takes part.
pub struct Side {
    pub name: String,
    pub is_ours: bool,
    pub turn: Turn,
    pub goal: Option<Goal>,
    /// The side that it is held against, by its place.
    pub against: Option<usize>,
    /// The database in which all that was answered must be found, once.
    pub ledger: Option<String>,
    pub rounds: Vec<Measured>,
}

/// What is done in a turn.
pub enum Turn {
    Http(Load),
    Pgbench { database: String, accounts: u64 },
}

/// What a side is to reach.
#[derive(Clone, Copy)]
pub enum Goal {
    /// So many times as much as the side that it is held against.
    Times(f64),
    /// So many a second.
    Rate(f64),
    /// Within this part of it, up or down.
    Within(f64),
}

impl Side {
    pub fn new(name: &str, turn: Turn) -> Self {
        let is_ours = name.starts_with("Trueup");
        Self {
            name: name.to_owned(),
            is_ours,
            turn,
            goal: None,
            against: None,
            ledger: None,
            rounds: Vec::new(),
        }
    }

    pub fn goal(self, goal: Goal) -> Self {
        Self { goal: Some(goal), ..self }
    }

    pub fn against(self, place: usize) -> Self {
        Self { against: Some(place), ..self }
    }

    pub fn ledger(self, url: &str) -> Self {
        Self { ledger: Some(url.to_owned()), ..self }
    }

    pub fn median(&self, read: impl Fn(&Measured) -> f64) -> f64 {
        median(self.rounds.iter().map(read))
    }

    pub fn rate(&self) -> f64 {
        self.median(|round| round.rate)
    }

    /// The middle of what the rounds say, each by itself.
    fn ratio(&self, other: &Self) -> f64 {
        median(self.rounds.iter().zip(&other.rounds).map(|(our, their)| our.rate / their.rate))
    }
}

impl Contest {
    /// Holds it: a short turn for everybody to get warm, then the rounds, and at the end the audit.
    pub async fn hold(mut self, arena: &Arena<'_>) -> Result<Self, Failure> {
        eprintln!("{} …", self.title);
        let mut before = Vec::new();
        for side in &self.sides {
            before.push(match &side.ledger {
                Some(url) => steps(url).await?,
                None => 0,
            });
        }
        let mut done = vec![0_u64; self.sides.len()];
        for round in 0..=arena.arguments.rounds {
            let seconds = if round == 0 { 2.0 } else { arena.arguments.seconds };
            for (side, done) in self.sides.iter_mut().zip(&mut done) {
                let measured = side.turn(arena, round, seconds).await;
                let measured = measured.map_err(|error| format!("{}: {error}", side.name))?;
                *done += measured.done;
                if round > 0 {
                    side.rounds.push(measured);
                }
            }
        }
        for ((side, done), before) in self.sides.iter().zip(done).zip(before) {
            let Some(url) = &side.ledger else { continue };
            database::adds_up(url).await.map_err(|error| format!("{}: {error}", side.name))?;
            let written = steps(url).await? - before;
            // pgbench tells how fast it was, not how often.
            if matches!(side.turn, Turn::Http(_)) && written != done {
                let told = format!("{}: {done} steps answered, {written} written", side.name);
                return Err(told.into());
            }
        }
        Ok(self)
    }

    /// How much of the side that it is held against a side reaches.
    pub fn ratio(&self, side: &Side) -> Option<f64> {
        Some(side.ratio(self.sides.get(side.against?)?))
    }

    /// Whether a side reaches its goal; nothing when it has none.
    pub fn is_reached(&self, side: &Side) -> Option<bool> {
        Some(match (side.goal?, self.ratio(side)) {
            (Goal::Rate(least), _) => side.rate() >= least,
            (Goal::Times(least), Some(ratio)) => ratio >= least,
            (Goal::Within(part), Some(ratio)) => ratio >= 1.0 - part,
            (_, None) => false,
        })
    }
}

impl Side {
    async fn turn(&self, arena: &Arena<'_>, round: u64, seconds: f64) -> Result<Measured, Failure> {
        match &self.turn {
            Turn::Http(load) => Load { seconds, seed: round * 100_000, ..load.clone() }.run().await,
            Turn::Pgbench { database, accounts } => {
                let shape = (*accounts, arena.arguments.clients, seconds);
                pgbench::run(&arena.postgres, database, &arena.ground.scratch, shape, round).await
            }
        }
    }
}
