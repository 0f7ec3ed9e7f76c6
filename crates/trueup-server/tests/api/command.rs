//! The `trueup` command as an operator runs it.

use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use serde_json::Value;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions as _, Connection as _};
use tempfile::TempDir;

use crate::collector::Collector;
use crate::house::{API_KEY, SECRET, SETTINGS};

/// A folder with a settings file and a database.
struct Desk(TempDir);

impl Desk {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("trueup.toml"), SETTINGS).unwrap();
        Self(folder)
    }

    /// A folder with nothing in it.
    fn bare() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn database(&self) -> PathBuf {
        self.0.path().join("trueup.db")
    }

    /// The command in this folder, with an environment of its own.
    fn command(&self, args: &[&str], env: &[(&str, &str)]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_trueup"));
        command.args(args).current_dir(self.0.path()).env_clear().envs(env.iter().copied());
        command
    }

    fn run(&self, args: &[&str], env: &[(&str, &str)]) -> Output {
        self.command(args, env).output().unwrap()
    }

    fn succeeds(&self, args: &[&str], env: &[(&str, &str)]) -> String {
        let output = self.run(args, env);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }

    fn fails(&self, args: &[&str], env: &[(&str, &str)]) -> String {
        let output = self.run(args, env);
        assert!(!output.status.success() && output.stdout.is_empty());
        String::from_utf8(output.stderr).unwrap()
    }
}

/// A server that is killed if the test forgets it.
struct Serving(Child);

impl Serving {
    /// Starts it, and waits until it says where it listens.
    fn start(mut command: Command) -> (Self, String) {
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut serving = Self(command.spawn().unwrap());
        let mut line = String::new();
        BufReader::new(serving.0.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let url = line.split_whitespace().find(|word| word.starts_with("http://"));
        let url = url.unwrap_or_default().trim_end_matches(';').to_owned();
        (serving, url)
    }

    /// Asks it to stop, and gives its log back when it has.
    fn stop(mut self) -> String {
        let process = self.0.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &process]).status().unwrap().success());
        let status = self.0.wait().unwrap();
        let mut log = String::new();
        self.0.stderr.take().unwrap().read_to_string(&mut log).unwrap();
        assert!(status.success(), "{log}");
        log
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn help_teaches_the_first_steps() {
    let desk = Desk::new();
    let help = desk.succeeds(&["--help"], &[]);
    for word in [
        "serve",
        "token",
        "openapi",
        "migrate",
        "account",
        "TRUEUP_JWT_SECRET",
        "--demo",
        "--restored",
    ] {
        assert!(help.contains(word), "{word} is not in\n{help}");
    }
}

#[test]
fn a_wrong_start_stops_with_one_sentence() {
    let desk = Desk::new();
    let secret = ("TRUEUP_JWT_SECRET", SECRET);
    for (args, env, sentence) in [
        (&["serve"][..], &[][..], "TRUEUP_JWT_SECRET"),
        (&["token", "--account", "ann"], &[], "TRUEUP_JWT_SECRET"),
        (&["serve", "--config", "no.toml"], &[secret], "no.toml cannot be read"),
        (&["serve"], &[secret, ("TRUEUP_LISTEN", "here")], "listen must be an IP address"),
        (&["serve"], &[secret, ("TRUEUP_LISTN", "x")], "TRUEUP_LISTN is no setting"),
        (&["serve", "--listen", "192.0.2.1:1"], &[secret], "listen cannot be 192.0.2.1:1"),
        (&["serve", "--log", "xml"], &[secret], "log must be one of text, json"),
        (
            &["serve"],
            &[secret, ("TRUEUP_API_KEY", ",,")],
            "TRUEUP_API_KEY must be one key at least",
        ),
        (&["serve", "--demo", "--config", "no.toml"], &[], "no.toml cannot be read"),
        (&["serve", "--demo"], &[("TRUEUP_CONFIG", "no.toml")], "no.toml cannot be read"),
        (&["token", "--account", "a b"], &[secret], "--account"),
        (&["token", "--account", "ann", "--ttl", "5x"], &[secret], "as 90s, 30m, 1h or 7d"),
    ] {
        let complaint = desk.fails(args, env);
        assert!(complaint.contains(sentence), "{args:?}: {complaint}");
        assert!(!complaint.contains("panicked"), "{args:?}: {complaint}");
    }
}

