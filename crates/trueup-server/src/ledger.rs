//! What handlers use: changes go to the engine, reads go to the store, and windows that ended are
//! rolled before anybody reads them.

use std::sync::Arc;

use trueup_core::ledger::Command;
use trueup_core::{AccountId, ActorId, Epoch, OperationId, Snapshot, Version};
use trueup_protocol::response::{
    ConversationsResponse, EntriesResponse, MessageResponse, MessagesResponse,
};

use crate::engine::{
    Action, Answer, Engine, EngineError, EngineParts, EngineTask, Freshness, NewMessage, Request,
    View,
};
use crate::metrics::Metrics;
use crate::polls::Polls;
use crate::store::{AccountTerms, ConversationPlace, Glance, MessagePlace, Sight, Store};

/// Cheap to clone; one a server.
#[derive(Clone)]
pub struct Ledger {
    engine: Engine,
    polls: Polls,
    store: Arc<Store>,
}

/// What runs under a [`Ledger`] and must be stopped last.
pub struct LedgerTask {
    engine: EngineTask,
    store: Arc<Store>,
}

impl LedgerTask {
    /// Carries out what was asked for before, takes nothing more, and closes the database.
    pub async fn stop(self) {
        self.engine.stop().await;
        self.store.close().await;
    }
}

impl Ledger {
    /// Starts the engine over its store.
    pub fn start(parts: EngineParts) -> (Self, LedgerTask) {
        let store = Arc::clone(&parts.store);
        let (engine, task) = Engine::start(parts);
        let polls = Polls::start(&store);
        let ledger = Self { engine, polls, store: Arc::clone(&store) };
        (ledger, LedgerTask { engine: task, store })
    }

    /// Carries out one command and answers with what became of it and the account afterwards.
    ///
    /// # Errors
    /// [`EngineError`] when nothing could be decided; the ledger is as it was.
    pub async fn command(
        &self,
        account: &AccountId,
        view: View,
        command: Command,
        messages: Vec<NewMessage>,
    ) -> Result<Answer, EngineError> {
        self.run(Request::command(account.clone(), view, command, messages)).await
    }

    /// Carries out one request.
    ///
    /// # Errors
    /// [`EngineError`] when nothing could be decided; the ledger is as it was.
    pub async fn run(&self, request: Request) -> Result<Answer, EngineError> {
        self.engine.run(request).await
    }

    /// Carries out many, each for itself and those of one account in their order.
    pub async fn run_all(&self, requests: Vec<Request>) -> Vec<Result<Answer, EngineError>> {
        self.engine.run_all(requests).await
    }

    /// Sets an account's own terms.
    ///
    /// # Errors
    /// [`EngineError`] when they could not be written.
    pub async fn put_account(
        &self,
        account: &AccountId,
        view: View,
        terms: AccountTerms,
    ) -> Result<Answer, EngineError> {
        let action = Action::PutAccount(terms);
        self.engine.run(Request { account: account.clone(), view, action }).await
    }

    /// Reads the account's usage as `actor` may see it, opening the account on its first use.
    ///
    /// # Errors
    /// [`EngineError`] when the store could not be read.
    pub async fn snapshot(
        &self,
        account: &AccountId,
        actor: &ActorId,
        since: Option<Version>,
        ask: &[OperationId],
    ) -> Result<Snapshot, EngineError> {
        let glance = Glance { account, actor, since, ask, now: self.engine.now() };
        if let Some(Sight { stored, snapshot }) = self.store.read_snapshot(glance).await? {
            let freshness = self.engine.freshness(&stored);
            if let Freshness::Until(end) = freshness {
                self.polls.seen(stored, end);
            }
            if freshness != Freshness::Outdated {
                return Ok(snapshot);
            }
        }
        let view = View { actor: actor.clone(), since, ask: ask.to_vec() };
        let action = Action::Align;
        Ok(self.engine.run(Request { account: account.clone(), view, action }).await?.snapshot)
    }

    /// Whether the account is still as a reader has it, who recognises a version when they see it:
    /// then what they recognise it by. That version is the account's newest at some instant of this
    /// call, or the answer is `None`, which is no answer: read the snapshot then.
    pub async fn unchanged<T>(
        &self,
        account: &AccountId,
        recognise: impl FnOnce(Version) -> Option<T>,
    ) -> Option<T> {
        let (until, recognised) = self.polls.confirm(account, recognise).await?;
        // The clock that a read would go by; a window may have ended meanwhile.
        (self.engine.now() < until).then_some(recognised)
    }

    /// The identity of the ledger's history.
    pub fn epoch(&self) -> &Epoch {
        self.store.epoch()
    }

    /// The account's own terms; the defaults when it has none.
    ///
    /// # Errors
    /// [`EngineError`] when the store could not be read.
    pub async fn account_terms(&self, account: &AccountId) -> Result<AccountTerms, EngineError> {
        Ok(self.store.read_account_terms(account).await?.unwrap_or_default())
    }

    /// A page of the ledger, oldest first, after version `after`.
    ///
    /// # Errors
    /// [`EngineError`] when the store could not be read.
    pub async fn entries(
        &self,
        account: &AccountId,
        after: Version,
    ) -> Result<EntriesResponse, EngineError> {
        Ok(self.store.read_entries(account, after).await?)
    }

    /// A page of an actor's conversations, newest first.
    ///
    /// # Errors
    /// [`EngineError`] when the store could not be read.
    pub async fn conversations(
        &self,
        account: &AccountId,
        actor: &ActorId,
        before: Option<&ConversationPlace>,
    ) -> Result<ConversationsResponse, EngineError> {
        Ok(self.store.read_conversations(account, actor, before).await?)
    }

    /// A page of one conversation's messages, oldest first; `None` when the actor has no such one.
    ///
    /// # Errors
    /// [`EngineError`] when the store could not be read.
    pub async fn messages(
        &self,
        account: &AccountId,
        actor: &ActorId,
        conversation: &str,
        before: Option<MessagePlace>,
    ) -> Result<Option<MessagesResponse>, EngineError> {
        Ok(self.store.read_messages(account, actor, conversation, before).await?)
    }

    /// The answer that was saved with the settle that made `version`; `None` when none was.
    ///
    /// # Errors
    /// [`EngineError`] when the store could not be read.
    pub async fn answer(
        &self,
        account: &AccountId,
        actor: &ActorId,
        conversation: &str,
        version: Version,
    ) -> Result<Option<MessageResponse>, EngineError> {
        Ok(self.store.read_answer(account, actor, conversation, version).await?)
    }

    /// What operators watch, with how things stand here now.
    pub fn metrics_text(&self, metrics: &Metrics) -> String {
        metrics.text(&self.store, self.engine.waiting())
    }

    /// Whether the store can be read and written.
    ///
    /// # Errors
    /// [`EngineError`] when it cannot.
    pub async fn ready(&self) -> Result<(), EngineError> {
        self.store.ping().await?;
        self.engine.probe().await
    }
}
