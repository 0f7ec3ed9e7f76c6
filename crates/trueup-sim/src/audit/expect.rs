//! What a command must come to, by the protocol's text.

use std::collections::BTreeMap;

use super::book::{ACCEPTED_AHEAD_MS, ACCEPTED_FOR_MS, Book, Record};
use super::history::{Amounts, Cause, Command, CommandKind, Denial, Meter, Ms, Outcome, State};

/// (meter, window) -> (used, held, granted).
pub(super) type Moves = BTreeMap<(Meter, u64), (i64, i64, i64)>;

/// How a command must come out.
pub(super) struct Expected {
    pub outcome: Outcome,
    pub kind: &'static str,
    pub moves: Moves,
    /// The operation afterwards, when anything is written.
    pub record: Option<Record>,
}

impl CommandKind {
    /// Whose action it is, where it says so.
    pub(super) fn actor(&self) -> Option<u8> {
        match self {
            Self::Hold(actor, ..) | Self::Fence(actor) => Some(*actor),
            _ => None,
        }
    }
}

fn plain(outcome: Outcome) -> Expected {
    Expected { outcome, kind: "", moves: Moves::new(), record: None }
}

fn rejected(why: &'static str) -> Expected {
    plain(Outcome::Rejected(why))
}

impl Book {
    pub(super) fn expect(&self, clock: Ms, command: &Command) -> Expected {
        let known = self.records.get(&command.op).filter(|record| !record.pruned);
        if known.is_some_and(|it| it.is_grant != matches!(command.kind, CommandKind::Grant(..))) {
            return rejected("conflict");
        }
        let age = clock - command.made_at;
        // A fence must hold once the id that is ahead now is accepted.
        let fences = matches!(command.kind, CommandKind::Fence(_));
        let ahead = if fences { ACCEPTED_FOR_MS } else { ACCEPTED_AHEAD_MS };
        let unacceptable = match age {
            _ if age > ACCEPTED_FOR_MS => Some("too_old"),
            _ if age < -ahead => Some("from_future"),
            _ => None,
        };
        match (&command.kind, known) {
            (CommandKind::Hold(actor, asked, content, expires_at), None) => match unacceptable {
                Some(why) => rejected(why),
                None => self.expect_hold(command, *actor, asked, (*content, *expires_at)),
            },
            (CommandKind::Hold(actor, asked, content, _), Some(record)) => {
                let same =
                    record.actor == *actor && record.asked == *asked && record.content == *content;
                match record.state {
                    State::Fenced if record.actor == *actor => rejected("fenced"),
                    _ if same => plain(Outcome::Replayed),
                    _ => rejected("conflict"),
                }
            }
            (CommandKind::Fence(actor), Some(record)) => match record.state {
                _ if record.actor != *actor => rejected("conflict"),
                State::Held => rejected("held"),
                _ => plain(Outcome::Replayed),
            },
            (CommandKind::Fence(actor), None) => match unacceptable {
                Some(why) => rejected(why),
                None => {
                    let state = (State::Fenced, "never_arrived");
                    let record = fresh(command, *actor, &[], (0, 0), state);
                    changed("fence", Moves::new(), record)
                }
            },
            (CommandKind::Grant(actor, units), Some(record)) => {
                if record.actor == *actor && record.asked == *units {
                    plain(Outcome::Replayed)
                } else {
                    rejected("conflict")
                }
            }
            (CommandKind::Grant(actor, units), None) => match unacceptable {
                Some(why) => rejected(why),
                None => self.expect_grant(command, *actor, units),
            },
            (_, None) => rejected("unknown"),
            (kind, Some(record)) if record.state == State::Held => {
                self.expect_open(clock, kind, record)
            }
            (kind, Some(record)) => expect_ended(kind, record),
        }
    }

