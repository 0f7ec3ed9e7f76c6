//! What the user sees: snapshot and pending, always derived, never stored.

use crate::ids::{AccountId, Version};
use crate::map::Map;
use crate::meter::MeterId;
use crate::pending::Pending;
use crate::quota::{Allowance, Enforcement};
use crate::snapshot::MeterReading;
use crate::units::Units;
use crate::window::Timestamp;

/// How much the view can be relied on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Status {
    /// Nothing is known yet.
    #[default]
    Loading,
    /// Nobody is signed in: counted in the browser alone.
    Anonymous,
    /// The server answers.
    Live,
    /// The server cannot be reached: the figures are the last known ones and what was begun since.
    Offline,
}

/// The whole picture.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct View {
    /// How much it can be relied on.
    pub status: Status,
    /// Whose usage; nobody's for an anonymous visitor.
    pub account: Option<AccountId>,
    /// The version under it.
    pub version: Option<Version>,
    /// Every meter.
    pub meters: Map<MeterId, MeterView>,
}

/// One meter of the picture, in units.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct MeterView {
    /// `None` is unlimited.
    pub limit: Option<Units>,
    /// Everything that counts against the limit: settled, held and pending together.
    pub used: Units,
    /// Charged by the server.
    pub settled: Units,
    /// Set aside by the server for operations that run.
    pub held: Units,
    /// Predicted for operations that the server has not recorded yet.
    pub pending: Units,
    /// What is left; `None` is unlimited.
    pub remaining: Option<Units>,
    /// What happens at the limit.
    pub enforcement: Enforcement,
    /// When the window ends, by the server's clock; never for an anonymous visitor.
    pub resets_at: Option<Timestamp>,
    /// Whether the window has ended and the next one's figures are being fetched.
    pub resetting: bool,
}

impl MeterView {
    /// Lays what is pending over what the server said.
    pub fn new(reading: &MeterReading, pending: Units, resetting: bool) -> Self {
        Self {
            resets_at: Some(reading.window.end),
            resetting,
            ..Self::counted(reading.limit, reading.used, reading.held, pending, reading.enforcement)
        }
    }

    /// A meter without a server.
    pub fn local(limit: Units, used: Units, pending: Units) -> Self {
        Self::counted(Some(limit), used, Units::ZERO, pending, Enforcement::Hard)
    }

    fn counted(
        limit: Option<Units>,
        settled: Units,
        held: Units,
        pending: Units,
        enforcement: Enforcement,
    ) -> Self {
        let used = settled.saturating_add(held).saturating_add(pending);
        Self {
            limit,
            used,
            settled,
            held,
            pending,
            remaining: limit.map(|limit| limit.saturating_sub(used)),
            enforcement,
            resets_at: None,
            resetting: false,
        }
    }

    /// The meter as the quota decision sees it: what is pending counts.
    pub fn allowance(&self) -> Allowance {
        Allowance {
            limit: self.limit,
            taken: self.used,
            enforcement: self.enforcement,
            resets_at: self.resets_at,
        }
    }
}

/// Derives every meter of a signed-in account.
pub fn meters(
    readings: &Map<MeterId, MeterReading>,
    pending: &Pending,
    resetting: impl Fn(&MeterReading) -> bool,
) -> Map<MeterId, MeterView> {
    let derive = |(meter, reading): (&MeterId, &MeterReading)| {
        (meter.clone(), MeterView::new(reading, pending.predicted(meter), resetting(reading)))
    };
    readings.iter().map(derive).collect()
}
