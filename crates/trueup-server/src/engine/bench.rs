//! Where a batch is decided: requests in their order, each seeing what those before it changed.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use trueup_core::error::{Refusal, Rejection};
use trueup_core::ledger::{
    self, Acceptance, Account, Command, Decision, Entry, EntryKind, Written,
};
use trueup_core::operation::OperationRecord;
use trueup_core::{
    AccountId, ActorId, Cause, Epoch, MeterId, OperationId, OperationState, Snapshot, Timestamp,
    Units, Version, quota,
};

use super::{Action, Done, NewMessage, Request};
use crate::calendar;
use crate::config::Catalog;
use crate::store::{
    AccountTerms, Glance, Loaded, SavedMessage, StoredAccount, Told, Writes, assemble,
};

pub(super) struct Bench<'a> {
    catalog: &'a Catalog,
    acceptance: Acceptance,
    now: Timestamp,
    accounts: HashMap<AccountId, Workpiece>,
    operations: HashMap<(AccountId, OperationId), OperationRecord>,
    /// Operations that were looked up: what is not among the ones above is not there.
    looked_up: HashSet<(AccountId, OperationId)>,
    messages: Vec<SavedMessage>,
}

struct Workpiece {
    stored: StoredAccount,
    meters_before: BTreeSet<MeterId>,
    version_before: Version,
    is_changed: bool,
    /// Operations that were changed.
    changed: BTreeSet<OperationId>,
    /// What is added to the ledger.
    entries: Vec<Entry>,
}

impl Workpiece {
    fn new(stored: StoredAccount, is_new: bool) -> Self {
        Self {
            meters_before: stored.account.meters.keys().cloned().collect(),
            version_before: stored.account.version,
            stored,
            is_changed: is_new,
            changed: BTreeSet::new(),
            entries: Vec::new(),
        }
    }
}

/// What was decided, and who is to see what of it.
pub(super) struct Decided {
    pub outcome: Result<Done, Rejection>,
    actor: ActorId,
    since: Option<Version>,
    ask: Vec<OperationId>,
}

impl Decided {
    pub fn glance<'a>(&'a self, account: &'a AccountId, now: Timestamp) -> Glance<'a> {
        Glance { account, actor: &self.actor, since: self.since, ask: &self.ask, now }
    }
}

impl<'a> Bench<'a> {
    pub fn new(
        catalog: &'a Catalog,
        acceptance: Acceptance,
        now: Timestamp,
        loaded: Loaded,
        looked_up: &[(&AccountId, OperationId)],
    ) -> Self {
        let workpiece = |(id, stored)| (id, Workpiece::new(stored, false));
        let looked_up = looked_up.iter().map(|(account, id)| ((*account).clone(), *id)).collect();
        Self {
            catalog,
            acceptance,
            now,
            accounts: loaded.accounts.into_iter().map(workpiece).collect(),
            operations: loaded.operations,
            looked_up,
            messages: Vec::new(),
        }
    }

    /// Whether the account was there to be loaded, or has been opened since.
    pub fn has(&self, account: &AccountId) -> bool {
        self.accounts.contains_key(account)
    }

    pub fn decide(&mut self, request: &Request) -> Decided {
        let account = &request.account;
        let mut decided = Decided {
            outcome: Ok(Done { record: None, replayed: false }),
            actor: request.view.actor.clone(),
            since: request.view.since,
            ask: request.view.ask.clone(),
        };
        match &request.action {
            Action::Align => self.align(account, None),
            Action::PutAccount(terms) => self.align(account, Some(terms)),
            Action::Command { command, messages } => {
                self.align(account, None);
                let known = self.operations.get(&(account.clone(), command.operation()));
                if let Some(known) = known.filter(|_| belongs_to_known_actor(command)) {
                    decided.actor = known.actor.clone();
                }
                decided.ask.push(command.operation());
                decided.outcome = self.command(account, command, messages);
            }
        }
        decided
    }

    /// Opens the account if it is new, and brings it up to date with its plan and the calendar.
    fn align(&mut self, id: &AccountId, new_terms: Option<&AccountTerms>) {
        let piece = self.accounts.entry(id.clone()).or_insert_with(|| {
            let (account, terms) = (Account::new(id.clone()), AccountTerms::default());
            Workpiece::new(StoredAccount { account, terms }, true)
        });
        if let Some(terms) = new_terms {
            piece.stored.terms = terms.clone();
            piece.is_changed = true;
        }
        let terms = calendar::terms(self.catalog, &piece.stored.terms, self.now);
        let entries = piece.stored.account.align(&terms, self.now);
        piece.is_changed |= !entries.is_empty();
        piece.entries.extend(entries);
    }

