//! What a page tells of its corrections: how often its view was corrected, by cause.
//!
//! It travels as a header of a poll, `Trueup-Corrections: fallback=2,hold_expired=1`. In the words
//! of RFC 9110, with no white space anywhere:
//!
//! ```text
//! report = entry *( "," entry )     ; at most 16, each cause once
//! entry  = cause "=" count
//! cause  = the word of a cause in snapshots
//! count  = 1 to 1000, in decimal digits without a leading zero
//! ```

use trueup_core::Cause;

/// The most that one report tells of one cause.
pub const MOST_CORRECTIONS: u16 = 1000;

/// Reads a report. `None` for what is not exactly one: it is only a measure, and who cannot be
/// understood is better not counted than counted wrong.
pub fn read(text: &str) -> Option<Vec<(Cause, u16)>> {
    let mut report: Vec<(Cause, u16)> = Vec::new();
    // Every cause is there once at most, so there are never more entries than causes.
    for entry in text.split(',') {
        let (word, count) = entry.split_once('=')?;
        let cause = Cause::from_word(word)?;
        if report.iter().any(|(told, _)| *told == cause) {
            return None;
        }
        report.push((cause, number(count)?));
    }
    Some(report)
}

fn number(text: &str) -> Option<u16> {
    let is_plain = text.bytes().all(|it| it.is_ascii_digit()) && !text.starts_with('0');
    let number = text.parse().ok().filter(|_| is_plain)?;
    (number <= MOST_CORRECTIONS).then_some(number)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use trueup_core::Cause;

    use super::read;

    #[test]
    fn a_report_is_read_as_it_is_written() {
        let cases: [(&str, &[(Cause, u16)]); 3] = [
            ("fallback=2", &[(Cause::Fallback, 2)]),
            ("hold_expired=1,fallback=1000", &[(Cause::HoldExpired, 1), (Cause::Fallback, 1000)]),
            ("reset=10", &[(Cause::Reset, 10)]),
        ];
        for (text, report) in cases {
            assert_eq!(read(text).as_deref(), Some(report), "{text}");
        }
    }

    #[test]
    fn what_is_no_report_is_ignored_whole() {
        for text in [
            "",
            ",",
            "fallback",
            "fallback=",
            "=1",
            "fallback=0",
            "fallback=01",
            "fallback=+1",
            "fallback=-1",
            "fallback=1.0",
            "fallback=1001",
            "fallback=65537",
            "fallback=99999999999999999999",
            "fallback=1=2",
            "fallback=\u{661}",
            "Fallback=1",
            "unheard_of=1",
            " fallback=1",
            "fallback=1 ",
            "fallback=1, reset=1",
            "fallback=1;reset=1",
            "fallback=1,",
            ",fallback=1",
            "fallback=1,,reset=1",
            "fallback=1,fallback=1",
            "fallback=1,unheard_of=1",
            "fallback=1,reset=0",
        ] {
            assert_eq!(read(text), None, "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn every_cause_can_be_told(counts in prop::collection::vec(1_u16..=1000, Cause::ALL.len())) {
            let report: Vec<_> = Cause::ALL.into_iter().zip(counts).collect();
            let entries: Vec<_> =
                report.iter().map(|(cause, count)| format!("{}={count}", cause.as_str())).collect();
            prop_assert_eq!(read(&entries.join(",")), Some(report));
        }

        #[test]
        fn nothing_makes_it_fall(text in ".{0,80}") {
            let _ = read(&text);
        }
    }
}
