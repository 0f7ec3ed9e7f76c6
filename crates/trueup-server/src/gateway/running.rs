//! Counts what runs, so that the server can wait for its end.

use tokio::sync::watch;

/// The chats that run.
#[derive(Debug, Default)]
pub(super) struct Running(watch::Sender<usize>);

/// One chat that runs until this is dropped.
#[derive(Debug)]
pub(super) struct Run(watch::Sender<usize>);

impl Running {
    pub(super) fn enter(&self) -> Run {
        self.0.send_modify(|count| *count += 1);
        Run(self.0.clone())
    }

    pub(super) async fn none_left(&self) {
        // Our own sender is alive, so the channel cannot be closed.
        let _ = self.0.subscribe().wait_for(|count| *count == 0).await;
    }
}

impl Drop for Run {
    fn drop(&mut self) {
        self.0.send_modify(|count| *count -= 1);
    }
}

#[cfg(test)]
mod tests {
    use super::Running;
    use futures::FutureExt;

    #[test]
    fn it_is_drained_when_the_last_one_has_ended() {
        let running = Running::default();
        assert!(running.none_left().now_or_never().is_some());
        let (a, b) = (running.enter(), running.enter());
        drop(a);
        assert!(running.none_left().now_or_never().is_none());
        drop(b);
        assert!(running.none_left().now_or_never().is_some());
    }
}
