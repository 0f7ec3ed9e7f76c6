//! A history to be read: one line an event.

use crate::audit::history::{Cause, Event, Op, Place, Read, Seen, Shown, State};
use crate::border::meter_name;

/// One line for one event.
pub fn line(at: i64, event: &Event) -> String {
    format!("{} {}", stamp(at), words(event))
}

fn stamp(at: i64) -> String {
    let (seconds, millis) = (at / 1000, at % 1000);
    let (hours, minutes) = (seconds / 3600, seconds / 60 % 60);
    format!("{hours:4}:{minutes:02}:{:02}.{millis:03}", seconds % 60)
}

fn amounts(amounts: &[(u8, u64)]) -> String {
    if amounts.is_empty() {
        return "nothing".to_owned();
    }
    let each = amounts.iter().map(|(meter, units)| format!("{units} {}", meter_name(*meter)));
    each.collect::<Vec<_>>().join(" + ")
}

fn place((epoch, version): &Place) -> String {
    format!("{epoch}/{version}")
}

fn meter(seen: &Seen) -> String {
    let figures = &seen.figures;
    let limit = figures.limit.map_or_else(|| "∞".to_owned(), |limit| limit.to_string());
    let (used, held, pending) = (figures.used, figures.held, seen.pending);
    format!("{} {used}+{held}+{pending} of {limit}", meter_name(figures.meter))
}

fn ends(ended: &[(Op, State, Cause)]) -> String {
    let each = ended.iter().map(|(op, state, cause)| format!(", op {op} {state:?} ({cause})"));
    each.collect::<String>().to_lowercase()
}

fn words(event: &Event) -> String {
    match event {
        Event::Planned { account, plan } => format!("account {account} plan {plan:?}"),
        Event::Aligned { account, epoch, entry, .. } => {
            let at = place(&(*epoch, entry.version));
            format!("account {account} at {at}: {} {:?}", entry.kind, entry.terms)
        }
        Event::Decided { account, epoch, command, outcome, entry, .. } => {
            let at = entry.as_ref().map(|entry| format!(" at {}", place(&(*epoch, entry.version))));
            let (op, kind) = (command.op, &command.kind);
            format!("account {account}{}: op {op} {kind:?}: {outcome:?}", at.unwrap_or_default())
        }
        Event::Restored { epoch, from, versions } => {
            format!("database restored to {versions:?} of history {from}: history {epoch}")
        }
        Event::Pruned { account, op, .. } => {
            format!("account {account}: record of op {op} deleted")
        }
        Event::Swept { .. } => "nothing is due".to_owned(),
        Event::ByHand { op } => format!("a backend begins op {op}"),
        Event::Unchanged { known, .. } => format!("nothing newer than {}", place(known)),
        Event::Read(read) => read_words(read),
        Event::Shown(shown) => shown_words(shown),
        page => page_words(page),
    }
}

fn read_words(read: &Read) -> String {
    let Read { account, actor, since, .. } = read;
    let at = place(&(read.epoch, read.version));
    let reset = if read.reset { ", reset" } else { "" };
    let each = read.outcomes.iter().map(|(op, it)| {
        let (asked, counted) = (amounts(&it.requested), amounts(&it.counted));
        let (state, cause) = (it.state, it.cause);
        format!(", op {op} {state:?} ({cause}) at {}: {asked}, counts {counted}", it.version)
    });
    let operations: String = each.collect();
    let each = read.changes.iter().map(|it| {
        format!(", {} at {}: {:+} {}", it.cause, it.version, it.units, meter_name(it.meter))
    });
    let changes: String = each.collect();
    format!(
        "account {account} read for actor {actor}: {at} since {since}{reset}{operations}{changes}"
    )
}

fn shown_words(shown: &Shown) -> String {
    let at = shown.place.as_ref().map_or_else(|| "-".to_owned(), place);
    let is_over = |it: &&Seen| shown.resetting.contains(&it.figures.meter);
    let meters: Vec<_> = shown.meters.iter().map(meter).collect();
    let over = shown.meters.iter().filter(is_over).map(|it| meter_name(it.figures.meter));
    let over: String = over.map(|name| format!(", {name} is resetting")).collect();
    format!("page {} shows {at}: {}{over}{}", shown.tab, meters.join(", "), ends(&shown.ended))
}

fn page_words(event: &Event) -> String {
    match event {
        Event::Opened { tab, account, actor, kept } => {
            let from = if *kept { "what was kept" } else { "nothing" };
            format!("page {tab} opens for actor {actor} of account {account}, from {from}")
        }
        Event::Visited { tab, used, .. } => {
            format!("a visitor looks at page {tab}, and used {} before", amounts(used))
        }
        Event::EndedAlone { tab, op, well } => {
            let how = if *well { "well" } else { "badly" };
            format!("op {op} of page {tab} ends {how}, and no server knows")
        }
        Event::AskedAlone { tab } => format!("page {tab} asks, and nobody is signed in"),
        Event::Copied { from, to } => format!("page {to} is a copy of page {from}"),
        Event::Left { tab } => format!("page {tab} is left"),
        Event::Began { tab, op, asked, predicted, refusal } => {
            let refused = refusal.map_or_else(String::new, |it| format!(", {it:?}"));
            let (asked, predicted) = (amounts(asked), amounts(predicted));
            format!("page {tab} begins op {op}: {asked}, predicts {predicted}{refused}")
        }
        Event::Withdrawn { tab, op } => format!("page {tab} withdraws op {op}"),
        Event::Kept { tab } => format!("page {tab} keeps its state"),
        Event::Leaving { tab, op } => format!("page {tab} is about to send op {op}"),
        Event::Sent { tab, op } => format!("page {tab} sends op {op}"),
        Event::Broke { tab, op } => format!("the reply to op {op} broke on page {tab}"),
        Event::Heard { tab, op } => format!("page {tab} hears of op {op}"),
        Event::Failed { tab, retry_after } => {
            format!("page {tab} got no answer, and is to wait {retry_after} ms")
        }
        Event::ClockSet { tab } => format!("the clock of page {tab} is set"),
        Event::Dozes { tab, until } => {
            format!("the timer of page {tab} may be late, until {}", stamp(*until).trim_start())
        }
        Event::GivenUp { tab, op } => format!("page {tab} gives op {op} up"),
        Event::Received { tab, account, place: at, .. } => {
            format!("page {tab} receives {} of account {account}", place(at))
        }
        Event::FaultsStopped { .. } => "faults stop".to_owned(),
        Event::Listening { tab } => format!("page {tab} listens"),
        Event::Judged => "every page must be right".to_owned(),
        Event::Undecided { tab, ops } => format!("page {tab} has undecided {ops:?}"),
        other => format!("{other:?}"),
    }
}
