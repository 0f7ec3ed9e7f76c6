//! One command, one decision. Checks come in a fixed order: the id, its history, then the quota.

use super::{
    Acceptance, Account, ActorId, Cause, Charge, Command, Decision, OperationId, OperationRecord,
    OperationState, Rejection, Timestamp, quota,
};
use crate::ids::{Fingerprint, ModelId};

impl Account {
    /// Decides `command`. `known` is the record kept under the command's operation id, if any.
    ///
    /// The account must be aligned with its plan at `now` (see [`Account::align`]).
    ///
    /// # Errors
    /// [`Rejection`] when nothing is to be written. A refusal at admission is not one of these: it
    /// is recorded, as [`Decision::Refused`].
    pub fn decide(
        &self,
        known: Option<&OperationRecord>,
        command: &Command,
        now: Timestamp,
        acceptance: Acceptance,
    ) -> Result<Decision, Rejection> {
        let operation = command.operation();
        if let Some(record) = known
            && (record.cause == Cause::Grant) != matches!(command, Command::Grant { .. })
        {
            // A grant and an operation never share an id.
            return Err(Rejection::Conflict(operation));
        }
        match command {
            Command::Hold { actor, model, charge, content, expires_at, .. } => {
                let (model, content) = (model.as_ref(), *content);
                let asked = Asked { operation, actor, model, charge, content };
                match known {
                    Some(record) => asked.replay(record),
                    None => {
                        accept(operation, now, acceptance)?;
                        self.hold(&asked, *expires_at)
                    }
                }
            }
            Command::Fence { actor, .. } => match known {
                Some(record) if record.actor != *actor => Err(Rejection::Conflict(operation)),
                Some(record) if record.state == OperationState::Held => {
                    Err(Rejection::Held(operation))
                }
                Some(record) => Ok(Decision::Replayed(record.clone())),
                None => {
                    // An id that is ahead today will be accepted in time: it must never be then.
                    let max_ahead_ms = acceptance.max_age_ms;
                    accept(operation, now, Acceptance { max_ahead_ms, ..acceptance })?;
                    Ok(self.fence(operation, actor))
                }
            },
            Command::Grant { actor, charge, .. } => {
                let asked = Asked { operation, actor, model: None, charge, content: None };
                match known {
                    Some(record) if asked.is(record) => Ok(Decision::Replayed(record.clone())),
                    Some(_) => Err(Rejection::Conflict(operation)),
                    None => {
                        accept(operation, now, acceptance)?;
                        self.grant(&asked)
                    }
                }
            }
            _ => self.decide_known(known.ok_or(Rejection::Unknown(operation))?, command, now),
        }
    }

    fn decide_known(
        &self,
        record: &OperationRecord,
        command: &Command,
        now: Timestamp,
    ) -> Result<Decision, Rejection> {
        let held = record.state == OperationState::Held;
        let ended = || match record.state {
            OperationState::Fenced => Rejection::Fenced(record.id),
            state => Rejection::Ended { operation: record.id, state },
        };
        match command {
            Command::Rehold { charge, .. } if held => self.rehold(record, charge),
            Command::Extend { expires_at, .. } if held => self.extend(record, *expires_at),
            Command::Settle { charge, content, cause, .. } if held => {
                let cause = cause.unwrap_or_else(|| settle_cause(&record.requested, charge));
                self.settle(record, charge, *content, cause)
            }
            Command::Release { cause, .. } if held => self.release(record, *cause),
            // A hold that was extended after somebody found it due is not due any more.
            Command::Expire { .. } if held && record.expires_at > now => {
                Ok(Decision::Replayed(record.clone()))
            }
            Command::Expire { charged, .. } if held => self.expire(record, *charged),
            Command::Settle { charge, content, .. } if record.state == OperationState::Settled => {
                if record.charged == *charge && record.settled_content == *content {
                    Ok(Decision::Replayed(record.clone()))
                } else {
                    Err(Rejection::Conflict(record.id))
                }
            }
            Command::Release { .. } if record.state == OperationState::Released => {
                Ok(Decision::Replayed(record.clone()))
            }
            Command::Expire { .. } => Ok(Decision::Replayed(record.clone())),
            _ => Err(ended()),
        }
    }
}

/// The content of a hold or grant: what makes a retry the same one.
pub(super) struct Asked<'a> {
    pub operation: OperationId,
    pub actor: &'a ActorId,
    pub model: Option<&'a ModelId>,
    pub charge: &'a Charge,
    pub content: Option<Fingerprint>,
}

impl Asked<'_> {
    fn is(&self, record: &OperationRecord) -> bool {
        record.actor == *self.actor
            && record.model.as_ref() == self.model
            && record.requested == *self.charge
            && record.held_content == self.content
    }

    fn replay(&self, record: &OperationRecord) -> Result<Decision, Rejection> {
        if record.state == OperationState::Fenced && record.actor == *self.actor {
            return Err(Rejection::Fenced(record.id));
        }
        if !self.is(record) {
            return Err(Rejection::Conflict(record.id));
        }
        Ok(Decision::Replayed(record.clone()))
    }
}

fn accept(operation: OperationId, now: Timestamp, acceptance: Acceptance) -> Result<(), Rejection> {
    let age_ms = now.since(operation.created_at());
    if age_ms > acceptance.max_age_ms {
        return Err(Rejection::TooOld(operation));
    }
    if age_ms < -acceptance.max_ahead_ms {
        return Err(Rejection::FromFuture(operation));
    }
    Ok(())
}

fn settle_cause(requested: &Charge, charged: &Charge) -> Cause {
    if requested == charged {
        return Cause::Finished;
    }
    // Less of the same, down to nothing, is a matter of use; another meter is another model's.
    let as_asked = charged.iter().all(|(meter, _)| !requested.units(meter).is_zero());
    if as_asked { Cause::Metered } else { Cause::Fallback }
}

impl Account {
    pub(super) fn admit(&self, charge: &Charge) -> Result<(), crate::error::Refusal> {
        quota::admit(charge, |meter| self.meters.get(meter).map(super::MeterBalance::allowance))
    }
}
