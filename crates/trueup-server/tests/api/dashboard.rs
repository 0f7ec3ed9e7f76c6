//! The committed dashboard asks for what a server tells, and for all of it.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::house::{API_KEY, House};
use crate::scrape::{self, Scrape};

const DASHBOARD: &str = include_str!("../../../../deploy/grafana/trueup.json");
const PREFIX: &str = "trueup_";
/// Labels that Prometheus adds by itself.
const OF_PROMETHEUS: [&str; 3] = ["job", "instance", "le"];

fn dashboard() -> Value {
    serde_json::from_str(DASHBOARD).unwrap()
}

/// Every query of the dashboard, those of its variables included.
fn queries(within: &Value) -> Vec<String> {
    match within {
        Value::Object(members) => {
            let own =
                ["expr", "definition"].into_iter().filter_map(|name| members.get(name)?.as_str());
            let own = own.map(ToOwned::to_owned);
            own.chain(members.values().flat_map(queries)).collect()
        }
        Value::Array(items) => items.iter().flat_map(queries).collect(),
        _ => Vec::new(),
    }
}

fn is_of_word(character: char) -> bool {
    character.is_ascii_alphanumeric() || character == '_'
}

fn metrics_in(query: &str) -> BTreeSet<String> {
    let words = query.split(|it| !is_of_word(it)).filter(|word| word.starts_with(PREFIX));
    words.map(ToOwned::to_owned).collect()
}

/// What stands in `{…}` before an operator, or in `by (…)`.
fn labels_in(query: &str) -> BTreeSet<String> {
    let mut labels = BTreeSet::new();
    for matchers in query.split('{').skip(1).filter_map(|rest| rest.split('}').next()) {
        for matcher in matchers.split(", ") {
            labels.extend(matcher.split(['=', '!', '~']).next().map(ToOwned::to_owned));
        }
    }
    for grouped in query.split("by (").skip(1).filter_map(|rest| rest.split(')').next()) {
        labels.extend(grouped.split(", ").map(ToOwned::to_owned));
    }
    labels
}

/// What a server tells that has done a little of everything.
async fn told() -> String {
    let house = House::open().await;
    let id = house.hold("ann", "gpt-5").await;
    let settle = json!({ "account": "ann", "model": "gpt-5" });
    let path = format!("/v1/operations/{id}/settle");
    house.post(&path).backend().json(&settle).send().await.expect(200);
    scrape::text(&house.base_url, API_KEY).await
}

/// A metric without the ending that its kind gives it.
fn base<'a>(name: &'a str, declared: &BTreeSet<&str>) -> &'a str {
    let endings = ["_bucket", "_count", "_sum"];
    let bare = endings.iter().filter_map(|ending| name.strip_suffix(ending));
    bare.into_iter().find(|bare| declared.contains(bare)).unwrap_or(name)
}

#[tokio::test]
async fn the_dashboard_asks_for_what_is_served_and_for_all_of_it() {
    let text = told().await;
    let types = text.lines().filter_map(|line| line.strip_prefix("# TYPE "));
    let declared: BTreeSet<&str> = types.filter_map(|line| line.split(' ').next()).collect();
    assert!(declared.len() >= 19, "{declared:?}");
    let names: BTreeSet<String> = Scrape::read(&text)
        .series
        .keys()
        .filter_map(|series| series.split('{').next().map(ToOwned::to_owned))
        .collect();
    let asked: BTreeSet<String> =
        queries(&dashboard()).iter().flat_map(|query| metrics_in(query)).collect();
    let unknown: Vec<_> = asked.difference(&names).collect();
    assert!(unknown.is_empty(), "the dashboard asks for what no server tells: {unknown:?}");
    let shown: BTreeSet<&str> = asked.iter().map(|name| base(name, &declared)).collect();
    let hidden: Vec<_> = declared.difference(&shown).collect();
    assert!(hidden.is_empty(), "what a server tells is missing on the dashboard: {hidden:?}");
    for name in declared {
        assert!(name.starts_with(PREFIX), "{name}");
        assert!(text.contains(&format!("# HELP {name} ")), "{name} is not explained");
    }
}

