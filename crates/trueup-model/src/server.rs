//! The server: the core's ledger over a store in memory, and beside it what the figures must be,
//! worked out from the records alone.

use std::collections::BTreeMap;

use trueup_core::ledger::{Acceptance, Account, Command, Decision};
use trueup_core::operation::OperationRecord;
use trueup_core::{MeterReading, OperationId, OperationState, Snapshot, Version};

use crate::names::{self, Figures, START, account, epoch};

#[derive(Clone, Debug, Hash)]
pub(crate) struct Server {
    account: Account,
    records: BTreeMap<OperationId, OperationRecord>,
    /// What must be counted at each version, version by version.
    images: Vec<Image>,
    /// A law of the ledger that was broken.
    pub broken: Option<&'static str>,
}

/// The account at one version.
#[derive(Clone, Debug, Default, Hash)]
pub(crate) struct Image {
    /// Used and held together.
    pub taken: Figures,
    /// The operations that have a record.
    pub recorded: Vec<OperationId>,
}

impl Server {
    pub fn new() -> Self {
        let mut account = Account::new(account());
        let opened = account.align(&names::terms(), START).len();
        let images = vec![Image::default(); opened + 1];
        Self { account, records: BTreeMap::new(), images, broken: None }
    }

    pub fn version(&self) -> Version {
        self.account.version
    }

    pub fn image(&self, version: Version) -> Option<&Image> {
        self.images.get(usize::try_from(version.0).ok()?)
    }

    /// The account as it is now.
    pub fn newest(&self) -> &Image {
        const NOTHING: &Image = &Image { taken: [0, 0], recorded: Vec::new() };
        self.images.last().unwrap_or(NOTHING)
    }

    /// Whether an operation is held.
    pub fn holds(&self, operation: OperationId) -> bool {
        self.records.get(&operation).is_some_and(|it| it.state == OperationState::Held)
    }

    /// Where each operation stands.
    pub fn states(&self) -> impl Iterator<Item = OperationState> {
        self.records.values().map(|record| record.state)
    }

    /// Decides and keeps what was decided. Whether something began to run.
    pub fn run(&mut self, command: &Command) -> bool {
        let known = self.records.get(&command.operation());
        let decision = self.account.decide(known, command, START, Acceptance::default());
        let (written, runs) = match decision {
            Ok(Decision::Changed(written)) => (written, true),
            Ok(Decision::Refused(written, _)) => (written, false),
            Ok(Decision::Replayed(_)) | Err(_) => return false,
        };
        let Some(record) = written.operation else { return false };
        if known.is_some_and(|known| known.state.is_end()) {
            self.broken = Some("an operation ended twice");
        }
        self.account = written.account;
        self.records.insert(record.id, record);
        self.images.push(self.count());
        if self.image(self.account.version).is_none() || self.image(self.version().next()).is_some()
        {
            self.broken = Some("a change did not make one version");
        }
        if names::passes_limit(self.newest().taken) {
            self.broken = Some("a limit was passed");
        }
        if self.balances() != self.newest().taken {
            self.broken = Some("a balance is not the sum of its operations");
        }
        runs
    }

    /// The image of all records: what is held of those that run, what was charged to the others.
    fn count(&self) -> Image {
        let mut image = Image::default();
        for record in self.records.values() {
            image.recorded.push(record.id);
            for at in 0..names::METERS.len() {
                let meter = names::meter(at);
                let held: u64 = record
                    .holds
                    .iter()
                    .filter(|line| line.meter == meter)
                    .map(|line| line.units.get())
                    .sum();
                if let Some(taken) = image.taken.get_mut(at) {
                    *taken += held + record.charged.units(&meter).get();
                }
            }
        }
        image
    }

    fn balances(&self) -> Figures {
        [0, 1].map(|at| {
            let balance = self.account.meters.get(&names::meter(at));
            balance.map_or(0, |it| it.used.get() + it.held.get())
        })
    }

    /// What a reader gets that has the account up to `since`.
    pub fn snapshot(&self, since: Option<Version>, ask: &[OperationId]) -> Snapshot {
        let version = self.version();
        let since = since.unwrap_or(version);
        let reset = since > version;
        let told = |record: &&OperationRecord| {
            (record.version > since && !reset) || ask.contains(&record.id)
        };
        let mut told: Vec<_> = self.records.values().filter(told).collect();
        told.sort_by_key(|record| record.version);
        let reading = |(meter, balance)| {
            let (meter, reading): (&trueup_core::MeterId, MeterReading) =
                (meter, MeterReading::from(balance));
            (meter.clone(), reading)
        };
        Snapshot {
            account: self.account.id.clone(),
            epoch: epoch(),
            since: if reset { version } else { since },
            version,
            as_of: START,
            reset,
            meters: self.account.meters.iter().map(reading).collect(),
            operations: told.into_iter().map(OperationRecord::outcome).collect(),
            changes: Vec::new(),
        }
    }
}
