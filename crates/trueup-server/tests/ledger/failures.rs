use std::task::Poll;

use trueup_core::ledger::Command;
use trueup_core::{Cause, OperationState};
use trueup_server::config::OnExpiry;
use trueup_server::demo::FaultSet;
use trueup_server::engine::{EngineError, NewMessage};
use trueup_server::sweep;

use super::house::{House, START, TTL_MS, premium};

fn message(content: &str) -> NewMessage {
    NewMessage {
        conversation: "c1".to_owned(),
        role: "assistant".to_owned(),
        content: content.to_owned(),
        model: Some("gpt-5".to_owned()),
    }
}

async fn said(house: &House) -> usize {
    let ann = "ann".parse().unwrap();
    let messages = house.ledger.messages(&ann, &ann.personal_actor(), "c1", None).await.unwrap();
    messages.map_or(0, |page| page.messages.len())
}

#[tokio::test]
async fn message_and_charge_are_both_absent_or_both_there() {
    let house = House::open().await;
    let id = house.new_id();
    house.hold("ann", id, premium(1)).await;
    let ann = "ann".parse().unwrap();
    house.faults.set(&ann, FaultSet { settle_fails: 2, ..FaultSet::default() });
    let settle =
        || Command::Settle { operation: id, charge: premium(1), content: None, cause: None };
    for _ in 0..2 {
        let failed = house.try_run("ann", settle(), vec![message("hello")]).await;
        assert!(matches!(failed, Err(EngineError::Store(_))));
        assert_eq!(house.figures("ann", "premium").await, (0, 1));
        assert_eq!(said(&house).await, 0);
    }
    house.try_run("ann", settle(), vec![message("hello")]).await.unwrap();
    assert_eq!(house.figures("ann", "premium").await, (1, 0));
    assert_eq!(said(&house).await, 1);
    // A retry whose first answer was lost saves nothing twice.
    house.try_run("ann", settle(), vec![message("hello")]).await.unwrap();
    assert_eq!(said(&house).await, 1);
    house.audit().await;
}

#[tokio::test]
async fn a_refused_operation_saves_no_message() {
    let house = House::open().await;
    house.hold("ann", house.new_id(), premium(100)).await;
    let hold = house.hold_command("ann", house.new_id(), premium(1));
    house.try_run("ann", hold, vec![message("let me in")]).await.unwrap();
    assert_eq!(said(&house).await, 0);
}

#[tokio::test]
async fn a_poisoned_request_fails_alone() {
    let house = House::on_file().await;
    let pool = house.connection().await;
    sqlx::query(
        "CREATE TRIGGER poison BEFORE INSERT ON operation WHEN NEW.actor_id = 'eve' \
         BEGIN SELECT RAISE(ABORT, 'poisoned'); END",
    )
    .execute(&pool)
    .await
    .unwrap();
    let requests = (0..64).map(|number| {
        let who = if number == 17 { "acme/eve" } else { "acme/ann" };
        let hold = house.hold_command(who, house.new_id(), premium(1));
        let house = &house;
        async move { house.try_run(who, hold, Vec::new()).await }
    });
    let answers = futures::future::join_all(requests).await;
    let failed: Vec<usize> = (0..64).filter(|at| answers[*at].is_err()).collect();
    assert_eq!(failed, [17]);
    assert_eq!(house.figures("acme/ann", "premium").await, (0, 63));
    house.audit().await;
}

#[tokio::test]
async fn a_transaction_that_the_database_gave_up_by_itself_stops_nobody_after_it() {
    let house = House::on_file().await;
    let pool = house.connection().await;
    // What a full disk does: not the statement fails but the transaction is gone.
    sqlx::query(
        "CREATE TRIGGER full BEFORE INSERT ON operation WHEN NEW.actor_id = 'eve' \
         BEGIN SELECT RAISE(ROLLBACK, 'database or disk is full'); END",
    )
    .execute(&pool)
    .await
    .unwrap();
    let hold = || house.hold_command("acme/eve", house.new_id(), premium(1));
    for _ in 0..3 {
        let failed = house.try_run("acme/eve", hold(), Vec::new()).await;
        let Err(EngineError::Store(failed)) = failed else { panic!("it must not be written") };
        assert!(failed.to_string().contains("disk is full"), "{failed}");
    }
    sqlx::query("DROP TRIGGER full").execute(&pool).await.unwrap();
    house.try_run("acme/eve", hold(), Vec::new()).await.unwrap();
    assert_eq!(house.figures("acme/eve", "premium").await, (0, 1));
    house.audit().await;
}

