//! Cutting time into windows: the calendar of an account's time zone, or counted from an anchor.
//!
//! Windows of one rule follow each other without gap or overlap, whatever the clocks of the zone
//! do: a day may have 23 or 25 hours, and where midnight does not exist it begins later.

use std::collections::BTreeMap;

use jiff::civil::{Date, DateTime, Time};
use jiff::tz::TimeZone;
use jiff::{Span, ToSpan};
use trueup_core::{MeterId, MeterTerms, Timestamp, Window};

use crate::config::{Catalog, WindowRule};
use crate::store::AccountTerms;

const HOUR_MS: i64 = 3_600_000;
const EPOCH: Date = jiff::civil::date(1970, 1, 1);
/// A Monday.
const EPOCH_WEEK: Date = jiff::civil::date(1970, 1, 5);
/// What lies outside counts as the nearest instant inside: years 1 to 9000.
const FIRST_MS: i64 = -62_135_596_800_000;
const LAST_MS: i64 = 221_845_392_000_000;

/// The plan in force: the account's own while the settings have it, else the default.
pub fn plan_name<'a>(catalog: &'a Catalog, account: &AccountTerms) -> &'a str {
    let own = account.plan.as_ref().and_then(|name| catalog.plans.get_key_value(name));
    own.map_or(catalog.default_plan.as_str(), |(name, _)| name.as_str())
}

/// What the plan in force and the account's own terms say about every meter at `now`.
pub fn terms(
    catalog: &Catalog,
    account: &AccountTerms,
    now: Timestamp,
) -> BTreeMap<MeterId, MeterTerms> {
    let Some(plan) = catalog.plans.get(plan_name(catalog, account)) else {
        return BTreeMap::new();
    };
    let zone = account.time_zone.as_deref().and_then(time_zone).unwrap_or(TimeZone::UTC);
    let meters = plan.meters.iter().map(|(meter, plan)| {
        let terms = MeterTerms {
            limit: account.overrides.get(meter).copied().unwrap_or(plan.limit),
            enforcement: plan.enforcement,
            window: window_at(plan.window, &zone, account.anchor, now),
        };
        (meter.clone(), terms)
    });
    meters.collect()
}

/// Whether there is such an IANA time zone.
pub fn is_time_zone(name: &str) -> bool {
    time_zone(name).is_some()
}

fn time_zone(name: &str) -> Option<TimeZone> {
    TimeZone::get(name).ok()
}

/// The window of `rule` that holds `now`.
pub fn window_at(
    rule: WindowRule,
    zone: &TimeZone,
    anchor: Option<Timestamp>,
    now: Timestamp,
) -> Window {
    let now = Timestamp::from_millis(now.millis().clamp(FIRST_MS, LAST_MS));
    match (rule, anchor) {
        (WindowRule::Hour, Some(anchor)) => {
            let start = now.plus(-now.since(anchor).rem_euclid(HOUR_MS));
            Window { start, end: start.plus(HOUR_MS) }
        }
        (WindowRule::Hour, None) => calendar_hour(zone, now),
        _ => Cuts::new(rule, zone, anchor).around(now),
    }
}

/// An hour by the clock on the wall. Where that clock jumps, the hour is cut at the jump, so that
/// zones which jump by half an hour still have windows that follow each other.
fn calendar_hour(zone: &TimeZone, now: Timestamp) -> Window {
    let instant = instant(now);
    let offset_ms = i64::from(zone.to_offset(instant).seconds()) * 1000;
    let start = now.plus(-(now.millis() + offset_ms).rem_euclid(HOUR_MS));
    let jump_before = zone.preceding(instant + 1.millisecond()).next();
    let jump_after = zone.following(instant).next();
    let at = |jump: &jiff::Timestamp| Timestamp::from_millis(jump.as_millisecond());
    let jump_before = jump_before.map(|jump| at(&jump.timestamp()));
    let jump_after = jump_after.map(|jump| at(&jump.timestamp()));
    Window {
        start: jump_before.map_or(start, |jump| jump.max(start)),
        end: jump_after.map_or(start.plus(HOUR_MS), |jump| jump.min(start.plus(HOUR_MS))),
    }
}

/// The endless row of instants at which one window gives way to the next, numbered by whole steps
/// from an origin on the calendar.
struct Cuts<'a> {
    zone: &'a TimeZone,
    origin: DateTime,
    step: Step,
}

#[derive(Clone, Copy)]
enum Step {
    Days(i64),
    Months,
}

impl<'a> Cuts<'a> {
    fn new(rule: WindowRule, zone: &'a TimeZone, anchor: Option<Timestamp>) -> Self {
        let step = match rule {
            WindowRule::Hour | WindowRule::Day => Step::Days(1),
            WindowRule::Week => Step::Days(7),
            WindowRule::Month => Step::Months,
            WindowRule::Days(days) => Step::Days(i64::from(days.max(1))),
        };
        let start = if rule == WindowRule::Week { EPOCH_WEEK } else { EPOCH };
        let origin = anchor.map_or_else(
            || start.to_datetime(Time::midnight()),
            |anchor| zone.to_datetime(instant(anchor)),
        );
        Self { zone, origin, step }
    }

    /// Cuts never go backwards, so the last one that is not after `now` begins its window.
    fn around(&self, now: Timestamp) -> Window {
        let mut number = self.guess(now);
        while self.cut(number) > now {
            number -= 1;
        }
        while self.cut(number + 1) <= now {
            number += 1;
        }
        Window { start: self.cut(number), end: self.cut(number + 1) }
    }

    /// Right, or a step beside, by the calendar's arithmetic.
    fn guess(&self, now: Timestamp) -> i64 {
        let today = self.zone.to_datetime(instant(now)).date();
        let origin = self.origin.date();
        match self.step {
            Step::Days(days) => {
                let since = today.duration_since(origin).as_hours() / 24;
                since.div_euclid(days)
            }
            Step::Months => {
                let months = |date: Date| i64::from(date.year()) * 12 + i64::from(date.month());
                months(today) - months(origin)
            }
        }
    }

    fn cut(&self, number: i64) -> Timestamp {
        // A month that lacks the origin's day is cut on its last day; the next one is not moved by
        // that, since every cut is counted from the origin.
        let span = match self.step {
            Step::Days(days) => Span::new().try_days(number.saturating_mul(days)),
            Step::Months => Span::new().try_months(number),
        };
        let civil = span.and_then(|span| self.origin.checked_add(span));
        // Where the wall clock skips this time, the cut is just after the gap; where it shows it
        // twice, the cut is at the first.
        let instant = civil.and_then(|civil| self.zone.to_ambiguous_timestamp(civil).compatible());
        let end_of_time = if number < 0 { i64::MIN } else { i64::MAX };
        Timestamp::from_millis(instant.map_or(end_of_time, jiff::Timestamp::as_millisecond))
    }
}

fn instant(at: Timestamp) -> jiff::Timestamp {
    let millis = at.millis().clamp(FIRST_MS, LAST_MS);
    jiff::Timestamp::from_millisecond(millis).unwrap_or_default()
}

#[cfg(test)]
mod tests;
