//! A picture of a comparison: designs down, faults across, the share of wrong sessions in each cell.

use std::fmt::Write as _;

use trueup_sim::audit::Tally;

use super::compare::{Row, share};

const LEFT: usize = 170;
const TOP: usize = 92;
const CELL: (usize, usize) = (76, 38);

const STYLE: &str = "
  text { font: 13px system-ui, sans-serif; fill: #1f2328; }
  .page { fill: #ffffff; }
  .title { font-size: 17px; font-weight: 600; }
  .quiet { fill: #59636e; }
  .ours { font-weight: 600; }
  .number { text-anchor: middle; font-variant-numeric: tabular-nums; }
  .cell { fill: #cf222e; }
  .zero { fill: #1a7f37; fill-opacity: .16; }
  @media (prefers-color-scheme: dark) {
    .page { fill: #0d1117; }
    text { fill: #e6edf3; }
    .quiet { fill: #9198a1; }
    .cell { fill: #f85149; }
    .zero { fill: #3fb950; fill-opacity: .22; }
  }";

/// The picture, as SVG.
pub fn matrix(rows: &[Row], profiles: &[&str]) -> String {
    let (cell_width, cell_height) = CELL;
    let width = LEFT + (profiles.len() + 1) * cell_width + 16;
    let height = TOP + rows.len() * cell_height + 44;
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" role=\"img\" \
         aria-labelledby=\"title\">\n<title id=\"title\">Sessions that show a wrong number, of a \
         hundred, by design and fault</title>\n<style>{STYLE}\n</style>\n\
         <rect class=\"page\" width=\"{width}\" height=\"{height}\" rx=\"8\"/>\n"
    );
    text(&mut svg, (16, 28), "title", "Sessions that show a wrong number, of a hundred");
    let how = "The same people, messages and network for every design; every doubt in its favour.";
    text(&mut svg, (16, 50), "quiet", how);
    for (at, name) in profiles.iter().copied().chain(["all"]).enumerate() {
        text(&mut svg, (middle(at), TOP - 12), "number quiet", name);
    }
    for (down, row) in rows.iter().enumerate() {
        let y = TOP + down * cell_height;
        let class = if down == 0 { "ours" } else { "" };
        text(&mut svg, (16, y + 24), class, row.name);
        let all = Tally::of(&row.tallies);
        for (across, tally) in row.tallies.iter().chain([&all]).enumerate() {
            cell(&mut svg, (across, y), tally, class);
        }
    }
    text(&mut svg, (16, height - 16), "quiet", "Made by ./justw compare.");
    svg + "</svg>\n"
}

fn middle(across: usize) -> usize {
    LEFT + across * CELL.0 + CELL.0 / 2
}

fn cell(svg: &mut String, (across, y): (usize, usize), tally: &Tally, class: &str) {
    let part = share(tally.wrong, tally.sessions);
    let kind = if tally.wrong == 0 { "zero" } else { "cell" };
    let opacity = if tally.wrong == 0 {
        String::new()
    } else {
        format!(" fill-opacity=\"{:.2}\"", 0.08 + part / 160.0)
    };
    let (x, width, height) = (LEFT + across * CELL.0 + 1, CELL.0 - 2, CELL.1 - 2);
    // A string takes whatever is written to it.
    let _ = writeln!(
        svg,
        "<rect class=\"{kind}\"{opacity} x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{height}\" rx=\"4\"/>"
    );
    let number = match tally.wrong {
        0 => "0".to_owned(),
        _ if part < 0.05 => format!("{part:.2}"),
        _ => format!("{part:.1}"),
    };
    text(svg, (middle(across), y + 24), &format!("number {class}"), &number);
}

fn text(svg: &mut String, (x, y): (usize, usize), class: &str, words: &str) {
    let _ = writeln!(svg, "<text x=\"{x}\" y=\"{y}\" class=\"{}\">{words}</text>", class.trim());
}
