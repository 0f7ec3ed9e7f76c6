//! What backends say about accounts: their terms, grants, and a look at the ledger.

pub mod entries;
pub mod grants;
pub mod terms;
