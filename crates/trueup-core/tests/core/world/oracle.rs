//! What a page must show, worked out from the server's images and from what was begun on the page.
//! Nothing of the machine's own view, pending or reconcile code is called here.

use std::collections::{BTreeMap, BTreeSet};

use trueup_core::client::Event;
use trueup_core::correction::{Correction, Figures};
use trueup_core::view::{MeterView, Status, View};
use trueup_core::{Cause, Charge, Enforcement, MeterId, OperationId, OperationState, Version};

use super::backend::{Backend, Image};
use super::tab::{ACCOUNTS, Said, Tab, Who};
use crate::kit::{account, meter};

/// An operation begun on a page.
#[derive(Clone, Debug)]
pub(crate) struct Own {
    pub id: OperationId,
    pub predicted: Charge,
    /// Whether nothing of it can have left the page.
    pub unsent: bool,
    /// Whether its end was shown.
    pub ended: bool,
}

/// Why the machine was called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Why {
    /// The user began or withdrew something, or another session began: the page itself moved it.
    Page,
    /// A snapshot that goes on from where the page was.
    Next,
    /// A snapshot that is older than what the page shows, or of a history it left, or of nobody here.
    Late,
    /// Anything else.
    Other,
}

/// Checks one call of the machine, whatever it was.
pub(crate) fn check(tab: &mut Tab, backends: &[Backend], said: &Said, why: Why) {
    let view = tab.client.view().clone();
    match tab.who {
        Who::Visitor => {
            assert!(said.requests.is_empty(), "a visitor asks the server: {:?}", said.requests);
            visitor(tab, &view);
        }
        Who::Account(at, _) => signed_in(tab, at, &backends[at], &view, said),
    }
    let told = said.events.iter().filter(|event| **event == Event::ViewChanged).count();
    assert_eq!(told, usize::from(view != said.before), "told once, and only of another view");
    if why == Why::Late {
        assert_eq!(all_figures(&view), all_figures(&said.before), "a late snapshot moved the view");
        assert_eq!(view.version, said.before.version);
    }
    corrections(&view, said, why);
}

fn visitor(tab: &Tab, view: &View) {
    assert_eq!((view.status, &view.account), (Status::Anonymous, &None));
    let mut taken = BTreeMap::<&MeterId, u64>::new();
    for (meter, units) in tab.visited.iter().flat_map(|(_, charge)| charge.iter()) {
        *taken.entry(meter).or_default() += units.get();
    }
    let premium = &view.meters[&meter("premium")];
    assert_eq!(premium.used.get(), taken.get(&meter("premium")).copied().unwrap_or_default());
    assert_eq!(premium.held.get(), 0);
}

fn signed_in(tab: &mut Tab, at: usize, backend: &Backend, view: &View, said: &Said) {
    if let Some(shown) = &view.account {
        assert_eq!(*shown, account(ACCOUNTS[at]), "somebody else's account is shown");
    }
    let Some(version) = view.version else {
        assert!(view.meters.is_empty(), "figures out of nowhere: {view:?}");
        return;
    };
    let place = (place(tab), version);
    let before = tab.shown.insert(at, place);
    assert!(before.is_none_or(|before| before <= place), "fell from {before:?} to {place:?}");
    let image = backend.image(place.0, place.1);
    let own = tab.own.entry(at).or_default();
    let ended = newly_ended(own, image);
    let told: BTreeSet<_> = said.events.iter().filter_map(end).collect();
    assert_eq!(told, ended, "each end is told once, when it is shown");
    figures(view, image, own);
}

/// The number of the history that the page follows.
fn place(tab: &Tab) -> usize {
    let base = tab.client.saved().and_then(|saved| saved.base).expect("a version without a base");
    base.epoch.as_str().strip_prefix("epoch-").unwrap().parse().unwrap()
}

fn end(event: &Event) -> Option<(OperationId, OperationState, Cause)> {
    match event {
        Event::Ended { operation, state, cause } => Some((*operation, *state, *cause)),
        _ => None,
    }
}

