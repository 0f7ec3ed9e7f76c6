//! Notifications, each end on a connection of its own.

use std::time::Duration;

use sqlx::postgres::{PgConnectOptions, PgListener, PgPoolOptions};
use sqlx::{Connection as _, PgConnection};
use tokio::time::timeout;

use crate::store::StoreError;

/// What takes longer fails.
const PATIENCE: Duration = Duration::from_secs(5);

/// Who has heard nothing for so long asks whether anybody is there.
const QUIET: Duration = Duration::from_secs(30);

/// Hears notifications.
pub struct NoticeListener {
    channel: String,
    options: PgConnectOptions,
    listener: Option<PgListener>,
}

/// Sends notifications.
pub struct NoticeSpeaker {
    channel: String,
    options: PgConnectOptions,
    connection: Option<PgConnection>,
}

pub(super) fn open(channel: &str, options: &PgConnectOptions) -> (NoticeListener, NoticeSpeaker) {
    let (channel, options) = (channel.to_owned(), options.clone());
    let listener =
        NoticeListener { channel: channel.clone(), options: options.clone(), listener: None };
    (listener, NoticeSpeaker { channel, options, connection: None })
}

impl NoticeListener {
    /// The next notification; `None` when it began to listen, so that earlier ones were missed.
    ///
    /// # Errors
    /// When the database cannot be reached.
    pub(crate) async fn hear(&mut self) -> Result<Option<String>, StoreError> {
        if let Some(listener) = &mut self.listener {
            let heard = next(listener).await;
            if heard.is_err() {
                self.listener = None;
            }
            return heard;
        }
        let pool = PgPoolOptions::new()
            .max_connections(1)
            .acquire_timeout(PATIENCE)
            .idle_timeout(None)
            .max_lifetime(None)
            .connect_with(self.options.clone())
            .await?;
        let mut listener = PgListener::connect_with(&pool).await?;
        listener.listen(&self.channel).await?;
        self.listener = Some(listener);
        Ok(None)
    }
}

/// A connection that says nothing may have been forgotten on its way.
async fn next(listener: &mut PgListener) -> Result<Option<String>, StoreError> {
    loop {
        if let Ok(heard) = timeout(QUIET, listener.try_recv()).await {
            return Ok(heard?.map(|notice| notice.payload().to_owned()));
        }
        let asked = timeout(PATIENCE, sqlx::query("SELECT 1").execute(&mut *listener)).await;
        asked.map_err(|_| sqlx::Error::PoolTimedOut)??;
    }
}

impl NoticeSpeaker {
    /// Sends one.
    ///
    /// # Errors
    /// When the database cannot be reached.
    pub(crate) async fn notify(&mut self, text: &str) -> Result<(), StoreError> {
        // Taken out while it is in use: after a failure there is another one.
        let connection = self.connection.take();
        let sent = timeout(PATIENCE, async {
            let mut connection = match connection {
                Some(connection) => connection,
                None => PgConnection::connect_with(&self.options).await?,
            };
            sqlx::query("SELECT pg_notify($1, $2)")
                .bind(&self.channel)
                .bind(text)
                .execute(&mut connection)
                .await?;
            Ok::<_, sqlx::Error>(connection)
        });
        let sent = sent.await.map_err(|_| sqlx::Error::PoolTimedOut)?;
        self.connection = Some(sent?);
        Ok(())
    }
}
