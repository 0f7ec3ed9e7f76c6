//! Short words for the core's types, so that tables stay readable.

use std::collections::BTreeMap;

use proptest::test_runner::{Config, RngSeed};
use trueup_core::{
    AccountId, ActorId, Charge, Enforcement, Epoch, Fingerprint, MeterId, MeterTerms, ModelId,
    OperationId, Timestamp, Units, Window,
};

pub(crate) mod audit;
pub(crate) mod memory;
pub(crate) mod page;
pub(crate) mod script;
pub(crate) mod snap;

/// When tests begin, by everybody's clock.
pub(crate) const START: Timestamp = Timestamp::from_millis(1_795_489_200_000);

/// `millis` after the start.
pub(crate) fn at(millis: i64) -> Timestamp {
    START.plus(millis)
}

pub(crate) fn meter(name: &str) -> MeterId {
    name.parse().unwrap()
}

pub(crate) fn units(count: u64) -> Units {
    Units::new(count).unwrap()
}

pub(crate) fn account(name: &str) -> AccountId {
    name.parse().unwrap()
}

pub(crate) fn actor(name: &str) -> ActorId {
    name.parse().unwrap()
}

pub(crate) fn model(name: &str) -> ModelId {
    name.parse().unwrap()
}

/// What a request said, told by one word.
pub(crate) fn fingerprint(word: &str) -> Fingerprint {
    let mut bytes = [0; 16];
    bytes[..word.len()].copy_from_slice(word.as_bytes());
    Fingerprint(bytes)
}

pub(crate) fn epoch(number: usize) -> Epoch {
    format!("epoch-{number}").parse().unwrap()
}

/// The operation number `n`, made at the start.
pub(crate) fn op(n: u16) -> OperationId {
    op_made_at(n, START)
}

pub(crate) fn op_made_at(n: u16, made_at: Timestamp) -> OperationId {
    let [high, low] = n.to_be_bytes();
    OperationId::new_v7(made_at, [0, 0, 0, 0, 0, 0, 0, 0, high, low])
}

/// `premium=1 standard=2`; `-` is nothing, `max` the largest number.
pub(crate) fn charge(text: &str) -> Charge {
    let lines = text.split_whitespace().filter(|word| *word != "-").map(|word| {
        let (name, count) = word.split_once('=').unwrap_or_else(|| panic!("{word}: no charge"));
        (meter(name), count_of(count))
    });
    Charge::new(lines).unwrap_or_else(|| panic!("{text}: no charge"))
}

/// A number, or `max`, or `max-1`.
pub(crate) fn count_of(text: &str) -> Units {
    match text.strip_prefix("max") {
        Some("") => Units::MAX,
        Some(less) => units(Units::MAX.get() - less[1..].parse::<u64>().unwrap()),
        None => units(text.parse().unwrap()),
    }
}

/// One meter of a plan; windows follow each other from the start of tests on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct PlanMeter {
    pub limit: Option<Units>,
    pub enforcement: Enforcement,
    pub period_ms: i64,
}

pub(crate) type Plan = BTreeMap<MeterId, PlanMeter>;

/// `premium 5, standard 3 soft, tokens unlimited, credits 5 every 20`; periods are seconds, 100
/// when not given.
pub(crate) fn plan(text: &str) -> Plan {
    let line = |line: &str| {
        let words: Vec<&str> = line.split_whitespace().collect();
        let after = |word| words.iter().position(|it| *it == word).map(|at| words[at + 1]);
        let soft = words.contains(&"soft");
        let limit = (words[1] != "unlimited").then(|| count_of(words[1]));
        let period_ms = after("every").map_or(100_000, |it| it.parse::<i64>().unwrap() * 1000);
        let enforcement = if soft { Enforcement::Soft } else { Enforcement::Hard };
        (meter(words[0]), PlanMeter { limit, enforcement, period_ms })
    };
    text.split(',').filter(|text| !text.trim().is_empty()).map(line).collect()
}

/// What the plan says at `now`.
pub(crate) fn terms(plan: &Plan, now: Timestamp) -> BTreeMap<MeterId, MeterTerms> {
    let terms = |(meter, it): (&MeterId, &PlanMeter)| {
        let start = at(now.since(START).div_euclid(it.period_ms) * it.period_ms);
        let window = Window { start, end: start.plus(it.period_ms) };
        (meter.clone(), MeterTerms { limit: it.limit, enforcement: it.enforcement, window })
    };
    plan.iter().map(terms).collect()
}

/// The same histories in every run; others with `PROPTEST_RNG_SEED`, more with `PROPTEST_CASES`.
pub(crate) fn histories(cases: u32) -> Config {
    let mut config = Config { failure_persistence: None, ..Config::default() };
    config.cases = cases * config.cases / 256;
    config.max_shrink_iters = 20_000;
    if config.rng_seed == RngSeed::Random {
        config.rng_seed = RngSeed::Fixed(7_031_978);
    }
    config
}
