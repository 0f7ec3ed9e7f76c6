//! Rows, as every store has them, and what they mean.

use std::collections::HashMap;

use trueup_core::ledger::{Account, EntryKind, Movement};
use trueup_core::operation::OperationRecord;
use trueup_core::{
    AccountId, Cause, Fingerprint, MeterBalance, MeterId, MeterTerms, OperationId, OperationState,
    Timestamp, Units, Version, Window,
};
use trueup_protocol::{column, snapshot};

use crate::store::{AccountTerms, Standing, StoreError, StoredAccount};

/// The columns of an [`OperationRow`]; how its id is written is the database's own.
macro_rules! operation_columns {
    ($op_id:literal) => {
        concat!(
            "account_id, ",
            $op_id,
            ", actor_id, model, state, cause, version, requested, held_content, settled_content, \
             holds, charged, expires_at"
        )
    };
}

/// The columns of an [`EntryRow`]; how its operation's id is written is the database's own.
macro_rules! entry_columns {
    ($op_id:literal) => {
        concat!(
            "version, kind, cause, ",
            $op_id,
            ", actor_id, made_at, meter, window_number, used, held, granted, limit_moved, \
             seen_moved, overage"
        )
    };
}

pub(in crate::store) use {entry_columns, operation_columns};

/// Accounts with their balances.
pub(in crate::store) fn accounts(
    accounts: Vec<AccountRow>,
    balances: Vec<BalanceRow>,
) -> Result<HashMap<AccountId, StoredAccount>, StoreError> {
    let mut found = HashMap::with_capacity(accounts.len());
    for row in accounts {
        let stored = row.into_stored()?;
        found.insert(stored.account.id.clone(), stored);
    }
    for row in balances {
        let id = AccountId::new(&row.account_id).map_err(|_| StoreError::Damaged("balance"))?;
        let (meter, balance) = row.into_balance()?;
        if let Some(stored) = found.get_mut(&id) {
            stored.account.meters.insert(meter, balance);
        }
    }
    Ok(found)
}

#[derive(sqlx::FromRow)]
pub(in crate::store) struct AccountRow {
    pub account_id: String,
    version: i64,
    plan: Option<String>,
    time_zone: Option<String>,
    anchor_at: Option<i64>,
    overrides: String,
}

impl AccountRow {
    pub fn into_stored(self) -> Result<StoredAccount, StoreError> {
        let damaged = || StoreError::Damaged("account");
        let id = AccountId::new(&self.account_id).map_err(|_| damaged())?;
        let version = Version(u64::try_from(self.version).map_err(|_| damaged())?);
        let terms = AccountTerms {
            plan: self.plan,
            time_zone: self.time_zone,
            anchor: self.anchor_at.map(Timestamp::from_millis),
            overrides: column::read_overrides(&self.overrides).ok_or_else(damaged)?,
        };
        let account = Account { version, ..Account::new(id) };
        Ok(StoredAccount { account, terms })
    }
}

#[derive(sqlx::FromRow)]
pub(in crate::store) struct BalanceRow {
    pub account_id: String,
    meter: String,
    window_number: i64,
    window_start: i64,
    window_end: i64,
    plan_limit: Option<i64>,
    enforcement: String,
    granted: i64,
    used: i64,
    held: i64,
}

impl BalanceRow {
    pub fn into_balance(self) -> Result<(MeterId, MeterBalance), StoreError> {
        let damaged = || StoreError::Damaged("balance");
        let units = |count: i64| u64::try_from(count).ok().and_then(Units::new).ok_or_else(damaged);
        let terms = MeterTerms {
            limit: self.plan_limit.map(units).transpose()?,
            enforcement: snapshot::enforcement(&self.enforcement).map_err(|_| damaged())?,
            window: Window {
                start: Timestamp::from_millis(self.window_start),
                end: Timestamp::from_millis(self.window_end),
            },
        };
        let balance = MeterBalance {
            terms,
            window_number: u64::try_from(self.window_number).map_err(|_| damaged())?,
            granted: units(self.granted)?,
            used: units(self.used)?,
            held: units(self.held)?,
        };
        Ok((MeterId::new(&self.meter).map_err(|_| damaged())?, balance))
    }
}

