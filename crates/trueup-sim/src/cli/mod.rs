//! What the commands share.

use std::fmt::Arguments;
use std::io::{ErrorKind, Write as _, stdout};

/// What a shell says of a tool that wrote to a pipe that nobody reads.
const NOBODY_READS: i32 = 128 + 13;

/// Prints, and ends quietly when nobody reads any more, where the standard ones panic.
macro_rules! print {
    ($($told:tt)*) => { $crate::cli::tell(format_args!($($told)*), "") };
}
macro_rules! println {
    () => { println!("") };
    ($($told:tt)*) => { $crate::cli::tell(format_args!($($told)*), "\n") };
}

pub mod compare;
pub mod planted;
mod plot;
pub mod replay;
pub mod run;
pub mod script;
mod search;

use trueup_sim::planted::Bug;
use trueup_sim::profile::{PROFILES, Profile, YEAR};

fn tell(told: Arguments<'_>, end: &str) {
    match stdout().write_fmt(format_args!("{told}{end}")) {
        Ok(()) => {}
        Err(error) if error.kind() == ErrorKind::BrokenPipe => std::process::exit(NOBODY_READS),
        Err(error) => {
            eprintln!("error: nothing can be printed: {error}");
            std::process::exit(1);
        }
    }
}

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
