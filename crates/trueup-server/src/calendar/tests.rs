//! Windows by table, and by property over zones, rules and instants.

use std::collections::BTreeMap;

use jiff::tz::TimeZone;
use proptest::prelude::*;
use trueup_core::{Enforcement, Timestamp, Units, Window};
use trueup_protocol::time;

use super::{is_time_zone, terms, window_at};
use crate::config::{Catalog, Plan, PlanMeter, WindowRule};
use crate::store::AccountTerms;

fn at(text: &str) -> Timestamp {
    time::parse(text).unwrap_or_else(|| panic!("{text}"))
}

/// One window a line: rule, zone, now -> start, end. Lines that begin with # explain.
fn check(anchor: Option<&str>, table: &str) {
    for line in table.lines().map(str::trim).filter(|it| !it.is_empty() && !it.starts_with('#')) {
        let words: Vec<_> = line.split_whitespace().collect();
        let [rule, zone, now, "->", start, end] = words[..] else { panic!("{line}") };
        let rule = match rule {
            "hour" => WindowRule::Hour,
            "day" => WindowRule::Day,
            "week" => WindowRule::Week,
            "month" => WindowRule::Month,
            days => WindowRule::Days(days.parse().unwrap()),
        };
        let zone = TimeZone::get(zone).unwrap();
        let window = window_at(rule, &zone, anchor.map(at), at(now));
        let shown = [time::format(window.start), time::format(window.end)];
        assert_eq!(shown, [start, end], "{line}");
    }
}

#[test]
fn the_calendar_cuts_windows_in_utc() {
    check(
        None,
        "hour  UTC 2026-11-24T03:04:05.678Z -> 2026-11-24T03:00:00Z 2026-11-24T04:00:00Z
         day   UTC 2026-11-24T03:04:05.678Z -> 2026-11-24T00:00:00Z 2026-11-25T00:00:00Z
         week  UTC 2026-11-24T03:04:05.678Z -> 2026-11-23T00:00:00Z 2026-11-30T00:00:00Z
         month UTC 2026-11-24T03:04:05.678Z -> 2026-11-01T00:00:00Z 2026-12-01T00:00:00Z
         1     UTC 2026-11-24T03:04:05.678Z -> 2026-11-24T00:00:00Z 2026-11-25T00:00:00Z
         30    UTC 2026-11-24T03:04:05.678Z -> 2026-11-03T00:00:00Z 2026-12-03T00:00:00Z
         # A window begins at its first instant and ends before the next one's.
         month UTC 2026-12-01T00:00:00Z     -> 2026-12-01T00:00:00Z 2027-01-01T00:00:00Z
         month UTC 2026-12-31T23:59:59.999Z -> 2026-12-01T00:00:00Z 2027-01-01T00:00:00Z
         # Time began before 1970.
         month UTC 1969-12-31T23:00:00Z     -> 1969-12-01T00:00:00Z 1970-01-01T00:00:00Z",
    );
}

