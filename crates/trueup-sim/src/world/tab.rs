//! Pages and the devices they live on: a driver that keeps the machine's contract.

use std::collections::BTreeMap;

use trueup_core::client::{Deadline, Event as Told, RequestId, Saved};
use trueup_core::{Map, MeterId, OperationId, Timestamp, Units};

use super::intent::Message;
use super::luck::About;
use super::{Task, World};
use crate::audit::history::{Event, Shown, State};
use crate::border::{self, START};
use crate::design::{Design, Input};
use crate::dice::Dice;
use crate::planted::Bug;
use crate::record::{Act, Step, Taking};
use crate::report::Sometimes;

/// A timer that is set for longer goes off earlier.
const MAX_DELAY_MS: i64 = 86_400_000;

/// (account, actor).
pub(super) type Who = (usize, u8);

/// A page.
pub(super) struct Tab {
    pub device: usize,
    pub design: Box<dyn Design>,
    /// Rises with every load; what was meant for an earlier page finds nobody.
    pub page: u32,
    pub is_open: bool,
    pub who: Option<Who>,
    pub visible: bool,
    alarm: Option<Alarm>,
    /// Whether the alarm went off while the device slept.
    pub overdue: bool,
    /// What pages kept here, by who looked.
    pub disk: BTreeMap<Who, Saved>,
    /// Chats whose reply is under way, and who began them.
    pub streams: Vec<(u64, OperationId, Option<Who>)>,
    /// Begun, and not yet sent: the operation, the message, and when it was begun.
    pub unsent: Vec<(OperationId, Message, i64)>,
    pub pushes: bool,
    /// The fence that is under way.
    pub fences: Option<(RequestId, OperationId)>,
    clock: Clock,
    /// How many times somebody acted here.
    pub acts: i64,
    /// How many questions of each kind it asked.
    pub asked: [i64; 2],
    timers: Dice,
    /// The moment of its last step, and how many there were then.
    steps: (i64, i64),
}

/// A page's timer.
#[derive(Clone, Copy, Debug)]
struct Alarm {
    set: u64,
    rings_at: i64,
    /// When it was to go off, by the page's clock when it was set.
    due: Timestamp,
}

/// What pages of one browser share.
pub(super) struct Device {
    /// How far its clock is ahead.
    pub ahead_ms: i64,
    pub is_online: bool,
    /// Until when it sleeps.
    pub wakes_at: Option<i64>,
    /// What visitors used up.
    pub visited: Map<MeterId, Units>,
}

/// A page's clock: the device's without its steps back.
#[derive(Clone, Copy, Debug, Default)]
struct Clock {
    last: i64,
    lost_ms: i64,
}

impl Clock {
    fn read(&mut self, device: i64) -> Timestamp {
        let back_ms = self.last - device;
        self.last = device;
        self.lost_ms += back_ms.max(0);
        START.plus(device + self.lost_ms)
    }
}

pub(super) fn small(tab: usize) -> u8 {
    u8::try_from(tab).unwrap_or(u8::MAX)
}

impl Tab {
    pub fn new(device: usize, design: Box<dyn Design>, pushes: bool, timers: Dice) -> Self {
        Self {
            device,
            design,
            page: 0,
            is_open: false,
            who: None,
            visible: true,
            alarm: None,
            overdue: false,
            disk: BTreeMap::new(),
            streams: Vec::new(),
            unsent: Vec::new(),
            pushes,
            fences: None,
            clock: Clock::default(),
            acts: 0,
            asked: [0; 2],
            timers,
            steps: (0, 0),
        }
    }

    /// Another page is loaded in its place: all that is left is what was kept.
    pub fn load(&mut self, design: Box<dyn Design>) {
        self.design = design;
        self.page += 1;
        self.is_open = true;
        self.alarm = None;
        self.overdue = false;
        self.streams.clear();
        self.unsent.clear();
        self.fences = None;
        self.clock = Clock { last: i64::MIN / 2, lost_ms: 0 };
    }
}

