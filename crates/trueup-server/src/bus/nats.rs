//! NATS as the bus, for databases whose own notifications stay on one of several machines.

use std::time::Duration;

use async_nats::connection::State;
use async_nats::{Client, ConnectOptions, Event, Subscriber};
use futures::StreamExt as _;
use tokio::sync::mpsc;
use tokio::time::timeout;
use trueup_core::Epoch;

use super::{Bus, BusError, Heard, Listener, Speaker};
use crate::config::Secret;

/// What takes longer fails.
const PATIENCE: Duration = Duration::from_secs(5);
/// A lost connection is tried again at least so often.
const LONGEST_PAUSE: Duration = Duration::from_secs(2);

/// A subject of a NATS server that all servers over one database share.
#[derive(Clone, Debug)]
pub struct NatsBus {
    url: Secret,
    subject: String,
}

impl NatsBus {
    /// The bus of a database with that history. It is not connected before it is used.
    pub fn new(url: Secret, epoch: &Epoch) -> Self {
        Self { url, subject: format!("trueup.{epoch}") }
    }

    /// A connection that is kept up by itself; `connected` learns of every time that it is made.
    async fn connect(&self, connected: Option<mpsc::Sender<()>>) -> Result<Client, BusError> {
        let pause = |times: usize| {
            let millis = 100_u64.saturating_mul(u64::try_from(times).unwrap_or(u64::MAX));
            Duration::from_millis(millis).min(LONGEST_PAUSE)
        };
        let options = ConnectOptions::new()
            .name("trueup")
            .connection_timeout(PATIENCE)
            .retry_on_initial_connect()
            .reconnect_delay_callback(pause)
            .event_callback(move |event| {
                if let (Event::Connected, Some(connected)) = (event, &connected) {
                    // It is full when that has not been noticed yet.
                    let _ = connected.try_send(());
                }
                std::future::ready(())
            });
        options.connect(self.url.expose()).await.map_err(failed)
    }
}

impl Bus for NatsBus {
    type Listener = NatsListener;
    type Speaker = NatsSpeaker;

    fn split(self) -> (NatsListener, NatsSpeaker) {
        (NatsListener { bus: self.clone(), open: None }, NatsSpeaker { bus: self, client: None })
    }
}

/// Hears what is announced.
pub struct NatsListener {
    bus: NatsBus,
    open: Option<(Subscriber, mpsc::Receiver<()>)>,
}

impl Listener for NatsListener {
    async fn next(&mut self) -> Result<Heard, BusError> {
        let Some((messages, connected)) = &mut self.open else {
            let (sender, connected) = mpsc::channel(1);
            let client = self.bus.connect(Some(sender)).await?;
            let messages = client.subscribe(self.bus.subject.clone()).await.map_err(failed)?;
            self.open = Some((messages, connected));
            return Ok(Heard::Gap);
        };
        tokio::select! {
            Some(()) = connected.recv() => Ok(Heard::Gap),
            message = messages.next() => match message {
                Some(message) => Ok(Heard::Text(String::from_utf8_lossy(&message.payload).into_owned())),
                None => {
                    self.open = None;
                    Err(BusError("the subscription ended".to_owned()))
                }
            }
        }
    }
}

/// Announces.
pub struct NatsSpeaker {
    bus: NatsBus,
    client: Option<Client>,
}

impl Speaker for NatsSpeaker {
    const MOST_BYTES: usize = 64 * 1024;

    async fn say(&mut self, text: &str) -> Result<(), BusError> {
        let client = match &self.client {
            Some(client) => client,
            None => self.client.insert(self.bus.connect(None).await?),
        };
        if client.connection_state() != State::Connected {
            return Err(BusError("the NATS server does not answer".to_owned()));
        }
        let sent = async {
            client
                .publish(self.bus.subject.clone(), text.to_owned().into())
                .await
                .map_err(failed)?;
            client.flush().await.map_err(failed)
        };
        timeout(PATIENCE, sent).await.map_err(failed)?
    }
}

/// The address has the password in it, and no error of these tells it.
fn failed(error: impl std::fmt::Display) -> BusError {
    BusError(error.to_string())
}
