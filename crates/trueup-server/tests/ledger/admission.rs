use trueup_core::error::Rejection;
use trueup_core::ledger::Command;
use trueup_core::{Cause, OperationState};

use super::house::{House, charge, premium};

#[tokio::test]
async fn a_hold_counts_at_once_and_its_settle_moves_it_to_used() {
    let house = House::open().await;
    let id = house.new_id();
    let held = house.hold("ann", id, premium(2)).await;
    assert_eq!(held.snapshot.operations[0].state, OperationState::Held);
    assert_eq!(house.figures("ann", "premium").await, (0, 2));
    let settled = house.settle("ann", id, premium(1)).await;
    assert_eq!(settled.snapshot.operations[0].cause, Cause::Metered);
    assert_eq!(house.figures("ann", "premium").await, (1, 0));
    house.audit().await;
}

#[tokio::test]
async fn of_many_holds_at_once_exactly_the_limit_is_admitted() {
    let house = House::open().await;
    let holds = (0..1_000).map(|_| house.hold("ann", house.new_id(), premium(1)));
    let answers = futures::future::join_all(holds).await;
    let admitted = answers.iter().filter(|answer| answer.outcome.is_ok()).count();
    assert_eq!(admitted, 100);
    assert!(answers.iter().all(|answer| match &answer.outcome {
        Ok(_) => true,
        Err(Rejection::Refused(refusal)) => refusal.remaining.is_zero(),
        Err(_) => false,
    }));
    assert_eq!(house.figures("ann", "premium").await, (0, 100));
    house.audit().await;
}

#[tokio::test]
async fn the_same_content_again_is_the_same_operation_and_other_content_a_conflict() {
    let house = House::open().await;
    let id = house.new_id();
    // All at once: some find it in the file, some in their own batch.
    let retries = (0..20).map(|_| house.hold("ann", id, premium(1)));
    let answers = futures::future::join_all(retries).await;
    let fresh = answers.iter().filter(|it| !it.outcome.as_ref().unwrap().replayed).count();
    assert_eq!(fresh, 1);
    assert_eq!(house.figures("ann", "premium").await, (0, 1));
    let other = house.hold("ann", id, premium(2)).await;
    assert_eq!(other.outcome, Err(Rejection::Conflict(id)));
    // The same id under another account is another operation: nothing crosses accounts.
    assert!(house.hold("bob", id, premium(2)).await.outcome.is_ok());
    house.audit().await;
}

#[tokio::test]
async fn a_refused_operation_stays_refused_even_when_there_is_room_again() {
    let house = House::open().await;
    let (full, late) = (house.new_id(), house.new_id());
    house.hold("ann", full, premium(100)).await;
    let refused = house.hold("ann", late, premium(1)).await;
    assert!(matches!(refused.outcome, Err(Rejection::Refused(_))));
    house.run("ann", Command::Release { operation: full, cause: Cause::Cancelled }).await;
    let retry = house.hold("ann", late, premium(1)).await;
    assert!(matches!(retry.outcome, Err(Rejection::Refused(_))));
    assert_eq!(house.figures("ann", "premium").await, (0, 0));
    house.audit().await;
}

#[tokio::test]
async fn late_arrival_of_a_fenced_operation_is_refused() {
    let house = House::open().await;
    let id = house.new_id();
    let actor = "ann".parse().unwrap();
    let fenced = house.run("ann", Command::Fence { operation: id, actor }).await;
    assert_eq!(fenced.snapshot.operations[0].state, OperationState::Fenced);
    let late = house.hold("ann", id, premium(1)).await;
    assert_eq!(late.outcome, Err(Rejection::Fenced(id)));
    assert_eq!(house.figures("ann", "premium").await, (0, 0));
    house.audit().await;
}

#[tokio::test]
async fn a_hold_moves_to_the_fallback_only_where_there_is_room() {
    let house = House::open().await;
    let (full, id) = (house.new_id(), house.new_id());
    house.hold("ann", full, charge("standard", 50)).await;
    house.hold("ann", id, premium(1)).await;
    let rehold = Command::Rehold { operation: id, charge: charge("standard", 1) };
    let no_room = house.run("ann", rehold.clone()).await;
    assert!(matches!(no_room.outcome, Err(Rejection::Refused(_))));
    assert_eq!(house.figures("ann", "premium").await, (0, 1));
    house.run("ann", Command::Release { operation: full, cause: Cause::Cancelled }).await;
    assert!(house.run("ann", rehold).await.outcome.is_ok());
    assert_eq!(house.figures("ann", "premium").await, (0, 0));
    let settled = house.settle("ann", id, charge("standard", 1)).await;
    assert_eq!(settled.snapshot.operations[0].cause, Cause::Fallback);
    assert_eq!(house.figures("ann", "standard").await, (1, 0));
    house.audit().await;
}

#[tokio::test]
async fn a_meter_that_no_plan_has_is_named() {
    let house = House::open().await;
    let answer = house.hold("ann", house.new_id(), charge("credits", 1)).await;
    assert_eq!(answer.outcome, Err(Rejection::UnknownMeter("credits".parse().unwrap())));
}

#[tokio::test]
async fn more_than_the_hold_is_charged_past_the_limit_and_recorded_as_overage() {
    let house = House::open().await;
    let id = house.new_id();
    house.hold("ann", id, premium(99)).await;
    house.settle("ann", id, premium(103)).await;
    assert_eq!(house.figures("ann", "premium").await, (103, 0));
    let entries = house.ledger.entries(&"ann".parse().unwrap(), trueup_core::Version(0)).await;
    let overage: u64 =
        entries.unwrap().entries.iter().flat_map(|it| &it.lines).map(|it| it.overage).sum();
    assert_eq!(overage, 3);
    house.audit().await;
}
