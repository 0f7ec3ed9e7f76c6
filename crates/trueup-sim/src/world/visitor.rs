//! People whom no server knows: a page counts what they do alone, until they sign in.

use trueup_core::{Map, MeterId, OperationId, Units};

use super::World;
use super::tab::small;
use crate::audit::history::Event;
use crate::border;
use crate::design::Input;
use crate::report::Sometimes;

/// What the app lets a visitor have, by meter.
const LIMITS: [(u8, u64); 3] = [(0, 3), (1, 10), (2, 200)];

/// A visitor's limits, as the page is told them.
pub fn limits() -> Map<MeterId, Units> {
    border::charge(&LIMITS).iter().map(|(meter, units)| (meter.clone(), units)).collect()
}

impl World<'_> {
    /// Whoever was signed in leaves; what is under way for them goes on.
    pub(super) fn sign_out(&mut self, tab: usize) {
        self.fault("sign out");
        self.tabs[tab].who = None;
        self.tabs[tab].unsent.clear();
        self.tabs[tab].fences = None;
        self.note(Event::Left { tab: small(tab) });
        self.visit(tab);
    }

    /// A visitor's session begins, from what visitors of this browser used before.
    pub(super) fn visit(&mut self, tab: usize) {
        let device = self.tabs[tab].device;
        let used = self.devices[device].visited.clone();
        let told = used.iter().map(|(meter, units)| (border::meter(meter), units.get()));
        self.reach(if used.is_empty() { Sometimes::Visited } else { Sometimes::VisitedAgain });
        self.note(Event::Visited {
            tab: small(tab),
            device: small(device),
            limits: LIMITS.to_vec(),
            used: told.collect(),
        });
        self.tell(tab, Input::Visitor(used));
    }

    /// The reply to what a visitor sent is over. They may have signed in meanwhile.
    pub(super) fn end_alone(&mut self, tab: usize, page: u32, id: OperationId, well: bool) {
        if self.tabs[tab].page != page || !self.tabs[tab].is_open {
            return;
        }
        self.reach(match self.tabs[tab].who {
            None => Sometimes::CountedAlone,
            Some(_) => Sometimes::SignedInMeanwhile,
        });
        self.note(Event::EndedAlone { tab: small(tab), op: border::op(id), well });
        self.tell(tab, if well { Input::Finished(id) } else { Input::Failed(id) });
    }

    /// What a visitor used is kept for every page of the browser.
    pub(super) fn keep_visit(&mut self, tab: usize) {
        let device = self.tabs[tab].device;
        if let Some(used) = self.tabs[tab].design.used_alone() {
            self.devices[device].visited = used;
            self.note(Event::Kept { tab: small(tab) });
        }
    }
}
