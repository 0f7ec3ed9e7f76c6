//! Three servers over one database.

use std::collections::BTreeMap;

use tempfile::TempDir;
use trueup_core::ledger::Command;
use trueup_core::{
    AccountId, Charge, Enforcement, MeterId, OperationId, OperationState, Units, Version,
};
use trueup_server::config::{Catalog, Plan, PlanMeter, WindowRule};
use trueup_server::engine::View;
use trueup_server::ledger::{Ledger, LedgerTask};

use crate::desk::START;
use crate::{audit, desk, postgres};

const LIMIT: u32 = 100;

struct Street {
    ledgers: Vec<Ledger>,
    tasks: Vec<LedgerTask>,
    url: String,
    _folder: TempDir,
}

impl Street {
    async fn open() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let url = postgres::schema_url(folder.path());
        let (mut ledgers, mut tasks) = (Vec::new(), Vec::new());
        for _ in 0..3 {
            let (ledger, task, _) = desk::open(&url, catalog()).await;
            ledgers.push(ledger);
            tasks.push(task);
        }
        Self { ledgers, tasks, url, _folder: folder }
    }

    async fn close(self) {
        for task in self.tasks {
            task.stop().await;
        }
        audit::audit(&self.url).await;
    }
}

fn meter() -> MeterId {
    MeterId::new("premium").unwrap()
}

pub fn catalog() -> Catalog {
    let limited = PlanMeter {
        limit: Some(Units::from(LIMIT)),
        window: WindowRule::Month,
        enforcement: Enforcement::Hard,
    };
    let free = Plan { meters: BTreeMap::from([(meter(), limited)]) };
    Catalog {
        models: BTreeMap::new(),
        plans: BTreeMap::from([("free".to_owned(), free)]),
        default_plan: "free".to_owned(),
    }
}

pub fn id(number: u32) -> OperationId {
    let mut entropy = [0; 10];
    entropy[6..].copy_from_slice(&number.to_be_bytes());
    OperationId::new_v7(START, entropy)
}

pub fn hold(account: &AccountId, operation: OperationId) -> Command {
    Command::Hold {
        operation,
        actor: account.personal_actor(),
        model: None,
        charge: Charge::of(meter(), Units::from(1_u32)),
        content: None,
        expires_at: START.plus(60_000),
    }
}

pub fn view(account: &AccountId) -> View {
    View { actor: account.personal_actor(), since: None, ask: Vec::new() }
}

/// Sends to the server of that number.
async fn send(
    street: &Street,
    at: usize,
    account: &AccountId,
    command: Command,
) -> Option<OperationState> {
    let ledger = &street.ledgers[at % street.ledgers.len()];
    let answer = ledger.command(account, view(account), command, Vec::new()).await.unwrap();
    answer.outcome.ok().and_then(|done| done.record).map(|record| record.state)
}

#[tokio::test(flavor = "multi_thread")]
async fn as_many_are_admitted_as_there_is_room_for_whoever_is_asked() {
    let street = Street::open().await;
    for round in 0..5_u32 {
        let account: AccountId = format!("race_{round}").parse().unwrap();
        let sends = (0..600_u32).map(|number| {
            let (street, account) = (&street, &account);
            async move {
                let command = hold(account, id(round * 1_000 + number));
                send(street, number as usize, account, command).await
            }
        });
        let admitted = futures::future::join_all(sends).await.into_iter().flatten().count();
        assert_eq!(admitted, LIMIT as usize, "round {round}");
    }
    street.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_operation_ends_once_whichever_servers_are_told() {
    let street = Street::open().await;
    let account: AccountId = "ann".parse().unwrap();
    for number in 0..40 {
        let operation = id(number);
        // The same hold by all three is one operation.
        let held = (0..3).map(|at| send(&street, at, &account, hold(&account, operation)));
        let held = futures::future::join_all(held).await;
        assert_eq!(held, [Some(OperationState::Held); 3]);
        let charge = Charge::of(meter(), Units::from(1_u32));
        let ends = [
            Command::Settle { operation, charge, content: None, cause: None },
            Command::Release { operation, cause: trueup_core::Cause::Cancelled },
            Command::Release { operation, cause: trueup_core::Cause::Aborted },
        ];
        let ends = ends.into_iter().enumerate();
        let ended = ends.map(|(at, end)| send(&street, at, &account, end));
        let ended: Vec<_> = futures::future::join_all(ended).await.into_iter().flatten().collect();
        let settled = ended.iter().filter(|state| **state == OperationState::Settled).count();
        assert!(settled == 0 || ended.len() == 1, "{ended:?}");
        assert!(!ended.is_empty());
    }
    street.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_one_server_acknowledged_every_server_reads() {
    let street = Street::open().await;
    let account: AccountId = "ann".parse().unwrap();
    let actor = account.personal_actor();
    let mut version = Version(0);
    for number in 0..60_u32 {
        let ledger = &street.ledgers[number as usize % 3];
        let command = hold(&account, id(number));
        let told = ledger.command(&account, view(&account), command, Vec::new()).await.unwrap();
        for reader in &street.ledgers {
            let seen = reader.snapshot(&account, &actor, Some(version), &[]).await.unwrap();
            assert_eq!((seen.version, seen.reset), (told.snapshot.version, false));
            assert_eq!(seen.meters, told.snapshot.meters);
            assert!(seen.operations.iter().any(|it| it.id == id(number)));
            assert_eq!(seen.epoch, told.snapshot.epoch);
        }
        version = told.snapshot.version;
    }
    street.close().await;
}
