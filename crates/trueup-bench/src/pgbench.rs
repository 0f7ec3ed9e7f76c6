//! `pgbench` with the same statements, one transaction an operation: what a design can reach at most
//! that begins a transaction for every request.

use std::path::Path;

use crate::Failure;
use crate::load::Measured;
use crate::postgres::Postgres;

/// What it is told to do, again and again: a hold and a settle.
const SCRIPT: &str = include_str!("../sql/pgbench.sql");
/// Two transactions a turn.
const OPERATIONS: f64 = 2.0;

/// Runs it for some seconds. `run` is another number every time, since operations have names.
pub async fn run(
    postgres: &Postgres,
    database: &str,
    scratch: &Path,
    (accounts, clients, seconds): (u64, usize, f64),
    run: u64,
) -> Result<Measured, Failure> {
    let script = scratch.join("pgbench.sql");
    std::fs::write(&script, SCRIPT)?;
    let mut command = postgres.pgbench();
    command
        .args(["--no-vacuum", "--protocol", "prepared", "--username", "trueup", "--jobs", "1"])
        .args(["--client", &clients.to_string(), "--time", &format!("{:.0}", seconds.ceil())])
        .arg("--define")
        .arg(format!("accounts={accounts}"))
        .arg("--define")
        .arg(format!("run={run}"))
        .args(["--define", "number=0"])
        .arg("--host")
        .arg(postgres.socket())
        .arg("--file")
        .arg(&script)
        .arg(database);
    let output = command.output().map_err(|error| format!("pgbench: {error}"))?;
    let said = String::from_utf8_lossy(&output.stdout);
    let number = |mark: &str| {
        let rest = said.split(mark).nth(1)?;
        rest.split_ascii_whitespace().next()?.parse::<f64>().ok()
    };
    match (output.status.success(), number("tps = "), number("latency average = ")) {
        (true, Some(turns), _) => Ok(Measured { rate: turns * OPERATIONS, ..Measured::default() }),
        _ => Err(format!("pgbench: {said}{}", String::from_utf8_lossy(&output.stderr)).into()),
    }
}
