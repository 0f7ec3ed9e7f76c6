//! Chance: which account is next, and what operations are called.

use oorandom::Rand64;
use trueup_core::OperationId;

use crate::clock;

/// Seeded, so that a run can be repeated.
#[derive(Clone)]
pub struct Dice(Rand64);

impl Dice {
    pub fn new(seed: u64) -> Self {
        Self(Rand64::new(u128::from(seed)))
    }

    /// A number below `bound`.
    pub fn below(&mut self, bound: u64) -> u64 {
        self.0.rand_range(0..bound.max(1))
    }

    /// A new operation's id.
    pub fn operation(&mut self) -> OperationId {
        let mut entropy = [0; 10];
        let drawn =
            self.0.rand_u64().to_le_bytes().into_iter().chain(self.0.rand_u64().to_le_bytes());
        entropy.iter_mut().zip(drawn).for_each(|(byte, drawn)| *byte = drawn);
        OperationId::new_v7(clock::timestamp(), entropy)
    }
}
