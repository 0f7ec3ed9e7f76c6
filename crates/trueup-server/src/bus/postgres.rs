//! The database as the bus: notifications, on connections of their own and never in a transaction
//! that changes the ledger.

use super::{Bus, BusError, Heard, Listener, Speaker};
use crate::store::{NoticeListener, NoticeSpeaker, PostgresStore, StoreError};

/// Notifications between the servers of one database.
pub struct PostgresBus {
    listener: NoticeListener,
    speaker: NoticeSpeaker,
}

impl PostgresBus {
    /// The bus of that database. It is not connected before it is used.
    pub fn of(store: &PostgresStore) -> Self {
        let (listener, speaker) = store.notices();
        Self { listener, speaker }
    }
}

impl Bus for PostgresBus {
    type Listener = NoticeListener;
    type Speaker = NoticeSpeaker;

    fn split(self) -> (NoticeListener, NoticeSpeaker) {
        (self.listener, self.speaker)
    }
}

impl Listener for NoticeListener {
    async fn next(&mut self) -> Result<Heard, BusError> {
        Ok(self.hear().await?.map_or(Heard::Gap, Heard::Text))
    }
}

impl Speaker for NoticeSpeaker {
    /// Postgres' own limit is 8,000.
    const MOST_BYTES: usize = 7_900;

    async fn say(&mut self, text: &str) -> Result<(), BusError> {
        Ok(self.notify(text).await?)
    }
}

impl From<StoreError> for BusError {
    fn from(error: StoreError) -> Self {
        Self(error.to_string())
    }
}
