//! What befalls servers, and how long each needs afterwards until it answers again.

use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::sleep;

use super::backend::{Backend, Book};
use super::street::{ACCOUNTS, Replica, Street};
use crate::dice::Dice;
use crate::proxy::Way;
use crate::{Failure, clock};

/// What befalls a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fault {
    /// It is killed, and started again.
    Kill,
    /// It stands still, and goes on as if nothing had been.
    Pause,
    /// Nothing passes between it and the database; then everything does, late.
    Partition,
    /// The same, and then what connections there were are reset.
    Cut,
    /// The same, and then what connections there were stay silent for ever.
    Forgotten,
}

impl Fault {
    pub const ALL: [Self; 5] =
        [Self::Kill, Self::Pause, Self::Forgotten, Self::Partition, Self::Cut];

    pub fn name(self) -> &'static str {
        match self {
            Self::Kill => "killed (SIGKILL), and started again",
            Self::Pause => "paused (SIGSTOP), and woken",
            Self::Partition => "partitioned from the database, which goes on late",
            Self::Cut => "partitioned, then connections are reset",
            Self::Forgotten => "partitioned, then connections stay half open",
        }
    }
}

/// Lets it happen for so long, and says how long the server needed afterwards.
pub async fn befall(
    replica: &mut Replica,
    fault: Fault,
    lasts: Duration,
    street: &Street,
    mut dice: Dice,
) -> Result<(Duration, Book), Failure> {
    let ways = [Way::ToDatabase, Way::ToServer];
    let ways = match dice.below(3) {
        0 => ways.get(..1),
        1 => ways.get(1..),
        _ => None,
    }
    .unwrap_or(&ways);
    match fault {
        Fault::Kill => replica.kill(),
        Fault::Pause => replica.process()?.pause()?,
        Fault::Partition | Fault::Cut | Fault::Forgotten => replica.proxy.stop(ways),
    }
    sleep(lasts).await;
    let over_at = clock::instant();
    match fault {
        Fault::Kill => replica.restart(street).await?,
        Fault::Pause => replica.process()?.wake()?,
        Fault::Partition => replica.proxy.go_on(),
        Fault::Cut => replica.proxy.cut(),
        Fault::Forgotten => replica.proxy.forget(),
    }
    let book = every_account(replica.at, street, &mut dice).await?;
    Ok((over_at.elapsed(), book))
}

/// Waits until the server makes a change for every account: none of its engines may be stuck.
pub async fn every_account(at: usize, street: &Street, dice: &mut Dice) -> Result<Book, Failure> {
    let mut asking = JoinSet::new();
    for number in 0..ACCOUNTS {
        let dice = Dice::new(dice.below(u64::MAX));
        let mut backend = Backend::new(street, dice, Some(at));
        asking.spawn(async move {
            backend.hold_and(&format!("replicas-{number}"), "release").await;
            backend.book
        });
    }
    let mut book = Book::default();
    while let Some(answered) = asking.join_next().await {
        book.add(answered?);
    }
    Ok(book)
}
