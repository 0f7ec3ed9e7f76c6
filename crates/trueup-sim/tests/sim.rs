//! What the simulator promises of itself.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that fails is to stop")]

use std::fmt::Write as _;
use std::path::Path;

use trueup_sim::audit::history::{Event, Figures, Seen, Shown};
use trueup_sim::audit::{Auditor, Invariant, Tally};
use trueup_sim::design::Rival;
use trueup_sim::dice::Dice;
use trueup_sim::planted::Bug;
use trueup_sim::profile::PROFILES;
use trueup_sim::queue::Queue;
use trueup_sim::{Run, line, measure, run, traffic};

/// The whole history of a run, to be compared byte by byte.
fn history(of: &Run) -> String {
    let mut text = String::new();
    let mut keep = |at: i64, event: &Event| writeln!(text, "{}", line(at, event)).unwrap();
    let ended = run(of, Some(&mut keep));
    match ended {
        Ok(report) => writeln!(text, "{} events", report.events).unwrap(),
        Err(failure) => writeln!(text, "{failure}").unwrap(),
    }
    text
}

#[test]
fn the_same_seed_is_the_same_history_in_every_profile() {
    for profile in PROFILES.iter().filter(|profile| profile.name != "weeks") {
        for seed in 0..3 {
            let of = Run { seed, profile: Some(profile.clone()), bug: None };
            let (once, again) = (history(&of), history(&of));
            assert!(once.lines().count() > 100, "{}: seed {seed} is empty", profile.name);
            assert!(once == again, "{}: seed {seed} has two histories", profile.name);
        }
    }
}

#[test]
fn the_same_seed_finds_a_planted_bug_in_the_same_way() {
    for bug in [Bug::SettleKeepsHold, Bug::ForgetsPendingOnReload] {
        let of = Run { seed: 0, profile: None, bug: Some(bug) };
        let once = run(&of, None).unwrap_err();
        assert_eq!(run(&of, None).unwrap_err(), once, "{}", bug.name());
    }
}

#[test]
fn other_designs_meet_the_same_people_and_show_wrong_numbers() {
    let sum = |rival| {
        let mut sum = Tally::default();
        for profile in PROFILES.iter().filter(|profile| profile.name != "weeks") {
            for seed in 0..6 {
                let of = Run { seed, profile: Some(profile.clone()), bug: None };
                sum.add(&measure(&of, rival).unwrap());
            }
        }
        sum
    };
    let ours = sum(None);
    assert_eq!((ours.wrong, ours.wrong_ms, ours.unhealed), (0, 0, 0));
    assert!(ours.sessions > 100, "{ours:?}");
    for rival in Rival::ALL {
        let other = sum(Some(*rival));
        assert!(other.wrong > 0 && other.wrong_ms > 0, "{}: {other:?}", rival.name());
        assert!(other.messages * 2 > ours.messages, "{}: {other:?}", rival.name());
    }
}

#[test]
fn people_mean_the_same_and_the_network_does_the_same_whatever_design_runs() {
    for profile in PROFILES.iter().filter(|profile| profile.name != "weeks") {
        for seed in 0..4 {
            let of = Run { seed, profile: Some(profile.clone()), bug: None };
            let ours = traffic(&of, None).unwrap();
            assert!(!ours.meant.is_empty(), "{}: nobody means anything", profile.name);
            for rival in Rival::ALL {
                let other = traffic(&of, Some(*rival)).unwrap();
                let place = format!("{}, seed {seed}, {}", profile.name, rival.name());
                assert!(other.meant == ours.meant, "{place}: other people");
                // What both sent at the same time: a page that refuses or is gone sends later, or never.
                let mut common = 0;
                for left in &other.left {
                    let known = ours.left.iter().find(|it| (it.op, it.at) == (left.op, left.at));
                    common += usize::from(known.is_some());
                    assert!(known.is_none_or(|known| known == left), "{place}: other weather");
                }
                assert!(common * 10 >= other.left.len() * 6, "{place}: {common} in common");
            }
        }
    }
}

