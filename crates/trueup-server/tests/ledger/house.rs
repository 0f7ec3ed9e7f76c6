//! A ledger with a database of its own, and an auditor that reads it by itself.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use sqlx::sqlite::{SqliteConnectOptions, SqlitePool};
use trueup_core::ledger::{Acceptance, Command};
use trueup_core::{
    AccountId, ActorId, Charge, Enforcement, MeterId, ModelId, OperationId, Timestamp, Units,
    Version,
};
use trueup_server::clock::Clock;
use trueup_server::config::{Catalog, Model, Plan, PlanMeter, WindowRule};
use trueup_server::demo::Faults;
use trueup_server::engine::{Answer, EngineError, EngineParts, NewMessage, View};
use trueup_server::ledger::{Ledger, LedgerTask};
use trueup_server::metrics::Metrics;
use trueup_server::push::Feed;
use trueup_server::store::Store;

use crate::{audit, database};

/// 2026-11-24T03:00:00Z.
pub const START: Timestamp = Timestamp::from_millis(1_795_489_200_000);
pub const TTL_MS: i64 = 120_000;
const ENGINES: usize = 3;

pub struct House {
    pub ledger: Ledger,
    pub store: Arc<Store>,
    pub clock: Clock,
    pub faults: Faults,
    task: Option<LedgerTask>,
    url: String,
    folder: PathBuf,
    ids: AtomicU64,
}

impl House {
    pub async fn open() -> Self {
        let folder = new_folder();
        let url = database::url(&folder);
        Self::open_in(folder, url, Clock::manual(START)).await
    }

    /// A house on a file, for what only files do.
    pub async fn on_file() -> Self {
        let folder = new_folder();
        let url = database::file_url(&folder);
        Self::open_in(folder, url, Clock::manual(START)).await
    }

    async fn open_in(folder: PathBuf, url: String, clock: Clock) -> Self {
        let store = Arc::new(Store::open(&url, ENGINES, clock.now()).await.unwrap());
        let faults = Faults::enabled();
        let (ledger, task) = Ledger::start(EngineParts {
            store: Arc::clone(&store),
            catalog: Arc::new(catalog()),
            clock: clock.clone(),
            faults: faults.clone(),
            acceptance: Acceptance::default(),
            feed: Feed::default(),
            metrics: Arc::new(Metrics::default()),
        });
        let (task, ids) = (Some(task), AtomicU64::new(0));
        Self { ledger, store, clock, faults, task, url, folder, ids }
    }

    /// Stops the ledger and opens another one over the same database.
    pub async fn reopen(mut self) -> Self {
        self.task.take().unwrap().stop().await;
        let next = Self::open_in(self.folder.clone(), self.url.clone(), self.clock.clone()).await;
        next.ids.store(self.ids.load(Ordering::Relaxed), Ordering::Relaxed);
        // The folder belongs to the next house now.
        self.folder = PathBuf::new();
        next
    }

    /// What the ledger is kept in, when that is a file.
    pub fn file(&self) -> PathBuf {
        self.folder.join("trueup.db")
    }

    pub async fn connection(&self) -> SqlitePool {
        let options = SqliteConnectOptions::new().filename(self.file());
        SqlitePool::connect_with(options).await.unwrap()
    }

    pub fn new_id(&self) -> OperationId {
        let number = self.ids.fetch_add(1, Ordering::Relaxed);
        let mut entropy = [0; 10];
        entropy[2..].copy_from_slice(&number.to_be_bytes());
        OperationId::new_v7(self.clock.now(), entropy)
    }

    pub fn advance(&self, millis: i64) {
        self.clock.set(self.clock.now().plus(millis));
    }

    pub async fn hold(&self, who: &str, id: OperationId, charge: Charge) -> Answer {
        self.run(who, self.hold_command(who, id, charge)).await
    }

    pub fn hold_command(&self, who: &str, operation: OperationId, charge: Charge) -> Command {
        let (_, actor) = split(who);
        let expires_at = self.clock.now().plus(TTL_MS);
        Command::Hold { operation, actor, model: None, charge, content: None, expires_at }
    }

    pub async fn settle(&self, who: &str, operation: OperationId, charge: Charge) -> Answer {
        self.run(who, Command::Settle { operation, charge, content: None, cause: None }).await
    }

    pub async fn run(&self, who: &str, command: Command) -> Answer {
        self.try_run(who, command, Vec::new()).await.unwrap()
    }

    pub async fn try_run(
        &self,
        who: &str,
        command: Command,
        messages: Vec<NewMessage>,
    ) -> Result<Answer, EngineError> {
        let (account, actor) = split(who);
        self.ledger
            .command(&account, View { actor, since: None, ask: Vec::new() }, command, messages)
            .await
    }

    pub async fn snapshot(&self, who: &str, since: Option<u64>) -> trueup_core::Snapshot {
        let (account, actor) = split(who);
        self.ledger.snapshot(&account, &actor, since.map(Version), &[]).await.unwrap()
    }

    /// used, held of a meter.
    pub async fn figures(&self, who: &str, meter: &str) -> (u64, u64) {
        let snapshot = self.snapshot(who, None).await;
        let reading = &snapshot.meters[&MeterId::new(meter).unwrap()];
        (reading.used.get(), reading.held.get())
    }

    /// Whether the ledger adds up, by its own records.
    pub async fn audit(&self) {
        audit::audit(&self.url).await;
    }
}

fn new_folder() -> PathBuf {
    static HOUSES: AtomicU64 = AtomicU64::new(0);
    let number = HOUSES.fetch_add(1, Ordering::Relaxed);
    let folder =
        std::env::temp_dir().join(format!("trueup-ledger-{}-{number}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    folder
}

impl Drop for House {
    fn drop(&mut self) {
        if !self.folder.as_os_str().is_empty() {
            let _ = std::fs::remove_dir_all(&self.folder);
        }
    }
}

/// `acme` is a personal account, `acme/ann` an actor in it.
fn split(who: &str) -> (AccountId, ActorId) {
    let (account, actor) = who.split_once('/').unwrap_or((who, who));
    (AccountId::new(account).unwrap(), ActorId::new(actor).unwrap())
}

pub fn charge(meter: &str, units: u32) -> Charge {
    Charge::of(MeterId::new(meter).unwrap(), Units::from(units))
}

pub fn premium(units: u32) -> Charge {
    charge("premium", units)
}

fn catalog() -> Catalog {
    let meter = |limit: Option<u32>, window| PlanMeter {
        limit: limit.map(Units::from),
        window,
        enforcement: Enforcement::Hard,
    };
    let id = |name| MeterId::new(name).unwrap();
    let free = Plan {
        meters: BTreeMap::from([
            (id("premium"), meter(Some(100), WindowRule::Month)),
            (id("standard"), meter(Some(50), WindowRule::Day)),
            (id("tokens"), meter(None, WindowRule::Month)),
        ]),
    };
    let mut pro = free.clone();
    pro.meters.insert(id("premium"), meter(Some(1_000), WindowRule::Month));
    let model = Model { charge: premium(1), fallback: Vec::new() };
    Catalog {
        models: BTreeMap::from([(ModelId::new("gpt-5").unwrap(), model)]),
        plans: BTreeMap::from([("free".to_owned(), free), ("pro".to_owned(), pro)]),
        default_plan: "free".to_owned(),
    }
}
