//! A picture of the contests: a bar for each side.

use std::fmt::Write as _;

use crate::cases::{Contest, Side};
use crate::report::thousands;

const WIDTH: usize = 960;
const LEFT: usize = 390;
const BAR: usize = 24;
const LONGEST: f64 = 380.0;

const STYLE: &str = "
  text { font: 13px system-ui, sans-serif; fill: #1f2328; }
  .page { fill: #ffffff; }
  .title { font-size: 17px; font-weight: 600; }
  .quiet { fill: #59636e; }
  .ours { font-weight: 600; }
  .number { font-variant-numeric: tabular-nums; }
  .name { text-anchor: end; }
  .bar { fill: #59636e; fill-opacity: .35; }
  .our-bar { fill: #1a7f37; fill-opacity: .75; }
  @media (prefers-color-scheme: dark) {
    .page { fill: #0d1117; }
    text { fill: #e6edf3; }
    .quiet { fill: #9198a1; }
    .bar { fill: #9198a1; }
    .our-bar { fill: #3fb950; }
  }";

/// The picture, as SVG.
pub fn bars(contests: &[Contest]) -> String {
    let rows: usize = contests.iter().map(|contest| contest.sides.len() * BAR + 62).sum();
    let height = 30 + rows;
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" role=\"img\" \
         aria-labelledby=\"title\">\n<title id=\"title\">How fast Trueup is beside other ways to \
         count</title>\n<style>{STYLE}\n</style>\n\
         <rect class=\"page\" width=\"{WIDTH}\" height=\"{height}\" rx=\"8\"/>\n"
    );
    let mut y = 28;
    for contest in contests {
        text(&mut svg, (16, y), "title", &contest.title);
        text(&mut svg, (16, y + 20), "quiet", &format!("{}; longer is better", contest.unit));
        y += 32;
        let most = contest.sides.iter().map(Side::rate).fold(1.0, f64::max);
        for side in &contest.sides {
            bar(&mut svg, y, contest, side, most);
            y += BAR;
        }
        y += 30;
    }
    text(&mut svg, (16, height - 12), "quiet", "Made by ./justw bench.");
    svg + "</svg>\n"
}

fn bar(svg: &mut String, y: usize, contest: &Contest, side: &Side, most: f64) {
    let (class, kind) = if side.is_ours { ("ours", "our-bar") } else { ("", "bar") };
    let length = (LONGEST * side.rate() / most).max(1.0);
    text(svg, (LEFT - 10, y + 16), &format!("name {class}"), &side.name);
    // A string takes whatever is written to it.
    let _ = writeln!(
        svg,
        "<rect class=\"{kind}\" x=\"{LEFT}\" y=\"{y}\" width=\"{length:.0}\" height=\"{}\" rx=\"3\"/>",
        BAR - 4
    );
    let ratio = contest.ratio(side).map(|ratio| format!(" = {ratio:.2} x")).unwrap_or_default();
    let label = format!("{}{ratio}", thousands(side.rate()));
    let x = format!("{:.0}", length + 8.0).parse::<usize>().unwrap_or(0) + LEFT;
    text(svg, (x, y + 16), &format!("number {class}"), &label);
}

fn text(svg: &mut String, (x, y): (usize, usize), class: &str, words: &str) {
    let words = words.replace('&', "&amp;").replace('<', "&lt;");
    let _ = writeln!(svg, "<text x=\"{x}\" y=\"{y}\" class=\"{}\">{words}</text>", class.trim());
}
