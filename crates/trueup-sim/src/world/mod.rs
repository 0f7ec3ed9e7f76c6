//! The world: people with pages, a network, a server, and everything that can happen to them.
#![allow(
    clippy::indexing_slicing,
    reason = "pages and devices are never removed; a simulator that loses one is to stop"
)]

use std::collections::BTreeMap;
use std::fmt;

use trueup_core::{OperationId, Timestamp};

use crate::audit::history::Event;
use crate::audit::{Auditor, Tally, Violation};
use crate::border::START;
use crate::design::Rival;
use crate::planted::Bug;
use crate::profile::Profile;
use crate::queue::Queue;
use crate::record::{Recorder, Taking};
use crate::report::{Report, Sometimes};
use crate::server::Server;

mod arrivals;
mod engine;
mod gateway;
mod heal;
mod intent;
mod luck;
mod network;
mod operators;
mod page;
mod people;
mod push;
mod reads;
mod setup;
mod sweep;
mod tab;
mod visitor;

pub use intent::{Left, Meant, Traffic};
use network::Packet;
use tab::{Device, Tab};
pub use visitor::limits as visitor_limits;

/// What is to be simulated.
#[derive(Clone, Debug)]
pub struct Run {
    /// The same seed is the same history.
    pub seed: u64,
    /// The profile that it lives in; drawn from the seed when not given.
    pub profile: Option<Profile>,
    /// A bug to be found.
    pub bug: Option<Bug>,
}

/// A run that ended badly.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// Which seed.
    pub seed: u64,
    /// In which profile.
    pub profile: &'static str,
    /// When, in simulated milliseconds.
    pub at: i64,
    /// What is wrong.
    pub violation: Violation,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { seed, profile, at, violation } = self;
        write!(f, "seed {seed} ({profile}) after {at} ms: {violation}")
    }
}

/// Where a readable trace goes, line by line.
pub type Trace<'a> = Option<&'a mut dyn FnMut(i64, &Event)>;

/// Something to happen at its time.
#[derive(Debug)]
enum Task {
    /// A message arrives.
    Deliver(Packet),
    /// A page's timer goes off.
    Alarm { tab: usize, set: u64 },
    /// A person does something on a page.
    Act(usize),
    /// The person goes on with an operation that was begun before.
    GoOn { tab: usize, page: u32, op: u32 },
    /// The reply to what a visitor sent is over.
    Alone { tab: usize, page: u32, id: OperationId, well: bool },
    /// A page opens again.
    Reopen(usize),
    /// A device wakes up.
    Wake(usize),
    /// A device finds its network again.
    Reconnect(usize),
    /// A page listens to push again.
    Listen { tab: usize, page: u32 },
    /// Operators and backends do something.
    Operate,
    /// The engine commits.
    Commit { life: u32 },
    /// A chat goes on.
    Job { job: u64, step: gateway::Step },
    /// The server starts.
    Start,
    /// The sweeper looks for due holds.
    Sweep { life: u32 },
    /// The server tells listeners of changes.
    Push(usize),
    /// Old records go.
    Prune,
}

/// One simulation under way.
pub struct World<'a> {
    now: i64,
    queue: Queue<Task>,
    seed: u64,
    profile: Profile,
    bug: Option<Bug>,
    /// The design of the pages' clients, when it is not the one that ships.
    rival: Option<Rival>,
    /// Who hears of every step that pages take.
    recorder: Option<&'a mut dyn Recorder>,
    taking: Option<Taking>,
    /// What people mean and what leaves their pages, when somebody wants to know.
    traffic: Option<Traffic>,
    server: Server,
    devices: Vec<Device>,
    tabs: Vec<Tab>,
    auditor: Auditor,
    violation: Option<Violation>,
    report: Report,
    trace: Trace<'a>,
    next_op: u32,
    next_stream: u64,
    next_alarm: u64,
    /// Streams by number, and the job that feeds them.
    streams: BTreeMap<u64, u64>,
    /// How many actors an account has.
    actors: usize,
    /// Operations that backends began.
    by_hand: Vec<OperationId>,
    restores: u32,
    /// How many times operators acted.
    operated: i64,
    healing: bool,
}

/// Runs one seed to its end.
///
/// # Errors
/// [`Failure`] when the auditor found something.
pub fn run(run: &Run, trace: Trace<'_>) -> Result<Report, Failure> {
    let mut world = World::new(run, trace);
    world.live();
    world.heal();
    world.verdict(run.seed)?;
    let World { profile, now, mut report, auditor, tabs, .. } = world;
    report.seeds = 1;
    report.events = auditor.seen();
    report.simulated_ms = now;
    report.page_ms = now * i64::try_from(tabs.len()).unwrap_or_default();
    *report.profiles.entry(profile.name).or_default() += 1;
    Ok(report)
}