#[tokio::test]
async fn the_dashboard_groups_by_labels_that_are_served() {
    let text = told().await;
    let mut served: BTreeSet<String> = OF_PROMETHEUS.map(ToOwned::to_owned).into();
    for series in Scrape::read(&text).series.keys().filter(|series| series.contains('{')) {
        served.extend(labels_in(&series.replace("\",", "\", ")));
    }
    for query in queries(&dashboard()) {
        let unknown: Vec<_> = labels_in(&query).difference(&served).cloned().collect();
        assert!(unknown.is_empty(), "{unknown:?} in {query}");
    }
}

/// Prometheus would understand every query, and every function in it gets what it takes.
#[test]
fn the_dashboards_queries_are_sound() {
    let dashboard = dashboard();
    let mut targets = Vec::new();
    for panel in dashboard["panels"].as_array().unwrap() {
        targets.extend(panel["targets"].as_array().into_iter().flatten());
    }
    assert!(targets.len() >= 20);
    for target in targets {
        let query = target["expr"].as_str().unwrap();
        // Grafana puts a time there before it asks.
        let asked = query.replace("$__rate_interval", "5m");
        let sound = promql_parser::parser::parse(&asked);
        sound.unwrap_or_else(|error| panic!("{query}: {error}"));
    }
    for unsound in ["sum(rate(trueup_a_total))", "sum by (x) rate(trueup_a_total[5m])", "a{b}"] {
        assert!(promql_parser::parser::parse(unsound).is_err(), "{unsound}");
    }
}

/// Whoever loads it chooses where it reads from, and whoever looks at it is told what they see.
#[test]
fn the_dashboards_panels_explain_themselves() {
    let (dashboard, source) =
        (dashboard(), json!({ "type": "prometheus", "uid": "${datasource}" }));
    let variables = dashboard["templating"]["list"].as_array().unwrap();
    assert_eq!(
        (&variables[0]["name"], &variables[0]["type"]),
        (&json!("datasource"), &json!("datasource"))
    );
    let panels = dashboard["panels"].as_array().unwrap();
    for panel in panels.iter().filter(|panel| panel["type"] != "row") {
        let title = panel["title"].as_str().unwrap();
        assert_eq!(panel["datasource"], source, "{title}");
        assert!(panel["description"].as_str().is_some_and(|it| it.ends_with('.')), "{title}");
        assert!(panel["fieldConfig"]["defaults"]["unit"].is_string(), "{title} has no unit");
        let targets = panel["targets"].as_array().unwrap();
        assert!(targets.iter().all(|target| target["datasource"] == source), "{title}");
        let names: BTreeSet<_> = targets.iter().map(|it| it["refId"].as_str().unwrap()).collect();
        assert_eq!(names.len(), targets.len(), "{title}");
    }
}

#[test]
fn the_dashboards_panels_have_places_of_their_own() {
    let dashboard = dashboard();
    let (mut ids, mut taken) = (BTreeSet::new(), BTreeSet::new());
    for panel in dashboard["panels"].as_array().unwrap() {
        let title = panel["title"].as_str().unwrap();
        assert!(ids.insert(panel["id"].as_u64().unwrap()), "{title}");
        let [x, y, w, h] =
            ["x", "y", "w", "h"].map(|name| panel["gridPos"][name].as_u64().unwrap());
        assert!(x + w <= 24, "{title}");
        for cell in (x..x + w).flat_map(|x| (y..y + h).map(move |y| (x, y))) {
            assert!(taken.insert(cell), "{title} covers another panel");
        }
    }
}

#[test]
fn queries_are_read_as_they_are_written() {
    let query =
        r#"sum by (le, route) (rate(trueup_a_bucket{job=~"$job", kind!="x"}[5m])) / trueup_b"#;
    let set = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<BTreeSet<_>>();
    assert_eq!(metrics_in(query), set(&["trueup_a_bucket", "trueup_b"]));
    assert_eq!(labels_in(query), set(&["job", "kind", "le", "route"]));
}
