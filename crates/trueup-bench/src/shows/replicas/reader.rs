//! Those who look: each keeps the version that it has, and asks any server what happened since.

use std::time::Duration;

use serde_json::Value;
use tokio::time::{sleep, timeout};

use super::street::{Line, SERVERS, Street};
use super::witness::Asked;
use crate::dice::Dice;
use crate::http::{self, Connection};
use crate::trueup::KEY;

const PATIENCE: Duration = Duration::from_secs(2);
/// A stream that says nothing for so long is dead: servers here send something every second.
const SILENCE: Duration = Duration::from_secs(3);

/// A reader of one account.
pub struct Reader {
    pub street: Street,
    pub account: String,
    pub dice: Dice,
    pub answers: u64,
}

impl Reader {
    /// Polls until the street closes, as a page does.
    pub async fn poll(mut self) -> u64 {
        let mut lines = <[Line; SERVERS]>::default();
        let mut known: Vec<u64> = Vec::new();
        while !self.street.is_closing() {
            // Mostly what is known, sometimes what was known before: that is never up to date.
            let back = if self.dice.below(8) == 0 { 1 + self.dice.below(3) } else { 0 };
            let at = known.len().checked_sub(1 + usize::try_from(back).unwrap_or(0));
            let since = at.and_then(|at| known.get(at)).copied();
            let asked = self.street.witness().asks(&self.account, since);
            let server = self.server();
            let request = self.request("/v1/usage", since);
            let to = self.street.address(server);
            let Some(line) = lines.get_mut(server) else { continue };
            match line.call(to, &request, PATIENCE).await {
                Some((200, body)) => {
                    self.answers += 1;
                    let version = self.street.witness().told(&self.account, asked, &body);
                    known.extend(version.filter(|version| known.last() != Some(version)));
                }
                Some((304, _)) => {
                    self.answers += 1;
                    let version = since.unwrap_or(0);
                    self.street.witness().told_nothing_new(&self.account, asked, version);
                }
                Some((503, _)) | None => {}
                Some((status, body)) => {
                    self.street.witness().wrong(format!("{status} {body} to {request}"));
                }
            }
            sleep(Duration::from_millis(5 + self.dice.below(40))).await;
        }
        self.answers
    }

    /// Listens to push streams of any server, one after the other, until the street closes.
    pub async fn listen(mut self) -> u64 {
        let mut known = None;
        while !self.street.is_closing() {
            let until = 1 + self.dice.below(60);
            // A stream that breaks is taken up again elsewhere.
            let _ = self.stream(&mut known, until).await;
            sleep(Duration::from_millis(5 + self.dice.below(40))).await;
        }
        self.answers
    }

    /// One stream, until it breaks or so many events have come.
    async fn stream(&mut self, known: &mut Option<u64>, until: u64) -> std::io::Result<()> {
        let gone = || std::io::Error::from(std::io::ErrorKind::NotConnected);
        let mut asked = self.street.witness().asks(&self.account, *known);
        let server = self.server();
        let mut connection =
            Connection::open(self.street.address(server).ok_or_else(gone)?).await?;
        connection.send(&self.request("/v1/usage/events", *known)).await?;
        let (mut rest, mut events) = (String::new(), 0);
        while events < until && !self.street.is_closing() {
            let bytes = timeout(SILENCE, connection.next_bytes()).await??;
            rest.push_str(&String::from_utf8_lossy(bytes));
            while let Some((line, after)) = rest.split_once('\n') {
                if let Some(data) = line.strip_prefix("data:") {
                    let snapshot: Value = serde_json::from_str(data)?;
                    let version = self.street.witness().told(&self.account, asked, &snapshot);
                    // The next one is newer, and begins where this one ended.
                    let floor = version.unwrap_or(0) + 1;
                    asked = Asked { floor, since: version };
                    *known = version;
                    events += 1;
                    self.answers += 1;
                }
                rest = after.to_owned();
            }
        }
        Ok(())
    }

    fn server(&mut self) -> usize {
        usize::try_from(self.dice.below(3)).unwrap_or(0)
    }

    fn request(&self, path: &str, since: Option<u64>) -> String {
        let mut headers = vec![format!("trueup-account: {}", self.account)];
        let (_, epoch) = self.street.witness().newest(&self.account);
        let path = match since {
            Some(since) => {
                headers.push(format!("if-none-match: \"{epoch}-{since}\""));
                format!("{path}?since={since}")
            }
            None => path.to_owned(),
        };
        http::get(&path, KEY, &headers)
    }
}
