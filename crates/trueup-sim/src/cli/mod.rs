//! What the commands share.

pub mod compare;
pub mod planted;
mod plot;
pub mod replay;
pub mod run;
pub mod script;
mod search;

use trueup_sim::planted::Bug;
use trueup_sim::profile::{PROFILES, Profile, YEAR};

fn profile(name: &str) -> Result<Profile, String> {
    Profile::named(name).ok_or_else(|| {
        let names: Vec<_> = PROFILES.iter().chain([&YEAR]).map(|profile| profile.name).collect();
        format!("there is no profile of that name; choose one of {}", names.join(", "))
    })
}

fn bug(name: &str) -> Result<Bug, String> {
    Bug::ALL.iter().copied().find(|bug| bug.name() == name).ok_or_else(|| {
        "there is no planted bug of that name; `trueup-sim planted` lists them".to_owned()
    })
}
