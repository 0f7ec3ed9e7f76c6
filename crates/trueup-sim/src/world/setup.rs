//! How a world begins.

use std::collections::BTreeMap;

use super::luck::{About, draw};
use super::tab::{Device, Tab, small};
use super::{Run, Task, Trace, World};
use crate::audit::Auditor;
use crate::audit::history::Event;
use crate::border;
use crate::design::Ours;
use crate::dice::Dice;
use crate::profile::{DAY, Profile};
use crate::queue::Queue;
use crate::report::Report;
use crate::server::plan::Plan;
use crate::server::rows::Rows;
use crate::server::{Replica, Server};

/// More pages than that are not looked at.
const MOST_TABS: usize = 8;

/// To measure by.
fn whole(profile: &Profile) -> bool {
    profile.name == "year"
}

impl<'a> World<'a> {
    pub(super) fn new(run: &Run, trace: Trace<'a>) -> Self {
        let mut shape = draw(run.seed, About::Shape, 0, 0);
        let drawn = Profile::draw(&mut shape);
        let profile = run.profile.clone().unwrap_or(drawn);
        // To measure by, everything is there; else the world is drawn up to that size.
        let mut upto = |most: u64| if whole(&profile) { most } else { 1 + shape.below(most) };
        let [accounts, actors, devices, tabs] = profile.most.map(&mut upto);
        let accounts = usize::try_from(accounts).unwrap_or(1);
        let ids = 0..accounts;
        let rows: Vec<_> = ids.map(|number| Rows::new(border::account_id(number))).collect();
        let plans: Vec<_> =
            rows.iter().map(|_| Plan::draw(&mut shape, profile.periods_ms)).collect();
        let server = Server {
            plans: plans.clone(),
            epoch: 0,
            backup: (0, rows.clone()),
            replica: Replica { rows: rows.clone(), ..Replica::default() },
            announced: vec![false; accounts],
            rows,
            waiting: Vec::new(),
            batch: None,
            jobs: BTreeMap::new(),
            next_job: 0,
            ahead_ms: 0,
            is_up: true,
            life: 0,
            sweeping: false,
            listeners: Vec::new(),
        };
        let mut world = World {
            now: 0,
            queue: Queue::default(),
            seed: run.seed,
            bug: run.bug,
            rival: None,
            recorder: None,
            taking: None,
            traffic: None,
            server,
            devices: Vec::new(),
            tabs: Vec::new(),
            actors: usize::try_from(actors).unwrap_or(1),
            auditor: Auditor::default(),
            violation: None,
            report: Report::default(),
            trace,
            next_op: 0,
            next_stream: 0,
            next_alarm: 0,
            restores: 0,
            operated: 0,
            streams: BTreeMap::new(),
            by_hand: Vec::new(),
            healing: false,
            profile,
        };
        for (account, plan) in plans.into_iter().enumerate() {
            world.note(Event::Planned { account: small(account), plan: plan.0 });
        }
        world.furnish(&mut shape, actors * devices, tabs);
        world
    }

    fn furnish(&mut self, shape: &mut Dice, devices: u64, tabs: u64) {
        let skew_ms = self.profile.skew_ms;
        for device in 0..usize::try_from(devices).unwrap_or(1) {
            let mut ahead_ms = shape.between(-skew_ms, skew_ms);
            if shape.chance(self.profile.clocks / 3) {
                // A clock that nobody ever set, or wrongly: ids are too old, or from the future.
                ahead_ms += shape.pick(&[-8, -8, 2, 8]).unwrap_or_default() * DAY;
            }
            let visited = trueup_core::Map::new();
            self.devices.push(Device { ahead_ms, is_online: true, wakes_at: None, visited });
            for _ in 0..tabs {
                if self.tabs.len() < MOST_TABS {
                    let pushes = shape.chance(self.profile.push);
                    let timers = draw(self.seed, About::Timers, self.tabs.len() as u64, 0);
                    self.tabs.push(Tab::new(device, Box::new(Ours::default()), pushes, timers));
                }
            }
        }
        for tab in 0..self.tabs.len() {
            let device = self.tabs[tab].device;
            let account = shape.index(self.server.rows.len());
            // Most pages of a device are one person's.
            let actor =
                if shape.chance(800) { device % self.actors } else { shape.index(self.actors) };
            // Some have not signed in yet.
            let is_known = whole(&self.profile) || !shape.chance(60);
            self.tabs[tab].who = is_known.then_some((account, small(actor)));
            let (opens_ms, acts_ms) = (shape.between(0, 3_000), shape.pause(self.profile.acts_ms));
            self.after(opens_ms, Task::Reopen(tab));
            self.after(opens_ms + acts_ms, Task::Act(tab));
        }
        let operates_ms = shape.pause(self.profile.operates_ms);
        self.after(operates_ms, Task::Operate);
        if self.profile.nights {
            self.after(DAY, Task::Prune);
        }
    }
}
