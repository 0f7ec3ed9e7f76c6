//! What the log is told of requests that fail on the server's side, and what must not flood it.

use std::time::Duration;

use crate::connections::{self, Line};
use crate::house::House;
use crate::log::Log;

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
