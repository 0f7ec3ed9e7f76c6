//! Every interleaving, one state after the other.

use std::hash::{DefaultHasher, Hash, Hasher};

use stateright::{Model, Property};
use trueup_core::OperationId;

use crate::audit;
use crate::world::{Budget, Ending, Packet, Planted, World};

/// The small world, with a budget of what may happen.
#[derive(Clone, Debug)]
pub(crate) struct Small {
    pub budget: Budget,
    /// From how many states one is followed until it has healed.
    pub heal_one_in: u64,
    pub planted: Option<Planted>,
}

/// One thing that may happen next.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Step {
    Begin(usize),
    Send(usize, OperationId),
    Withdraw(usize, OperationId),
    Deliver(usize),
    Double(usize),
    Lose(usize),
    Strip(usize),
    End(usize, Ending),
    Timer(usize),
    Reload(usize),
    Push(usize),
}

impl Model for Small {
    type State = World;
    type Action = Step;

    fn init_states(&self) -> Vec<World> {
        vec![World::new(self.budget, self.planted)]
    }

    fn actions(&self, world: &World, steps: &mut Vec<Step>) {
        for (at, packet) in world.network.iter().enumerate() {
            // Of several alike one stands for all.
            if at > 0 && world.network.get(at - 1).is_some_and(|it| it.hash() == packet.hash()) {
                continue;
            }
            steps.push(Step::Deliver(at));
            if world.left.doubles > 0 {
                steps.push(Step::Double(at));
            }
            if world.left.losses > 0 {
                steps.push(Step::Lose(at));
                if matches!(**packet, Packet::End { snapshot: Some(_), .. }) {
                    steps.push(Step::Strip(at));
                }
            }
        }
        for at in 0..world.chats.len() {
            let endings = [Ending::Settled, Ending::Fallback, Ending::Failed, Ending::Expired];
            steps.extend(endings.map(|ending| Step::End(at, ending)));
        }
        for at in 0..world.tabs.len() {
            self.page_steps(world, at, steps);
        }
    }

    fn next_state(&self, world: &World, step: Step) -> Option<World> {
        let mut world = world.clone();
        self.take(&mut world, step)?;
        Some(world)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        let mut properties = vec![
            Property::always("no law is broken", |_, world: &World| audit::broken(world).is_none()),
            Property::always("what stops failing heals", |model: &Self, world: &World| {
                let mut hasher = DefaultHasher::new();
                world.hash(&mut hasher);
                !hasher.finish().is_multiple_of(model.heal_one_in) || audit::heals(world)
            }),
            Property::sometimes("an operation is refused", |_, world: &World| {
                has_outcome(world, trueup_core::OperationState::Refused)
            }),
            Property::sometimes("a fallback is charged", |_, world: &World| {
                world.server.newest().taken[1] > 0
            }),
            Property::sometimes(
                "all has been used up and nothing is under way",
                |_, world: &World| {
                    world.network.is_empty()
                        && world.chats.is_empty()
                        && world.left.begins == [0, 0]
                },
            ),
        ];
        let Budget { losses, reloads, timers, .. } = self.budget;
        // Where no page is ever left in doubt, none fences.
        if losses + reloads + timers > 0 {
            properties.push(Property::sometimes("an operation is fenced", |_, world: &World| {
                has_outcome(world, trueup_core::OperationState::Fenced)
            }));
        }
        properties
    }
}

impl Small {
    fn page_steps(&self, world: &World, at: usize, steps: &mut Vec<Step>) {
        let tab = world.tab(at);
        if world.left.begins.get(at).is_some_and(|left| *left > 0) {
            steps.push(Step::Begin(at));
        }
        for own in tab.own.iter().filter(|own| own.waits) {
            steps.push(Step::Send(at, own.id));
            steps.push(Step::Withdraw(at, own.id));
        }
        if world.left.timers > 0 && tab.timer().is_some() {
            steps.push(Step::Timer(at));
        }
        if world.left.reloads > 0 {
            steps.push(Step::Reload(at));
        }
        if world.left.pushes > 0 && tab.client.since().is_some() {
            steps.push(Step::Push(at));
        }
    }

