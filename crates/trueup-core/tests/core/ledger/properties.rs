//! Random histories of one account. The store audits every write, so most of what is claimed here
//! is claimed by running at all (see `kit::audit`): used and held are the sums of entries per
//! meter and window, admission never passes a hard limit and refuses nobody who has room, an
//! operation ends once, and every change is one version.

use proptest::prelude::*;
use trueup_core::error::Rejection;
use trueup_core::ledger::{Command, Decision};
use trueup_core::{Cause, Charge, MeterId, Units};

use crate::kit::memory::MemoryLedger;
use crate::kit::{Plan, actor, at, fingerprint, histories, meter, model, op, plan, terms};

const METERS: [&str; 4] = ["premium", "soft", "standard", "tokens"];

const PLANS: [&str; 6] = [
    "premium 5, soft 3 soft, standard 9, tokens unlimited",
    "premium 2, soft 3 soft, standard 9 soft, tokens max",
    "premium unlimited, soft 0, standard 9 every 7, tokens 20",
    "premium 5 every 7, standard 9, tokens unlimited every 20",
    "premium 0, soft 3 soft every 20, tokens unlimited",
    "tokens 5 soft",
];

#[derive(Clone, Debug)]
enum Step {
    Do(Command),
    /// Seconds since the start, in no order: clocks are set back.
    Clock(i64),
    Plan(usize),
}

fn charge() -> impl Strategy<Value = Charge> {
    let count = prop_oneof![8 => 1..4_u64, 1 => Just(Units::MAX.get() - 1), 1 => Just(20)];
    let lines = proptest::collection::btree_map(proptest::sample::select(&METERS[..]), count, 0..3);
    lines.prop_map(|lines| {
        let line = |(name, count): (&str, u64)| (meter(name), Units::new(count).unwrap());
        Charge::new(lines.into_iter().map(line)).unwrap()
    })
}

fn command() -> impl Strategy<Value = Command> {
    let operation = (1..9_u16).prop_map(op);
    let by = proptest::sample::select(&["ann", "ann", "ann", "bob"][..]).prop_map(actor);
    let with = proptest::option::weighted(0.1, Just(()).prop_map(|()| model("gpt-5")));
    let until = (0..300_i64).prop_map(|seconds| at(seconds * 1000));
    let cause = prop_oneof![Just(Cause::Aborted), Just(Cause::ProviderFailed)];
    let says = proptest::option::weighted(0.2, Just(()).prop_map(|()| fingerprint("hi")));
    let all = (operation, by, with, charge(), says, until, cause, any::<bool>());
    (0..20_u8, all).prop_map(
        |(kind, (operation, actor, model, charge, content, expires_at, cause, flag))| match kind {
            0..6 => Command::Hold { operation, actor, model, charge, content, expires_at },
            6..9 => Command::Rehold { operation, charge },
            9..12 => Command::Settle { operation, charge, content, cause: flag.then_some(cause) },
            12..14 => Command::Release { operation, cause },
            14 => Command::Extend { operation, expires_at },
            15..17 => Command::Expire { operation, charged: flag },
            17..19 => Command::Fence { operation, actor },
            _ => Command::Grant { operation, actor, charge },
        },
    )
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        12 => command().prop_map(Step::Do),
        2 => (0..60_i64).prop_map(|seconds| Step::Clock(seconds * 5)),
        1 => (0..PLANS.len()).prop_map(Step::Plan),
    ];
    proptest::collection::vec(step, 1..60)
}

fn opened(first: &Plan) -> MemoryLedger {
    let mut ledger = MemoryLedger::new("acct_7");
    ledger.plan = first.clone();
    ledger.align();
    ledger
}

/// Runs the steps and tells after each command how the ledger was, and what came of it.
fn run(
    steps: &[Step],
    mut check: impl FnMut(&MemoryLedger, &Command, &Result<Decision, Rejection>, &MemoryLedger),
) {
    let mut ledger = opened(&plan(PLANS[0]));
    for step in steps {
        match step {
            Step::Clock(seconds) => ledger.now = at(seconds * 1000),
            Step::Plan(number) => ledger.plan = plan(PLANS[*number]),
            Step::Do(command) => {
                ledger.align();
                let before = ledger.clone();
                let decision = ledger.run(command);
                check(&before, command, &decision, &ledger);
                continue;
            }
        }
        ledger.align();
    }
}

proptest! {
    #![proptest_config(histories(96))]

    #[test]
    fn balances_are_sums_limits_hold_and_ends_are_final(steps in steps()) {
        run(&steps, |before, command, decision, after| {
            for (id, record) in before.operations.iter().filter(|(_, it)| it.state.is_end()) {
                assert_eq!(after.operations.get(id), Some(record), "{command:?}");
            }
            if decision.is_err() {
                assert_eq!(&before.account, &after.account, "turned down: {command:?}");
                assert_eq!(&before.operations, &after.operations, "turned down: {command:?}");
            }
        });
    }

    #[test]
    fn the_same_command_again_gives_the_same_answer_and_no_entry(steps in steps()) {
        run(&steps, |_, command, decision, after| {
            let mut retried = after.clone();
            let again = retried.run(command);
            assert_eq!(retried.entries, after.entries, "{command:?} twice");
            match (decision, again) {
                (Ok(_), Ok(Decision::Replayed(record))) => {
                    assert_eq!(Some(&record), after.operations.get(&command.operation()));
                }
                (Err(first), Err(second)) => assert_eq!(*first, second, "{command:?} twice"),
                (first, second) => panic!("{command:?}: {first:?}, then {second:?}"),
            }
        });
    }

    #[test]
    fn until_it_says_so_nothing_is_to_be_aligned(steps in steps(), later in 0..300_i64) {
        run(&steps, |_, _, _, after| {
            let terms = |now| terms(&after.plan, now);
            let Some(until) = after.account.aligned_until(&terms(after.now)) else { return };
            let later = at(later * 1000);
            let mut account = after.account.clone();
            let is_aligned = account.align(&terms(later), later).is_empty();
            // Also when the clock is set back.
            assert!(is_aligned || later >= until, "{until:?} and {later:?}");
        });
    }

    #[test]
    fn no_hold_outlives_its_expiry(steps in steps(), charged: bool) {
        let mut last = None;
        run(&steps, |_, _, _, after| last = Some(after.clone()));
        let Some(mut ledger) = last else { return Ok(()) };
        ledger.now = at(1_000_000);
        for operation in ledger.operations.keys().copied().collect::<Vec<_>>() {
            // Whatever the history, an expiry that is due is never turned down.
            let decision = ledger.run(&Command::Expire { operation, charged });
            let is_grant = ledger.operations[&operation].cause == Cause::Grant;
            prop_assert!(decision.is_ok() || is_grant, "{decision:?}");
        }
        let held = |meter: &MeterId| ledger.account.meters[meter].held;
        prop_assert!(ledger.account.meters.keys().all(|meter| held(meter).is_zero()));
    }
}
