//! The client that ships beside other designs, on the same traffic.

use std::num::NonZero;
use std::path::PathBuf;
use std::sync::atomic::AtomicU64;
use std::sync::{Mutex, PoisonError};

use trueup_sim::audit::Tally;
use trueup_sim::design::Rival;
use trueup_sim::profile::{PROFILES, Profile};
use trueup_sim::{Failure, Run, measure};

use super::plot;
use super::search::{keep_first, processors, spread};

#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// How many seeds in each profile
    #[arg(long, default_value_t = 400)]
    seeds: u64,
    /// The first seed
    #[arg(long, default_value_t = 0)]
    from: u64,
    /// In one fault profile only
    #[arg(long, value_parser = super::profile)]
    profile: Option<Profile>,
    /// Write a picture of the table to this file
    #[arg(long, value_name = "FILE")]
    svg: Option<PathBuf>,
    /// How many threads; as many as there are processors when not given
    #[arg(long)]
    jobs: Option<NonZero<usize>>,
}

/// One design: what it showed in each profile.
pub struct Row {
    pub name: &'static str,
    pub tallies: Vec<Tally>,
}

/// Whether everything ran; what the designs showed is told, and decides nothing.
pub fn run(arguments: &Arguments) -> bool {
    let chosen = arguments.profile.clone().map(|profile| vec![profile]);
    let profiles = chosen.unwrap_or_else(|| {
        // Weeks take as long as a hundred of the others, and fail in the same ways.
        PROFILES.iter().filter(|profile| profile.name != "weeks").cloned().collect()
    });
    let designs = || std::iter::once(None).chain(Rival::ALL.iter().copied().map(Some));
    let mut rows = Vec::new();
    for design in designs() {
        let name = design.map_or("Trueup", Rival::name);
        let mut tallies = Vec::new();
        for profile in &profiles {
            match tally(arguments, profile, design) {
                Ok(tally) => tallies.push(tally),
                Err(failure) => {
                    println!("{failure}\nto read it: ./justw sim {}", failure.seed);
                    return false;
                }
            }
        }
        eprintln!("{name}: done");
        rows.push(Row { name, tallies });
    }
    tell(&rows, &profiles);
    let names: Vec<_> = profiles.iter().map(|profile| profile.name).collect();
    arguments.svg.as_ref().is_none_or(|file| {
        let written = std::fs::write(file, plot::matrix(&rows, &names));
        written.inspect_err(|error| eprintln!("error: {}: {error}", file.display())).is_ok()
    })
}

fn tally(
    arguments: &Arguments,
    profile: &Profile,
    design: Option<Rival>,
) -> Result<Tally, Failure> {
    let end = AtomicU64::new(arguments.from.saturating_add(arguments.seeds));
    let failed = Mutex::new(None);
    let jobs = arguments.jobs.map_or_else(processors, NonZero::get);
    let tallies = spread((arguments.from, &end), jobs, &|| true, |sum: &mut Tally, seed| {
        match measure(&Run { seed, profile: Some(profile.clone()), bug: None }, design) {
            Ok(tally) => sum.add(&tally),
            Err(failure) => keep_first(failure, &end, &failed),
        }
    });
    match failed.into_inner().unwrap_or_else(PoisonError::into_inner) {
        Some(failure) => Err(failure),
        None => Ok(Tally::of(&tallies)),
    }
}

/// Of a hundred.
#[expect(clippy::cast_precision_loss, reason = "counts of seeds")]
pub fn share(part: u64, of: u64) -> f64 {
    if of == 0 { 0.0 } else { 100.0 * part as f64 / of as f64 }
}

fn tell(rows: &[Row], profiles: &[Profile]) {
    println!("{:<22} {:>9} {:>9} {:>12} {:>11}", "", "sessions", "wrong", "wrong ms", "never heal");
    println!("{:<22} {:>9} {:>9} {:>12} {:>11}", "design", "", "number", "a message", "");
    for Row { name, tallies } in rows {
        let all = Tally::of(tallies);
        let wrong = share(all.wrong, all.sessions);
        let wrong_ms = share(all.wrong_ms, all.messages) / 100.0;
        println!(
            "{name:<22} {:>9} {wrong:>8.1}% {wrong_ms:>12.1} {:>11}",
            all.sessions, all.unhealed
        );
    }
    println!("\nsessions that show a wrong number, of a hundred");
    print!("{:<22}", "design");
    profiles.iter().for_each(|profile| print!(" {:>11}", profile.name));
    println!();
    for Row { name, tallies } in rows {
        print!("{name:<22}");
        tallies.iter().for_each(|it| print!(" {:>11.1}", share(it.wrong, it.sessions)));
        println!();
    }
    println!("\nwhat each does");
    println!(
        "{:<22} snapshots with the outcomes of a range of versions, and what is pending",
        "Trueup"
    );
    Rival::ALL.iter().for_each(|rival| println!("{:<22} {}", rival.name(), rival.text()));
}
