//! Listening to what is logged.

use std::io;
use std::sync::{Arc, Mutex};

use tracing_subscriber::fmt::MakeWriter;

/// What this thread logs, while this is kept.
pub struct Log(
    Arc<Mutex<Vec<u8>>>,
    #[expect(dead_code, reason = "it is kept")] tracing::dispatcher::DefaultGuard,
);

#[derive(Clone)]
struct Pages(Arc<Mutex<Vec<u8>>>);

impl Log {
    pub fn begin() -> Self {
        // While no other thread has a subscriber, the first line that one of them leaves out would
        // be left out here as well.
        let _ = tracing::subscriber::set_global_default(tracing_subscriber::registry());
        let pages = Arc::default();
        let subscriber = tracing_subscriber::fmt().with_ansi(false);
        let subscriber = subscriber.with_writer(Pages(Arc::clone(&pages))).finish();
        Self(pages, tracing::subscriber::set_default(subscriber))
    }

    pub fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

impl io::Write for Pages {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Pages {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}
