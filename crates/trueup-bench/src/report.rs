//! What was measured, as a table for the terminal, as Markdown and as a picture.

use std::fmt::Write as _;
use std::path::Path;

use crate::cases::{self, Contest, Goal, Side};
use crate::{Failure, plot};

/// Where the figures stand in the page that explains them.
const BEGIN: &str = "<!-- figures: written by ./justw bench -->\n";
const END: &str = "<!-- end of figures -->";

/// One side's cells.
struct Row {
    name: String,
    rate: String,
    ratio: String,
    goal: String,
    p50: String,
    p99: String,
    server: String,
    clients: String,
}

const HEAD: [&str; 8] =
    ["", "a second", "ratio", "goal", "p50 ms", "p99 ms", "server CPU", "clients' CPU"];

impl Row {
    fn of(contest: &Contest, side: &Side) -> Self {
        let met = contest.is_reached(side);
        let word = met.map_or("", |met| if met { "met" } else { "not met" });
        let goal = match side.goal {
            None => String::new(),
            Some(Goal::Times(least)) => format!("{least} x, {word}"),
            Some(Goal::Rate(least)) => format!("{}, {word}", thousands(least)),
            Some(Goal::Within(part)) => format!("{:.1} x, {word}", 1.0 - part),
        };
        let millis = |at: f64| if at > 0.0 { format!("{:.1}", at * 1e3) } else { String::new() };
        let share = |at: f64| if at > 0.0 { format!("{at:.2}") } else { String::new() };
        Self {
            name: side.name.clone(),
            rate: thousands(side.rate()),
            ratio: contest.ratio(side).map_or_else(|| "1".to_owned(), |it| format!("{it:.2}")),
            goal,
            p50: millis(side.median(|round| round.p50.as_secs_f64())),
            p99: millis(side.median(|round| round.p99.as_secs_f64())),
            server: share(side.median(|round| round.server_share)),
            clients: share(side.median(|round| round.clients_share)),
        }
    }

    fn cells(&self) -> [&str; 8] {
        let Self { name, rate, ratio, goal, p50, p99, server, clients } = self;
        [name, rate, ratio, goal, p50, p99, server, clients]
    }
}

/// 12,345: whole numbers and rounded ones.
pub fn thousands(number: impl std::fmt::Display) -> String {
    let digits = format!("{number:.0}");
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// Prints a contest's table.
pub fn print(contest: &Contest) {
    println!("\n{} ({})", contest.title, contest.unit);
    let line = |cells: [&str; 8]| {
        let [name, rate, ratio, goal, p50, p99, server, clients] = cells;
        println!(
            "  {name:<48} {rate:>9} {ratio:>6} {goal:>16} {p50:>7} {p99:>7} {server:>11} {clients:>13}"
        );
    };
    line(HEAD);
    contest.sides.iter().for_each(|side| line(Row::of(contest, side).cells()));
}

/// Writes the figures into the page, and the picture beside it.
pub fn write(
    contests: &[Contest],
    arguments: &cases::Arguments,
    folder: &Path,
) -> Result<(), Failure> {
    std::fs::write(folder.join("benchmarks.svg"), plot::bars(contests))?;
    let page = folder.join("benchmarks.md");
    let text = std::fs::read_to_string(&page)?;
    let (top, rest) = text.split_once(BEGIN).ok_or("the page has no place for figures")?;
    let (_, bottom) = rest.split_once(END).ok_or("the page has no end of figures")?;
    let figures = markdown(contests, arguments);
    std::fs::write(page, format!("{top}{BEGIN}\n{figures}\n{END}{bottom}"))?;
    Ok(())
}

fn markdown(contests: &[Contest], arguments: &cases::Arguments) -> String {
    // A string takes whatever is written to it.
    let mut text = format!("{}; {}.\n", machine(), cases::how(arguments));
    for contest in contests {
        let _ = writeln!(text, "\n### {}\n\n{}: {}\n", contest.title, contest.unit, contest.text);
        let _ = writeln!(text, "| {} |", HEAD.join(" | "));
        let _ = writeln!(text, "|{}", "---|".repeat(HEAD.len()));
        for side in &contest.sides {
            let _ = writeln!(text, "| {} |", Row::of(contest, side).cells().join(" | "));
        }
    }
    text.trim_end().to_owned()
}

fn machine() -> String {
    let read = |file: &str, key: &str| {
        let text = std::fs::read_to_string(file).unwrap_or_default();
        let line = text.lines().find(|line| line.starts_with(key)).unwrap_or_default();
        line.split(':').nth(1).unwrap_or_default().trim().to_owned()
    };
    let processors = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let kib = read("/proc/meminfo", "MemTotal").trim_end_matches("kB").trim().parse::<u64>();
    let memory = kib.unwrap_or(0) / (1024 * 1024);
    let model = read("/proc/cpuinfo", "model name");
    format!("{processors} processors ({model}), {memory} GiB of memory, everything on one machine")
}

#[cfg(test)]
mod tests {
    use super::thousands;

    #[test]
    fn large_numbers_are_written_in_groups() {
        for (number, text) in [(7.0, "7"), (1_234.4, "1,234"), (123_456.0, "123,456")] {
            assert_eq!(thousands(number), text);
        }
    }
}
