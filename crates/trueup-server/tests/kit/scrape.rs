//! What a server tells Prometheus.

use std::collections::BTreeMap;

/// Every series with its value, as they were told.
pub struct Scrape {
    pub series: BTreeMap<String, f64>,
}

/// The text that Prometheus reads.
pub async fn text(base_url: &str, key: &str) -> String {
    let get = reqwest::Client::new().get(format!("{base_url}/metrics")).bearer_auth(key);
    let response = get.send().await.unwrap();
    assert_eq!(response.status().as_u16(), 200);
    response.text().await.unwrap()
}

impl Scrape {
    pub fn read(text: &str) -> Self {
        let lines = text.lines().filter(|line| !line.starts_with('#'));
        let series = lines.map(|line| {
            let (name, value) = line.rsplit_once(' ').expect("a series and its value");
            (name.to_owned(), value.parse().expect("a number"))
        });
        Self { series: series.collect() }
    }

    /// The value of one series, with all its labels.
    pub fn get(&self, series: &str) -> Option<f64> {
        self.series.get(series).copied()
    }
}