#[test]
fn the_calendar_of_a_zone_knows_its_clock_changes() {
    check(
        None,
        "# Midnight in Berlin is an hour or two before midnight in UTC.
         month Europe/Berlin 2026-11-24T03:00:00Z -> 2026-10-31T23:00:00Z 2026-11-30T23:00:00Z
         month Europe/Berlin 2026-10-31T23:00:00Z -> 2026-10-31T23:00:00Z 2026-11-30T23:00:00Z
         # The day on which the clock goes forward has 23 hours, and the other one 25.
         day   Europe/Berlin 2026-03-29T12:00:00Z -> 2026-03-28T23:00:00Z 2026-03-29T22:00:00Z
         day   Europe/Berlin 2026-10-25T12:00:00Z -> 2026-10-24T22:00:00Z 2026-10-25T23:00:00Z
         week  Europe/Berlin 2026-10-25T12:00:00Z -> 2026-10-18T22:00:00Z 2026-10-25T23:00:00Z
         # The hour that the clock shows twice is two windows.
         hour  Europe/Berlin 2026-10-25T00:30:00Z -> 2026-10-25T00:00:00Z 2026-10-25T01:00:00Z
         hour  Europe/Berlin 2026-10-25T01:30:00Z -> 2026-10-25T01:00:00Z 2026-10-25T02:00:00Z
         # Hours begin on the half hour of UTC where the zone is half an hour off.
         hour  Asia/Kolkata  2026-11-24T03:04:05Z -> 2026-11-24T02:30:00Z 2026-11-24T03:30:00Z
         # The clock of Lord Howe jumps by half an hour: the hours beside the jump are cut at it.
         hour  Australia/Lord_Howe 2026-10-03T15:00:00Z -> 2026-10-03T14:30:00Z 2026-10-03T15:30:00Z
         hour  Australia/Lord_Howe 2026-10-03T15:45:00Z -> 2026-10-03T15:30:00Z 2026-10-03T16:00:00Z
         # In Beirut the clock goes forward at midnight: the day begins at one.
         day   Asia/Beirut   2026-03-29T12:00:00Z -> 2026-03-28T22:00:00Z 2026-03-29T21:00:00Z
         # Samoa skipped a whole day.
         day   Pacific/Apia  2011-12-30T09:59:59Z -> 2011-12-29T10:00:00Z 2011-12-30T10:00:00Z
         day   Pacific/Apia  2011-12-30T10:00:00Z -> 2011-12-30T10:00:00Z 2011-12-31T10:00:00Z
         # St John's went back at a minute past midnight: that minute belongs to the new day, and
         # so does everything after it.
         day   America/St_Johns 2010-11-07T02:30:30Z -> 2010-11-07T02:30:00Z 2010-11-08T03:30:00Z
         day   America/St_Johns 2010-11-07T03:00:00Z -> 2010-11-07T02:30:00Z 2010-11-08T03:30:00Z",
    );
}

#[test]
fn an_anchor_moves_the_windows_to_its_own_time() {
    check(
        Some("2026-01-31T10:15:30Z"),
        "hour  UTC 2026-11-24T03:15:30Z -> 2026-11-24T03:15:30Z 2026-11-24T04:15:30Z
         hour  UTC 2025-11-24T03:15:29Z -> 2025-11-24T02:15:30Z 2025-11-24T03:15:30Z
         day   UTC 2026-11-24T10:15:29Z -> 2026-11-23T10:15:30Z 2026-11-24T10:15:30Z
         week  UTC 2026-02-07T10:15:30Z -> 2026-02-07T10:15:30Z 2026-02-14T10:15:30Z
         10    UTC 2026-02-15T00:00:00Z -> 2026-02-10T10:15:30Z 2026-02-20T10:15:30Z
         # A month without a 31st is cut on its last day, and the next one on its 31st again.
         month UTC 2026-02-28T10:15:29Z -> 2026-01-31T10:15:30Z 2026-02-28T10:15:30Z
         month UTC 2026-02-28T10:15:30Z -> 2026-02-28T10:15:30Z 2026-03-31T10:15:30Z
         month UTC 2026-04-30T12:00:00Z -> 2026-04-30T10:15:30Z 2026-05-31T10:15:30Z
         month UTC 2028-02-29T12:00:00Z -> 2028-02-29T10:15:30Z 2028-03-31T10:15:30Z
         # Time before the anchor is cut as well.
         month UTC 2025-12-31T10:15:29Z -> 2025-11-30T10:15:30Z 2025-12-31T10:15:30Z
         # By the wall clock of the zone: in summer the cut comes an hour earlier in UTC.
         day   Europe/Berlin 2026-07-01T10:00:00Z -> 2026-07-01T09:15:30Z 2026-07-02T09:15:30Z",
    );
}

#[test]
fn no_instant_is_too_far_away() {
    for millis in [i64::MIN, i64::MIN / 1000, i64::MAX / 1000, i64::MAX] {
        for rule in [WindowRule::Hour, WindowRule::Month, WindowRule::Days(3660)] {
            for anchor in [None, Some(i64::MIN), Some(0), Some(i64::MAX)] {
                let anchor = anchor.map(Timestamp::from_millis);
                let now = Timestamp::from_millis(millis);
                let window = window_at(rule, &TimeZone::UTC, anchor, now);
                assert!(window.start < window.end, "{rule:?} {anchor:?} {now}");
            }
        }
    }
}

