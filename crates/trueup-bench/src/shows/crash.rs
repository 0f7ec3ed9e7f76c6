//! The server is killed under load, again and again. Whatever it had acknowledged is there, once;
//! what it had not is settled by asking again under the same id.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::sync::Notify;
use tokio::task::JoinSet;

use super::Stage;
use super::life::{self, Book, Step};
use crate::dice::Dice;
use crate::http::Connection;
use crate::trueup::Setup;
use crate::{Databases, Failure, Ground, clock, database};

/// A database is used for so many kills; then the next begins, so that audits stay short.
const KILLS_A_DATABASE: u32 = 25;
const ACCOUNTS: u64 = 8;
/// No account has room for more than this.
const LIMIT: u64 = 1_000_000_000;

/// How the show is run.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// How often the server is killed, on each store
    #[arg(long, default_value_t = 200)]
    pub kills: u32,
    /// How many clients are at work
    #[arg(long, default_value_t = 32)]
    pub clients: u64,
    /// At most so many answers come between two kills
    #[arg(long, default_value_t = 1_500)]
    pub answers: u64,
    /// Where chance begins
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// On which stores
    #[arg(long, value_enum, default_value_t = Databases::Both)]
    pub database: Databases,
}

/// What a store has gone through.
#[derive(Default)]
struct Tally {
    acknowledged: u64,
    unknown: u64,
    /// Of the unknown ones: had been carried out, as the database told before anybody asked again.
    done_unheard: u64,
}

pub async fn run(arguments: &Arguments, ground: &Ground) -> Result<(), Failure> {
    for stage in Stage::all(arguments.database, ground)? {
        let begun = clock::instant();
        let mut dice = Dice::new(arguments.seed);
        let mut tally = Tally::default();
        let mut left = arguments.kills;
        while left > 0 {
            let kills = left.min(KILLS_A_DATABASE);
            let name = format!("crash_{left}");
            let url = stage.database(ground, &name).await?;
            let setup = ground.setup(&name, &url, LIMIT);
            one_database(arguments, &setup, kills, &mut dice, &mut tally).await?;
            left -= kills;
        }
        println!(
            "{}: killed {} times under load: {} operations acknowledged, 0 lost, 0 doubled; {} were in \
             flight, {} of them carried out unheard, all settled by asking again; counters equal \
             the ledger at every start ({:.0} s)",
            stage.name,
            arguments.kills,
            tally.acknowledged,
            tally.unknown,
            tally.done_unheard,
            begun.elapsed().as_secs_f64(),
        );
    }
    Ok(())
}

async fn one_database(
    arguments: &Arguments,
    setup: &Setup,
    kills: u32,
    dice: &mut Dice,
    tally: &mut Tally,
) -> Result<(), Failure> {
    let mut book = Book::default();
    let mut server = setup.start()?;
    for _ in 0..kills {
        let answers = 1 + dice.below(arguments.answers);
        let crowd = Crowd::start(server.address, arguments.clients, answers, dice);
        crowd.enough.notified().await;
        server.kill();
        let heard = crowd.ended().await?;
        tally.acknowledged += u64::try_from(heard.acknowledged.len()).unwrap_or(0);
        tally.unknown += u64::try_from(heard.unknown.len()).unwrap_or(0);
        book.add(heard);

        server = setup.start()?;
        tally.done_unheard += compare(setup, &book).await?;
        ask_again(server.address, &mut book).await?;
        compare(setup, &book).await?;
        database::adds_up(&setup.url).await?;
        let mut connection = Connection::open(server.address).await?;
        for (account, expected) in book.figures() {
            let figures = life::figures(&mut connection, account).await?;
            if figures != expected {
                return Err(format!("{account} says {figures:?}, but it is {expected:?}").into());
            }
        }
    }
    Ok(())
}