    fn take(&self, world: &mut World, step: Step) -> Option<()> {
        match step {
            Step::Begin(tab) => {
                let left = world.left.begins.get_mut(tab)?;
                *left -= 1;
                // Each page numbers its own.
                let number = u8::try_from(tab).ok()? * 100 + *left;
                world.begin(tab, number);
            }
            Step::Send(tab, id) => world.send_chat(tab, id),
            Step::Withdraw(tab, id) => world.withdraw(tab, id),
            Step::Deliver(at) => {
                let packet = world.network.remove(at);
                world.deliver(&packet);
            }
            Step::Double(at) => {
                world.left.doubles -= 1;
                let packet = world.network.get(at)?.clone();
                world.deliver(&packet);
            }
            Step::Lose(at) => {
                world.left.losses -= 1;
                let packet = world.network.remove(at);
                world.lose(&packet);
            }
            Step::Strip(at) => {
                world.left.losses -= 1;
                let mut packet = Packet::clone(&*world.network.remove(at));
                if let Packet::End { snapshot, .. } = &mut packet {
                    *snapshot = None;
                }
                world.send(packet);
            }
            Step::End(at, ending) => world.end_chat(at, ending),
            Step::Timer(tab) => {
                world.left.timers -= 1;
                let due = world.tab(tab).timer()?;
                world.change_tab(tab, |tab| tab.ring(due));
            }
            Step::Reload(tab) => {
                world.left.reloads -= 1;
                let forgetful = world.planted == Some(Planted::Forgetful);
                world.change_tab(tab, |tab| tab.reload(forgetful));
            }
            Step::Push(tab) => {
                world.left.pushes -= 1;
                world.push(tab);
            }
        }
        Some(())
    }
}

fn has_outcome(world: &World, state: trueup_core::OperationState) -> bool {
    world.server.states().any(|it| it == state)
}

#[cfg(test)]
mod tests {
    use stateright::{Checker as _, Model as _};

    use super::Small;
    use crate::world::{Budget, Planted};

    const NOTHING_FAILS: Budget =
        Budget { begins: [1, 1], losses: 0, doubles: 0, reloads: 0, timers: 0, pushes: 0 };

    /// The law that is broken first, if any, and how many states there are.
    fn explore(budget: Budget, planted: Option<Planted>) -> (Option<&'static str>, usize) {
        let model = Small { budget, heal_one_in: 1, planted };
        let checker = model.checker().spawn_bfs().join();
        let broken = |law: &&'static str| checker.discovery(law).is_some();
        let laws = ["no law is broken", "what stops failing heals"];
        (laws.into_iter().find(broken), checker.unique_state_count())
    }

    #[test]
    fn no_interleaving_of_a_small_world_breaks_a_law() {
        for budget in [
            NOTHING_FAILS,
            Budget { losses: 1, ..NOTHING_FAILS },
            Budget { begins: [1, 0], losses: 1, doubles: 1, timers: 1, ..NOTHING_FAILS },
            Budget { begins: [1, 0], reloads: 1, pushes: 1, ..NOTHING_FAILS },
        ] {
            let (broken, states) = explore(budget, None);
            assert_eq!(broken, None, "{budget:?}");
            assert!(states > 100, "{states} states of {budget:?}");
        }
    }

    #[test]
    fn defects_that_were_planted_are_found() {
        for planted in [Planted::Forgetful, Planted::Silent, Planted::Torn] {
            let budget = Budget { begins: [1, 0], reloads: 1, ..NOTHING_FAILS };
            let (broken, _) = explore(budget, Some(planted));
            assert!(broken.is_some(), "{planted:?} was not found");
        }
    }
}
