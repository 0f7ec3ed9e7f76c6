use trueup_core::ledger::Command;
use trueup_core::{Cause, OperationState, Version};

use super::house::{House, charge, premium};

#[tokio::test]
async fn a_snapshot_tells_what_happened_since() {
    let house = House::open().await;
    let start = house.snapshot("ann", None).await.version.0;
    let (one, two) = (house.new_id(), house.new_id());
    house.hold("ann", one, premium(1)).await;
    house.hold("ann", two, premium(1)).await;
    house.settle("ann", one, premium(1)).await;
    let told = house.snapshot("ann", Some(start)).await;
    assert_eq!(told.since, Version(start));
    assert_eq!(told.version, Version(start + 3));
    let states: Vec<_> = told.operations.iter().map(|it| (it.id, it.state)).collect();
    assert_eq!(states, [(two, OperationState::Held), (one, OperationState::Settled)]);
    assert!(told.changes.is_empty(), "{:?}", told.changes);
    // Only what changed after the version that the reader has.
    let later = house.snapshot("ann", Some(start + 2)).await;
    assert_eq!(later.operations.iter().map(|it| it.id).collect::<Vec<_>>(), [one]);
}

#[tokio::test]
async fn a_first_load_names_only_what_was_asked_for() {
    let house = House::open().await;
    let (known, unknown) = (house.new_id(), house.new_id());
    house.hold("ann", known, premium(1)).await;
    let ann = "ann".parse().unwrap();
    let actor = "ann".parse().unwrap();
    let told = house.ledger.snapshot(&ann, &actor, None, &[known, unknown]).await.unwrap();
    assert_eq!(told.since, told.version);
    assert_eq!(told.operations.iter().map(|it| it.id).collect::<Vec<_>>(), [known]);
    assert!(house.snapshot("ann", None).await.operations.is_empty());
}

#[tokio::test]
async fn others_are_summed_and_never_named() {
    let house = House::open().await;
    let start = house.snapshot("acme/ann", None).await.version.0;
    let (one, two, own) = (house.new_id(), house.new_id(), house.new_id());
    house.hold("acme/bob", one, premium(3)).await;
    house.hold("acme/cat", two, premium(4)).await;
    house.settle("acme/bob", one, premium(1)).await;
    house.hold("acme/ann", own, premium(1)).await;
    let told = house.snapshot("acme/ann", Some(start)).await;
    assert_eq!(told.operations.iter().map(|it| it.id).collect::<Vec<_>>(), [own]);
    let changes: Vec<_> = told.changes.iter().map(|it| (it.cause, it.units)).collect();
    assert_eq!(changes, [(Cause::OtherDevice, 5)]);
    // Asking for somebody else's operation by its id tells nothing either.
    let acme = "acme".parse().unwrap();
    let ann = "ann".parse().unwrap();
    let asked = house.ledger.snapshot(&acme, &ann, None, &[one]).await.unwrap();
    assert!(asked.operations.is_empty());
}

#[tokio::test]
async fn a_grant_raises_the_limit_once_and_is_told_as_a_change() {
    let house = House::open().await;
    let start = house.snapshot("ann", None).await.version.0;
    let grant = Command::Grant {
        operation: house.new_id(),
        actor: "ann".parse().unwrap(),
        charge: premium(50),
    };
    house.run("ann", grant.clone()).await;
    assert!(house.run("ann", grant).await.outcome.unwrap().replayed);
    let told = house.snapshot("ann", Some(start)).await;
    assert_eq!(told.meters[&"premium".parse().unwrap()].limit.unwrap().get(), 150);
    assert!(told.operations.is_empty());
    let changes: Vec<_> = told.changes.iter().map(|it| (it.cause, it.units)).collect();
    assert_eq!(changes, [(Cause::Grant, 50)]);
    house.audit().await;
}

#[tokio::test]
async fn a_reader_who_is_ahead_or_missed_too_much_starts_over() {
    let house = House::open().await;
    let start = house.snapshot("ann", None).await.version.0;
    let ahead = house.snapshot("ann", Some(start + 1)).await;
    assert!(ahead.reset && ahead.since == ahead.version);
    let many = (0..1_001).map(|_| house.hold("ann", house.new_id(), charge("tokens", 1)));
    futures::future::join_all(many).await;
    let behind = house.snapshot("ann", Some(start)).await;
    assert!(behind.reset && behind.operations.is_empty());
    let near = house.snapshot("ann", Some(start + 1)).await;
    assert!(!near.reset);
    assert_eq!(near.operations.len(), 1_000);
}

#[tokio::test]
async fn the_ledger_is_read_in_pages() {
    let house = House::open().await;
    let many = (0..1_200).map(|_| house.hold("ann", house.new_id(), charge("tokens", 1)));
    futures::future::join_all(many).await;
    let ann = "ann".parse().unwrap();
    let first = house.ledger.entries(&ann, Version(0)).await.unwrap();
    assert_eq!((first.entries.len(), first.next_after), (1_000, Some(1_000)));
    let second = house.ledger.entries(&ann, Version(1_000)).await.unwrap();
    assert_eq!(second.next_after, None);
    let versions = first.entries.iter().chain(&second.entries).map(|entry| entry.version);
    assert!(versions.eq(1..=1_203));
}