#[test]
fn the_document_the_database_and_an_account_are_printed() {
    let desk = Desk::new();
    let document = desk.succeeds(&["openapi"], &[]);
    assert_eq!(document, trueup_server::openapi::text().unwrap());
    desk.succeeds(&["migrate"], &[]);
    assert!(desk.database().exists());
    let account: Value = serde_json::from_str(&desk.succeeds(&["account", "ann"], &[])).unwrap();
    assert_eq!(account["plan"], "free");
    assert_eq!(account["usage"]["meters"]["premium_messages"]["limit"], 2);
}

#[tokio::test]
async fn a_token_from_the_command_opens_the_server_that_it_started() {
    let desk = Desk::new();
    let env = [("TRUEUP_JWT_SECRET", SECRET), ("TRUEUP_API_KEY", API_KEY)];
    let token = desk.succeeds(&["token", "--account", "team", "--actor", "ann"], &env);
    let args = ["serve", "--listen", "127.0.0.1:0", "--log", "json"];
    let (serving, url) = Serving::start(desk.command(&args, &env));

    let client = reqwest::Client::new();
    let usage = client.get(format!("{url}/v1/usage")).bearer_auth(token.trim()).send().await;
    let usage: Value = usage.unwrap().json().await.unwrap();
    assert_eq!(usage["account"], "team");
    let refused = client.get(format!("{url}/v1/usage")).bearer_auth("x").send().await.unwrap();
    assert_eq!(refused.status().as_u16(), 401);
    // A connection that is kept open does not keep the server from stopping.
    let log = serving.stop();
    // One line for the refusal, in JSON, with the request's id and without the credentials.
    let refusals: Vec<Value> = log
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .filter(|line: &Value| line["fields"]["code"] == "unauthorized")
        .collect();
    assert_eq!(refusals.len(), 1, "{log}");
    assert!(refusals[0]["span"]["id"].as_str().unwrap().starts_with("req_"), "{log}");
    for secret in [SECRET, API_KEY, token.trim()] {
        assert!(!log.contains(secret), "{log}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn opentelemetrys_own_variables_are_understood() {
    let (collector, endpoint) = Collector::start().await;
    let desk = Desk::new();
    let env = [
        ("TRUEUP_JWT_SECRET", SECRET),
        ("TRUEUP_API_KEY", API_KEY),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", &endpoint),
        ("OTEL_EXPORTER_OTLP_HEADERS", "x-tenant=blue"),
        ("OTEL_SERVICE_NAME", "quota"),
        ("OTEL_RESOURCE_ATTRIBUTES", "deployment.environment.name=test"),
    ];
    let args = ["serve", "--listen", "127.0.0.1:0"];
    let (serving, url) = Serving::start(desk.command(&args, &env));
    let catalog = reqwest::Client::new().get(format!("{url}/v1/catalog")).bearer_auth(API_KEY);
    assert!(catalog.send().await.unwrap().status().is_success());
    let log = serving.stop();
    assert!(!log.contains("WARN"), "{log}");
    assert_eq!(collector.spans()[0].name, "GET /v1/catalog");
    for (key, value) in [("service.name", "quota"), ("deployment.environment.name", "test")] {
        assert_eq!(collector.resource(key).as_deref(), Some(value));
    }
    assert!(collector.text().contains("\"x-tenant\": \"blue\""));
}

/// Does something to a database, which is made if there is none.
async fn alter(file: &Path, statement: &'static str) {
    let options = SqliteConnectOptions::new().filename(file).create_if_missing(true);
    let mut connection = options.connect().await.unwrap();
    sqlx::query(statement).execute(&mut connection).await.unwrap();
    connection.close().await.unwrap();
}

#[tokio::test]
async fn a_database_that_cannot_be_used_is_told_with_its_mend() {
    let desk = Desk::new();
    alter(&desk.0.path().join("theirs.db"), "CREATE TABLE account (id TEXT)").await;
    alter(&desk.0.path().join("notes.db"), "CREATE TABLE notes (id TEXT)").await;
    let same_library = "CREATE TABLE _sqlx_migrations AS SELECT 1 AS version, 'notes' AS description; \
         CREATE TABLE notes (id TEXT)";
    alter(&desk.0.path().join("sqlx.db"), same_library).await;
    let untouched = std::fs::read(desk.0.path().join("notes.db")).unwrap();
    desk.succeeds(&["migrate"], &[]);
    let later = "INSERT INTO _sqlx_migrations \
         (version, description, success, checksum, execution_time) VALUES (99, 'x', 1, x'00', 0)";
    alter(&desk.database(), later).await;
    std::fs::write(desk.0.path().join("notes.txt"), "no database at all, but long enough").unwrap();
    let cases = [
        ("mysql:x", "must be sqlite: and a file, as sqlite:trueup.db"),
        ("sqlite:", "must be sqlite: and a file"),
        ("sqlite:x.db?mode=odd", "is not understood; write it as sqlite:trueup.db"),
        ("sqlite:/no/x.db", "names /no/x.db, but there is no folder /no; make it"),
        ("sqlite:.", "names ., which is a folder; name a file in it"),
        ("sqlite:notes.txt", "names notes.txt, which is no SQLite database; name another file"),
        ("sqlite:theirs.db", "names theirs.db, which holds another program's tables; name another"),
        ("sqlite:notes.db", "names notes.db, which holds another program's tables; name another"),
        ("sqlite:sqlx.db", "names sqlx.db, which holds another program's tables; name another"),
        ("sqlite:trueup.db", "names trueup.db, which a newer Trueup has written; run that version"),
        ("sqlite::memory:", "cannot be used: the database keeps a memory journal"),
        #[cfg(target_os = "linux")]
        // Not even the system's administrator makes files there.
        ("sqlite:/proc/x.db", "names /proc/x.db, which this user may not write; grant the right"),
    ];
    for (url, sentence) in cases {
        let complaint = desk.fails(&["migrate", "--database-url", url], &[]);
        assert!(complaint.starts_with("trueup: database_url "), "{url}: {complaint}");
        assert!(complaint.contains(sentence), "{url}: {complaint}");
        assert!(!complaint.contains("code:"), "{url}: {complaint}");
    }
    assert!(std::fs::read(desk.0.path().join("notes.db")).unwrap() == untouched);
}

#[test]
fn a_database_that_was_restored_begins_another_history() {
    let desk = Desk::new();
    let epoch = || {
        let account: Value =
            serde_json::from_str(&desk.succeeds(&["account", "ann"], &[])).unwrap();
        account["usage"]["epoch"].as_str().unwrap().to_owned()
    };
    let first = epoch();
    assert_eq!(desk.succeeds(&["migrate"], &[]), "the database is up to date\n");
    assert_eq!(epoch(), first);
    let said = desk.succeeds(&["migrate", "--restored"], &[]);
    assert_eq!(said, "the database is up to date and begins another history\n");
    assert_ne!(epoch(), first);
}

#[test]
fn a_log_level_that_is_not_understood_is_told() {
    let desk = Desk::new();
    for (level, told) in [("info,=,", true), ("", false), ("trueup_server=debug", false)] {
        let env = [("TRUEUP_JWT_SECRET", SECRET), ("RUST_LOG", level)];
        let (serving, _) =
            Serving::start(desk.command(&["serve", "--listen", "127.0.0.1:0"], &env));
        let log = serving.stop();
        assert_eq!(log.contains("WARN RUST_LOG is not understood"), told, "{level}: {log}");
    }
}

#[tokio::test]
async fn a_demo_needs_no_file() {
    let desk = Desk::bare();
    let (serving, url) =
        Serving::start(desk.command(&["serve", "--demo", "--listen", "127.0.0.1:0"], &[]));
    let client = reqwest::Client::new();
    let session = client.post(format!("{url}/demo/session")).send().await.unwrap();
    let session: Value = session.json().await.unwrap();
    let catalog = client.get(format!("{url}/v1/catalog"));
    let catalog = catalog.bearer_auth(session["token"].as_str().unwrap()).send().await.unwrap();
    let catalog: Value = catalog.json().await.unwrap();
    assert_eq!(catalog["models"]["gpt-5"]["fallback"][0], "gpt-5-mini");
    let log = serving.stop();
    assert!(log.contains("there is no trueup.toml here"), "{log}");
    // Whoever means to serve in earnest is told that the file is missing.
    let complaint = desk.fails(&["serve"], &[("TRUEUP_JWT_SECRET", SECRET)]);
    assert!(complaint.contains("trueup.toml cannot be read"), "{complaint}");
}
