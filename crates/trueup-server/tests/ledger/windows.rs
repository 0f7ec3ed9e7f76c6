use trueup_core::{Cause, Timestamp};
use trueup_server::engine::View;
use trueup_server::store::AccountTerms;

use super::house::{House, START, charge, premium};

const DAY_MS: i64 = 24 * 60 * 60 * 1000;

#[tokio::test]
async fn a_window_that_ended_is_never_shown() {
    let house = House::open().await;
    let id = house.new_id();
    house.hold("ann", id, charge("standard", 5)).await;
    house.settle("ann", id, charge("standard", 5)).await;
    let before = house.snapshot("ann", None).await;
    house.advance(DAY_MS);
    let after = house.snapshot("ann", Some(before.version.0)).await;
    let meter = "standard".parse().unwrap();
    assert_eq!(after.meters[&meter].used.get(), 0);
    assert_eq!(after.meters[&meter].window.start, before.meters[&meter].window.end);
    let changes: Vec<_> = after.changes.iter().map(|it| (it.cause, it.units)).collect();
    assert_eq!(changes, [(Cause::WindowReset, -5)]);
    // Reading it again changes nothing more.
    assert_eq!(house.snapshot("ann", None).await.version, after.version);
    house.audit().await;
}

#[tokio::test]
async fn a_hold_is_charged_in_the_window_it_was_made_in() {
    let house = House::open().await;
    let id = house.new_id();
    house.hold("ann", id, charge("standard", 5)).await;
    house.advance(DAY_MS);
    assert_eq!(house.figures("ann", "standard").await, (0, 0));
    house.settle("ann", id, charge("standard", 5)).await;
    assert_eq!(house.figures("ann", "standard").await, (0, 0));
    let ann = "ann".parse().unwrap();
    let entries = house.ledger.entries(&ann, trueup_core::Version(0)).await.unwrap().entries;
    let settle = entries.iter().find(|entry| entry.kind == "settle").unwrap();
    let hold = entries.iter().find(|entry| entry.kind == "hold").unwrap();
    assert_eq!(settle.lines[0].window_number, hold.lines[0].window_number);
    assert_eq!(settle.lines[0].used, 5);
    house.audit().await;
}

#[tokio::test]
async fn a_plan_change_keeps_what_was_used_and_is_told() {
    let house = House::open().await;
    let id = house.new_id();
    house.hold("ann", id, premium(7)).await;
    let before = house.snapshot("ann", None).await.version.0;
    let ann = "ann".parse().unwrap();
    let view = View { actor: "ann".parse().unwrap(), since: None, ask: Vec::new() };
    let terms = AccountTerms { plan: Some("pro".to_owned()), ..AccountTerms::default() };
    house.ledger.put_account(&ann, view, terms.clone()).await.unwrap();
    assert_eq!(house.ledger.account_terms(&ann).await.unwrap(), terms);
    let told = house.snapshot("ann", Some(before)).await;
    assert_eq!(told.meters[&"premium".parse().unwrap()].limit.unwrap().get(), 1_000);
    let changes: Vec<_> = told.changes.iter().map(|it| (it.cause, it.units)).collect();
    assert_eq!(changes, [(Cause::PlanChanged, 900)]);
    assert_eq!(house.figures("ann", "premium").await, (0, 7));
    house.audit().await;
}

#[tokio::test]
async fn what_was_used_in_a_window_that_is_over_is_not_carried_into_one_of_another_kind() {
    // Whether or not somebody looked in between.
    for looks in [true, false] {
        let house = House::open().await;
        let id = house.new_id();
        house.hold("ann", id, charge("standard", 5)).await;
        house.settle("ann", id, charge("standard", 5)).await;
        house.advance(DAY_MS);
        if looks {
            assert_eq!(house.figures("ann", "standard").await, (0, 0));
        }
        let ann = "ann".parse().unwrap();
        let view = View { actor: "ann".parse().unwrap(), since: None, ask: Vec::new() };
        // Counted from an anchor, today's window begins before yesterday's ended.
        let anchor = Some(START.plus(DAY_MS / 2));
        let terms = AccountTerms { anchor, ..AccountTerms::default() };
        house.ledger.put_account(&ann, view, terms).await.unwrap();
        assert_eq!(house.figures("ann", "standard").await, (0, 0), "{looks}");
        house.audit().await;
    }
}

#[tokio::test]
async fn a_clock_that_was_set_back_gives_nothing_back() {
    let house = House::open().await;
    house.advance(DAY_MS);
    let id = house.new_id();
    house.hold("ann", id, charge("standard", 5)).await;
    let before = house.snapshot("ann", None).await;
    house.advance(-DAY_MS);
    let after = house.snapshot("ann", None).await;
    assert_eq!((after.version, &after.meters), (before.version, &before.meters));
}

#[tokio::test]
async fn an_account_in_another_zone_has_its_own_midnight() {
    let house = House::open().await;
    let ann = "ann".parse().unwrap();
    let view = View { actor: "ann".parse().unwrap(), since: None, ask: Vec::new() };
    let terms =
        AccountTerms { time_zone: Some("America/New_York".to_owned()), ..AccountTerms::default() };
    house.ledger.put_account(&ann, view, terms).await.unwrap();
    let snapshot = house.snapshot("ann", None).await;
    // 2026-11-24T05:00:00Z is midnight in New York.
    let end = snapshot.meters[&"standard".parse().unwrap()].window.end;
    assert_eq!(end, Timestamp::from_millis(1_795_496_400_000));
}