/// Runs one seed, and tells `recorder` every step that its pages take.
///
/// # Errors
/// [`Failure`] when the auditor found something.
pub fn record(run: &Run, recorder: &mut dyn Recorder) -> Result<(), Failure> {
    let mut world = World::new(run, None);
    world.recorder = Some(recorder);
    world.live();
    world.heal();
    world.verdict(run.seed)
}

/// Runs one seed with pages of one design, the one that ships when it is `None`, and measures what
/// they show.
///
/// # Errors
/// [`Failure`] when the auditor found something on the server.
pub fn measure(run: &Run, rival: Option<Rival>) -> Result<Tally, Failure> {
    let mut world = World::new(run, None);
    world.auditor = world.auditor.into_measuring(rival.is_none_or(Rival::reads_held));
    world.rival = rival;
    world.live();
    world.calm();
    world.verdict(run.seed)?;
    Ok(world.auditor.tally(world.now))
}

/// Runs one seed with pages of one design, and tells what people meant to send and what was sent.
///
/// # Errors
/// [`Failure`] when the auditor found something on the server.
pub fn traffic(run: &Run, rival: Option<Rival>) -> Result<Traffic, Failure> {
    let mut world = World::new(run, None);
    world.auditor = world.auditor.into_measuring(rival.is_none_or(Rival::reads_held));
    world.rival = rival;
    world.traffic = Some(Traffic::default());
    world.live();
    world.verdict(run.seed)?;
    Ok(world.traffic.unwrap_or_default())
}

impl World<'_> {
    /// What the auditor found, as the end of that seed.
    fn verdict(&self, seed: u64) -> Result<(), Failure> {
        let found = self.violation.clone();
        let failure =
            |violation| Failure { seed, profile: self.profile.name, at: self.now, violation };
        found.map_or(Ok(()), |violation| Err(failure(violation)))
    }

    fn live(&mut self) {
        let until = self.profile.lasts_ms;
        self.pass(until);
    }

    /// Lets everything happen that is to happen up to `limit`.
    fn pass(&mut self, limit: i64) {
        while self.violation.is_none() {
            let Some((at, task)) = self.queue.pop(limit) else { break };
            self.now = self.now.max(at);
            self.happen(task);
        }
        if self.violation.is_none() {
            self.now = self.now.max(limit);
        }
    }

    fn happen(&mut self, task: Task) {
        match task {
            Task::Deliver(packet) => self.deliver(packet),
            Task::Alarm { tab, set } => self.ring(tab, set),
            Task::Act(tab) => self.act(tab),
            Task::GoOn { tab, page, op } => self.go_on(tab, page, op),
            Task::Alone { tab, page, id, well } => self.end_alone(tab, page, id, well),
            Task::Reopen(tab) => self.reopen(tab),
            Task::Wake(device) => self.wake(device),
            Task::Reconnect(device) => self.reconnect(device),
            Task::Listen { tab, page } => self.listen(tab, page),
            Task::Operate => self.operate(),
            Task::Commit { life } => self.commit(life),
            Task::Job { job, step } => self.go_on_job(job, step),
            Task::Start => self.start_server(),
            Task::Sweep { life } => self.sweep(life),
            Task::Push(account) => self.push(account),
            Task::Prune => self.prune(),
        }
    }

    fn after(&mut self, delay_ms: i64, task: Task) {
        self.queue.push(self.now + delay_ms.max(0), task);
    }

    /// The server's clock.
    fn clock(&self) -> Timestamp {
        START.plus(self.now + self.server.ahead_ms)
    }

    /// Something happened: the auditor and the trace are told.
    #[expect(clippy::needless_pass_by_value, reason = "made where it happens, told once")]
    fn note(&mut self, event: Event) {
        let event = &event;
        if self.violation.is_some() {
            return;
        }
        if let Some(trace) = &mut self.trace {
            trace(self.now, event);
        }
        self.violation = self.auditor.observe(self.now, event).err();
    }

    fn reach(&mut self, state: Sometimes) {
        self.report.reach(state);
    }

    fn fault(&mut self, kind: &'static str) {
        self.report.fault(kind);
    }

    fn has(&self, bug: Bug) -> bool {
        self.bug == Some(bug)
    }
}
