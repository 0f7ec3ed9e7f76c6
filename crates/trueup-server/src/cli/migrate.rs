//! `trueup migrate`.

use clap::Args;
use trueup_server::clock::Clock;
use trueup_server::config::Flags;
use trueup_server::server;

use super::{Failure, SettingsArgs, block_on};

#[derive(Args)]
pub(super) struct MigrateArgs {
    #[command(flatten)]
    settings: SettingsArgs,
    /// The database was restored from a copy: begins another history, so that open pages forget
    /// what the copy does not know. To be said while no server runs
    #[arg(long)]
    restored: bool,
}

pub(super) fn run(args: MigrateArgs) -> Result<(), Failure> {
    let settings = args.settings.load(Flags::default())?;
    block_on(async {
        let clock = Clock::system();
        let mut store = server::open_store(&settings, &clock).await?;
        let renewed = if args.restored { store.renew_epoch(clock.now()).await } else { Ok(()) };
        store.close().await;
        Ok(renewed?)
    })?;
    let also = if args.restored { " and begins another history" } else { "" };
    println!("the database is up to date{also}");
    Ok(())
}
