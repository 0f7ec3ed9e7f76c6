//! The client machine: one visitor's usage in one page, without I/O.
//!
//! Contract: call one `handle_*` with the client's clock, then drain [`Client::poll_request`] and
//! [`Client::poll_event`], then set a timer for [`Client::poll_timeout`]. A driver carries requests
//! out and hands what came of them back. No clock of the client ever decides state: timers only
//! cause fetches and fences.

use std::mem;

use crate::correction::{self, Correction};
use crate::ids::{AccountId, Epoch, ModelId, OperationId, Version};
use crate::map::Map;
use crate::meter::{Charge, MeterId};
use crate::operation::{Cause, OperationState};
use crate::pending::{Pending, PendingOperation, Record, Stage};
use crate::quota;
use crate::reconcile::{Applied, Base, Knowledge, Told};
use crate::snapshot::Snapshot;
use crate::units::Units;
use crate::view::{self, MeterView, Status, View};
use crate::window::Timestamp;

mod inputs;
mod local;
mod outputs;
mod replies;
mod saved;
mod timers;

pub use local::Local;
pub use saved::{Saved, SavedOperation};
pub use timers::Deadline;

/// How often and how patiently a client asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Settings {
    /// Between two regular checks.
    pub poll_interval_ms: i64,
    /// After a stream that brought no snapshot, until the first check.
    pub confirm_delay_ms: i64,
    /// On becoming visible or online, figures older than this are checked at once.
    pub stale_after_ms: i64,
    /// A reply from which nothing was heard for so long is asked for.
    pub silence_ms: i64,
    /// The longest pause between two tries.
    pub backoff_cap_ms: i64,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            poll_interval_ms: 30_000,
            confirm_delay_ms: 1_000,
            stale_after_ms: 5_000,
            silence_ms: 60_000,
            backoff_cap_ms: 30_000,
        }
    }
}

/// Names one request, so that a late answer cannot be taken for another's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RequestId(pub u64);

/// What the driver is to send.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Request {
    /// Read the usage.
    Usage {
        /// To answer with.
        id: RequestId,
        /// The version to tell everything after; whole when `None`.
        since: Option<Version>,
        /// Operations whose outcome is wanted by id.
        ask: Vec<OperationId>,
        /// The state that needs no repeating: the `ETag` to match.
        known: Option<(Epoch, Version)>,
    },
    /// Make sure that an operation that never arrived never will.
    Fence {
        /// To answer with.
        id: RequestId,
        /// Which operation.
        operation: OperationId,
        /// The version to tell everything after.
        since: Option<Version>,
    },
}

/// What the app is to be told.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Event {
    /// [`Client::view`] is another one now.
    ViewChanged,
    /// The view moved in a way that was not predicted.
    Corrected(Correction),
    /// One of the client's operations ended.
    Ended {
        /// Which.
        operation: OperationId,
        /// How.
        state: OperationState,
        /// Why.
        cause: Cause,
    },
    /// [`Client::saved`] should be kept before anything else is sent.
    SaveNeeded,
}

/// How many operations of one client may be undecided at once: as many as one request can ask for.
pub const MAX_PENDING: usize = 100;

/// More would be undecided than one request can ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[error("{MAX_PENDING} operations are undecided already; wait for one of them to end")]
pub struct TooManyPending;

/// The answer to a user's wish to begin something.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Begun {
    /// What it counts for from now on: nothing when it is expected to be refused.
    pub predicted: Charge,
    /// Why it is expected to be refused.
    pub refusal: Option<crate::Refusal>,
}

/// One visitor's usage in one page.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Client {
    settings: Settings,
    session: Session,
    catalog: Map<ModelId, Charge>,
    visible: bool,
    online: bool,
    next_request: u64,
    in_flight: Option<InFlight>,
    wants: Wants,
    tries: timers::Tries,
    events: Vec<Event>,
    view: View,
}