fn newly_ended(own: &mut [Own], image: &Image) -> BTreeSet<(OperationId, OperationState, Cause)> {
    let mut ended = BTreeSet::new();
    for it in own.iter_mut().filter(|it| !it.ended) {
        if let Some(record) = image.operations.get(&it.id).filter(|record| record.state.is_end()) {
            it.ended = true;
            ended.insert((it.id, record.state, record.cause));
        }
    }
    ended
}

/// Every meter is the server's, and on top what was begun and has no record in that image.
fn figures(view: &View, image: &Image, own: &[Own]) {
    let meters: Vec<_> = image.account.meters.keys().collect();
    assert_eq!(view.meters.keys().collect::<Vec<_>>(), meters);
    for (meter, balance) in &image.account.meters {
        let undecided = own.iter().filter(|it| !it.ended && !image.operations.contains_key(&it.id));
        let pending: u64 = undecided.map(|it| it.predicted.units(meter).get()).sum();
        let used = balance.used.get() + balance.held.get() + pending;
        let limit = balance.terms.limit.map(|limit| limit.get() + balance.granted.get());
        let shown = &view.meters[meter];
        let figures = |it: &MeterView| {
            (it.settled.get(), it.held.get(), it.pending.get(), it.used.get(), it.enforcement)
        };
        let expected =
            (balance.used.get(), balance.held.get(), pending, used, balance.terms.enforcement);
        assert_eq!(figures(shown), expected, "{meter}: settled, held, pending, used; {own:?}");
        assert_eq!(shown.limit.map(trueup_core::Units::get), limit);
        let remaining = limit.map(|limit| limit.saturating_sub(used));
        assert_eq!(shown.remaining.map(trueup_core::Units::get), remaining);
        assert_eq!(shown.resets_at, Some(balance.terms.window.end));
    }
}

fn all_figures(view: &View) -> BTreeMap<&MeterId, Figures> {
    view.meters.iter().map(|(meter, it)| (meter, Figures::from(it))).collect()
}

/// Laid end to end, the corrections lead from the old view to the new one, meter by meter, unless
/// the page itself moved it.
fn corrections(view: &View, said: &Said, why: Why) {
    let told: Vec<&Correction> = said
        .events
        .iter()
        .filter_map(|event| match event {
            Event::Corrected(correction) => Some(correction),
            _ => None,
        })
        .collect();
    if why == Why::Page {
        assert!(told.is_empty(), "the page corrects itself: {told:?}");
        return;
    }
    let now = all_figures(view);
    let mut at = all_figures(&said.before);
    at.retain(|meter, _| now.contains_key(meter));
    for correction in told {
        assert!(!correction.movements.is_empty() && !correction.text.is_empty());
        assert!(!correction.text.contains(": 0 "), "{}", correction.text);
        assert!(
            why != Why::Next || correction.cause != Cause::Reset,
            "a snapshot that goes on tells why: {correction:?}"
        );
        for movement in &correction.movements {
            let at = at.get_mut(&movement.meter).expect("a meter that was not shown");
            assert_eq!(movement.before, *at, "{correction:?}");
            assert_ne!(movement.before, movement.after, "no movement: {correction:?}");
            *at = movement.after;
        }
    }
    for (meter, figures) in at {
        assert_eq!(figures, now[meter], "{meter} moved without a cause");
    }
}

/// Whether the plan would let it through, as far as the page can see.
pub(crate) fn expects_refusal(view: &View, charge: &Charge) -> bool {
    !view.meters.is_empty()
        && charge.iter().any(|(meter, asked)| match view.meters.get(meter) {
            None => true,
            Some(it) => {
                let hard = it.enforcement == Enforcement::Hard;
                hard && it.remaining.is_some_and(|remaining| remaining < asked)
            }
        })
}

/// Nothing is left open, and the page shows what the server has.
pub(crate) fn converged(tab: &Tab, at: usize, newest: (usize, Version)) {
    assert_eq!(tab.client.view().status, Status::Live);
    assert_eq!(tab.shown.get(&at), Some(&newest), "{:?}", tab.client);
    assert_eq!(tab.client.saved().unwrap().pending, [], "left undecided: {:?}", tab.client);
}
