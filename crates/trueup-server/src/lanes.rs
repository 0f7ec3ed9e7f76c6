//! Work that is spread over several tasks, an account's always on the same one.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use trueup_core::AccountId;

/// The account's lane; none where there are no lanes.
pub(crate) fn lane_of<'a, L>(lanes: &'a [L], account: &AccountId) -> Option<&'a L> {
    let mut hasher = DefaultHasher::new();
    account.as_str().hash(&mut hasher);
    let count = u64::try_from(lanes.len()).ok()?;
    lanes.get(usize::try_from(hasher.finish().checked_rem(count)?).ok()?)
}