/// Who is there.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Session {
    Starting,
    Anonymous(Local),
    Account(Knowledge),
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct InFlight {
    id: RequestId,
    /// Operations asked for by id.
    asked: Vec<OperationId>,
    fences: Option<OperationId>,
    /// When it left.
    sent_at: Timestamp,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
struct Wants {
    /// Check now.
    check: bool,
    /// Fetch whole, since the history cannot be followed.
    whole: bool,
}

impl Client {
    /// A client that knows nobody yet.
    pub fn new(settings: Settings) -> Self {
        Self {
            settings,
            session: Session::Starting,
            catalog: Map::new(),
            visible: true,
            online: true,
            next_request: 0,
            in_flight: None,
            wants: Wants::default(),
            tries: timers::Tries::default(),
            events: Vec::new(),
            view: View::default(),
        }
    }

    /// What the user sees.
    pub fn view(&self) -> &View {
        &self.view
    }

    /// What an operation with `model` charges, when the catalog is known and has it.
    pub fn charge_of(&self, model: &ModelId) -> Option<&Charge> {
        self.catalog.get(model)
    }

    /// Whether the catalog has arrived.
    pub fn has_catalog(&self) -> bool {
        !self.catalog.is_empty()
    }

    /// The version that replies should tell everything after.
    pub fn since(&self) -> Option<Version> {
        Some(self.knowledge()?.base.as_ref()?.version)
    }

    /// The history that this client follows.
    pub fn epoch(&self) -> Option<&Epoch> {
        Some(&self.knowledge()?.base.as_ref()?.epoch)
    }

    /// What the server's clock says when this client's says `now`, which is all that is known before
    /// the first answer. Ids are dated by it: a server takes none that is far from its own time.
    pub fn server_time(&self, now: Timestamp) -> Timestamp {
        let ahead_ms = self.knowledge().map_or(0, Knowledge::server_ahead_ms);
        now.plus(ahead_ms)
    }

    /// What is to be kept over a reload; nothing for an anonymous visitor (see
    /// [`Client::local`]) or an account not yet known by name.
    pub fn saved(&self) -> Option<Saved> {
        let knowledge = self.knowledge()?;
        Some(Saved {
            account: knowledge.account.clone()?,
            base: knowledge.base.clone(),
            pending: knowledge
                .pending
                .iter()
                .filter(|it| !it.is_idle())
                .map(SavedOperation::from)
                .collect(),
        })
    }

    /// An anonymous visitor's own count.
    pub fn local(&self) -> Option<&Local> {
        match &self.session {
            Session::Anonymous(local) => Some(local),
            _ => None,
        }
    }

    fn knowledge(&self) -> Option<&Knowledge> {
        match &self.session {
            Session::Account(knowledge) => Some(knowledge),
            _ => None,
        }
    }

    fn knowledge_mut(&mut self) -> Option<&mut Knowledge> {
        match &mut self.session {
            Session::Account(knowledge) => Some(knowledge),
            _ => None,
        }
    }

    fn awaits_end(&self) -> bool {
        self.knowledge().is_some_and(|it| it.pending.await_ends())
    }

    fn pending_mut(&mut self) -> Option<&mut Pending> {
        match &mut self.session {
            Session::Starting => None,
            Session::Anonymous(local) => Some(&mut local.pending),
            Session::Account(knowledge) => Some(&mut knowledge.pending),
        }
    }

    /// Derives the view anew and tells of it once, if it is another one; gives the one before.
    fn derive_view(&mut self, now: Timestamp) -> Option<View> {
        let unreachable = !self.online || self.tries.failures >= 2;
        let view = match &self.session {
            Session::Starting => View::default(),
            Session::Anonymous(local) => View {
                status: Status::Anonymous,
                account: None,
                version: None,
                meters: local.meters(),
            },
            Session::Account(knowledge) => {
                let base = knowledge.base.as_ref();
                View {
                    status: match base {
                        _ if unreachable => Status::Offline,
                        None => Status::Loading,
                        Some(_) => Status::Live,
                    },
                    account: knowledge.account.clone(),
                    version: base.map(|base| base.version),
                    meters: base
                        .map(|base| meters_of(base, &knowledge.pending, now))
                        .unwrap_or_default(),
                }
            }
        };
        if view == self.view {
            return None;
        }
        self.tell(Event::ViewChanged);
        Some(mem::replace(&mut self.view, view))
    }

    fn tell(&mut self, event: Event) {
        let told_already = match event {
            Event::ViewChanged => self.events.iter().any(|it| matches!(it, Event::ViewChanged)),
            Event::SaveNeeded => self.events.iter().any(|it| matches!(it, Event::SaveNeeded)),
            _ => false,
        };
        if !told_already {
            self.events.push(event);
        }
    }
}

fn meters_of(base: &Base, pending: &Pending, now: Timestamp) -> Map<MeterId, MeterView> {
    view::meters(&base.meters, pending, |reading| {
        timers::window_end(base, reading.window.end) <= now
    })
}
