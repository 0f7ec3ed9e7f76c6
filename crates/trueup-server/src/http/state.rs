//! What every handler can reach.

use std::ops::Deref;
use std::sync::Arc;

use super::{CatalogReply, Load};
use crate::auth::Authenticator;
use crate::clock::Clock;
use crate::config::Settings;
use crate::demo::Faults;
use crate::gateway::Gateway;
use crate::ledger::Ledger;
use crate::metrics::Metrics;
use crate::push::Feed;
use crate::shutdown::Shutdown;
use crate::traces::Traces;

/// One a server; cheap to clone, since every layer and every request does.
#[derive(Clone)]
pub struct AppState(Arc<AppParts>);

impl From<AppParts> for AppState {
    fn from(parts: AppParts) -> Self {
        Self(Arc::new(parts))
    }
}

impl Deref for AppState {
    type Target = AppParts;

    fn deref(&self) -> &AppParts {
        &self.0
    }
}

/// What an [`AppState`] is made of.
pub struct AppParts {
    /// All usage.
    pub ledger: Ledger,
    /// What the operator said.
    pub settings: Arc<Settings>,
    /// Its catalog, as it is served.
    pub catalog: Arc<CatalogReply>,
    /// Who callers are.
    pub auth: Authenticator,
    /// What time it is.
    pub clock: Clock,
    /// The chat route's providers.
    pub gateway: Gateway,
    /// What the demo was asked to do wrong; nothing outside the demo.
    pub faults: Faults,
    /// What changes, for who watches.
    pub feed: Feed,
    /// What operators watch.
    pub metrics: Arc<Metrics>,
    /// What a collector is told of single requests.
    pub traces: Traces,
    /// How many requests are worked on.
    pub load: Load,
    /// Whether the server was asked to stop.
    pub shutdown: Shutdown,
}
