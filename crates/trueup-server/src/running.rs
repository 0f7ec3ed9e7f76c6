//! Counts what runs, so that its end can be waited for.

use tokio::sync::watch;

/// Chats, or requests, that run.
#[derive(Debug, Default)]
pub(crate) struct Running(watch::Sender<usize>);

/// One of them: it runs until this is dropped.
#[derive(Debug)]
pub(crate) struct Run(watch::Sender<usize>);

impl Running {
    pub(crate) fn enter(&self) -> Run {
        self.0.send_modify(|count| *count += 1);
        Run(self.0.clone())
    }

    /// Waits until none runs.
    pub(crate) async fn none_left(&self) {
        self.wait_for(|count| *count == 0).await;
    }

    /// Waits until one runs.
    pub(crate) async fn some(&self) {
        self.wait_for(|count| *count > 0).await;
    }

    async fn wait_for(&self, condition: impl FnMut(&usize) -> bool) {
        // Our own sender is alive, so the channel cannot be closed.
        let _ = self.0.subscribe().wait_for(condition).await;
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
        assert!(running.some().now_or_never().is_none());
        let (a, b) = (running.enter(), running.enter());
        assert!(running.some().now_or_never().is_some());
        drop(a);
        assert!(running.none_left().now_or_never().is_none());
        drop(b);
        assert!(running.none_left().now_or_never().is_some());
    }
}