/// What a visitor sees who may have three, used some, and waits for more.
fn seen_alone(used: u64, pending: u64) -> Event {
    let (meter, limit, total) = (0, Some(3), used + pending);
    let figures = Figures { meter, limit, hard: true, used, held: 0, end: 0 };
    let remaining = limit.map(|limit| limit - total);
    Event::Shown(Shown {
        tab: 0,
        account: None,
        place: None,
        meters: vec![Seen { figures, pending, total, remaining }],
        told: true,
        corrected: Vec::new(),
        ended: Vec::new(),
        live: false,
        clock: 0,
        resetting: Vec::new(),
    })
}

#[test]
fn the_auditor_judges_what_visitors_see() {
    let looks = |used: &[(u8, u64)]| {
        let (limits, used) = (vec![(0, 3)], used.to_vec());
        Event::Visited { tab: 0, device: 0, limits, used }
    };
    let begins = |predicted: &[(u8, u64)]| {
        let (asked, predicted) = (vec![(0, 1)], predicted.to_vec());
        Event::Began { tab: 0, op: 1, asked, predicted, refusal: None }
    };
    let ends = |well| Event::EndedAlone { tab: 0, op: 1, well };
    let kept = Event::Kept { tab: 0 };
    let judge = |events: &[Event]| {
        let mut auditor = Auditor::default();
        let judged = events.iter().map(|event| auditor.observe(0, event));
        judged.filter_map(Result::err).map(|it| it.invariant).next()
    };
    let begun = [looks(&[]), seen_alone(0, 0), begins(&[(0, 1)]), seen_alone(0, 1)];
    let with = |more: &[Event]| judge(&[&begun, more].concat());
    assert_eq!(with(&[ends(true), seen_alone(1, 0), kept.clone(), looks(&[(0, 1)])]), None);
    assert_eq!(with(&[ends(false), seen_alone(0, 0)]), None);
    assert_eq!(with(&[ends(true), seen_alone(0, 0)]), Some(Invariant::ExactlyOnce));
    assert_eq!(with(&[ends(false), seen_alone(1, 0)]), Some(Invariant::ExactlyOnce));
    assert_eq!(with(&[ends(true), kept, looks(&[])]), Some(Invariant::NothingLost));
    assert_eq!(with(&[Event::AskedAlone { tab: 0 }]), Some(Invariant::Apart));
    assert_eq!(judge(&[looks(&[]), begins(&[])]), Some(Invariant::ExactlyOnce));
}

#[test]
fn the_auditor_knows_no_code_but_its_own() {
    let rooms = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/audit");
    let mut files = 0;
    for file in std::fs::read_dir(rooms).unwrap() {
        let path = file.unwrap().path();
        let text = std::fs::read_to_string(&path).unwrap();
        for foreign in ["trueup_core", "crate::", "super::super"] {
            assert!(!text.contains(foreign), "{} uses {foreign}", path.display());
        }
        files += 1;
    }
    assert!(files > 5, "the auditor's files were not found");
}

#[test]
fn chance_is_the_same_on_every_machine() {
    let mut dice = Dice::new(42, 1);
    let drawn: Vec<u64> = (0..6).map(|_| dice.below(1_000_000)).collect();
    assert_eq!(drawn, EXPECTED);
    assert!((0..1_000).all(|_| (-3..=3).contains(&dice.between(-3, 3))));
}

const EXPECTED: [u64; 6] = [919_678, 175_093, 642_881, 40_778, 553_895, 773_052];

#[test]
fn things_happen_in_the_order_of_time_and_then_of_planning() {
    let mut queue = Queue::default();
    for (at, what) in [(5, "c"), (3, "a"), (5, "d"), (3, "b"), (9, "e")] {
        queue.push(at, what);
    }
    queue.replan(|at, what| (*what != "e").then_some(at));
    let order: Vec<_> = std::iter::from_fn(|| queue.pop(8)).map(|(_, what)| what).collect();
    assert_eq!(order, ["a", "b", "c", "d"]);
}
