//! A store in memory: keeps what the core decides, as any store would, and audits every write.

use std::collections::BTreeMap;

use trueup_core::error::Rejection;
use trueup_core::ledger::{Acceptance, Account, Command, Decision, Entry, Written};
use trueup_core::operation::OperationRecord;
use trueup_core::{MeterId, OperationId, Timestamp};

use super::audit;
use super::{Plan, START, account, terms};

#[derive(Clone, Debug)]
pub(crate) struct MemoryLedger {
    pub account: Account,
    pub operations: BTreeMap<OperationId, OperationRecord>,
    pub entries: Vec<Entry>,
    pub plan: Plan,
    pub now: Timestamp,
}

impl MemoryLedger {
    pub fn new(name: &str) -> Self {
        Self {
            account: Account::new(account(name)),
            operations: BTreeMap::new(),
            entries: Vec::new(),
            plan: Plan::new(),
            now: START,
        }
    }

    /// Brings the account up to date with the plan and the clock; how many entries that took.
    pub fn align(&mut self) -> usize {
        let before = self.clone();
        let entries = self.account.align(&terms(&self.plan, self.now), self.now);
        let count = entries.len();
        self.entries.extend(entries);
        audit::movement(&before, self);
        audit::history(self);
        assert_eq!(
            self.account.align(&terms(&self.plan, self.now), self.now),
            [],
            "aligned only once"
        );
        count
    }

    /// Aligns, decides, and keeps what was decided.
    pub fn run(&mut self, command: &Command) -> Result<Decision, Rejection> {
        self.align();
        let known = self.operations.get(&command.operation());
        let decision = self.account.decide(known, command, self.now, Acceptance::default())?;
        match &decision {
            Decision::Replayed(record) => assert_eq!(Some(record), known),
            Decision::Changed(written) => self.keep(command, written),
            Decision::Refused(written, _) => self.keep(command, written),
        }
        Ok(decision)
    }

    fn keep(&mut self, command: &Command, written: &Written) {
        let before = self.clone();
        let record = written.operation.clone().expect("every command is about an operation");
        assert_eq!(record.id, command.operation());
        assert_eq!(record.version, written.account.version, "a record names its version");
        self.account = written.account.clone();
        self.operations.insert(record.id, record);
        self.entries.push(written.entry.clone());
        audit::movement(&before, self);
        audit::history(self);
        audit::admission(&before, self, command);
    }

    /// Units charged and set aside for all to see.
    pub fn taken(&self, meter: &MeterId) -> u64 {
        self.account.meters.get(meter).map_or(0, |it| it.used.get() + it.held.get())
    }
}
