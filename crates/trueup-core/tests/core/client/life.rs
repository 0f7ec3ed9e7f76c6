//! Every input against every stage of an operation on its page.

use crate::kit::page::Page;

/// How each stage is reached on a page at version 5; `a` is the operation that the inputs are about.
const STAGES: [(&str, &[&str]); 7] = [
    ("created", &[]),
    ("sent", &["sent a"]),
    ("running", &["sent a", "push v6 since 5; premium 1+1/5; a held premium=1"]),
    ("finished", &["sent a", "finished a"]),
    ("asked", &["sent a", "failed a"]),
    ("held", &["sent a", "failed a", "answer v6 since 5; premium 1+1/5; a held premium=1"]),
    ("fencing", &["sent a", "failed a", "answer v5; premium 1+0/5"]),
];

const TABLE: &str = "
                                                       | created   | sent      | running   | finished  | asked     | held      | fencing
begin a premium=1                                      | waits     | waits     | waits     | asks soon | asking    | asks soon | asking
sent a                                                 | waits     | waits     | waits     | waits     | asking    | waits     | asking
activity a                                             | waits     | waits     | waits     | asks soon | asking    | asks soon | asking
finished a                                             | asks soon | asks soon | asks soon | asks soon | asking    | asks soon | asking
failed a                                               | gone      | asks      | asks      | asks      | asking    | asks      | asking
at 61000, timeout                                      | checks    | asks      | checks    | asks      | asking    | asks      | asking
reload                                                 | asks      | asks      | asks      | asks      | asks      | asks      | asks
push v9 since 5; premium 1+1/5; a held premium=1       | waits     | waits     | waits     | asks soon | asking    | asks soon | asking
push v9 since 5; premium 2+0/5; a settled premium=1    | settled   | settled   | settled   | settled   | settled   | settled   | settled
push v9 since 5; premium 1+0/5; a released             | released  | released  | released  | released  | released  | released  | released
push v9 since 5; premium 2+0/5; other_device premium 1 | waits     | waits     | waits     | asks soon | asking    | asks soon | asking
push v9 since 7; premium 2+0/5; a settled premium=1    | checks    | checks    | checks    | asks      | asking    | asks      | asking
push v2 since 1; premium 2+0/5; a settled premium=1    | waits     | waits     | waits     | asks soon | asking    | asks soon | asking
answer v9 since 5; premium 1+0/5                       | -         | -         | -         | -         | fences    | -         | asks soon
answer v9 since 5; premium 1+1/5; a held premium=1     | -         | -         | -         | -         | asks soon | -         | asks soon
answer v9 since 5; premium 2+0/5; a settled premium=1  | -         | -         | -         | -         | settled   | -         | settled
answer v9 since 5; premium 1+0/5; a fenced             | -         | -         | -         | -         | fenced    | -         | fenced
answer v9 since 5; premium 1+0/5; a refused            | -         | -         | -         | -         | refused   | -         | refused
fails                                                  | -         | -         | -         | -         | asks soon | -         | asks soon
fence_refused                                          | -         | -         | -         | -         | -         | -         | fenced
";

#[test]
fn every_input_has_one_consequence_in_every_stage() {
    let mut rows = TABLE.lines().filter(|line| !line.is_empty()).map(cells);
    let stages = rows.next().unwrap();
    let mut wrong = String::new();
    for row in rows {
        let actual = stages.iter().skip(1).map(|stage| consequence(stage, row[0]));
        let actual: Vec<String> = actual.collect();
        if actual != row[1..] {
            wrong.push_str(&format!("{} | {}\n", row[0], actual.join(" | ")));
        }
    }
    assert!(wrong.is_empty(), "the page says:\n{wrong}");
}

fn cells(line: &str) -> Vec<&str> {
    line.split('|').map(str::trim).collect()
}

/// What the page does next about the operation.
fn consequence(stage: &str, input: &str) -> String {
    let (_, steps) = STAGES.iter().find(|(name, _)| *name == stage).unwrap();
    let mut page = Page::live();
    page.run("begin a premium=1");
    for step in *steps {
        page.run(step);
    }
    let is_reply = ["answer", "fails", "fence_refused"].iter().any(|it| input.starts_with(it));
    let is_answered = is_reply && page.is_asking();
    if is_reply && !is_answered || input == "fence_refused" && stage != "fencing" {
        return "-".to_owned();
    }
    let before = page.is_asking() && !is_reply;
    let told = input.split(", ").map(|line| page.run(line)).collect::<Vec<_>>().join("; ");
    let about = [("fences a", "fences"), ("for a", "asks"), ("asks", "checks")];
    let next = about.iter().find(|(words, _)| told.contains(words)).map(|(_, next)| *next);
    let soon = page.client.poll_timeout().is_some_and(|it| it.not_after <= crate::kit::at(1_100));
    match next {
        _ if told.contains("a settled") => "settled",
        _ if told.contains("a released") => "released",
        _ if told.contains("a fenced") => "fenced",
        _ if told.contains("a refused") => "refused",
        _ if !page.is_undecided("a") => "gone",
        Some(next) => next,
        None if before => "asking",
        None if soon => "asks soon",
        None => "waits",
    }
    .to_owned()
}
