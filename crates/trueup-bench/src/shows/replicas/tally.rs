//! What a show has gone through, as a table.

use std::collections::BTreeMap;
use std::time::Duration;

use super::fault::Fault;
use crate::report::thousands;

#[derive(Default)]
pub struct Tally {
    faults: BTreeMap<Fault, (u64, Duration)>,
    pub operations: u64,
    pub acknowledged: u64,
    pub retries: u64,
    pub reads: u64,
    pub events: u64,
    pub swept: u64,
    pub late_settles: u64,
    pub lost: Vec<String>,
    pub strangers: u64,
    pub doubled: Vec<String>,
    pub back: Vec<String>,
    pub leaked: Vec<String>,
    /// Anything else that should not be.
    pub odd: Vec<String>,
}

impl Tally {
    pub fn befell(&mut self, fault: Fault, needed: Duration) {
        let (times, longest) = self.faults.entry(fault).or_default();
        *times += 1;
        *longest = needed.max(*longest);
    }

    pub fn print(&self, seconds: f64) {
        let line = |what: &str, figure: &str| println!("  {what:<58} {figure:>12}");
        let count = |what: &str, number: u64| line(what, &thousands(number));
        println!("{:<60} {:>6} {:>23}", "what befell a server", "times", "answers again within");
        for (fault, (times, longest)) in &self.faults {
            let within = format!("{:.2} s", longest.as_secs_f64());
            println!("  {:<58} {times:>6} {within:>23}", fault.name());
        }
        println!("what was asked of them");
        count("operations", self.operations);
        count("acknowledged steps of operations", self.acknowledged);
        count("tries that nobody answered, and that were sent again", self.retries);
        count("reads", self.reads);
        count("events on push streams", self.events);
        count("holds that their makers left, ended by a sweeper", self.swept);
        count("settles that waited in a paused server for its wake", self.late_settles);
        println!("what must not be");
        count("acknowledged operations lost", len(&self.lost));
        count("operations that nobody asked for", self.strangers);
        count("operations doubled, or ended twice", len(&self.doubled));
        count("reads that went back", len(&self.back));
        count("holds leaked", len(&self.leaked));
        count("other wrong answers", len(&self.odd));
        line("longest time until a server answered again", &format!("{:.2} s", self.longest()));
        println!("  ({seconds:.0} s)");
    }

    fn longest(&self) -> f64 {
        self.faults.values().map(|(_, it)| it.as_secs_f64()).fold(0.0, f64::max)
    }

    /// What must not be, one by one.
    pub fn complaints(&self) -> Vec<&str> {
        let Self { lost, doubled, back, leaked, odd, .. } = self;
        let all = [lost, doubled, back, leaked, odd].into_iter();
        let strangers =
            (self.strangers > 0).then_some("there are operations that nobody asked for");
        all.flatten().map(String::as_str).chain(strangers).collect()
    }
}

fn len(list: &[String]) -> u64 {
    u64::try_from(list.len()).unwrap_or(u64::MAX)
}