#[derive(sqlx::FromRow)]
pub(in crate::store) struct OperationRow {
    pub account_id: String,
    op_id: String,
    actor_id: String,
    model: Option<String>,
    state: String,
    cause: String,
    version: i64,
    requested: String,
    held_content: Option<Vec<u8>>,
    settled_content: Option<Vec<u8>>,
    holds: String,
    charged: String,
    expires_at: i64,
}

impl OperationRow {
    /// With the account that it is of.
    pub fn into_keyed_record(
        self,
    ) -> Result<((AccountId, OperationId), OperationRecord), StoreError> {
        let account = AccountId::new(&self.account_id);
        let account = account.map_err(|_| StoreError::Damaged("operation"))?;
        let record = self.into_record()?;
        Ok(((account, record.id), record))
    }

    pub fn into_record(self) -> Result<OperationRecord, StoreError> {
        self.read().ok_or(StoreError::Damaged("operation"))
    }

    fn read(self) -> Option<OperationRecord> {
        Some(OperationRecord {
            id: self.op_id.parse().ok()?,
            actor: self.actor_id.parse().ok()?,
            model: match self.model {
                Some(model) => Some(model.parse().ok()?),
                None => None,
            },
            requested: column::read_charge(&self.requested)?,
            held_content: read_content(self.held_content)?,
            settled_content: read_content(self.settled_content)?,
            state: OperationState::from_word(&self.state)?,
            cause: Cause::from_word(&self.cause)?,
            version: Version(u64::try_from(self.version).ok()?),
            holds: column::read_holds(&self.holds)?,
            charged: column::read_charge(&self.charged)?,
            expires_at: Timestamp::from_millis(self.expires_at),
        })
    }
}

#[expect(clippy::option_option, reason = "no fingerprint was kept, or the one kept is damaged")]
fn read_content(kept: Option<Vec<u8>>) -> Option<Option<Fingerprint>> {
    match kept {
        None => Some(None),
        Some(bytes) => Some(Some(Fingerprint(bytes.try_into().ok()?))),
    }
}

#[derive(sqlx::FromRow)]
pub(in crate::store) struct EntryRow {
    pub version: i64,
    pub kind: String,
    pub cause: String,
    pub op_id: Option<String>,
    pub actor_id: Option<String>,
    pub made_at: i64,
    pub meter: Option<String>,
    pub window_number: i64,
    pub used: i64,
    pub held: i64,
    pub granted: i64,
    pub limit_moved: i64,
    pub seen_moved: i64,
    pub overage: i64,
}

impl EntryRow {
    pub fn kind(&self) -> Result<EntryKind, StoreError> {
        EntryKind::from_word(&self.kind).ok_or(StoreError::Damaged("entry"))
    }

    /// How a client sees it; `None` when it moved no meter.
    pub fn movement(&self) -> Result<Option<Movement>, StoreError> {
        let damaged = || StoreError::Damaged("entry");
        let Some(meter) = &self.meter else { return Ok(None) };
        Ok(Some(Movement {
            version: Version(u64::try_from(self.version).map_err(|_| damaged())?),
            kind: self.kind()?,
            meter: MeterId::new(meter).map_err(|_| damaged())?,
            limit: self.limit_moved,
            seen: self.seen_moved,
        }))
    }
}

/// Integers of databases are signed; every number of the ledger fits.
pub(in crate::store) fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// How accounts stand, by their rows alone.
pub(in crate::store) fn standings(
    rows: Vec<AccountRow>,
) -> Result<HashMap<AccountId, Standing>, StoreError> {
    let read = |row: AccountRow| {
        let StoredAccount { account, terms } = row.into_stored()?;
        Ok((account.id, Standing { version: account.version, terms }))
    };
    rows.into_iter().map(read).collect()
}

/// At which versions accounts are, by their rows alone.
pub(in crate::store) fn versions(
    rows: Vec<(String, i64)>,
) -> Result<Vec<(AccountId, Version)>, StoreError> {
    let read = |(account, version): (String, i64)| {
        Some((AccountId::new(&account).ok()?, Version(u64::try_from(version).ok()?)))
    };
    rows.into_iter().map(read).collect::<Option<_>>().ok_or(StoreError::Damaged("account"))
}
