//! Random worlds. Every call is checked (see `world::oracle`): exactly once, no version falls,
//! what is late changes nothing, nothing crosses accounts, every movement has its cause.

use proptest::prelude::*;

use crate::kit::histories;
use crate::world::World;
use crate::world::steps::steps;

proptest! {
    #![proptest_config(histories(128))]

    #[test]
    fn every_page_shows_the_server_and_what_it_began_at_every_step(steps in steps(120)) {
        let mut world = World::new();
        for step in steps {
            world.step(step);
        }
    }

    #[test]
    fn a_timer_that_went_off_is_set_later_or_not_at_all(
        steps in steps(60),
        fates in proptest::collection::vec(0..4_usize, 12),
    ) {
        let mut world = World::new();
        for step in steps {
            world.step(step);
        }
        for (tab, fate) in fates.into_iter().enumerate() {
            world.ring_late(tab % 2, fate);
        }
    }

    #[test]
    fn once_faults_stop_every_page_shows_what_the_server_has(steps in steps(60)) {
        let mut world = World::new();
        for step in steps {
            world.step(step);
        }
        world.heal();
    }
}