#[tokio::test]
async fn a_hold_that_cannot_be_ended_keeps_no_other_and_not_the_sweeper() {
    let house = House::on_file().await;
    let (damaged, sound) = (house.new_id(), house.new_id());
    house.hold("ann", damaged, premium(1)).await;
    house.hold("bob", sound, premium(1)).await;
    let pool = house.connection().await;
    sqlx::query("UPDATE balance SET held = 0 WHERE account_id = 'ann'")
        .execute(&pool)
        .await
        .unwrap();
    house.advance(TTL_MS + 1);
    // It returns: what is still due is for the next look.
    sweep::sweep(&house.ledger, &house.store, &house.clock, OnExpiry::Release).await;
    let due = house.store.due_holds(house.clock.now(), 10).await.unwrap();
    assert_eq!(due, [("ann".parse().unwrap(), damaged)]);
    assert_eq!(house.figures("bob", "premium").await, (0, 0));
}

#[tokio::test]
async fn a_dropped_caller_never_tears_a_change() {
    let house = House::open().await;
    for number in 0..200 {
        let id = house.new_id();
        let hold = house.hold("ann", id, premium(1));
        // Dropped after it was polled `number % 3` times: before it is sent, or while it waits.
        let mut hold = Box::pin(hold);
        for _ in 0..number % 3 {
            let once = std::future::poll_fn(|context| Poll::Ready(hold.as_mut().poll(context)));
            let _ = once.await;
        }
        drop(hold);
    }
    house.audit().await;
    let (_, held) = house.figures("ann", "premium").await;
    assert!(held <= 100);
}

#[tokio::test]
async fn a_hold_that_nobody_ends_expires_and_one_that_was_extended_does_not() {
    let house = House::open().await;
    let (left, kept) = (house.new_id(), house.new_id());
    house.hold("ann", left, premium(1)).await;
    house.hold("ann", kept, premium(2)).await;
    let expires_at = START.plus(10 * TTL_MS);
    house.run("ann", Command::Extend { operation: kept, expires_at }).await;
    house.advance(TTL_MS + 1);
    sweep::sweep(&house.ledger, &house.store, &house.clock, OnExpiry::Release).await;
    assert_eq!(house.figures("ann", "premium").await, (0, 2));
    let late = house.settle("ann", left, premium(1)).await;
    assert_eq!(late.snapshot.operations[0].state, OperationState::Expired);
    assert!(late.outcome.is_err());
    // Somebody who read that the hold was due before it was extended cannot end it.
    let stale = Command::Expire { operation: kept, charged: false };
    assert!(house.run("ann", stale).await.outcome.unwrap().replayed);
    house.audit().await;
}

#[tokio::test]
async fn an_expired_hold_is_charged_where_the_operator_says_so() {
    let house = House::open().await;
    house.hold("ann", house.new_id(), premium(3)).await;
    house.advance(TTL_MS + 1);
    sweep::sweep(&house.ledger, &house.store, &house.clock, OnExpiry::Charge).await;
    assert_eq!(house.figures("ann", "premium").await, (3, 0));
    house.audit().await;
}

#[tokio::test]
async fn what_was_acknowledged_is_there_after_a_restart() {
    let house = House::open().await;
    let id = house.new_id();
    house.hold("ann", id, premium(4)).await;
    let before = house.snapshot("ann", None).await;
    let house = house.reopen().await;
    assert_eq!(house.snapshot("ann", None).await, before);
    let settled = house.settle("ann", id, premium(4)).await;
    assert_eq!(settled.snapshot.operations[0].cause, Cause::Finished);
    house.audit().await;
}

#[cfg(unix)]
#[tokio::test]
async fn nothing_is_acknowledged_into_a_file_that_is_gone() {
    let house = House::on_file().await;
    let kept = house.new_id();
    house.hold("ann", kept, premium(1)).await;
    let (file, aside) = (house.file(), house.file().with_extension("aside"));
    let is_refused = async || {
        let hold = house.hold_command("ann", house.new_id(), premium(1));
        let failed = house.try_run("ann", hold, Vec::new()).await.unwrap_err().to_string();
        let probed = house.ledger.ready().await.unwrap_err().to_string();
        for complaint in [failed, probed] {
            assert!(complaint.contains("trueup.db was deleted or replaced while"), "{complaint}");
            assert!(complaint.contains("put back the file that it is"), "{complaint}");
        }
    };
    std::fs::rename(&file, &aside).unwrap();
    is_refused().await;
    // A copy has the same content and is another file.
    std::fs::copy(&aside, &file).unwrap();
    is_refused().await;
    std::fs::rename(&aside, &file).unwrap();
    house.ledger.ready().await.unwrap();
    house.settle("ann", kept, premium(1)).await;
    assert_eq!(house.figures("ann", "premium").await, (1, 0));
    house.audit().await;
}

#[tokio::test]
async fn another_database_is_another_history() {
    let (one, other) = (House::open().await, House::open().await);
    assert_ne!(one.snapshot("ann", None).await.epoch, other.snapshot("ann", None).await.epoch);
}
