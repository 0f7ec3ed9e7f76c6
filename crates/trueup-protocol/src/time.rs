//! RFC 3339 instants in UTC. Written by hand because a calendar library would outweigh the whole
//! browser module; offsets other than `Z` never travel.

use trueup_core::Timestamp;

const DAY_MS: i64 = 86_400_000;

/// `2026-11-24T03:00:00Z`, with milliseconds only when there are some.
pub fn format(at: Timestamp) -> String {
    let (days, ms) = (at.millis().div_euclid(DAY_MS), at.millis().rem_euclid(DAY_MS));
    let (year, month, day) = civil_from_days(days);
    let (hour, minute, second) = (ms / 3_600_000, ms / 60_000 % 60, ms / 1000 % 60);
    let date = format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}");
    match ms % 1000 {
        0 => format!("{date}Z"),
        ms => format!("{date}.{ms:03}Z"),
    }
}

/// Reads what [`format`] writes, and any other number of fraction digits. `None` for all else.
pub fn parse(text: &str) -> Option<Timestamp> {
    let rest = text.strip_suffix('Z')?;
    let (whole, fraction) = rest.split_once('.').unwrap_or((rest, ""));
    let bytes = whole.as_bytes();
    let shaped = bytes.len() == 19
        && bytes.iter().enumerate().all(|(at, byte)| match at {
            4 | 7 => *byte == b'-',
            10 => *byte == b'T',
            13 | 16 => *byte == b':',
            _ => byte.is_ascii_digit(),
        });
    if !shaped || !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let number = |from: usize, to: usize| whole.get(from..to)?.parse::<i64>().ok();
    let (year, month, day) = (number(0, 4)?, number(5, 7)?, number(8, 10)?);
    let (hour, minute, second) = (number(11, 13)?, number(14, 16)?, number(17, 19)?);
    if !(1..=12).contains(&month) || day < 1 || hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let days = days_from_civil(year, month, day);
    if civil_from_days(days) != (year, month, day) {
        return None;
    }
    let ms = fraction.bytes().chain(*b"000").take(3).fold(0, |ms, d| ms * 10 + i64::from(d - b'0'));
    Some(Timestamp::from_millis(
        days * DAY_MS + hour * 3_600_000 + minute * 60_000 + second * 1000 + ms,
    ))
}

// The two conversions count in eras of 400 years that begin on the first of March, so that leap
// days come last: http://howardhinnant.github.io/date_algorithms.html describes the arithmetic.
fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * 146_097 + day_of_era - 719_468
}

fn civil_from_days(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let (era, day_of_era) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    (era * 400 + year_of_era + i64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use super::{format, parse};
    use proptest::prelude::*;
    use trueup_core::Timestamp;

    #[test]
    fn instants_are_rfc_3339_in_utc() {
        for (text, millis) in [
            ("1970-01-01T00:00:00Z", 0),
            ("2026-11-24T03:00:00Z", 1_795_489_200_000),
            ("2000-02-29T23:59:59.999Z", 951_868_799_999),
            ("1969-12-31T23:59:59.999Z", -1),
        ] {
            assert_eq!(format(Timestamp::from_millis(millis)), text);
            assert_eq!(parse(text), Some(Timestamp::from_millis(millis)));
        }
        assert_eq!(
            parse("2026-11-24T03:00:00.5Z"),
            Some(Timestamp::from_millis(1_795_489_200_500))
        );
    }

    #[test]
    fn anything_else_is_no_instant() {
        for text in [
            "",
            "Z",
            "2026-11-24",
            "2026-11-24T03:00:00",
            "2026-11-24T03:00:00+01:00",
            "2026-02-29T00:00:00Z",
            "2026-13-01T00:00:00Z",
            "2026-11-24T24:00:00Z",
            "2026-11-24T03:00:00.xZ",
            "2026-11-2éT03:00:0Z",
            "+026-11-24T03:00:00Z",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn every_instant_is_read_back(millis in -62_135_596_800_000_i64..253_402_300_800_000) {
            let at = Timestamp::from_millis(millis);
            prop_assert_eq!(parse(&format(at)), Some(at));
        }

        #[test]
        fn no_text_panics(text in "\\PC{0,40}") {
            let _ = parse(&text);
        }
    }
}
