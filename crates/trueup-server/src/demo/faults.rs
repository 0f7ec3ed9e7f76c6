//! Faults that a visitor of the demo switches on for the own account, and nobody else's.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde::Serialize;
use tokio::sync::watch;
use trueup_core::AccountId;
use trueup_protocol::Malformed;
use trueup_protocol::body::{Body, Object};
use utoipa::ToSchema;

/// What is to go wrong for one account. The default is nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, ToSchema)]
pub struct FaultSet {
    /// How many settle transactions fail before one succeeds. Counts down as they fail.
    pub settle_fails: u32,
    /// The requested model fails before its first token, so that its fallback answers.
    pub fallback: bool,
    /// Every model fails before its first token.
    pub fail_before_token: bool,
    /// The model that answers fails after a few tokens.
    pub fail_after_token: bool,
    /// The server completes everything, then cuts the connection before the last chunk.
    pub lose_reply: bool,
    /// Milliseconds by which every call of the account is late.
    pub slow_ms: u32,
    /// Every call of the account is cut without an answer.
    pub offline: bool,
}

impl Body for FaultSet {
    fn read(object: &mut Object) -> Result<Self, Malformed> {
        Ok(Self {
            settle_fails: object.or_default("settle_fails")?,
            fallback: object.or_default("fallback")?,
            fail_before_token: object.or_default("fail_before_token")?,
            fail_after_token: object.or_default("fail_after_token")?,
            lose_reply: object.or_default("lose_reply")?,
            slow_ms: object.or_default("slow_ms")?,
            offline: object.or_default("offline")?,
        })
    }
}

/// The faults of every account. Switched off it holds nothing and costs a comparison.
#[derive(Clone, Debug, Default)]
pub struct Faults(Option<Arc<Inner>>);

#[derive(Debug, Default)]
struct Inner {
    sets: Mutex<HashMap<AccountId, FaultSet>>,
    changed: watch::Sender<()>,
}

impl Faults {
    /// No faults, and none can be set: every server but a demo's.
    pub fn disabled() -> Self {
        Self(None)
    }

    /// Faults can be set.
    pub fn enabled() -> Self {
        Self(Some(Arc::default()))
    }

    /// Whether faults can be set.
    pub fn is_enabled(&self) -> bool {
        self.0.is_some()
    }

    /// What is to go wrong for `account` now.
    pub fn of(&self, account: &AccountId) -> FaultSet {
        let inner = self.0.as_ref();
        inner.and_then(|inner| inner.lock().get(account).cloned()).unwrap_or_default()
    }

    /// Replaces what is to go wrong for `account`.
    pub fn set(&self, account: &AccountId, set: FaultSet) {
        let Some(inner) = &self.0 else { return };
        let mut sets = inner.lock();
        if set == FaultSet::default() {
            sets.remove(account);
        } else {
            sets.insert(account.clone(), set);
        }
        drop(sets);
        inner.changed.send_replace(());
    }

    /// Waits until `account` is offline.
    pub async fn offline(&self, account: &AccountId) {
        let Some(inner) = &self.0 else { return std::future::pending().await };
        let mut changes = inner.changed.subscribe();
        while !self.of(account).offline {
            // The sender lives as long as `self`.
            let _ = changes.changed().await;
        }
    }

    /// Whether the account's next settle transaction is to fail; each asking uses one failure up.
    pub fn take_settle_failure(&self, account: &AccountId) -> bool {
        let Some(inner) = &self.0 else { return false };
        let mut sets = inner.lock();
        let Some(set) = sets.get_mut(account).filter(|set| set.settle_fails > 0) else {
            return false;
        };
        set.settle_fails -= 1;
        true
    }
}

impl Inner {
    fn lock(&self) -> MutexGuard<'_, HashMap<AccountId, FaultSet>> {
        // The map is whole after every statement, so a panic elsewhere cannot have torn it.
        self.sets.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::{FaultSet, Faults};
    use trueup_core::AccountId;

    #[test]
    fn settle_failures_are_used_up_one_by_one_and_by_their_account_alone() {
        let faults = Faults::enabled();
        let (ann, bob) = (AccountId::new("ann").unwrap(), AccountId::new("bob").unwrap());
        faults.set(&ann, FaultSet { settle_fails: 2, ..FaultSet::default() });
        assert!(!faults.take_settle_failure(&bob));
        let taken = [(); 3].map(|()| faults.take_settle_failure(&ann));
        assert_eq!(taken, [true, true, false]);
    }

    #[tokio::test]
    async fn an_account_that_goes_offline_is_waited_for() {
        let faults = Faults::enabled();
        let (ann, bob) = (AccountId::new("ann").unwrap(), AccountId::new("bob").unwrap());
        let set = || FaultSet { offline: true, ..FaultSet::default() };
        let switch = async {
            faults.set(&bob, set());
            faults.set(&ann, set());
        };
        tokio::join!(faults.offline(&ann), switch);
        assert!(faults.of(&ann).offline);
    }

    #[test]
    fn a_server_that_is_no_demo_keeps_no_faults() {
        let (faults, ann) = (Faults::disabled(), AccountId::new("ann").unwrap());
        faults.set(&ann, FaultSet { offline: true, ..FaultSet::default() });
        assert_eq!(faults.of(&ann), FaultSet::default());
    }
}
