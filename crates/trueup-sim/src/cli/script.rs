//! What pages were told and what they did, as JSON, a line a step: to be told to the module that
//! ships, which must do the same (`tests/module`).

use std::collections::BTreeMap;
use std::io::{BufWriter, Write};

use serde_json::{Value, json};
use trueup_core::client::{Begun, Event, Request, Saved};
use trueup_core::correction::{Correction, Figures};
use trueup_core::view::{MeterView, Status, View};
use trueup_core::{Charge, MeterId, OperationId, Snapshot, Units};
use trueup_protocol::{snapshot, storage, text, time};
use trueup_sim::border;
use trueup_sim::design::Input;
use trueup_sim::record::{Act, Recorder, Step};
use trueup_sim::server::plan::{MODELS, charge_of};
use trueup_sim::{Run, record};

#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// How many seeds
    #[arg(long, default_value_t = 1)]
    seeds: u64,
    /// The first seed
    #[arg(long, default_value_t = 0)]
    from: u64,
}

/// Whether every seed ran without a violation.
pub fn run(arguments: &Arguments) -> bool {
    let mut script = Script { out: BufWriter::new(std::io::stdout().lock()), broken: None };
    for seed in arguments.from..arguments.from.saturating_add(arguments.seeds) {
        script.write(&json!({ "seed": seed, "models": models(), "limits": limits() }));
        let run = Run { seed, profile: None, bug: None };
        if let Err(failure) = record(&run, &mut script) {
            eprintln!("error: {failure}");
            return false;
        }
        if script.broken.is_some() {
            break;
        }
    }
    script.out.flush().map_err(|error| script.broken.get_or_insert(error).kind()).ok();
    // Whoever closed the pipe has read enough.
    let is_loud = |error: &&std::io::Error| error.kind() != std::io::ErrorKind::BrokenPipe;
    script.broken.iter().filter(is_loud).for_each(|error| eprintln!("error: {error}"));
    script.broken.is_none()
}

struct Script<W: Write> {
    out: BufWriter<W>,
    broken: Option<std::io::Error>,
}

impl<W: Write> Script<W> {
    fn write(&mut self, line: &Value) {
        if self.broken.is_none() {
            self.broken = writeln!(self.out, "{line}").err();
        }
    }
}

impl<W: Write> Recorder for Script<W> {
    fn loaded(&mut self, tab: usize, kept: &BTreeMap<(usize, u8), Saved>) {
        let kept = kept.iter().map(|(who, saved)| (key(*who), Value::from(storage::encode(saved))));
        self.write(&json!({ "loads": tab, "kept": kept.collect::<serde_json::Map<_, _>>() }));
    }

    fn step(&mut self, step: Step<'_>) {
        let who = step
            .who
            .map(|(account, actor)| [format!("account-{account}"), format!("actor-{actor}")]);
        let keeps = step.who.zip(step.kept);
        let keeps = keeps.map(|(who, saved)| [key(who), storage::encode(saved)]);
        self.write(&json!({
            "tab": step.tab,
            "at": step.clock.millis(),
            "who": who,
            "in": act(step.act),
            "view": view(step.view),
            "told": step.told.iter().map(told).collect::<Vec<_>>(),
            "asks": step.requests.iter().map(request).collect::<Vec<_>>(),
            "keeps": keeps,
        }));
    }

    fn died(&mut self, tab: usize) {
        self.write(&json!({ "dies": tab }));
    }
}

/// What the catalog says.
fn models() -> Value {
    let priced = |model| {
        let charge = amounts(&border::charge(&charge_of(model)));
        (format!("model-{model}"), json!({ "charge": charge }))
    };
    Value::Object((0..MODELS).map(priced).collect())
}

/// What a visitor may have.
fn limits() -> Value {
    let limits = trueup_sim::visitor_limits();
    let limits =
        limits.iter().map(|(meter, units)| (meter.as_str().to_owned(), units.get().into()));
    Value::Object(limits.collect())
}

/// Where the module keeps what it keeps.
fn key((account, actor): (usize, u8)) -> String {
    format!("trueup:1:account-{account}:actor-{actor}")
}

