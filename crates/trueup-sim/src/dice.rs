//! Chance: the same numbers for the same seed, on every machine.

use oorandom::Rand64;

/// One stream of chance. Whole numbers only, so that nothing depends on a machine's floats.
#[derive(Clone, Debug)]
pub struct Dice(Rand64);

impl Dice {
    /// The stream `stream` of a seed.
    pub fn new(seed: u64, stream: u64) -> Self {
        Self(Rand64::new_inc(u128::from(seed), u128::from(stream)))
    }

    /// The stream of a seed that answers one question: neighbouring questions have nothing in common.
    pub fn about(seed: u64, question: [u64; 3]) -> Self {
        let stream = question.into_iter().fold(seed, |sum, word| mixed(sum ^ mixed(word)));
        Self::new(seed, stream)
    }

    /// A stream of its own that this one decides.
    pub fn split(&mut self) -> Self {
        Self::new(self.0.rand_u64(), 1)
    }

    /// Less than `end`; zero when that is zero.
    pub fn below(&mut self, end: u64) -> u64 {
        if end < 2 { 0 } else { self.0.rand_range(0..end) }
    }

    /// A place in a list of that length.
    pub fn index(&mut self, length: usize) -> usize {
        usize::try_from(self.below(length as u64)).unwrap_or_default()
    }

    /// From `least` to `most`, both possible.
    pub fn between(&mut self, least: i64, most: i64) -> i64 {
        let range = u64::try_from(most - least).unwrap_or_default();
        least + i64::try_from(self.below(range + 1)).unwrap_or_default()
    }

    /// Whether something happens that happens so often in a thousand times.
    pub fn chance(&mut self, per_mille: u32) -> bool {
        per_mille > 0 && self.below(1000) < u64::from(per_mille)
    }

    /// One of several.
    pub fn pick<T: Copy>(&mut self, list: &[T]) -> Option<T> {
        list.get(self.index(list.len())).copied()
    }

    /// How long until something that happens about every `mean_ms`: often sooner, seldom much later.
    pub fn pause(&mut self, mean_ms: i64) -> i64 {
        const TENTHS: [i64; 8] = [1, 2, 3, 5, 8, 11, 17, 33];
        let most = self.pick(&TENTHS).unwrap_or(10) * mean_ms / 10;
        self.between(most / 2, most.max(1))
    }
}

/// SplitMix64's finish: every bit of a word decides every bit of the result.
fn mixed(word: u64) -> u64 {
    let word = word.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    word ^ (word >> 31)
}
