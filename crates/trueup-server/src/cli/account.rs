//! `trueup account`.

use clap::Args;
use trueup_core::AccountId;
use trueup_server::clock::Clock;
use trueup_server::config::Flags;
use trueup_server::server::Server;
use trueup_server::shutdown::Shutdown;

use super::{Failure, SettingsArgs, block_on};

#[derive(Args)]
pub(super) struct AccountArgs {
    #[command(flatten)]
    settings: SettingsArgs,
    /// Which account; one that nobody used yet is opened with the default plan
    account: AccountId,
}

pub(super) fn run(args: AccountArgs) -> Result<(), Failure> {
    let settings = args.settings.load(Flags::default())?;
    let account = args.account;
    block_on(async {
        let (_trigger, shutdown) = Shutdown::new();
        let server = Server::open(settings, Clock::system(), shutdown).await?;
        let response = server.account(&account).await?;
        println!("{}", serde_json::to_string_pretty(&response)?);
        Ok(())
    })
}
