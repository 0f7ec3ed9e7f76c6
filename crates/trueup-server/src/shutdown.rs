//! One signal for everything that must end when the server stops.

use tokio::sync::watch;

/// Asks everything that holds a [`Shutdown`] to end.
#[derive(Clone, Debug)]
pub struct ShutdownTrigger(watch::Sender<bool>);

impl ShutdownTrigger {
    /// Asks. Asking twice is asking once.
    pub fn shut_down(&self) {
        self.0.send_replace(true);
    }
}

/// Tells whether the server was asked to stop; cheap to clone.
#[derive(Clone, Debug)]
pub struct Shutdown(watch::Receiver<bool>);

impl Shutdown {
    /// The two ends of a signal. When every trigger is dropped without asking, nobody ever asks.
    pub fn new() -> (ShutdownTrigger, Self) {
        let (sender, receiver) = watch::channel(false);
        (ShutdownTrigger(sender), Self(receiver))
    }

    /// Whether the server was asked to stop.
    pub fn is_asked(&self) -> bool {
        *self.0.borrow()
    }

    /// Waits until the server is asked to stop.
    pub async fn asked(&self) {
        if self.0.clone().wait_for(|asked| *asked).await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}
