//! API keys, kept as hashes and compared in constant time.

use sha2::{Digest, Sha256};
use subtle::{Choice, ConstantTimeEq};

/// The SHA-256 of a key. Keys are long and random, so nothing slower is needed.
pub fn hash(key: &str) -> [u8; 32] {
    Sha256::digest(key.as_bytes()).into()
}

pub(super) struct ApiKeys(Vec<[u8; 32]>);

impl ApiKeys {
    pub(super) fn new(hashes: &[[u8; 32]]) -> Self {
        Self(hashes.to_vec())
    }

    /// Looks at every key, so that the time taken does not tell which one came close.
    pub(super) fn contains(&self, key: &str) -> bool {
        let asked = hash(key);
        let same = |found: Choice, known: &[u8; 32]| found | known.ct_eq(&asked);
        self.0.iter().fold(Choice::from(0), same).into()
    }
}

#[cfg(test)]
mod tests {
    use super::{ApiKeys, hash};

    #[test]
    fn a_key_is_found_by_its_hash() {
        let keys = ApiKeys::new(&[hash("first-key"), hash("second-key")]);
        for (key, known) in
            [("first-key", true), ("second-key", true), ("second-ke", false), ("", false)]
        {
            assert_eq!(keys.contains(key), known, "{key}");
        }
        assert!(!ApiKeys::new(&[]).contains(""));
    }
}
