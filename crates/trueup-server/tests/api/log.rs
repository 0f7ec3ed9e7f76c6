//! Listening to what is logged, and what must not flood it.

use std::io;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tracing_subscriber::fmt::MakeWriter;

use crate::connections::{self, Line};
use crate::house::House;

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

#[tokio::test]
async fn requests_that_are_turned_away_are_counted_and_not_told_one_by_one() {
    let log = Log::begin();
    let house = connections::house("max_requests = 1\nsweep_interval_ms = 60000").await;
    let mut only = Line::to(&house).await;
    only.announce_body(2).await;
    let begun = tokio::time::Instant::now();
    for _ in 0..50 {
        let usage = house.get("/v1/usage").bearer(&house.token("ann"));
        usage.send().await.refused(503, "unavailable");
    }
    // The clock of the network stands still and jumps to the next timer.
    tokio::time::pause();
    tokio::time::sleep(Duration::from_millis(1_500)).await;
    tokio::time::resume();
    let seconds = begun.elapsed().as_secs();
    let text = log.text();
    let lines = text.lines().filter(|line| line.contains("requests were turned away"));
    let counts: Vec<u64> = lines
        .map(|line| {
            assert!(line.contains("WARN"), "{line}");
            line.rsplit_once("requests=").unwrap().1.trim().parse().unwrap()
        })
        .collect();
    assert_eq!(counts.iter().sum::<u64>(), 50, "{text}");
    assert!(u64::try_from(counts.len()).unwrap() <= 1 + seconds, "{text}");
    assert!(!text.contains("ERROR"), "{text}");
}

#[tokio::test]
async fn other_failures_of_the_server_are_told_one_by_one() {
    let log = Log::begin();
    let house = House::on_file().await;
    std::fs::rename(house.database(), house.database().with_extension("aside")).unwrap();
    for _ in 0..2 {
        let usage = house.get("/v1/usage").bearer(&house.token("ann"));
        usage.send().await.refused(503, "store_failed");
    }
    assert_eq!(log.text().matches("request failed").count(), 2, "{}", log.text());
}
