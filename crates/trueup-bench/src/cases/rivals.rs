//! The same written the usual way, in Node.

use std::process::Command;

use super::Arena;
use crate::Failure;
use crate::process::Process;

/// Starts one of the programs in the rivals' folder over a database.
pub fn start(arena: &Arena<'_>, file: &str, url: &str) -> Result<Process, Failure> {
    let folder = &arena.arguments.rivals;
    if !folder.join("node_modules").is_dir() {
        let folder = folder.display();
        return Err(format!("{folder} has no packages; run npm ci there").into());
    }
    let mut command = Command::new("node");
    command.arg(folder.join(file)).env("DATABASE_URL", url).env("NODE_ENV", "production");
    Process::start(file, &arena.ground.scratch, &mut command)
}
