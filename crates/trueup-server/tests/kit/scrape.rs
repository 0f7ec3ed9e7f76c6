//! What a server tells Prometheus.

use std::collections::{BTreeMap, BTreeSet};

pub struct Scrape {
    pub text: String,
    series: BTreeMap<String, f64>,
}

impl Scrape {
    pub async fn of(base_url: &str, key: &str) -> Self {
        let get = reqwest::Client::new().get(format!("{base_url}/metrics")).bearer_auth(key);
        let response = get.send().await.unwrap();
        assert_eq!(response.status().as_u16(), 200);
        let text = response.text().await.unwrap();
        let lines = text.lines().filter(|line| !line.starts_with('#'));
        let series = lines.map(|line| {
            let (name, value) = line.rsplit_once(' ').expect("a series and its value");
            (name.to_owned(), value.parse().expect("a number"))
        });
        Self { series: series.collect(), text }
    }

    /// The value of one series, with all its labels.
    pub fn get(&self, series: &str) -> Option<f64> {
        self.series.get(series).copied()
    }

    /// The sum of all series that begin so.
    pub fn sum(&self, begin: &str) -> f64 {
        let found = self.series.iter().filter(|(name, _)| name.starts_with(begin));
        found.map(|(_, value)| value).sum()
    }

    /// The names that queries may use: those of histograms have endings.
    pub fn names(&self) -> BTreeSet<String> {
        let name = |series: &String| series.split('{').next().unwrap_or_default().to_owned();
        self.series.keys().map(name).collect()
    }

    /// The names that are declared.
    pub fn declared(&self) -> BTreeSet<String> {
        let types = self.text.lines().filter_map(|line| line.strip_prefix("# TYPE "));
        types.filter_map(|line| line.split(' ').next()).map(ToOwned::to_owned).collect()
    }
}
