//! `trueup account`.

use std::sync::Arc;

use clap::Args;
use trueup_core::AccountId;
use trueup_server::clock::Clock;
use trueup_server::config::Flags;
use trueup_server::demo::Faults;
use trueup_server::metrics::Metrics;
use trueup_server::push::Feed;
use trueup_server::{http, server};

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
        let clock = Clock::system();
        let store = Arc::new(server::open_store(&settings, &clock).await?);
        let (faults, metrics) = (Faults::disabled(), Arc::new(Metrics::default()));
        let feed = Feed::default();
        let (ledger, task) = server::start_ledger(&settings, store, clock, faults, feed, metrics);
        let response = http::look_up_account(&ledger, &settings.catalog, &account).await;
        task.stop().await;
        println!("{}", serde_json::to_string_pretty(&response?)?);
        Ok(())
    })
}
