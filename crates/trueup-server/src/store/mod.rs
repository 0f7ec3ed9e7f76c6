//! All SQL. Rows are structs with the suffix `Row` and leave as domain types.

pub use sqlite::SqliteStore;

mod sqlite;

use std::collections::BTreeMap;

use trueup_core::{MeterId, Timestamp, Units};

/// What is kept of an account's own terms; everything left out comes from the settings.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AccountTerms {
    /// A plan of the settings; the default plan when `None`.
    pub plan: Option<String>,
    /// An IANA time zone; UTC when `None`.
    pub time_zone: Option<String>,
    /// Where windows are counted from; the calendar when `None`.
    pub anchor: Option<Timestamp>,
    /// Limits of this account alone; an inner `None` is unlimited.
    pub overrides: BTreeMap<MeterId, Option<Units>>,
}

/// The database could not do its work; what was being written is rolled back whole.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The database said no.
    #[error("{0}")]
    Database(#[from] sqlx::Error),
    /// The migrations could not be applied.
    #[error("{0}")]
    Migration(#[from] sqlx::migrate::MigrateError),
    /// A row does not read as what it should be.
    #[error("a stored {0} is damaged")]
    Damaged(&'static str),
    /// A fault that the demo was asked to show.
    #[error("a fault that was switched on: the transaction fails")]
    Injected,
}
