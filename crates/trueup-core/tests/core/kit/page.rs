//! A page as a text: one input a line, and after `=>` what the machine told and wants.

use trueup_core::client::{Begun, Client, Event, Local, Request, RequestId, Saved, Settings};
use trueup_core::view::{MeterView, Status, View};
use trueup_core::{Map, MeterId, OperationId};

use super::snap::{letter, snapshot};
use super::{START, account, at, charge};

pub(crate) struct Page {
    pub client: Client,
    now_ms: i64,
    in_flight: Option<RequestId>,
    saved: Option<Saved>,
}

/// Ann's account at version 5, with one premium message used.
const LIVE: &str = "
    account one                                     => loading; asks whole
    answer v5; premium 1+0/5; standard 0+0/20       => live v5 premium 1+0+0/5 standard 0+0+0/20
";

/// Runs every line on a fresh page and compares what came of it with what the line says.
pub(crate) fn check(script: &str) {
    Page::new().check(script);
}

/// [`check`] on a page that had its first answer.
pub(crate) fn check_live(script: &str) {
    Page::live().check(script);
}

impl Page {
    pub fn new() -> Self {
        let client = Client::new(Settings::default());
        Self { client, now_ms: 0, in_flight: None, saved: None }
    }

    pub fn live() -> Self {
        let mut page = Self::new();
        page.check(LIVE);
        page
    }

    fn check(&mut self, script: &str) {
        let (mut actual, mut expected) = (String::new(), String::new());
        for line in script.lines().map(str::trim).filter(|line| !line.is_empty()) {
            let (input, outcome) = line.split_once("=>").unwrap_or((line, ""));
            let input = input.trim();
            expected.push_str(&format!("{input} => {}\n", outcome.trim()));
            actual.push_str(&format!("{input} => {}\n", self.run(input)));
        }
        assert!(actual == expected, "\nthe page says:\n{actual}\nthe table says:\n{expected}");
    }

    pub fn is_asking(&self) -> bool {
        self.in_flight.is_some()
    }

    /// Whether the operation would be kept over a reload.
    pub fn is_undecided(&self, name: &str) -> bool {
        let saved = self.client.saved();
        saved.is_some_and(|saved| saved.pending.iter().any(|it| it.id == letter(name)))
    }

    /// One input, and what came of it.
    pub fn run(&mut self, line: &str) -> String {
        let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
        let mut told = Vec::new();
        match word {
            "at" => {
                self.now_ms = rest.parse().unwrap();
                return String::new();
            }
            "timer" => return self.timer(),
            "server_time" => return self.server_time(),
            "reload" => {
                self.client = Client::new(Settings::default());
                let saved = self.saved.clone();
                let name = saved.as_ref().map(|saved| saved.account.clone());
                self.client.handle_account(name, saved, at(self.now_ms));
                self.in_flight = None;
            }
            "begin" => told.extend(self.begin(rest)),
            _ => self.input(word, rest),
        }
        self.drain(&mut told);
        told.join("; ")
    }

    fn begin(&mut self, rest: &str) -> Option<String> {
        let (name, lines) = rest.split_once(' ').unwrap_or((rest, "-"));
        let begun = self.client.handle_begin(letter(name), &charge(lines), at(self.now_ms));
        match begun {
            Ok(Begun { refusal: Some(it), .. }) => {
                Some(format!("no room for {} {}, {} left", it.asked, it.meter, it.remaining))
            }
            Ok(_) => None,
            Err(error) => Some(error.to_string()),
        }
    }

    fn input(&mut self, word: &str, rest: &str) {
        let (client, now) = (&mut self.client, at(self.now_ms));
        match word {
            "account" => {
                let name = (rest != "?").then(|| account(rest));
                client.handle_account(name, None, now);
            }
            "visitor" => {
                let limits = charge(rest).iter().map(|(meter, n)| (meter.clone(), n)).collect();
                client.handle_anonymous(Local::new(limits, Map::new()), now);
            }
            "sent" => client.handle_sent(letter(rest), now),
            "activity" => client.handle_activity(letter(rest), now),
            "finished" => client.handle_finished(letter(rest), now),
            "failed" => client.handle_failed(letter(rest), now),
            "reply" => {
                let (id, rest) = rest.split_once(' ').unwrap();
                client.handle_reply(letter(id), &snapshot(rest, self.now_ms), now);
            }
            "push" => client.handle_snapshot(&snapshot(rest, self.now_ms), now),
            "timeout" => client.handle_timeout(now),
            "visible" => client.handle_visible(true, now),
            "hidden" => client.handle_visible(false, now),
            "online" => client.handle_online(true, now),
            "offline" => client.handle_online(false, now),
            "refresh" => client.handle_refresh(),
            _ => self.reply(word, rest),
        }
    }

