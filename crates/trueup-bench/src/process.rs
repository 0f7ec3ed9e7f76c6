//! Servers that this program starts, and never leaves behind.

use std::fs::File;
use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use crate::Failure;

/// A server that listens. It is killed when this is dropped.
pub struct Process {
    child: Child,
    pub address: SocketAddr,
}

impl Process {
    /// Starts `command` and waits until it prints a line that ends in the address it listens on.
    pub fn start(name: &str, scratch: &Path, command: &mut Command) -> Result<Self, Failure> {
        let log = scratch.join(format!("{name}.log"));
        let said = || std::fs::read_to_string(&log).unwrap_or_default();
        let errors = File::options().create(true).append(true).open(&log)?;
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(errors)
            .spawn()
            .map_err(|error| format!("{name} could not be started: {error}"))?;
        let mut line = String::new();
        let read = child.stdout.take().map(|output| BufReader::new(output).read_line(&mut line));
        let address = line.split("http://").nth(1).and_then(|rest| {
            let end = rest.find(|it: char| !it.is_ascii_digit() && !".:".contains(it));
            rest.get(..end.unwrap_or(rest.len()))?.parse().ok()
        });
        match (read, address) {
            (Some(Ok(_)), Some(address)) => Ok(Self { child, address }),
            _ => {
                let _ = child.kill();
                let _ = child.wait();
                Err(format!("{name} did not start: {line}{}", said()).into())
            }
        }
    }

    /// Ends it at once, as a power cut would: SIGKILL.
    pub fn kill(mut self) {
        self.end();
    }

    /// Stops it where it is, as a machine that is moved or has no memory left: SIGSTOP.
    pub fn pause(&self) -> Result<(), Failure> {
        self.signal("-STOP")
    }

    /// Lets it run again.
    pub fn wake(&self) -> Result<(), Failure> {
        self.signal("-CONT")
    }

    fn signal(&self, signal: &str) -> Result<(), Failure> {
        let status = Command::new("kill").arg(signal).arg(self.id().to_string()).status()?;
        if status.success() { Ok(()) } else { Err(format!("kill {signal} failed").into()) }
    }

    fn end(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    pub fn id(&self) -> u32 {
        self.child.id()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.end();
    }
}

/// How much time a process has spent on processors so far; nothing where there is no /proc.
pub fn cpu(id: &str) -> Duration {
    let stat = std::fs::read_to_string(format!("/proc/{id}/stat")).unwrap_or_default();
    // The name, which may hold anything, ends at the last bracket.
    let fields = stat.rsplit(')').next().unwrap_or_default().split_ascii_whitespace();
    let ticks: u64 = fields.skip(11).take(2).filter_map(|it| it.parse::<u64>().ok()).sum();
    // A tick is a hundredth of a second on every Linux.
    Duration::from_millis(ticks * 10)
}

/// The memory that a process holds, in KiB.
pub fn memory_kib(id: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{id}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap_or_default();
    line.split_ascii_whitespace().next().and_then(|it| it.parse().ok()).unwrap_or(0)
}

/// A folder that is gone when this is dropped.
pub struct Scratch(PathBuf);

impl Scratch {
    /// Makes one below `parent`.
    pub fn new(parent: &Path) -> Result<Self, Failure> {
        let path = parent.join(format!("trueup-bench-{}", std::process::id()));
        std::fs::create_dir_all(&path).map_err(|error| {
            format!(
                "{} cannot be made: {error}; name another folder with --scratch",
                path.display()
            )
        })?;
        Ok(Self(path))
    }

    pub fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
