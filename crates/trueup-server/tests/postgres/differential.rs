//! One plan, three ledgers: in memory by the core alone, on SQLite, and on Postgres. Whatever is
//! asked, all three answer the same and are left with the same entries.

use std::collections::BTreeMap;

use futures::future::join_all;
use tempfile::TempDir;
use trueup_core::error::Rejection;
use trueup_core::ledger::{Acceptance, Account, Command, Decision, Entry};
use trueup_core::operation::OperationRecord;
use trueup_core::{
    AccountId, ActorId, Cause, Charge, Enforcement, Fingerprint, MeterId, MeterReading,
    OperationId, OperationState, Snapshot, Timestamp, Units, Version,
};
use trueup_protocol::response::{EntryLineResponse, EntryResponse};
use trueup_protocol::time;
use trueup_server::calendar;
use trueup_server::clock::Clock;
use trueup_server::config::{Catalog, Plan, PlanMeter, WindowRule};
use trueup_server::engine::{Answer, Done, View};
use trueup_server::ledger::{Ledger, LedgerTask};
use trueup_server::store::AccountTerms;

use crate::desk::START;
use crate::dice::Dice;
use crate::{audit, desk, postgres};

const WAVES: u64 = 8;
const PLANS: u64 = 250;
const STEPS: u64 = 12;
const METERS: [&str; 3] = ["credits", "premium", "tokens"];

fn catalog() -> Catalog {
    let meter = |limit: Option<u32>, window, enforcement| PlanMeter {
        limit: limit.map(Units::from),
        window,
        enforcement,
    };
    let [credits, premium, tokens] = METERS.map(|name| MeterId::new(name).unwrap());
    let hourly = meter(Some(6), WindowRule::Hour, Enforcement::Hard);
    let free = BTreeMap::from([
        (premium.clone(), hourly),
        (tokens.clone(), meter(Some(50), WindowRule::Day, Enforcement::Soft)),
    ]);
    let pro = BTreeMap::from([
        (premium, meter(Some(12), WindowRule::Hour, Enforcement::Hard)),
        (credits, meter(None, WindowRule::Month, Enforcement::Hard)),
    ]);
    let plans = [("free", free), ("pro", pro)];
    let plans = plans.map(|(name, meters)| (name.to_owned(), Plan { meters }));
    Catalog { models: BTreeMap::new(), plans: plans.into(), default_plan: "free".to_owned() }
}

/// What is asked of an account next.
#[derive(Clone, Debug)]
enum Ask {
    Command(Command),
    Terms(AccountTerms),
}

fn draw(dice: &mut Dice, plan: u64, now: Timestamp) -> Ask {
    if dice.below(16) == 0 {
        let plan = dice.pick(&["free", "pro"]).to_owned();
        let premium = MeterId::new("premium").unwrap();
        let own = (dice.below(3) == 0).then(|| (premium, Some(Units::from(dice.below(9)))));
        let overrides = own.into_iter().collect();
        return Ask::Terms(AccountTerms { plan: Some(plan), overrides, ..AccountTerms::default() });
    }
    let actor: ActorId = dice.pick(&["ann", "bob"]).parse().unwrap();
    let made_at = match dice.below(40) {
        0 => now.plus(-8 * 86_400_000),
        1 => now.plus(3_600_000),
        // Few ids, so that they are met again.
        _ => START,
    };
    let mut entropy = [0; 10];
    entropy[8] = u8::try_from(dice.below(12)).unwrap();
    entropy[9] = u8::try_from(plan % 251).unwrap();
    let operation = OperationId::new_v7(made_at, entropy);
    let charge = draw_charge(dice);
    let content = (dice.below(2) == 0).then(|| Fingerprint([dice.pick(&[0, 1]); 16]));
    let expires_at = now.plus(dice.below(90_000).into());
    Ask::Command(match dice.below(20) {
        0..8 => Command::Hold { operation, actor, model: None, charge, content, expires_at },
        8..10 => Command::Rehold { operation, charge },
        10..13 => Command::Settle { operation, charge, content, cause: None },
        13..15 => Command::Release { operation, cause: Cause::Cancelled },
        15 => Command::Extend { operation, expires_at },
        16..18 => Command::Expire { operation, charged: dice.below(2) == 0 },
        18 => Command::Fence { operation, actor },
        _ => Command::Grant { operation, actor, charge },
    })
}