fn act(act: &Act) -> Value {
    let input = match act {
        Act::Began(id, charge, begun) => {
            return json!([
                "begin",
                text::operation_id(*id),
                amounts(charge),
                begun.as_ref().map(said)
            ]);
        }
        Act::Told(input) => input,
    };
    let about = |what: &str, id: &OperationId| json!([what, text::operation_id(*id)]);
    match input {
        Input::Account(..) => json!(["account"]),
        Input::Visitor(used) => json!(["visitor", storage::encode_visitor(used)]),
        Input::Sent(id) => about("sent", id),
        Input::Heard(id) => about("heard", id),
        Input::Finished(id) => about("finished", id),
        Input::Failed(id) => about("failed", id),
        Input::Visible(visible) => json!(["visible", visible]),
        Input::Online(online) => json!(["online", online]),
        Input::Refresh => json!(["refresh"]),
        Input::Timeout => json!(["timeout"]),
        Input::Reply(id, told) => json!(["reply", text::operation_id(*id), body(told)]),
        Input::Snapshot(told) => json!(["snapshot", body(told)]),
        Input::Answer(id, told) => json!(["answer", id.0, body(told)]),
        Input::NotModified(id) => json!(["unchanged", id.0]),
        Input::Failure(id, retry_after_ms) => json!(["failure", id.0, retry_after_ms]),
        Input::FenceRefused(id) => json!(["refused", id.0]),
    }
}

fn said(begun: &Begun) -> Value {
    json!({
        "predicted": amounts(&begun.predicted),
        "refusal": begun.refusal.as_ref().map(|it| json!([
            it.meter.as_str(), it.asked.get(), it.remaining.get(), it.resets_at.map(time::format),
        ])),
    })
}

fn body(told: &Snapshot) -> Value {
    serde_json::to_value(snapshot::Snapshot::from(told)).unwrap_or_default()
}

fn amounts(charge: &Charge) -> Value {
    let lines = charge.iter().map(|(meter, units)| (meter.as_str().to_owned(), units.get().into()));
    Value::Object(lines.collect())
}

fn request(request: &Request) -> Value {
    match request {
        Request::Usage { id, since, ask, known } => json!({
            "id": id.0,
            "since": since.map(|since| since.0),
            "ask": ask.iter().map(|id| text::operation_id(*id)).collect::<Vec<_>>(),
            "known": known.as_ref().map(|(epoch, version)| format!("\"{epoch}-{version}\"")),
        }),
        Request::Fence { id, operation, since } => json!({
            "id": id.0,
            "fence": text::operation_id(*operation),
            "since": since.map(|since| since.0),
        }),
    }
}

fn told(event: &Event) -> Value {
    match event {
        Event::Corrected(it) => corrected(it),
        Event::Ended { operation, state, cause } => {
            json!([text::operation_id(*operation), state.as_str(), cause.as_str()])
        }
        Event::ViewChanged | Event::SaveNeeded => Value::Null,
    }
}

fn corrected(it: &Correction) -> Value {
    let figures =
        |it: &Figures| json!([count(Some(it.used)), count(it.limit), count(it.remaining)]);
    let moved = it
        .movements
        .iter()
        .map(|it| json!([it.meter.as_str(), figures(&it.before), figures(&it.after)]));
    json!([
        it.cause.as_str(),
        it.operation.map(text::operation_id),
        it.text,
        moved.collect::<Vec<_>>(),
    ])
}

fn view(view: &View) -> Value {
    let status = match view.status {
        Status::Loading => "loading",
        Status::Anonymous => "anonymous",
        Status::Live => "live",
        Status::Offline => "offline",
    };
    let account = view.account.as_ref().map(trueup_core::AccountId::as_str);
    let version = view.version.map(|version| version.0);
    json!([status, account, version, view.meters.iter().map(meter).collect::<Vec<_>>()])
}

fn meter((name, it): (&MeterId, &MeterView)) -> Value {
    json!([
        name.as_str(),
        count(it.limit),
        it.used.get(),
        it.settled.get(),
        it.held.get(),
        it.pending.get(),
        count(it.remaining),
        snapshot::enforcement_word(it.enforcement),
        it.resets_at.map(time::format),
        it.resetting,
    ])
}

fn count(units: Option<Units>) -> Option<u64> {
    units.map(Units::get)
}
