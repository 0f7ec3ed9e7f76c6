//! The small world's people and things.

use trueup_core::{
    AccountId, ActorId, Charge, Enforcement, Epoch, MeterId, MeterTerms, OperationId, Timestamp,
    Units, Window,
};

/// When everything begins, by the server's clock.
pub(crate) const START: Timestamp = Timestamp::from_millis(1_795_489_200_000);

/// What is counted.
pub(crate) const METERS: [&str; 2] = ["premium", "standard"];

/// Figures of [`METERS`], in their order.
pub(crate) type Figures = [u64; 2];

/// How much of each a plan allows: the third premium message finds no room.
const LIMITS: Figures = [2, 9];

const DAY_MS: i64 = 24 * 60 * 60 * 1000;

/// The one account.
pub(crate) fn account() -> AccountId {
    named("acct")
}

/// Whose operations all of them are.
pub(crate) fn actor() -> ActorId {
    named("ann")
}

/// The one history.
pub(crate) fn epoch() -> Epoch {
    named("first")
}

/// A meter of [`METERS`].
pub(crate) fn meter(at: usize) -> MeterId {
    named(METERS.get(at).copied().unwrap_or_default())
}

/// What a premium message takes.
pub(crate) fn premium() -> Charge {
    Charge::of(meter(0), Units::from(1))
}

/// What a standard message takes.
pub(crate) fn standard() -> Charge {
    Charge::of(meter(1), Units::from(1))
}

/// An operation, by its number.
pub(crate) fn operation(number: u8) -> OperationId {
    OperationId::new_v7(START, [number; 10])
}

/// The plan, in a window that does not end.
pub(crate) fn terms() -> std::collections::BTreeMap<MeterId, MeterTerms> {
    let window = Window { start: START.plus(-DAY_MS), end: START.plus(365 * DAY_MS) };
    let term = |(at, limit): (usize, u64)| {
        let limit = Some(Units::from(u32::try_from(limit).unwrap_or(u32::MAX)));
        (meter(at), MeterTerms { limit, enforcement: Enforcement::Hard, window })
    };
    LIMITS.into_iter().enumerate().map(term).collect()
}

/// Units of each meter that a charge takes.
pub(crate) fn figures(charge: &Charge) -> Figures {
    [0, 1].map(|at| charge.units(&meter(at)).get())
}

/// Whether so much is more than the plan allows.
pub(crate) fn passes_limit(taken: Figures) -> bool {
    taken.iter().zip(LIMITS).any(|(taken, limit)| *taken > limit)
}

#[expect(clippy::panic, reason = "the names above are constants that are fit")]
fn named<T: std::str::FromStr>(text: &str) -> T {
    text.parse().unwrap_or_else(|_| panic!("{text} is no name"))
}