impl World<'_> {
    pub(super) fn device(&self, tab: usize) -> &Device {
        &self.devices[self.tabs[tab].device]
    }

    /// The time that a page's machine is told.
    pub(super) fn page_clock(&mut self, tab: usize) -> Timestamp {
        let device = self.now + self.device(tab).ahead_ms;
        self.tabs[tab].clock.read(device)
    }

    /// Tells a page's machine something, and carries out what it wants.
    pub(super) fn tell(&mut self, tab: usize, input: Input) {
        if !self.tabs[tab].is_open {
            return;
        }
        let now = self.page_clock(tab);
        self.tabs[tab].design.handle(&input, now);
        while let Some(id) = self.tabs[tab].design.called_off() {
            self.note(Event::Broke { tab: small(tab), op: border::op(id) });
        }
        // It may be the last time that anything runs there.
        let keeps = matches!(input, Input::Visible(_) | Input::Online(_));
        self.take_step(|| Act::Told(input));
        self.drain(tab, now, keeps);
    }

    /// A page's machine was told something: what comes of it is one step.
    pub(super) fn take_step(&mut self, act: impl FnOnce() -> Act) {
        self.taking = self.recorder.is_some().then(|| Taking::of(act()));
    }

    /// The step is over.
    pub(super) fn end_step(&mut self, tab: usize) {
        let (Some(taken), Some(recorder)) = (self.taking.take(), &mut self.recorder) else {
            return;
        };
        let it = &self.tabs[tab];
        recorder.step(Step {
            tab,
            clock: START.plus(self.now + self.devices[it.device].ahead_ms),
            who: it.who,
            act: &taken.act,
            told: &taken.told,
            view: it.design.view(),
            requests: &taken.requests,
            kept: taken.kept.as_ref(),
        });
    }

    /// Carries out what a page's machine wants; `keeps` when its state is kept in any case.
    pub(super) fn drain(&mut self, tab: usize, now: Timestamp, keeps: bool) {
        let page = self.tabs[tab].page;
        let save_needed = self.show(tab);
        let mut dice = self.draw_step(tab);
        let [dies_unsaved, dies_saved] = [self.dies_here(&mut dice), self.dies_here(&mut dice)];
        if dies_unsaved {
            if save_needed || keeps {
                self.reach(Sometimes::SaveLost);
            }
            return self.crash_page(tab);
        }
        let is_late = self.has(Bug::KeepsTooLate) && !dice.chance(300);
        if (save_needed || keeps) && !is_late {
            self.keep(tab);
        }
        if dies_saved {
            return self.crash_page(tab);
        }
        while let Some(request) = self.tabs[tab].design.request(now) {
            if let trueup_core::client::Request::Fence { id, operation, .. } = &request {
                self.tabs[tab].fences = Some((*id, *operation));
            }
            if let Some(taking) = &mut self.taking {
                taking.requests.push(request.clone());
            }
            self.ask(tab, request);
        }
        if self.tabs[tab].page == page {
            self.set_alarm(tab, now);
        }
        self.end_step(tab);
    }

    /// What may happen to a page in a step: by the moment, and the step of that moment.
    fn draw_step(&mut self, tab: usize) -> Dice {
        let now = self.now;
        let (last, count) = self.tabs[tab].steps;
        let nth = if last == now { count + 1 } else { 0 };
        self.tabs[tab].steps = (now, nth);
        self.draw(About::Death, (tab as u64) << 32 | nth.cast_unsigned(), now)
    }

    fn dies_here(&self, dice: &mut Dice) -> bool {
        // One in four of the steps at which it might.
        self.profile.page_crash > 0 && dice.below(4_000) < u64::from(self.profile.page_crash)
    }

    /// What the app is told, and what the user sees; whether the page's state is to be kept.
    fn show(&mut self, tab: usize) -> bool {
        let (mut told, mut save_needed) = (false, false);
        let (mut corrected, mut ended) = (Vec::new(), Vec::new());
        while let Some(event) = self.tabs[tab].design.event() {
            if let Some(taking) = &mut self.taking
                && matches!(event, Told::Corrected(_) | Told::Ended { .. })
            {
                taking.told.push(event.clone());
            }
            match event {
                Told::ViewChanged => told = true,
                Told::SaveNeeded => save_needed = true,
                Told::Corrected(correction) => corrected.extend(border::moved(&correction)),
                Told::Ended { operation, state, cause } => {
                    ended.push((border::op(operation), border::state(state), cause.as_str()));
                }
            }
        }
        for (_, state, _) in &ended {
            self.reach(match state {
                State::Settled | State::Held => Sometimes::SawSettled,
                State::Released => Sometimes::SawReleased,
                State::Expired => Sometimes::SawExpired,
                State::Refused => Sometimes::SawRefused,
                State::Fenced => Sometimes::SawFenced,
            });
        }
        let clock = self.page_clock(tab).millis();
        let design = &self.tabs[tab].design;
        let view = design.view();
        let place =
            view.version.and_then(|version| Some((border::epoch(&design.epoch()?), version.0)));
        let (meters, resetting) = (border::seen(view), border::resetting(view));
        let account = view.account.as_ref().map(border::account);
        let live = view.status == trueup_core::view::Status::Live;
        if meters.iter().any(|seen| seen.remaining == Some(0)) {
            self.reach(Sometimes::AtLimit);
        }
        let tab = small(tab);
        let shown =
            Shown { tab, account, place, clock, meters, resetting, told, corrected, ended, live };
        self.note(Event::Shown(shown));
        save_needed
    }

    pub(super) fn keep(&mut self, tab: usize) {
        let Some(who) = self.tabs[tab].who else { return self.keep_visit(tab) };
        if let Some(saved) = self.tabs[tab].design.saved() {
            if let Some(taking) = &mut self.taking {
                taking.kept = Some(saved.clone());
            }
            self.tabs[tab].disk.insert(who, saved);
            self.note(Event::Kept { tab: small(tab) });
        }
    }

    /// Sets the page's one timer for a random instant inside the deadline. One that goes off
    /// earlier is left as it is, since the machine does nothing before its time.
    fn set_alarm(&mut self, tab: usize, now: Timestamp) {
        let Some(Deadline { not_before, not_after }) = self.tabs[tab].design.deadline() else {
            self.tabs[tab].alarm = None;
            self.tabs[tab].overdue = false;
            return;
        };
        let latest = self.now + not_after.since(now).max(0);
        let by_day = self.has(Bug::TimerByDay);
        let is_early = |it: Alarm| if by_day { it.due <= not_after } else { it.rings_at <= latest };
        if self.tabs[tab].alarm.is_some_and(is_early) {
            return;
        }
        let it = &mut self.tabs[tab];
        let at = not_before.plus(it.timers.between(0, not_after.since(not_before)));
        let mut delay_ms = at.since(now).clamp(0, MAX_DELAY_MS);
        if !it.visible && it.timers.chance(300) {
            // Browsers slow the timers of hidden pages down.
            delay_ms += it.timers.between(0, 60_000);
            self.note(Event::Dozes { tab: small(tab), until: self.now + delay_ms });
        }
        self.next_alarm += 1;
        let set = self.next_alarm;
        self.tabs[tab].alarm = Some(Alarm { set, rings_at: self.now + delay_ms, due: at });
        self.after(delay_ms, Task::Alarm { tab, set });
    }

    pub(super) fn ring(&mut self, tab: usize, set: u64) {
        let it = &self.tabs[tab];
        if !it.is_open || it.alarm.is_none_or(|alarm| alarm.set != set) {
            return;
        }
        if self.device(tab).wakes_at.is_some() {
            self.tabs[tab].overdue = true;
            return;
        }
        self.ring_now(tab);
    }

    pub(super) fn ring_now(&mut self, tab: usize) {
        self.tabs[tab].overdue = false;
        self.tabs[tab].alarm = None;
        self.tell(tab, Input::Timeout);
    }

    pub(super) fn fence_refused(&mut self, tab: usize, id: RequestId) {
        if let Some((_, operation)) = self.tabs[tab].fences.take_if(|(known, _)| *known == id) {
            self.reach(Sometimes::GivenUp);
            self.note(Event::GivenUp { tab: small(tab), op: border::op(operation) });
        }
        self.tell(tab, Input::FenceRefused(id));
    }
}
