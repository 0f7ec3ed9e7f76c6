//! `trueup token`.

use clap::Args;
use jiff::SignedDuration;
use trueup_core::{AccountId, ActorId};
use trueup_server::auth::Authenticator;
use trueup_server::clock::Clock;
use trueup_server::config::Flags;

use super::{Failure, SettingsArgs};

#[derive(Args)]
pub(super) struct TokenArgs {
    #[command(flatten)]
    settings: SettingsArgs,
    /// Whose quota the token speaks for
    #[arg(long)]
    account: AccountId,
    /// Who acts; the account itself when left out
    #[arg(long)]
    actor: Option<ActorId>,
    /// How long the token lives, as 90s, 30m, 1h or 7d
    #[arg(long, value_name = "TIME", default_value = "1h", value_parser = seconds)]
    ttl: u32,
}

pub(super) fn run(args: TokenArgs) -> Result<(), Failure> {
    let settings = args.settings.load(Flags::default())?;
    let auth = Authenticator::new(&settings.auth, Clock::system())?;
    let actor = args.actor.unwrap_or_else(|| args.account.personal_actor());
    let issued = auth.issue(&args.account, &actor, args.ttl).ok_or(
        "jwt_secret is missing; set TRUEUP_JWT_SECRET to what the server has, to sign with it",
    )?;
    println!("{}", issued.token);
    Ok(())
}

fn seconds(text: &str) -> Result<u32, String> {
    let day = text.strip_suffix('d').and_then(|days| days.trim().parse::<i64>().ok());
    let seconds = match day {
        Some(days) => days.checked_mul(86_400),
        None => text.parse::<SignedDuration>().ok().map(|it| it.as_secs()),
    };
    let seconds = seconds.and_then(|it| u32::try_from(it).ok()).filter(|it| *it > 0);
    seconds.ok_or_else(|| "must be a time, as 90s, 30m, 1h or 7d".to_owned())
}

#[cfg(test)]
mod tests {
    use super::seconds;

    #[test]
    fn a_time_is_a_number_and_a_unit() {
        for (text, expected) in [
            ("90s", Some(90)),
            ("30m", Some(1800)),
            ("1h", Some(3600)),
            ("1h 30m", Some(5400)),
            ("7d", Some(604_800)),
            ("0s", None),
            ("-1h", None),
            ("90", None),
            ("", None),
            ("9999999d", None),
        ] {
            assert_eq!(seconds(text).ok(), expected, "{text}");
        }
    }
}
