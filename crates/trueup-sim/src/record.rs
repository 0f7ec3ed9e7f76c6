//! What the pages of a run were told and what they did, step by step: for whoever wants to tell the
//! same to another build of the client, and see it do the same.

use std::collections::BTreeMap;

use trueup_core::client::{Begun, Event, Request, Saved};
use trueup_core::view::View;
use trueup_core::{Charge, OperationId, Timestamp};

use crate::design::Input;

/// Hears of every step.
pub trait Recorder {
    /// A page is loaded, over what was kept there before: by account and actor.
    fn loaded(&mut self, tab: usize, kept: &BTreeMap<(usize, u8), Saved>);
    /// Something happened on a page, and its client did something.
    fn step(&mut self, step: Step<'_>);
    /// A page died while its client was at work.
    fn died(&mut self, tab: usize);
}

/// Something happened on a page, and its client did something.
#[derive(Debug)]
pub struct Step<'a> {
    /// On which page.
    pub tab: usize,
    /// What the device's clock said.
    pub clock: Timestamp,
    /// Who looks at it: account and actor.
    pub who: Option<(usize, u8)>,
    /// What happened.
    pub act: &'a Act,
    /// What the app was told: corrections and ends.
    pub told: &'a [Event],
    /// What the user sees.
    pub view: &'a View,
    /// What was sent.
    pub requests: &'a [Request],
    /// What was kept, when anything was.
    pub kept: Option<&'a Saved>,
}

/// What happens on a page.
#[derive(Clone, Debug)]
pub enum Act {
    /// It was told something.
    Told(Input),
    /// The user began something; nothing came of it when too much was undecided.
    Began(OperationId, Charge, Option<Begun>),
}

/// A step that is being taken.
#[derive(Debug)]
pub(crate) struct Taking {
    pub act: Act,
    pub told: Vec<Event>,
    pub requests: Vec<Request>,
    pub kept: Option<Saved>,
}

impl Taking {
    pub(crate) fn of(act: Act) -> Self {
        Self { act, told: Vec::new(), requests: Vec::new(), kept: None }
    }
}
