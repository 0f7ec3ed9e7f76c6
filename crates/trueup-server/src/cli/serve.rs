//! `trueup serve`.

use clap::Args;
use tokio::net::TcpListener;
use trueup_server::config::{Flags, Settings};
use trueup_server::server;
use trueup_server::shutdown::{Shutdown, ShutdownTrigger};

use super::{Failure, SettingsArgs, block_on, start_log};

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
    let settings = args.settings.load(flags)?;
    start_log(settings.log);
    block_on(serve(settings))
}

async fn serve(settings: Settings) -> Result<(), Failure> {
    let (trigger, shutdown) = Shutdown::new();
    let address = settings.listen;
    let listener = TcpListener::bind(address)
        .await
        .map_err(|error| format!("listen cannot be {address}: {error}"))?;
    let what = if settings.demo { "the Trueup demo" } else { "Trueup" };
    let docs = if settings.demo { "" } else { "; its API is described at /docs" };
    let server =
        server::Server::open(settings, trueup_server::clock::Clock::system(), shutdown).await?;
    println!("{what} listens on http://{}{docs}", listener.local_addr()?);
    tokio::spawn(stop_on_signal(trigger));
    Ok(server.run(listener).await?)
}

/// The first signal asks to stop; a second one does not wait.
async fn stop_on_signal(trigger: ShutdownTrigger) {
    signal().await;
    trigger.shut_down();
    signal().await;
    std::process::exit(130);
}

#[cfg(unix)]
async fn signal() {
    use tokio::signal::unix::{SignalKind, signal};
    let (Ok(mut interrupt), Ok(mut terminate)) =
        (signal(SignalKind::interrupt()), signal(SignalKind::terminate()))
    else {
        return std::future::pending().await;
    };
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
}

#[cfg(not(unix))]
async fn signal() {
    if tokio::signal::ctrl_c().await.is_err() {
        std::future::pending::<()>().await;
    }
}