    fn expect_hold(
        &self,
        command: &Command,
        actor: u8,
        asked: &[(Meter, u64)],
        content_and_expiry: (u8, Ms),
    ) -> Expected {
        if !self.has_meters(asked, &[]) {
            return rejected("unknown_meter");
        }
        if let Some(denial) = self.denial(asked, &[]) {
            let state = (State::Refused, "limit_reached");
            let record = fresh(command, actor, asked, content_and_expiry, state);
            let outcome = Outcome::Refused(denial);
            return Expected { outcome, ..changed("refuse", Moves::new(), record) };
        }
        let state = (State::Held, "admitted");
        let mut record = fresh(command, actor, asked, content_and_expiry, state);
        record.holds = self.set_aside(asked);
        let moves = record
            .holds
            .iter()
            .map(|(meter, window, units)| ((*meter, *window), (0, signed(*units), 0)));
        changed("hold", moves.collect(), record.clone())
    }

    fn expect_grant(&self, command: &Command, actor: u8, units: &[(Meter, u64)]) -> Expected {
        if !self.has_meters(units, &[]) {
            return rejected("unknown_meter");
        }
        let mut record = fresh(command, actor, units, (0, 0), (State::Settled, "grant"));
        record.is_grant = true;
        let moves = self.set_aside(units);
        let moves = moves
            .into_iter()
            .map(|(meter, window, units)| ((meter, window), (0, 0, signed(units))));
        changed("grant", moves.collect(), record)
    }

    fn expect_open(&self, clock: Ms, kind: &CommandKind, record: &Record) -> Expected {
        match kind {
            CommandKind::Rehold(asked) => {
                if record.counted() == *asked {
                    return plain(Outcome::Replayed);
                }
                if !self.has_meters(asked, &[]) {
                    return rejected("unknown_meter");
                }
                if self.denial(asked, &record.holds).is_some() {
                    return rejected("refused");
                }
                let (holds, cause) = (self.set_aside(asked), "fallback");
                let moved = Record { holds, cause, ..record.clone() };
                let mut moves = given_back(record);
                for (meter, window, units) in &moved.holds {
                    moves.entry((*meter, *window)).or_default().1 += signed(*units);
                }
                changed("hold", moves, moved)
            }
            CommandKind::Extend(until) if *until <= record.expires_at => plain(Outcome::Replayed),
            CommandKind::Extend(until) => {
                let record = Record { expires_at: *until, ..record.clone() };
                changed("extend", Moves::new(), record)
            }
            CommandKind::Settle(charge, content, cause) => {
                if !self.has_meters(charge, &record.holds) {
                    return rejected("unknown_meter");
                }
                let ended = Record { settled_content: Some(*content), ..record.clone() };
                let cause = cause.unwrap_or_else(|| settled_since(&record.asked, charge));
                self.end(&ended, (State::Settled, cause), "settle", charge)
            }
            CommandKind::Release(cause) => {
                self.end(record, (State::Released, cause), "release", &[])
            }
            CommandKind::Expire(_) if record.expires_at > clock => plain(Outcome::Replayed),
            CommandKind::Expire(charged) => {
                let charge = if *charged { record.counted() } else { Amounts::new() };
                self.end(record, (State::Expired, "hold_expired"), "expire", &charge)
            }
            CommandKind::Hold(..) | CommandKind::Fence(_) | CommandKind::Grant(..) => {
                rejected("conflict")
            }
        }
    }

    /// A charge counts in the window that its units were held in.
    fn end(
        &self,
        record: &Record,
        (state, cause): (State, Cause),
        kind: &'static str,
        charge: &[(Meter, u64)],
    ) -> Expected {
        let mut moves = given_back(record);
        for (meter, units) in charge {
            let held_in = record.holds.iter().find(|(held, _, _)| held == meter);
            let window = held_in.map_or_else(|| self.window(*meter), |(_, window, _)| *window);
            moves.entry((*meter, window)).or_default().0 += signed(*units);
        }
        let charged = charge.to_vec();
        let ended = Record { state, cause, charged, holds: Vec::new(), ..record.clone() };
        changed(kind, moves, ended)
    }

