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
}

pub(super) fn run(args: MigrateArgs) -> Result<(), Failure> {
    let settings = args.settings.load(Flags::default())?;
    block_on(async {
        let store = server::open_store(&settings, &Clock::system()).await?;
        store.close().await;
        Ok(())
    })?;
    println!("the database is up to date");
    Ok(())
}
