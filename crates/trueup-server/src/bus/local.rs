//! A bus within one process.

use tokio::sync::broadcast::error::RecvError;
use tokio::sync::broadcast::{self, Receiver, Sender};

use super::{Bus, BusError, Heard, Listener, Speaker};

/// So many announcements may wait for who is slow to hear them.
const WAITING: usize = 1_024;

/// Joins feeds of the same process; every clone is on the same bus.
#[derive(Clone, Debug)]
pub struct LocalBus(Sender<String>);

impl Default for LocalBus {
    fn default() -> Self {
        Self(broadcast::channel(WAITING).0)
    }
}

impl Bus for LocalBus {
    type Listener = Receiver<String>;
    type Speaker = Sender<String>;

    fn split(self) -> (Self::Listener, Self::Speaker) {
        (self.0.subscribe(), self.0)
    }
}

impl Listener for Receiver<String> {
    async fn next(&mut self) -> Result<Heard, BusError> {
        match self.recv().await {
            Ok(text) => Ok(Heard::Text(text)),
            Err(RecvError::Lagged(_)) => Ok(Heard::Gap),
            Err(RecvError::Closed) => Err(BusError("every speaker has gone".to_owned())),
        }
    }
}

impl Speaker for Sender<String> {
    const MOST_BYTES: usize = 64 * 1024;

    async fn say(&mut self, text: &str) -> Result<(), BusError> {
        // It fails when nobody listens, and then nobody needs to be told.
        let _ = self.send(text.to_owned());
        Ok(())
    }
}