/// Holds what was acknowledged against the database itself, and counts what had been carried out
/// without anybody knowing.
async fn compare(setup: &Setup, book: &Book) -> Result<u64, Failure> {
    let sql = "SELECT account_id || ' ' || CAST(op_id AS TEXT) || ' ' || state FROM operation";
    let rows = database::rows(&setup.url, sql).await?;
    let stored: BTreeMap<&str, &str> = rows.iter().filter_map(|row| row.rsplit_once(' ')).collect();
    let state = |account: &str, id| stored.get(format!("{account} {id}").as_str()).copied();
    let unknown: BTreeMap<_, _> =
        book.unknown.iter().map(|(account, id, step)| ((account.as_str(), *id), *step)).collect();
    for ((account, id), step) in &book.acknowledged {
        let found = state(account, *id);
        // A settle that was in flight may have been carried out.
        let ahead = unknown.get(&(account.as_str(), *id)).map(|step| step.state());
        if found != Some(step.state()) && (found.is_none() || found != ahead) {
            return Err(
                format!("{account} {id}: {step:?} was acknowledged, and is {found:?}").into()
            );
        }
    }
    let strangers = stored.len() > book.acknowledged.len() + book.unknown.len();
    if strangers {
        return Err("there are operations that nobody asked for".into());
    }
    let done =
        unknown.iter().filter(|((account, id), step)| state(account, *id) == Some(step.state()));
    Ok(u64::try_from(done.count()).unwrap_or(0))
}

/// Sends again what was not answered. It is carried out now, or was before: that is all the same.
async fn ask_again(server: SocketAddr, book: &mut Book) -> Result<(), Failure> {
    let mut connection = Connection::open(server).await?;
    for (account, operation, step) in std::mem::take(&mut book.unknown) {
        // Twice, since a retry may be lost as well.
        for _ in 0..2 {
            let reply = connection.call(&step.request(&account, operation)).await?;
            if !step.is_done(reply.status) {
                let body = String::from_utf8_lossy(reply.body);
                return Err(format!("{step:?} again: {} {body}", reply.status).into());
            }
        }
        book.acknowledge(&account, operation, step);
    }
    Ok(())
}

/// Clients at work.
struct Crowd {
    clients: JoinSet<Book>,
    enough: Arc<Notify>,
}

impl Crowd {
    /// They tell when so many answers have come, and go on until the server is gone.
    fn start(server: SocketAddr, clients: u64, answers: u64, dice: &mut Dice) -> Self {
        let enough = Arc::new(Notify::new());
        let left = Arc::new(AtomicU64::new(answers));
        let mut crowd = JoinSet::new();
        for _ in 0..clients {
            let (enough, left) = (Arc::clone(&enough), Arc::clone(&left));
            let dice = Dice::new(dice.below(u64::MAX));
            crowd.spawn(async move {
                let answered = || {
                    if left.fetch_sub(1, Ordering::Relaxed) == 1 {
                        enough.notify_one();
                    }
                };
                let book = work(server, dice, answered).await;
                // Whoever ends has no server any more, or has met what must not be.
                enough.notify_one();
                book
            });
        }
        Self { clients: crowd, enough }
    }

    async fn ended(mut self) -> Result<Book, Failure> {
        let mut book = Book::default();
        while let Some(client) = self.clients.join_next().await {
            book.add(client?);
        }
        match book.odd.first() {
            Some(odd) => Err(odd.clone().into()),
            None => Ok(book),
        }
    }
}

/// One client: holds, and settles nine of ten, until the connection breaks.
async fn work(server: SocketAddr, mut dice: Dice, answered: impl Fn()) -> Book {
    let mut book = Book::default();
    let Ok(mut connection) = Connection::open(server).await else { return book };
    loop {
        let account = format!("crash-{}", dice.below(ACCOUNTS));
        let operation = dice.operation();
        let steps =
            if dice.below(10) == 0 { &[Step::Hold][..] } else { &[Step::Hold, Step::Settle] };
        for step in steps {
            match connection.call(&step.request(&account, operation)).await {
                Ok(reply) if step.is_done(reply.status) => {
                    book.acknowledge(&account, operation, *step);
                    answered();
                }
                Ok(reply) => {
                    let body = String::from_utf8_lossy(reply.body);
                    book.odd.push(format!("{step:?}: {} {body}", reply.status));
                    return book;
                }
                Err(_) => {
                    book.unknown.push((account, operation, *step));
                    return book;
                }
            }
        }
    }
}
