//! One stay of one visitor: from one change of identity to the next.

use trueup_core::Timestamp;

use crate::token::Identity;

/// A missing model is looked for again after this.
const CATALOG_PAUSE_MS: i64 = 60_000;

/// What is known about the visitor besides the usage.
#[derive(Debug, Default)]
pub struct Session {
    /// Rises with every change of identity, so that late answers are known as such.
    pub generation: u32,
    /// Who it is; nobody knows yet while the token is asked for.
    pub identity: Option<Identity>,
    /// The first figures came, or failed to come.
    pub usage_tried: bool,
    /// The catalog came, or failed to come.
    pub catalog_tried: bool,
    /// The `ETag` of the latest figures that were asked for.
    pub tag: Option<String>,
    /// Causes of corrections that the server has not been told, each with a comma after it.
    pub corrected: String,
    /// When the catalog was last asked for.
    pub catalog_asked_at: Option<Timestamp>,
}

impl Session {
    /// Ends this stay and begins another.
    pub fn renew(&mut self, identity: Option<Identity>) {
        let generation = self.generation.wrapping_add(1);
        *self = Self { generation, identity, ..Self::default() };
    }

    /// Where the visitor's figures are kept; nowhere for a visitor without a name.
    pub fn storage_key(&self) -> Option<String> {
        let Some(Identity::SignedIn(Some(holder))) = &self.identity else { return None };
        let mut key = "trueup:1:".to_owned() + holder.account.as_str();
        if let Some(actor) = &holder.actor {
            key += ":";
            key += actor;
        }
        Some(key)
    }

    /// Whether the catalog may be asked for again.
    pub fn may_ask_catalog(&self, now: Timestamp) -> bool {
        matches!(self.identity, Some(Identity::SignedIn(_)))
            && self.catalog_asked_at.is_none_or(|at| now.since(at) >= CATALOG_PAUSE_MS)
    }
}