fn draw_charge(dice: &mut Dice) -> Charge {
    let lines = METERS.map(|name| (MeterId::new(name).unwrap(), dice.below(5)));
    let lines = lines.into_iter().filter(|(_, units)| *units > 0 && *units < 4);
    Charge::new(lines.map(|(meter, units)| (meter, Units::from(units)))).unwrap_or_default()
}

/// A ledger without a database.
struct Memory {
    catalog: Catalog,
    account: Account,
    terms: AccountTerms,
    operations: BTreeMap<OperationId, OperationRecord>,
    entries: Vec<EntryResponse>,
}

impl Memory {
    fn new(id: &AccountId) -> Self {
        Self {
            catalog: catalog(),
            account: Account::new(id.clone()),
            terms: AccountTerms::default(),
            operations: BTreeMap::new(),
            entries: Vec::new(),
        }
    }

    fn run(&mut self, ask: &Ask, now: Timestamp) -> String {
        if let Ask::Terms(terms) = ask {
            self.terms = terms.clone();
        }
        let terms = calendar::terms(&self.catalog, &self.terms, now);
        for entry in self.account.align(&terms, now) {
            self.entries.push(told_entry(&entry, now));
        }
        let Ask::Command(command) = ask else { return told(&Ok((None, false))) };
        let known = self.operations.get(&command.operation());
        let written = match self.account.decide(known, command, now, Acceptance::default()) {
            Err(rejection) => return told(&Err(rejection)),
            Ok(Decision::Replayed(record)) => {
                let asked_again = matches!(command, Command::Hold { .. });
                if record.state == OperationState::Refused && asked_again {
                    return "refused".to_owned();
                }
                return told(&Ok((Some(record), true)));
            }
            Ok(Decision::Changed(written)) => (written, false),
            Ok(Decision::Refused(written, _)) => (written, true),
        };
        let (written, refused) = written;
        let record = written.operation.clone();
        self.account = written.account;
        self.entries.push(told_entry(&written.entry, now));
        self.operations.extend(written.operation.map(|record| (record.id, record)));
        if refused { "refused".to_owned() } else { told(&Ok((record, false))) }
    }

    fn meters(&self) -> Vec<(MeterId, MeterReading)> {
        let meters = self.account.meters.iter();
        meters.map(|(meter, it)| (meter.clone(), MeterReading::from(it))).collect()
    }
}

fn told_entry(entry: &Entry, at: Timestamp) -> EntryResponse {
    let lines = entry.lines.iter().map(|line| EntryLineResponse {
        meter: line.meter.to_string(),
        window_number: line.window_number,
        used: line.used,
        held: line.held,
        granted: line.granted,
        overage: line.overage.get(),
    });
    EntryResponse {
        version: entry.version.0,
        kind: entry.kind.as_str().to_owned(),
        cause: entry.cause.as_str().to_owned(),
        operation: entry.operation.map(|id| id.to_string()),
        actor: entry.actor.as_ref().map(ToString::to_string),
        at: time::format(at),
        lines: lines.collect(),
    }
}

/// What was decided, in words. What a refusal says of a moment is not compared.
fn told(outcome: &Result<(Option<OperationRecord>, bool), Rejection>) -> String {
    match outcome {
        Err(Rejection::Refused(_)) => "refused".to_owned(),
        other => format!("{other:?}"),
    }
}

struct Database {
    ledger: Ledger,
    task: LedgerTask,
    url: String,
    clock: Clock,
}

impl Database {
    async fn open(url: String) -> Self {
        let (ledger, task, clock) = desk::open(&url, catalog()).await;
        Self { ledger, task, url, clock }
    }

    async fn run(&self, account: &AccountId, ask: Ask, view: View) -> Answer {
        let done = match ask {
            Ask::Command(command) => self.ledger.command(account, view, command, Vec::new()).await,
            Ask::Terms(terms) => self.ledger.put_account(account, view, terms).await,
        };
        done.unwrap()
    }

