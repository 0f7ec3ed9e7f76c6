//! What must be true at every moment, worked out without the client's own view, pending or
//! reconcile code.

use crate::names::{self, Figures};
use crate::tab::Tab;
use crate::world::World;

/// The first law that the world breaks.
pub(crate) fn broken(world: &World) -> Option<&'static str> {
    let wrong = |tab: &Tab| tab.broken.or_else(|| shows_wrong(world, tab));
    world.server.broken.or_else(|| world.tabs.iter().find_map(|tab| wrong(tab)))
}

/// What a page shows is the image of its version, and what was begun on it that this image does
/// not know.
fn shows_wrong(world: &World, tab: &Tab) -> Option<&'static str> {
    let view = tab.client.view();
    let Some(version) = view.version else {
        return (!view.meters.is_empty()).then_some("a page shows figures of no version");
    };
    let Some(image) = world.server.image(version) else {
        return Some("a page shows a version that never was");
    };
    let mut expected = image.taken;
    for own in tab.own.iter().filter(|own| !image.recorded.contains(&own.id)) {
        expected = sum(expected, own.predicted);
    }
    (shown(tab) != expected).then_some("a page shows a wrong number")
}

pub(crate) fn shown(tab: &Tab) -> Figures {
    let meters = &tab.client.view().meters;
    [0, 1].map(|at| meters.get(&names::meter(at)).map_or(0, |meter| meter.used.get()))
}

fn sum(one: Figures, other: Figures) -> Figures {
    let ([a, b], [c, d]) = (one, other);
    [a + c, b + d]
}

/// Once nothing is lost any more and chats end, every page shows what the server has, soon: after
/// so many timers at most.
pub(crate) fn heals(world: &World) -> bool {
    const TIMERS: usize = 6;
    let mut world = world.clone();
    for _ in 0..TIMERS {
        settle_down(&mut world);
        let is_healed = |tab: &Tab| {
            tab.client.view().version == Some(world.server.version())
                && shown(tab) == world.server.newest().taken
                && tab.client.saved().is_none_or(|saved| saved.pending.is_empty())
        };
        if world.tabs.iter().all(|tab| is_healed(tab)) {
            return true;
        }
        for at in 0..world.tabs.len() {
            if let Some(due) = world.tab(at).timer() {
                world.change_tab(at, |tab| tab.ring(due));
            }
        }
    }
    false
}

/// Everything under way arrives, what runs ends, and what was never sent is taken back.
fn settle_down(world: &mut World) {
    loop {
        if let Some(packet) = world.network.pop() {
            world.deliver(&packet);
        } else if !world.chats.is_empty() {
            world.end_chat(0, crate::world::Ending::Settled);
        } else if let Some((at, id)) = waiting(world) {
            world.withdraw(at, id);
        } else {
            return;
        }
        if broken(world).is_some() {
            return;
        }
    }
}

fn waiting(world: &World) -> Option<(usize, trueup_core::OperationId)> {
    let waits = |(at, tab): (usize, &crate::hashed::Hashed<Tab>)| {
        tab.own.iter().find(|own| own.waits).map(|own| (at, own.id))
    };
    world.tabs.iter().enumerate().find_map(waits)
}
