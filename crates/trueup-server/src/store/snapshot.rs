//! The versioned outcome delta, put together from one transaction's image of an account.

use trueup_core::ledger::Account;
use trueup_core::{
    AccountId, ActorId, Change, Epoch, MeterId, MeterReading, OperationId, OperationOutcome,
    Snapshot, Version, ledger,
};

use super::rows::{EntryRow, OperationRow};
use super::{Glance, Sight, StoreError, StoredAccount};

/// How many operations, and how many lines of the ledger, one snapshot tells of. A reader that
/// missed more is told to start over.
const MAX_OPERATIONS: i64 = 1_000;
const MAX_LINES: i64 = 10_000;

/// What a store shows of one account, always of the same instant.
pub(super) trait Image: Send {
    /// The account itself.
    fn account(
        &mut self,
        account: &AccountId,
    ) -> impl Future<Output = Result<Option<StoredAccount>, StoreError>> + Send;

    /// The actor's operations, no grants, that changed in the range, at most `limit`, in order.
    fn operations_in(
        &mut self,
        account: &AccountId,
        actor: &ActorId,
        range: Range,
        limit: i64,
    ) -> impl Future<Output = Result<Vec<OperationRow>, StoreError>> + Send;

    /// The ledger's lines in the range that moved a number which the actor's operations do not
    /// explain, at most `limit`, in order.
    fn lines_in(
        &mut self,
        account: &AccountId,
        actor: &ActorId,
        range: Range,
        limit: i64,
    ) -> impl Future<Output = Result<Vec<EntryRow>, StoreError>> + Send;

    /// The actor's operations, no grants, of those ids, in the order of their versions.
    fn operations_of(
        &mut self,
        account: &AccountId,
        actor: &ActorId,
        ids: &[OperationId],
    ) -> impl Future<Output = Result<Vec<OperationRow>, StoreError>> + Send;
}

/// Versions in (since, version].
#[derive(Clone, Copy, Debug)]
pub(super) struct Range {
    pub since: Version,
    pub version: Version,
}

pub(super) async fn read<I: Image>(
    mut image: I,
    epoch: &Epoch,
    glance: Glance<'_>,
) -> Result<Option<Sight>, StoreError> {
    let Some(stored) = image.account(glance.account).await? else { return Ok(None) };
    let version = stored.account.version;
    let told = match glance.since.unwrap_or(version) {
        since if since == version => Some(Told::default()),
        since if since > version => None,
        since => tell(&mut image, glance, Range { since, version }).await?,
    };
    let asked = asked(&mut image, glance, told.as_ref()).await?;
    let snapshot = assemble(&stored.account, epoch, glance, told, asked);
    Ok(Some(Sight { stored, snapshot }))
}

/// What happened in a range of versions: outcomes of the reader's operations, and what else moved.
#[derive(Debug, Default)]
pub(crate) struct Told {
    pub operations: Vec<OperationOutcome>,
    pub changes: Vec<Change>,
}

impl Told {
    /// The operations asked for that it does not tell of.
    pub fn missing(told: Option<&Self>, ask: &[OperationId]) -> Vec<OperationId> {
        let tells = |id: &OperationId| {
            told.is_some_and(|told| told.operations.iter().any(|outcome| outcome.id == *id))
        };
        ask.iter().copied().filter(|id| !tells(id)).collect()
    }
}

/// Puts together what travels. Without `told` the range could not be told.
pub(crate) fn assemble(
    account: &Account,
    epoch: &Epoch,
    glance: Glance<'_>,
    told: Option<Told>,
    asked: Vec<OperationOutcome>,
) -> Snapshot {
    let version = account.version;
    let reset = told.is_none();
    let Told { mut operations, changes } = told.unwrap_or_default();
    operations.extend(asked);
    let reading = |(meter, balance)| {
        let (meter, reading): (&MeterId, MeterReading) = (meter, MeterReading::from(balance));
        (meter.clone(), reading)
    };
    Snapshot {
        account: glance.account.clone(),
        epoch: epoch.clone(),
        since: glance.since.filter(|_| !reset).unwrap_or(version),
        version,
        as_of: glance.now,
        reset,
        meters: account.meters.iter().map(reading).collect(),
        operations,
        changes,
    }
}

/// Everything in the range; `None` when that is too much to tell.
async fn tell<I: Image>(
    image: &mut I,
    glance: Glance<'_>,
    range: Range,
) -> Result<Option<Told>, StoreError> {
    let Glance { account, actor, .. } = glance;
    let operations = image.operations_in(account, actor, range, MAX_OPERATIONS + 1).await?;
    let lines = image.lines_in(account, actor, range, MAX_LINES + 1).await?;
    if signed_len(&operations) > MAX_OPERATIONS || signed_len(&lines) > MAX_LINES {
        return Ok(None);
    }
    let operations = outcomes(operations)?;
    let movements = lines.iter().filter_map(|line| line.movement().transpose());
    let movements = movements.collect::<Result<Vec<_>, StoreError>>()?;
    Ok(Some(Told { operations, changes: ledger::changes(movements) }))
}

/// What asked-for operations came to, unless the range told it already.
async fn asked<I: Image>(
    image: &mut I,
    glance: Glance<'_>,
    told: Option<&Told>,
) -> Result<Vec<OperationOutcome>, StoreError> {
    let missing = Told::missing(told, glance.ask);
    if missing.is_empty() {
        return Ok(Vec::new());
    }
    outcomes(image.operations_of(glance.account, glance.actor, &missing).await?)
}

fn outcomes(rows: Vec<OperationRow>) -> Result<Vec<OperationOutcome>, StoreError> {
    rows.into_iter().map(|row| Ok(row.into_record()?.outcome())).collect()
}

fn signed_len<T>(rows: &[T]) -> i64 {
    i64::try_from(rows.len()).unwrap_or(i64::MAX)
}
