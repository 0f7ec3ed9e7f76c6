//! `trueup serve`.

use clap::Args;
use tokio::net::TcpListener;
use trueup_server::clock::Clock;
use trueup_server::config::{Flags, Settings};
use trueup_server::server::Server;
use trueup_server::shutdown::{Shutdown, ShutdownTrigger};

use super::{Failure, SettingsArgs, block_on, start_log};

/// The settings file that explains itself, for a demo that has none.
const DEMO_SETTINGS: &str = include_str!("../../../../trueup.toml");

#[derive(Args)]
pub(super) struct ServeArgs {
    #[command(flatten)]
    settings: SettingsArgs,
    /// The address to listen on, as 127.0.0.1:8787
    #[arg(long, value_name = "ADDRESS")]
    listen: Option<String>,
    /// How log lines are written: text or json
    #[arg(long, value_name = "FORMAT")]
    log: Option<String>,
    /// Also serve the demo: a chat page, sessions for anybody, faults to switch on. Never in
    /// production: whoever reaches the server may use any account
    #[arg(long)]
    demo: bool,
}

pub(super) fn run(args: ServeArgs) -> Result<(), Failure> {
    let flags = Flags { listen: args.listen, log: args.log, demo: args.demo, ..Flags::default() };
    let is_bare = args.demo && args.settings.has_no_file();
    let settings = if is_bare {
        args.settings.load_text(DEMO_SETTINGS, flags)?
    } else {
        args.settings.load(flags)?
    };
    start_log(settings.log);
    if is_bare {
        tracing::info!("there is no trueup.toml here: the demo runs with its own settings");
    }
    block_on(serve(settings))
}

async fn serve(settings: Settings) -> Result<(), Failure> {
    let (trigger, shutdown) = Shutdown::new();
    let address = settings.listen;
    let listener = TcpListener::bind(address)
        .await
        .map_err(|error| format!("listen cannot be {address}: {error}; choose another address"))?;
    let what = if settings.demo { "the Trueup demo" } else { "Trueup" };
    let docs = if settings.demo { "" } else { "; its API is described at /docs" };
    let server = Server::open(settings, Clock::system(), shutdown).await?;
    // Before anybody is told that it listens, it can be told to stop.
    let signals = Signals::new()?;
    println!("{what} listens on http://{}{docs}", listener.local_addr()?);
    tokio::spawn(stop_on_signal(signals, trigger));
    Ok(server.run(listener).await?)
}

/// The first signal asks to stop; a second one does not wait.
async fn stop_on_signal(mut signals: Signals, trigger: ShutdownTrigger) {
    signals.next().await;
    trigger.shut_down();
    signals.next().await;
    std::process::exit(130);
}

/// The signals that ask a process to stop.
#[cfg(unix)]
struct Signals {
    interrupt: tokio::signal::unix::Signal,
    terminate: tokio::signal::unix::Signal,
}

#[cfg(unix)]
impl Signals {
    fn new() -> std::io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        let (interrupt, terminate) = (SignalKind::interrupt(), SignalKind::terminate());
        Ok(Self { interrupt: signal(interrupt)?, terminate: signal(terminate)? })
    }

    async fn next(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}

/// The signals that ask a process to stop.
#[cfg(windows)]
struct Signals(tokio::signal::windows::CtrlC);

#[cfg(windows)]
impl Signals {
    fn new() -> std::io::Result<Self> {
        tokio::signal::windows::ctrl_c().map(Self)
    }

    async fn next(&mut self) {
        self.0.recv().await;
    }
}