    fn command(
        &mut self,
        account: &AccountId,
        command: &Command,
        messages: &[NewMessage],
    ) -> Result<Done, Rejection> {
        let Some(piece) = self.accounts.get(account) else {
            return Err(Rejection::Unknown(command.operation()));
        };
        let known = self.operations.get(&(account.clone(), command.operation()));
        let decision = piece.stored.account.decide(known, command, self.now, self.acceptance)?;
        match decision {
            // Only whoever asks for units again is told once more that there is no room; a fence, say,
            // has what it wants.
            Decision::Replayed(record)
                if record.state == OperationState::Refused
                    && matches!(command, Command::Hold { .. }) =>
            {
                // An operation that asks for nothing is never refused.
                let again = refusal_again(&piece.stored.account, &record);
                Err(again.map_or(Rejection::Unknown(record.id), Rejection::Refused))
            }
            Decision::Replayed(record) => Ok(Done { record: Some(record), replayed: true }),
            Decision::Changed(written) => {
                let record = written.operation.clone();
                self.keep(account, *written, messages);
                Ok(Done { record, replayed: false })
            }
            Decision::Refused(written, refusal) => {
                self.keep(account, *written, &[]);
                Err(Rejection::Refused(refusal))
            }
        }
    }

    fn keep(&mut self, id: &AccountId, written: Written, messages: &[NewMessage]) {
        let Some(piece) = self.accounts.get_mut(id) else { return };
        let Written { account, operation, entry } = written;
        if let Some(record) = operation {
            let saved = messages.iter().map(|message| SavedMessage {
                account: id.clone(),
                actor: record.actor.clone(),
                operation: record.id,
                version: record.version,
                message: message.storable(),
            });
            self.messages.extend(saved);
            piece.changed.insert(record.id);
            self.operations.insert((id.clone(), record.id), record);
        }
        piece.stored.account = account;
        piece.is_changed = true;
        piece.entries.push(entry);
    }

    /// The account as it is to be, for who knew it when the batch began: then all that happened
    /// since is here. `None` when the store must be asked.
    pub fn snapshot(&self, epoch: &Epoch, glance: Glance<'_>) -> Option<Snapshot> {
        let piece = self.accounts.get(glance.account)?;
        let version = piece.stored.account.version;
        let told = match glance.since.unwrap_or(version) {
            since if since == version => Some(Told::default()),
            since if since > version => None,
            since if since < piece.version_before => return None,
            since => Some(self.told_since(piece, glance, since)),
        };
        let mut asked = Vec::new();
        for id in Told::missing(told.as_ref(), glance.ask) {
            let key = (glance.account.clone(), id);
            match self.operations.get(&key) {
                Some(record) if is_of(record, glance.actor) => asked.push(record.outcome()),
                Some(_) => {}
                None if self.looked_up.contains(&key) => {}
                None => return None,
            }
        }
        asked.sort_by_key(|outcome| outcome.version);
        Some(assemble(&piece.stored.account, epoch, glance, told, asked))
    }

    fn told_since(&self, piece: &Workpiece, glance: Glance<'_>, since: Version) -> Told {
        let Glance { account, actor, .. } = glance;
        let record = |id: &OperationId| self.operations.get(&(account.clone(), *id));
        let changed = piece.changed.iter().filter_map(record);
        let mut operations: Vec<_> = changed
            .filter(|record| record.version > since && is_of(record, actor))
            .map(OperationRecord::outcome)
            .collect();
        operations.sort_by_key(|outcome| outcome.version);
        let others = piece.entries.iter().filter(|entry| {
            let own = entry.actor.as_ref() == Some(actor) && entry.kind != EntryKind::Grant;
            entry.version > since && !own
        });
        Told { operations, changes: ledger::changes(others.flat_map(Entry::movements)) }
    }

    pub fn into_writes(mut self) -> Writes {
        // In id order, so that every batch locks rows in the same order.
        let accounts: BTreeMap<AccountId, Workpiece> = self.accounts.into_iter().collect();
        let mut writes = Writes { messages: self.messages, ..Writes::default() };
        for (id, piece) in accounts {
            if !piece.is_changed {
                continue;
            }
            let gone = piece.meters_before.iter();
            let gone = gone.filter(|meter| !piece.stored.account.meters.contains_key(*meter));
            writes.removed_meters.extend(gone.map(|meter| (id.clone(), meter.clone())));
            writes.accounts.push(piece.stored);
            writes.entries.extend(piece.entries.into_iter().map(|entry| (id.clone(), entry)));
            for operation in piece.changed {
                let record = self.operations.remove(&(id.clone(), operation));
                writes.operations.extend(record.map(|record| (id.clone(), record)));
            }
        }
        writes
    }
}

/// Grants are told as changes, and operations to who began them.
fn is_of(record: &OperationRecord, actor: &ActorId) -> bool {
    record.actor == *actor && record.cause != Cause::Grant
}

/// Commands that a backend gives about somebody's operation: the somebody is who looks.
fn belongs_to_known_actor(command: &Command) -> bool {
    !matches!(command, Command::Hold { .. } | Command::Fence { .. } | Command::Grant { .. })
}

/// A retry of a refused operation stays refused; what it is told is how things stand now.
fn refusal_again(account: &Account, record: &OperationRecord) -> Option<Refusal> {
    let allowance =
        |meter: &MeterId| account.meters.get(meter).map(trueup_core::MeterBalance::allowance);
    quota::admit(&record.requested, allowance).err().or_else(|| {
        let (meter, asked) = record.requested.iter().next()?;
        let allowance = allowance(meter)?;
        Some(Refusal {
            meter: meter.clone(),
            asked,
            remaining: allowance.remaining().unwrap_or(Units::MAX),
            resets_at: allowance.resets_at,
        })
    })
}
