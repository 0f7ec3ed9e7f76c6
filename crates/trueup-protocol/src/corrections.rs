//! What a page tells of its corrections: each by its cause.
//!
//! It travels as a parameter of a poll, `corrected=fallback,hold_expired,fallback,`: the words of
//! causes in snapshots, each as often as it happened and with a comma after it; the last one may do
//! without. At most 100.

use trueup_core::Cause;

/// The most corrections that one report tells of.
pub const MOST_CORRECTIONS: usize = 100;

/// Reads a report. `None` for what is not exactly one: it is only a measure, and who cannot be
/// understood is better not counted than counted wrong.
pub fn read(text: &str) -> Option<Vec<Cause>> {
    let words = text.strip_suffix(',').unwrap_or(text).split(',');
    let report: Option<Vec<Cause>> =
        words.take(MOST_CORRECTIONS + 1).map(Cause::from_word).collect();
    report.filter(|report| report.len() <= MOST_CORRECTIONS)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use trueup_core::Cause;

    use super::{MOST_CORRECTIONS, read};

    #[test]
    fn a_report_is_read_as_it_is_written() {
        let cases: [(&str, &[Cause]); 4] = [
            ("fallback", &[Cause::Fallback]),
            ("fallback,", &[Cause::Fallback]),
            ("hold_expired,fallback,", &[Cause::HoldExpired, Cause::Fallback]),
            ("fallback,fallback", &[Cause::Fallback, Cause::Fallback]),
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
            ",,",
            "Fallback",
            "unheard_of",
            " fallback",
            "fallback ",
            "fallback, reset",
            "fallback;reset",
            ",fallback",
            "fallback,,reset",
            "fallback,,",
            "fallback,unheard_of",
            "fallback=1",
            "\u{661}",
        ] {
            assert_eq!(read(text), None, "{text:?}");
        }
        assert_eq!(read(&"reset,".repeat(MOST_CORRECTIONS)).unwrap().len(), MOST_CORRECTIONS);
        assert_eq!(read(&"reset,".repeat(MOST_CORRECTIONS + 1)), None);
    }

    proptest! {
        #[test]
        fn every_cause_can_be_told(causes in prop::sample::subsequence(&Cause::ALL[..], 1..=Cause::ALL.len())) {
            let words: Vec<_> = causes.iter().map(|cause| cause.as_str()).collect();
            prop_assert_eq!(read(&words.join(",")), Some(causes));
        }

        #[test]
        fn nothing_makes_it_fall(text in ".{0,80}") {
            let _ = read(&text);
        }
    }
}