    /// The newest request is answered, one way or another.
    fn reply(&mut self, word: &str, rest: &str) {
        let (client, now) = (&mut self.client, at(self.now_ms));
        let id = self.in_flight.take().expect("nothing is asked");
        match word {
            "answer" => client.handle_answer(id, &snapshot(rest, self.now_ms), now),
            "unchanged" => client.handle_not_modified(id, now),
            "fails" => client.handle_failure(id, rest.parse().ok(), now),
            "fence_refused" => client.handle_fence_refused(id, now),
            _ => panic!("{word}: no input"),
        }
    }

    fn drain(&mut self, told: &mut Vec<String>) {
        let (mut views, mut saves) = (0, 0);
        while let Some(event) = self.client.poll_event() {
            views += usize::from(event == Event::ViewChanged);
            saves += usize::from(event == Event::SaveNeeded);
            match event {
                Event::ViewChanged => told.push(view(self.client.view())),
                Event::Corrected(it) => {
                    let about = it.operation.map_or(String::new(), |id| format!(" {}", name(id)));
                    told.push(format!("{}{about}: {}", it.cause.as_str(), it.text));
                }
                Event::Ended { operation, state, cause } => {
                    let (state, cause) = (state.as_str(), cause.as_str());
                    told.push(format!("{} {state} {cause}", name(operation)));
                }
                Event::SaveNeeded => self.saved = self.client.saved(),
            }
        }
        assert!(views <= 1 && saves <= 1, "the same is told {views} and {saves} times");
        while let Some(request) = self.client.poll_request(at(self.now_ms)) {
            told.push(self.request(&request));
        }
    }

    fn request(&mut self, request: &Request) -> String {
        match request {
            Request::Usage { id, since, ask, known } => {
                self.in_flight = Some(*id);
                let since = since.map_or(" whole".to_owned(), |since| format!(" since {since}"));
                let ask: Vec<String> = ask.iter().map(|id| name(*id)).collect();
                let ask =
                    if ask.is_empty() { String::new() } else { format!(" for {}", ask.join(" ")) };
                let known = if known.is_some() { " unless unchanged" } else { "" };
                format!("asks{since}{ask}{known}")
            }
            Request::Fence { id, operation, since } => {
                self.in_flight = Some(*id);
                let since = since.map_or(String::new(), |since| format!(" since {since}"));
                format!("fences {}{since}", name(*operation))
            }
        }
    }

    /// What the server's clock says, from the start of tests on.
    fn server_time(&self) -> String {
        self.client.server_time(at(self.now_ms)).since(START).to_string()
    }

    /// When the machine wants to be called, from now on.
    fn timer(&self) -> String {
        self.client.poll_timeout().map_or_else(
            || "none".to_owned(),
            |it| {
                let now = at(self.now_ms);
                let far = it.not_before.since(now) > 100_000_000;
                let range = format!("{}..{}", it.not_before.since(now), it.not_after.since(now));
                if far { "none but the window's end".to_owned() } else { range }
            },
        )
    }
}

fn name(id: OperationId) -> String {
    char::from_u32((id.as_u128() & 0xff) as u32).unwrap().to_string()
}

/// Status, version, and each meter as settled+held+pending/limit; `~` while it resets.
fn view(view: &View) -> String {
    let status = match view.status {
        Status::Loading => "loading",
        Status::Anonymous => "anonymous",
        Status::Live => "live",
        Status::Offline => "offline",
    };
    let version = view.version.map_or(String::new(), |version| format!(" v{version}"));
    let meters = view.meters.iter().map(|(meter, it)| format!(" {}", figures(meter, it)));
    format!("{status}{version}{}", meters.collect::<String>())
}

fn figures(meter: &MeterId, it: &MeterView) -> String {
    let limit = it.limit.map_or("-".to_owned(), |limit| limit.to_string());
    let resetting = if it.resetting { "~" } else { "" };
    format!("{meter} {}+{}+{}/{limit}{resetting}", it.settled, it.held, it.pending)
}
