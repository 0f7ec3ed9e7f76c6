//! What a correction says to the user.

use super::{Movement, Reason};
use crate::meter::MeterId;
use crate::operation::Cause;

pub(super) fn sentence(reason: &Reason, movement: &Movement) -> String {
    let (before, after) = (movement.before, movement.after);
    let moved = after.used.signed() - before.used.signed();
    let units = moved.unsigned_abs();
    let amount = amount(&movement.meter, units);
    let returned = moved < 0;
    let all = plural(&movement.meter);
    let why = match reason.cause {
        Cause::Grant => return granted(movement),
        Cause::WindowReset => {
            return say(&["A new period began: your ", &all, " were renewed."]);
        }
        Cause::PlanChanged => return say(&["Your plan changed: so did your ", &all, "."]),
        // Where only a limit moved, nothing was used or returned.
        _ if units == 0 => return "Your usage was brought up to date with the server.".to_owned(),
        Cause::Reset => return "Your usage was brought up to date with the server.".to_owned(),
        Cause::OtherDevice if returned => {
            return say(&["Given back on another device: ", &amount, "."]);
        }
        Cause::OtherDevice => return say(&["Used on another device: ", &amount, "."]),
        Cause::Metered if returned => {
            return say(&["The reply took ", &amount, " less than estimated."]);
        }
        Cause::Metered => return say(&["The reply took ", &amount, " more than estimated."]),
        Cause::Admitted | Cause::Finished if returned => {
            return say(&["That took ", &amount, " less than estimated."]);
        }
        Cause::Admitted | Cause::Finished => {
            // What was estimated at nothing had been expected to be refused.
            if reason.counted.units(&movement.meter).get() > units {
                return say(&["That took ", &amount, " more than estimated."]);
            }
            "There was room after all".to_owned()
        }
        Cause::Fallback => match model_class(reason, &movement.meter) {
            Some(class) => say(&["Answered by ", article(class), " ", class, " model"]),
            None => "Answered by another model".to_owned(),
        },
        Cause::Aborted => "It ended before the reply began".to_owned(),
        Cause::ProviderFailed => "The reply failed".to_owned(),
        Cause::Cancelled => "The request was cancelled".to_owned(),
        Cause::Shutdown => "The server stopped during the reply".to_owned(),
        Cause::HoldExpired => "The reply never ended".to_owned(),
        Cause::LimitReached => "The limit was reached before this message".to_owned(),
        Cause::NeverArrived => "The message never arrived".to_owned(),
    };
    match (returned, units) {
        (true, 1) => say(&[&why, ": your ", &singular(&movement.meter), " was returned."]),
        (true, _) => say(&[&why, ": ", &amount, " were returned."]),
        (false, 1) => say(&[&why, ": ", &amount, " was used."]),
        (false, _) => say(&[&why, ": ", &amount, " were used."]),
    }
}

fn granted(movement: &Movement) -> String {
    match (movement.before.limit, movement.after.limit) {
        (Some(before), Some(after)) if after > before => {
            say(&["You were given ", &amount(&movement.meter, after.get() - before.get()), "."])
        }
        _ => say(&["Your ", &plural(&movement.meter), " were topped up."]),
    }
}

/// The class of model that answered, read from what was charged: `standard_messages` is a
/// standard model's.
fn model_class<'a>(reason: &'a Reason, moved: &MeterId) -> Option<&'a str> {
    let (meter, _) = reason.counted.iter().find(|(meter, _)| *meter != moved)?;
    meter.as_str().strip_suffix("_messages").filter(|class| !class.bytes().any(|it| it == b'_'))
}

fn article(word: &str) -> &'static str {
    if matches!(word.as_bytes(), [b'a' | b'e' | b'i' | b'o' | b'u', ..]) { "an" } else { "a" }
}

fn amount(meter: &MeterId, units: u64) -> String {
    let name = if units == 1 { singular(meter) } else { plural(meter) };
    say(&[&digits(units), " ", &name])
}

/// Joins parts of a sentence. Not with `format!`, whose machinery nothing else in a page needs.
fn say(parts: &[&str]) -> String {
    let mut text = String::new();
    for part in parts {
        text.push_str(part);
    }
    text
}

fn digits(number: u64) -> String {
    let mut text = if number < 10 { String::new() } else { digits(number / 10) };
    text.extend(u32::try_from(number % 10).ok().and_then(|digit| char::from_digit(digit, 10)));
    text
}

fn plural(meter: &MeterId) -> String {
    meter.as_str().chars().map(|letter| if letter == '_' { ' ' } else { letter }).collect()
}

fn singular(meter: &MeterId) -> String {
    let name = plural(meter);
    name.strip_suffix('s').map_or(name.clone(), str::to_owned)
}
