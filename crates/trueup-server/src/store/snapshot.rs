//! The versioned outcome delta, put together from one transaction's image of an account.

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
    let since = glance.since.unwrap_or(version);
    let told = match since {
        since if since == version => Some((Vec::new(), Vec::new())),
        since if since > version => None,
        since => tell(&mut image, glance, Range { since, version }).await?,
    };
    let reset = told.is_none();
    let (mut operations, changes) = told.unwrap_or_default();
    add_asked(&mut image, glance, &mut operations).await?;
    let reading = |(meter, balance)| {
        let (meter, reading): (&MeterId, MeterReading) = (meter, MeterReading::from(balance));
        (meter.clone(), reading)
    };
    let snapshot = Snapshot {
        account: glance.account.clone(),
        epoch: epoch.clone(),
        since: if reset { version } else { since },
        version,
        as_of: glance.now,
        reset,
        meters: stored.account.meters.iter().map(reading).collect(),
        operations,
        changes,
    };
    Ok(Some(Sight { stored, snapshot }))
}

type Told = (Vec<OperationOutcome>, Vec<Change>);

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
    let outcomes = operations
        .into_iter()
        .map(|row| Ok(row.into_record()?.outcome()))
        .collect::<Result<_, StoreError>>()?;
    let movements = lines.iter().filter_map(|line| line.movement().transpose());
    let movements = movements.collect::<Result<Vec<_>, StoreError>>()?;
    Ok(Some((outcomes, ledger::changes(movements))))
}

/// What asked-for operations came to, unless the range told it already.
async fn add_asked<I: Image>(
    image: &mut I,
    glance: Glance<'_>,
    operations: &mut Vec<OperationOutcome>,
) -> Result<(), StoreError> {
    let is_told = |id: &OperationId| operations.iter().any(|outcome| outcome.id == *id);
    let missing: Vec<OperationId> = glance.ask.iter().copied().filter(|id| !is_told(id)).collect();
    if missing.is_empty() {
        return Ok(());
    }
    for row in image.operations_of(glance.account, glance.actor, &missing).await? {
        operations.push(row.into_record()?.outcome());
    }
    Ok(())
}

fn signed_len<T>(rows: &[T]) -> i64 {
    i64::try_from(rows.len()).unwrap_or(i64::MAX)
}
