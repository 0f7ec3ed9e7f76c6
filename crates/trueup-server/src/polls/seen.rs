//! Which accounts were seen whole, and how they were: what is not known costs a read, and nothing
//! else.

use std::collections::HashMap;

use trueup_core::AccountId;

use super::Confirmed;

/// So many accounts of either age.
const MOST: usize = 32_768;

/// The accounts that were seen last. When there are too many, those that nobody asked about since
/// that was so the last time are forgotten.
#[derive(Debug, Default)]
pub(super) struct Seen {
    young: HashMap<AccountId, Confirmed>,
    old: HashMap<AccountId, Confirmed>,
}

impl Seen {
    pub fn insert(&mut self, account: AccountId, seen: Confirmed) {
        if self.young.len() >= MOST && !self.young.contains_key(&account) {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.insert(account, seen);
    }

    pub fn get(&mut self, account: &AccountId) -> Option<Confirmed> {
        if let Some(seen) = self.young.get(account) {
            return Some(seen.clone());
        }
        let seen = self.old.remove(account)?;
        self.insert(account.clone(), seen.clone());
        Some(seen)
    }
}

#[cfg(test)]
mod tests {
    use trueup_core::{Timestamp, Version};

    use super::*;
    use crate::store::{AccountTerms, Standing};

    fn account(number: usize) -> AccountId {
        AccountId::new(&format!("acct_{number}")).unwrap()
    }

    fn at(version: u64) -> Confirmed {
        let standing = Standing { version: Version(version), terms: AccountTerms::default() };
        Confirmed { standing, until: Timestamp::from_millis(0) }
    }

    #[test]
    fn what_is_asked_about_is_kept_and_the_rest_is_forgotten_in_time() {
        let mut seen = Seen::default();
        seen.insert(account(0), at(1));
        for number in 1..10 * MOST {
            seen.insert(account(number), at(2));
            assert_eq!(seen.get(&account(0)), Some(at(1)));
        }
        assert_eq!(seen.get(&account(1)), None);
        assert!(seen.young.len() <= MOST && seen.old.len() <= MOST);
        seen.insert(account(0), at(3));
        assert_eq!(seen.get(&account(0)), Some(at(3)));
    }
}
