//! The shows, a few rounds each. Nothing here is about time.

#![expect(clippy::unwrap_used, reason = "a test ends where it fails")]

use std::path::{Path, PathBuf};
use std::process::Command;

/// The server beside this program, or the one that TRUEUP_BIN names.
fn server() -> PathBuf {
    let beside = Path::new(env!("CARGO_BIN_EXE_trueup-bench")).with_file_name("trueup");
    std::env::var_os("TRUEUP_BIN").map_or(beside, PathBuf::from)
}

/// Runs a show, in a folder of its own, and returns what it printed.
fn show(arguments: &[&str]) -> String {
    // Short, since a socket is in it.
    let name = [arguments.first(), arguments.last()].map(|it| it.copied().unwrap_or_default());
    let folder = std::env::temp_dir().join(format!("{}-{}", name.concat(), std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_trueup-bench"))
        .args(arguments)
        .arg("--scratch")
        .arg(&folder)
        .arg("--trueup")
        .arg(server())
        .output()
        .unwrap();
    let _ = std::fs::remove_dir_all(&folder);
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stderr));
    said
}

#[test]
fn just_as_many_holds_get_in_as_there_is_room_for() {
    for database in ["sqlite", "postgres"] {
        let said = show(&["race", "--rounds", "3", "--holds", "600", "--database", database]);
        assert!(said.contains("exactly 100 admitted each time"), "{said}");
    }
}

#[test]
fn a_server_that_is_killed_under_load_loses_and_doubles_nothing() {
    for database in ["sqlite", "postgres"] {
        let said = show(&["crash", "--kills", "5", "--answers", "300", "--database", database]);
        assert!(said.contains("0 lost, 0 doubled"), "{said}");
    }
}

#[test]
fn servers_that_are_killed_paused_and_cut_off_tell_nothing_wrong() {
    let said = show(&["replicas", "--rounds", "5", "--longest-ms", "1000"]);
    for never in ["operations lost", "doubled", "went back", "leaked", "wrong answers"] {
        let line = said.lines().find(|line| line.contains(never));
        assert!(line.is_some_and(|line| line.ends_with(" 0")), "{said}");
    }
}
