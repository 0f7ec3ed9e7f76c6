//! RFC 3339 instants in UTC. Written by hand because a calendar library would outweigh the whole
//! browser module; offsets other than `Z` never travel.

use trueup_core::Timestamp;

use crate::text;

const DAY_MS: i64 = 86_400_000;

/// Where the digits of year, month, day, hour, minute and second stand.
const SHAPE: &[u8; 19] = b"0000-11-22T33:44:55";

/// `2026-11-24T03:00:00Z`, with milliseconds only when there are some.
pub fn format(at: Timestamp) -> String {
    let (days, ms) = (at.millis().div_euclid(DAY_MS), at.millis().rem_euclid(DAY_MS));
    let (year, month, day) = civil_from_days(days);
    let mut out = String::with_capacity(24);
    text::write(&mut out, year.unsigned_abs(), 1000);
    for (before, field) in [
        ('-', month),
        ('-', day),
        ('T', ms / 3_600_000),
        (':', ms / 60_000 % 60),
        (':', ms / 1000 % 60),
    ] {
        out.push(before);
        text::write(&mut out, field.unsigned_abs(), 10);
    }
    if ms % 1000 != 0 {
        out.push('.');
        text::write(&mut out, (ms % 1000).unsigned_abs(), 100);
    }
    out.push('Z');
    out
}

/// Reads what [`format`] writes, and any other number of fraction digits. `None` for all else.
pub fn parse(text: &str) -> Option<Timestamp> {
    let (whole, fraction) = text.strip_suffix('Z')?.as_bytes().split_at_checked(SHAPE.len())?;
    let mut fields = [0_i64; 6];
    for (byte, shape) in whole.iter().zip(SHAPE) {
        match fields.get_mut(usize::from(shape.wrapping_sub(b'0'))) {
            Some(field) => *field = *field * 10 + digit(*byte)?,
            None if byte == shape => {}
            None => return None,
        }
    }
    let [year, month, day, hour, minute, second] = fields;
    if !(1..=12).contains(&month) || day < 1 || hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let days = days_from_civil(year, month, day);
    if civil_from_days(days) != (year, month, day) {
        return None;
    }
    let mut ms = 0;
    if !fraction.is_empty() {
        let mut unit = 100;
        for byte in fraction.strip_prefix(b".")? {
            ms += digit(*byte)? * unit;
            unit /= 10;
        }
    }
    Some(Timestamp::from_millis(
        days * DAY_MS + hour * 3_600_000 + minute * 60_000 + second * 1000 + ms,
    ))
}

fn digit(byte: u8) -> Option<i64> {
    char::from(byte).to_digit(10).map(i64::from)
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
            "2026-11-24T03:00:00,5Z",
            "2026-11-24 03:00:00Z",
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
