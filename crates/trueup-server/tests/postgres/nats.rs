//! A NATS server of the test's own.

use std::net::TcpListener;
use std::process::{Child, Command, Stdio};

pub struct Nats {
    port: u16,
    child: Option<Child>,
}

impl Nats {
    pub fn start() -> Self {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let mut nats = Self { port, child: None };
        nats.go_on();
        nats
    }

    pub fn url(&self) -> String {
        format!("nats://127.0.0.1:{}", self.port)
    }

    /// Kills it: whoever is connected loses the connection without a word.
    pub fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.kill().unwrap();
            child.wait().unwrap();
        }
    }

    /// Starts it again where it was.
    pub fn go_on(&mut self) {
        let program = std::env::var("TRUEUP_TEST_NATS").unwrap_or("nats-server".to_owned());
        let child = Command::new(program)
            .args(["--addr", "127.0.0.1", "--port", &self.port.to_string()])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn();
        self.child = Some(child.expect("scripts/tools.sh nats-server installs the server"));
    }
}

impl Drop for Nats {
    fn drop(&mut self) {
        self.kill();
    }
}
