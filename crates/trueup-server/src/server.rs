//! The server as a whole: opened from settings, run on a listener, stopped without losing anything.

use std::sync::Arc;

use tokio::net::TcpListener;
use trueup_core::ledger::Acceptance;

use crate::auth::Authenticator;
use crate::bus::{self, NatsBus, PostgresBus};
use crate::clock::Clock;
use crate::config::{BusSettings, Secret, Settings};
use crate::connections;
use crate::demo::Faults;
use crate::engine::EngineParts;
use crate::gateway::Gateway;
use crate::hex::hex;
use crate::http::{self, AppParts, AppState, CatalogReply, Load};
use crate::ledger::{Ledger, LedgerTask};
use crate::metrics::Metrics;
use crate::push::{self, Feed};
use crate::shutdown::Shutdown;
use crate::store::Store;
use crate::sweep;
use crate::traces::Traces;

/// Why a server could not start or go on.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// Nobody could prove who they are.
    #[error(
        "jwt_secret is missing and so is jwks_url; set TRUEUP_JWT_SECRET to a random text of at \
         least 32 bytes (`openssl rand -hex 32` makes one), or TRUEUP_JWKS_URL to the address of \
         your identity provider's keys"
    )]
    NoTokenKey,
    /// The database could not be opened.
    #[error("database_url {0}")]
    Database(String),
    /// Notifications stay on one machine of a database that is spread over several.
    #[error(
        "bus_url is missing, and the database is spread over several machines by Citus, where one \
         server's notifications do not reach every other; set TRUEUP_BUS_URL to the address of a \
         NATS server"
    )]
    SpreadWithoutBus,
    /// The system's TLS or resolver could not be set up.
    #[error("the HTTP client cannot be set up: {0}")]
    Client(#[from] reqwest::Error),
    /// The exporter of traces could not be set up.
    #[error("traces cannot be sent: {0}")]
    Traces(String),
    /// The system has no randomness to make a secret of.
    #[error("no secret can be made: {0}")]
    Random(String),
    /// The network gave up.
    #[error("the listener failed: {0}")]
    Listen(#[from] std::io::Error),
}

/// Opens a server by `settings` and serves it on `listener` until `shutdown` asks it to stop.
///
/// # Errors
/// When it cannot start, or its listener breaks.
pub async fn serve(
    settings: Settings,
    listener: TcpListener,
    shutdown: Shutdown,
) -> Result<(), ServeError> {
    Server::open(settings, Clock::system(), shutdown).await?.run(listener).await
}

/// Opens the database of `settings` and brings it up to date.
///
/// # Errors
/// When it cannot be opened or is no database of ours.
pub async fn open_store(settings: &Settings, clock: &Clock) -> Result<Store, ServeError> {
    let url = settings.database_url.expose();
    let opened = Store::open(url, settings.engines, clock.now()).await;
    opened.map_err(|error| ServeError::Database(error.on_opening(url)))
}

/// Starts a ledger on an open database.
pub fn start_ledger(
    settings: &Settings,
    store: Arc<Store>,
    clock: Clock,
    faults: Faults,
    feed: Feed,
    metrics: Arc<Metrics>,
) -> (Ledger, LedgerTask) {
    let catalog = Arc::clone(&settings.catalog);
    let acceptance = Acceptance::default();
    Ledger::start(EngineParts { store, catalog, clock, faults, acceptance, feed, metrics })
}

/// Everything that runs, before and behind the listener.
pub struct Server {
    state: AppState,
    store: Arc<Store>,
    ledger_task: LedgerTask,
}

impl Server {
    /// Opens the ledger and everything on top of it.
    ///
    /// # Errors
    /// When tokens could not be checked, or the database cannot be opened.
    pub async fn open(
        mut settings: Settings,
        clock: Clock,
        shutdown: Shutdown,
    ) -> Result<Self, ServeError> {
        if settings.auth.jwt_secret.is_none() && settings.auth.jwks_url.is_none() {
            if !settings.demo {
                return Err(ServeError::NoTokenKey);
            }
            settings.auth.jwt_secret = Some(random_secret()?);
        }
        let faults = if settings.demo { Faults::enabled() } else { Faults::disabled() };
        let store = Arc::new(open_store(&settings, &clock).await?);
        if matches!(settings.bus, BusSettings::Postgres) && is_spread(&settings, &store).await? {
            return Err(ServeError::SpreadWithoutBus);
        }
        let feed = match settings.bus {
            BusSettings::Alone => Feed::default(),
            BusSettings::Postgres | BusSettings::Nats(_) => Feed::shared(),
        };
        let metrics = Arc::new(Metrics::default());
        metrics.built(&store);
        let (ledger, ledger_task) = start_ledger(
            &settings,
            Arc::clone(&store),
            clock.clone(),
            faults.clone(),
            feed.clone(),
            Arc::clone(&metrics),
        );
        let auth = Authenticator::new(&settings.auth, clock.clone())?;
        let gateway = Gateway::from_settings(
            &settings,
            ledger.clone(),
            clock.clone(),
            faults.clone(),
            shutdown.clone(),
            Arc::clone(&metrics),
        )?;
        let catalog = Arc::new(CatalogReply::of(&settings.catalog));
        let traces = Traces::of(settings.traces.as_ref())?;
        let load = Load::new(settings.max_requests);
        let settings = Arc::new(settings);
        let state = AppState::from(AppParts {
            ledger,
            settings,
            catalog,
            auth,
            clock,
            gateway,
            faults,
            feed,
            metrics,
            traces,
            load,
            shutdown,
        });
        Ok(Self { state, store, ledger_task })
    }

    /// What its handlers reach.
    pub fn state(&self) -> &AppState {
        &self.state
    }

    /// Closes the ledger of a server that never ran.
    pub async fn close(self) {
        self.ledger_task.stop().await;
    }

    /// Serves until it is asked to stop. Then: nothing new is accepted, running calls and streams
    /// may end within the grace, chats that go on are ended by the gateway, and the ledger closes
    /// last, when nobody can need it any more. What a collector has not been told goes then.
    ///
    /// # Errors
    /// When the listener breaks.
    pub async fn run(self, listener: TcpListener) -> Result<(), ServeError> {
        let sweeper = tokio::spawn(sweep::run(
            self.state.ledger.clone(),
            Arc::clone(&self.store),
            self.state.clock.clone(),
            self.state.settings.sweep_interval,
            self.state.settings.on_expiry,
            self.state.shutdown.clone(),
            Arc::clone(&self.state.metrics),
        ));
        let push = tokio::spawn(push(&self.state, &self.store));
        let most = self.state.settings.max_connections;
        let router = http::router(self.state.clone());
        let connections = connections::accept(&listener, &router, most, &self.state.shutdown).await;
        drop(listener);
        tracing::info!("stopping: running calls may end");
        let ends = async {
            tokio::join!(connections.shutdown(), self.state.gateway.drained());
        };
        if tokio::time::timeout(self.state.settings.shutdown_grace, ends).await.is_err() {
            tracing::warn!("stopping: some calls did not end in time and are cut");
        }
        // They end by themselves on the same signal.
        let _ = tokio::join!(sweeper, push);
        self.ledger_task.stop().await;
        self.state.traces.stop().await;
        tracing::info!("stopped");
        Ok(())
    }
}

async fn is_spread(settings: &Settings, store: &Store) -> Result<bool, ServeError> {
    let url = settings.database_url.expose();
    store.is_spread().await.map_err(|error| ServeError::Database(error.on_opening(url)))
}

/// Keeps watchers up to date until the server stops: by what other servers say, and by the truth.
fn push(state: &AppState, store: &Arc<Store>) -> impl Future<Output = ()> + Send + 'static {
    let (feed, shutdown) = (state.feed.clone(), state.shutdown.clone());
    let resync = push::resync(feed.clone(), Arc::clone(store), shutdown.clone());
    let bus = state.settings.bus.clone();
    let store = Arc::clone(store);
    let hints = async move {
        match (bus, store.as_ref()) {
            (BusSettings::Nats(url), store) => {
                bus::run(NatsBus::new(url, store.epoch()), feed, shutdown).await;
            }
            (BusSettings::Postgres, Store::Postgres(store)) => {
                bus::run(PostgresBus::of(store), feed, shutdown).await;
            }
            (BusSettings::Postgres | BusSettings::Alone, _) => {}
        }
    };
    async move {
        tokio::join!(resync, hints);
    }
}

/// A secret that dies with the process: fit for a demo and nothing else.
fn random_secret() -> Result<Secret, ServeError> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes).map_err(|error| ServeError::Random(error.to_string()))?;
    Ok(Secret::new(hex(&bytes)))
}