    async fn entries(&self, account: &AccountId) -> Vec<EntryResponse> {
        let page = self.ledger.entries(account, Version(0)).await.unwrap();
        assert_eq!(page.next_after, None);
        page.entries
    }
}

fn told_answer(answer: &Answer) -> String {
    told(&answer.outcome.clone().map(|Done { record, replayed }| (record, replayed)))
}

fn without_history(snapshot: &Snapshot) -> Snapshot {
    Snapshot { epoch: "any".parse().unwrap(), ..snapshot.clone() }
}

/// One plan: an account in each of the three, and what it is asked.
struct Trial {
    seed: u64,
    dice: Dice,
    account: AccountId,
    memory: Memory,
}

impl Trial {
    fn new(seed: u64) -> Self {
        let account: AccountId = format!("plan_{seed}").parse().unwrap();
        let memory = Memory::new(&account);
        Self { seed, dice: Dice::new(seed), account, memory }
    }

    async fn step(&mut self, databases: &[Database; 2], now: Timestamp) {
        let many = if self.dice.below(4) == 0 { 3 } else { 1 };
        let asks: Vec<Ask> = (0..many).map(|_| draw(&mut self.dice, self.seed, now)).collect();
        let since = (self.dice.below(3) > 0)
            .then(|| self.dice.below(u32::try_from(self.memory.account.version.0).unwrap() + 2));
        let since = since.map(|since| Version(since.into()));
        let view = View { actor: "ann".parse().unwrap(), since, ask: Vec::new() };
        let expected: Vec<String> = asks.iter().map(|ask| self.memory.run(ask, now)).collect();
        let mut snapshots = Vec::new();
        for database in databases {
            // Sent together, in this order: an account's requests keep theirs.
            let sent =
                asks.iter().map(|ask| database.run(&self.account, ask.clone(), view.clone()));
            let answers = join_all(sent).await;
            let told: Vec<String> = answers.iter().map(told_answer).collect();
            assert_eq!(told, expected, "seed {}, {}: {asks:?}", self.seed, database.url);
            snapshots.extend(answers.last().map(|answer| without_history(&answer.snapshot)));
        }
        assert_eq!(snapshots[0], snapshots[1], "seed {}: {asks:?}", self.seed);
        assert_eq!(snapshots[0].version, self.memory.account.version, "seed {}", self.seed);
        let meters: Vec<_> =
            snapshots[0].meters.iter().map(|(a, b)| (a.clone(), b.clone())).collect();
        assert_eq!(meters, self.memory.meters(), "seed {}: {asks:?}", self.seed);
    }

    async fn compare_entries(&self, databases: &[Database; 2]) {
        let expected = format!("{:?}", self.memory.entries);
        for database in databases {
            let entries = format!("{:?}", database.entries(&self.account).await);
            assert_eq!(entries, expected, "seed {}, {}", self.seed, database.url);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_plan_leaves_the_same_ledger_in_memory_on_sqlite_and_on_postgres() {
    let folder = TempDir::new().unwrap();
    let file = format!("sqlite:{}", folder.path().join("trueup.db").display());
    let databases =
        [Database::open(file).await, Database::open(postgres::schema_url(folder.path())).await];
    let mut now = START;
    for wave in 0..WAVES {
        let mut trials: Vec<Trial> = (0..PLANS).map(|at| Trial::new(wave * PLANS + at)).collect();
        let mut pace = Dice::new(1_000_000 + wave);
        for _ in 0..STEPS {
            join_all(trials.iter_mut().map(|trial| trial.step(&databases, now))).await;
            now = now.plus(pace.pick(&[5, 20_000, 120_000, 2_400_000]));
            databases.iter().for_each(|it| it.clock.set(now));
        }
        join_all(trials.iter().map(|trial| trial.compare_entries(&databases))).await;
    }
    for Database { task, url, .. } in databases {
        task.stop().await;
        audit::audit(&url).await;
    }
}