#[test]
fn time_zones_are_those_of_the_iana_database() {
    for (name, known) in [
        ("UTC", true),
        ("Europe/Berlin", true),
        ("Mars/Olympus", false),
        ("", false),
        ("../x", false),
    ] {
        assert_eq!(is_time_zone(name), known, "{name}");
    }
}

#[test]
fn an_accounts_own_terms_go_before_its_plans() {
    let meter = |name: &str| name.parse::<trueup_core::MeterId>().unwrap();
    let monthly = |limit| PlanMeter {
        limit: Units::new(limit),
        window: WindowRule::Month,
        enforcement: Enforcement::Hard,
    };
    let plan = |limit| Plan {
        meters: BTreeMap::from([(meter("tokens"), monthly(limit)), (meter("images"), monthly(1))]),
    };
    let catalog = Catalog {
        models: BTreeMap::new(),
        plans: BTreeMap::from([("free".to_owned(), plan(5)), ("pro".to_owned(), plan(500))]),
        default_plan: "free".to_owned(),
    };
    let now = at("2026-11-24T03:00:00Z");
    let limits = |account: &AccountTerms| {
        let terms = terms(&catalog, account, now);
        [meter("tokens"), meter("images")].map(|meter| terms[&meter].limit.map(Units::get))
    };
    let plan = |name: &str| AccountTerms { plan: Some(name.to_owned()), ..AccountTerms::default() };
    assert_eq!(limits(&AccountTerms::default()), [Some(5), Some(1)]);
    assert_eq!(limits(&plan("pro")), [Some(500), Some(1)]);
    // A plan that the settings no longer have gives way to the default one.
    assert_eq!(limits(&plan("gone")), [Some(5), Some(1)]);
    let overrides = BTreeMap::from([(meter("tokens"), None), (meter("images"), Units::new(9))]);
    assert_eq!(limits(&AccountTerms { overrides, ..plan("pro") }), [None, Some(9)]);

    let berlin =
        AccountTerms { time_zone: Some("Europe/Berlin".to_owned()), ..AccountTerms::default() };
    let window = terms(&catalog, &berlin, now)[&meter("tokens")].window;
    assert_eq!(time::format(window.start), "2026-10-31T23:00:00Z");
}

fn rules() -> impl Strategy<Value = WindowRule> {
    prop_oneof![
        Just(WindowRule::Hour),
        Just(WindowRule::Day),
        Just(WindowRule::Week),
        Just(WindowRule::Month),
        (1_u16..=3660).prop_map(WindowRule::Days),
    ]
}

fn zones() -> impl Strategy<Value = TimeZone> {
    let names: Vec<String> = jiff::tz::db().available().map(|name| name.to_string()).collect();
    assert!(names.len() > 300, "the time zone database is not there");
    prop::sample::select(names).prop_map(|name| TimeZone::get(&name).unwrap())
}

/// 1900 to 2200.
fn instants() -> impl Strategy<Value = Timestamp> {
    (-2_208_988_800_000_i64..7_258_118_400_000).prop_map(Timestamp::from_millis)
}

proptest! {
    #[test]
    fn windows_hold_the_instant_and_follow_each_other(
        rule in rules(),
        zone in zones(),
        anchor in proptest::option::of(instants()),
        now in instants(),
    ) {
        let cut = |at: Timestamp| window_at(rule, &zone, anchor, at);
        let window: Window = cut(now);
        prop_assert!(window.contains(now), "{window:?} lacks {now}");
        prop_assert_eq!(cut(window.start), window);
        prop_assert_eq!(cut(window.end.plus(-1)), window);
        prop_assert_eq!(cut(window.end).start, window.end);
        prop_assert_eq!(cut(window.start.plus(-1)).end, window.start);
    }
}
