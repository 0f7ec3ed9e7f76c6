//! The end of a database's part in the show: what dead and paused servers leave behind, and what
//! must be so when nobody asks any more.

use std::collections::BTreeMap;
use std::time::Duration;

use tokio::time::{sleep, timeout};

use super::backend::Book;
use super::street::{Line, Replica, Street};
use super::tally::Tally;
use crate::dice::Dice;
use crate::http::Connection;
use crate::shows::life;
use crate::trueup::KEY;
use crate::{Failure, clock, database, http, work};

const ACCOUNT: &str = "replicas-left";
/// Every hold is over by then, and a sweeper has looked.
const OVER: Duration = Duration::from_secs(15);
const PATIENCE: Duration = Duration::from_secs(20);

/// Two servers hold; one is killed, the other is paused with a settle on its way. The third ends both
/// holds, and the settle comes too late when its server wakes.
pub async fn left_behind(
    replicas: &mut [Replica],
    street: &Street,
    dice: &mut Dice,
    tally: &mut Tally,
    book: &mut Book,
) -> Result<(), Failure> {
    let [paused, killed, third] = replicas else { return Err("there are three servers".into()) };
    let (held, lost) = (dice.operation(), dice.operation());
    for (server, id) in [(&*paused, held), (&*killed, lost)] {
        let body = work::hold(ACCOUNT, id).replace('}', ",\"ttl_s\":1}");
        let request = http::post("/v1/operations", KEY, &body);
        let asked = street.witness().asks(ACCOUNT, None);
        match Line::default().call(street.address(server.at), &request, PATIENCE).await {
            Some((201, body)) => _ = street.witness().told(ACCOUNT, asked, &body),
            other => return Err(format!("a hold before the last fault: {other:?}").into()),
        }
        book.states.insert((ACCOUNT.to_owned(), id), "expired".to_owned());
    }
    let gone = || -> Failure { "the server is not running".into() };
    let mut late = Connection::open(street.address(paused.at).ok_or_else(gone)?).await?;
    paused.process()?.pause()?;
    let path = format!("/v1/operations/{held}/settle");
    late.send(&http::post(&path, KEY, &work::settle(ACCOUNT))).await?;
    killed.kill();

    let begun = clock::instant();
    let mut looking = Connection::open(street.address(third.at).ok_or_else(gone)?).await?;
    while life::figures(&mut looking, ACCOUNT).await? != life::Figures::default() {
        if begun.elapsed() > OVER {
            tally.leaked.push("a hold whose server is dead or paused stays open".to_owned());
            break;
        }
        sleep(Duration::from_millis(50)).await;
    }
    tally.swept += 2;
    paused.process()?.wake()?;
    let status = timeout(PATIENCE, late.receive()).await??.status;
    if status != 409 {
        tally.odd.push(format!("a settle after the hold's expiry was answered with {status}"));
    }
    tally.late_settles += 1;
    killed.restart(street).await
}

/// Holds what everybody was told against the database.
pub async fn judge(
    url: &str,
    street: &Street,
    book: &Book,
    tally: &mut Tally,
) -> Result<(), Failure> {
    let begun = clock::instant();
    let open =
        "SELECT account_id || ' ' || CAST(op_id AS TEXT) FROM operation WHERE state = 'held'";
    let mut left = database::rows(url, open).await?;
    while !left.is_empty() && begun.elapsed() < OVER {
        sleep(Duration::from_millis(100)).await;
        left = database::rows(url, open).await?;
    }
    tally.leaked.extend(left);
    database::adds_up(url).await?;
    tally.doubled.extend(database::rows(url, include_str!("../../../sql/ended_twice.sql")).await?);

    let sql = "SELECT account_id || ' ' || CAST(op_id AS TEXT) || ' ' || state FROM operation";
    let rows = database::rows(url, sql).await?;
    let stored: BTreeMap<&str, &str> = rows.iter().filter_map(|row| row.rsplit_once(' ')).collect();
    let mut used: BTreeMap<&str, u64> = BTreeMap::new();
    for ((account, id), state) in &book.states {
        let found = stored.get(format!("{account} {id}").as_str()).copied();
        match (state.as_str(), found) {
            ("held", Some("expired")) => tally.swept += 1,
            (state, Some(found)) if state == found => {}
            _ => tally.lost.push(format!("{account} {id}: told {state}, is {found:?}")),
        }
        *used.entry(account).or_default() += u64::from(found == Some("settled"));
    }
    let strangers = stored.len().saturating_sub(book.states.len());
    tally.strangers += u64::try_from(strangers)?;
    for server in (0..super::SERVERS).filter_map(|at| street.address(at)) {
        let mut connection = Connection::open(server).await?;
        for (account, used) in &used {
            let figures = life::figures(&mut connection, account).await?;
            if (figures.used, figures.held) != (*used, 0) {
                tally.odd.push(format!("{account} says {figures:?}, but used {used}"));
            }
        }
    }
    tally.operations += u64::try_from(book.states.len())?;
    tally.acknowledged += book.acknowledged;
    tally.retries += book.retries;
    tally.odd.extend(book.odd.iter().cloned());
    tally.back.extend(street.witness().complaints());
    Ok(())
}