    fn has_meters(&self, asked: &[(Meter, u64)], held: &[(Meter, u64, u64)]) -> bool {
        asked.iter().all(|(meter, _)| {
            self.gauges.iter().any(|gauge| gauge.meter == *meter)
                || held.iter().any(|(held, _, _)| held == meter)
        })
    }

    /// The first meter that has no room once `given_back` is.
    fn denial(&self, asked: &[(Meter, u64)], given_back: &[(Meter, u64, u64)]) -> Option<Denial> {
        asked.iter().find_map(|(meter, units)| {
            let (meter, asked) = (*meter, *units);
            let Some(gauge) = self.gauges.iter().find(|gauge| gauge.meter == meter) else {
                return Some(Denial { meter, asked, remaining: 0, resets_at: None });
            };
            let back = given_back
                .iter()
                .filter(|(meter, window, _)| (*meter, *window) == (gauge.meter, gauge.window));
            let back: u64 = back.map(|(_, _, units)| units).sum();
            let taken = gauge.used + gauge.held - back;
            let limit = gauge.limit().filter(|limit| gauge.terms.hard && taken + asked > *limit)?;
            let (remaining, resets_at) = (limit.saturating_sub(taken), Some(gauge.terms.end));
            Some(Denial { meter, asked, remaining, resets_at })
        })
    }

    fn set_aside(&self, asked: &[(Meter, u64)]) -> Vec<(Meter, u64, u64)> {
        asked.iter().map(|(meter, units)| (*meter, self.window(*meter), *units)).collect()
    }

    fn window(&self, meter: Meter) -> u64 {
        self.gauges.iter().find(|gauge| gauge.meter == meter).map_or(0, |gauge| gauge.window)
    }
}

fn expect_ended(kind: &CommandKind, record: &Record) -> Expected {
    match (kind, record.state) {
        (CommandKind::Settle(charge, content, _), State::Settled) => {
            if record.charged == *charge && record.settled_content == Some(*content) {
                plain(Outcome::Replayed)
            } else {
                rejected("conflict")
            }
        }
        (CommandKind::Release(_), State::Released) | (CommandKind::Expire(_), _) => {
            plain(Outcome::Replayed)
        }
        (_, State::Fenced) => rejected("fenced"),
        _ => rejected("ended"),
    }
}

/// Why a charge is what it is, when nobody says: another meter than asked for is another model's,
/// less or more of the same is what was used.
fn settled_since(asked: &[(Meter, u64)], charge: &[(Meter, u64)]) -> Cause {
    let is_asked = |(meter, _): &(Meter, u64)| asked.iter().any(|(known, _)| known == meter);
    match () {
        () if asked == charge => "finished",
        () if charge.iter().all(is_asked) => "metered",
        () => "fallback",
    }
}

fn changed(kind: &'static str, moves: Moves, record: Record) -> Expected {
    let moves = moves.into_iter().filter(|(_, moved)| *moved != (0, 0, 0)).collect();
    Expected { outcome: Outcome::Changed, kind, moves, record: Some(record) }
}

fn given_back(record: &Record) -> Moves {
    let back =
        |(meter, window, units): &(Meter, u64, u64)| ((*meter, *window), (0, -signed(*units), 0));
    record.holds.iter().map(back).collect()
}

fn fresh(
    command: &Command,
    actor: u8,
    asked: &[(Meter, u64)],
    (content, expires_at): (u8, Ms),
    (state, cause): (State, Cause),
) -> Record {
    Record {
        actor,
        made_at: command.made_at,
        asked: asked.to_vec(),
        content,
        settled_content: None,
        is_grant: false,
        state,
        cause,
        holds: Vec::new(),
        charged: Amounts::new(),
        expires_at,
        log: Vec::new(),
        pruned: false,
    }
}

fn signed(units: u64) -> i64 {
    units.cast_signed()
}
