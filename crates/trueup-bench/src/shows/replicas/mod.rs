//! Three servers over one database are killed, paused and cut off from it under load. Whoever asks
//! any of them is never told less than before, and whatever was acknowledged is there, once.

mod backend;
mod fault;
mod last;
mod reader;
mod street;
mod tally;
mod witness;

use std::time::Duration;

use tokio::task::JoinSet;

use backend::{Backend, Book};
use fault::Fault;
use reader::Reader;
use street::{ACCOUNTS, Replica, SERVERS, Street};
use tally::Tally;

use crate::dice::Dice;
use crate::postgres::Postgres;
use crate::proxy::Proxy;
use crate::{Failure, Ground, clock, database};

/// A database is used for so many rounds; then the next begins, so that audits stay short.
const ROUNDS_A_DATABASE: u32 = 10;
/// No account has room for more than this.
const LIMIT: u64 = 1_000_000_000;
/// How long the holds of chats live between renewals.
const CHAT_TTL_S: u32 = 2;
const SETTINGS: &str = "sweep_interval_ms = 300\nkeep_alive_s = 1\nproviders = \
    [{ kind = 'simulated', first_token_ms = 50, tokens_per_second = 40, tokens = 20 }]";

/// How the show is run.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// How often something befalls a server, or two of them
    #[arg(long, default_value_t = 60)]
    pub rounds: u32,
    /// The longest that it lasts
    #[arg(long, default_value_t = 6_000, value_name = "MILLISECONDS")]
    pub longest_ms: u64,
    /// How many hold, settle and chat
    #[arg(long, default_value_t = 48)]
    pub backends: u64,
    /// How many look: half of them by polls, half of them by push streams
    #[arg(long, default_value_t = 16)]
    pub readers: u64,
    /// Where chance begins
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
}

pub async fn run(arguments: &Arguments, ground: &Ground) -> Result<(), Failure> {
    let postgres = Postgres::start(&ground.scratch)?;
    let begun = clock::instant();
    let mut dice = Dice::new(arguments.seed);
    let mut tally = Tally::default();
    let mut round = 0;
    while round < arguments.rounds && tally.complaints().is_empty() {
        let end = arguments.rounds.min(round + ROUNDS_A_DATABASE);
        one_database(arguments, ground, &postgres, round..end, &mut dice, &mut tally).await?;
        round = end;
    }
    tally.print(begun.elapsed().as_secs_f64());
    match tally.complaints().as_slice() {
        [] => Ok(()),
        some => Err(some.iter().take(5).copied().collect::<Vec<_>>().join("\n").into()),
    }
}

async fn one_database(
    arguments: &Arguments,
    ground: &Ground,
    postgres: &Postgres,
    rounds: std::ops::Range<u32>,
    dice: &mut Dice,
    tally: &mut Tally,
) -> Result<(), Failure> {
    let name = format!("replicas_{}", rounds.start);
    let url = postgres.database(&name).await?;
    let street = Street::default();
    let mut replicas = Vec::new();
    for at in 0..SERVERS {
        let proxy = Proxy::open(postgres.socket().join(".s.PGSQL.5432")).await?;
        let way = format!("postgres://trueup@{}/{name}?sslmode=disable", proxy.address);
        let mut setup = ground.setup(&format!("{name}_{at}"), &way, LIMIT);
        (setup.hold_ttl_s, setup.more) = (CHAT_TTL_S, SETTINGS.to_owned());
        replicas.push(Replica::start(at, proxy, setup, &street).await?);
    }
    let crowd = Crowd::start(arguments, &street, dice);
    let mut book = Book::default();
    for round in rounds {
        befall(arguments, &mut replicas, round, &street, dice, tally, &mut book).await?;
        database::adds_up(&url).await?;
    }
    last::left_behind(&mut replicas, &street, dice, tally, &mut book).await?;
    street.close();
    crowd.ended(&mut book, tally).await?;
    last::judge(&url, &street, &book, tally).await
}

/// Something befalls one server, and often another one at the same time.
async fn befall(
    arguments: &Arguments,
    replicas: &mut [Replica],
    round: u32,
    street: &Street,
    dice: &mut Dice,
    tally: &mut Tally,
    book: &mut Book,
) -> Result<(), Failure> {
    let first = Fault::ALL.into_iter().cycle().nth(usize::try_from(round % 5)?);
    let draw =
        |dice: &mut Dice| Fault::ALL.get(usize::try_from(dice.below(5)).unwrap_or(0)).copied();
    let faults = if dice.below(2) == 0 { vec![first] } else { vec![first, draw(dice)] };
    replicas.rotate_left(usize::try_from(dice.below(3))?);
    let happening =
        replicas.iter_mut().zip(faults.into_iter().flatten()).map(|(replica, fault)| {
            let lasts = 200 + dice.below(arguments.longest_ms.saturating_sub(200));
            let dice = Dice::new(dice.below(u64::MAX));
            async move {
                let lasts = Duration::from_millis(lasts);
                Ok::<_, Failure>((fault, fault::befall(replica, fault, lasts, street, dice).await?))
            }
        });
    let mut happening = happening.collect::<Vec<_>>().into_iter();
    let (one, other) = (happening.next(), happening.next());
    let wait = async |it| match it {
        Some(it) => Some(it.await),
        None => None,
    };
    let (one, other) = tokio::join!(wait(one), wait(other));
    for happened in [one, other].into_iter().flatten() {
        let (fault, (needed, asked)) = happened?;
        tally.befell(fault, needed);
        book.add(asked);
    }
    Ok(())
}

/// Everybody who asks.
struct Crowd {
    backends: JoinSet<Book>,
    pollers: JoinSet<u64>,
    listeners: JoinSet<u64>,
}

impl Crowd {
    fn start(arguments: &Arguments, street: &Street, dice: &mut Dice) -> Self {
        let (mut backends, mut pollers) = (JoinSet::new(), JoinSet::new());
        let mut listeners = JoinSet::new();
        for _ in 0..arguments.backends {
            let dice = Dice::new(dice.below(u64::MAX));
            backends.spawn(Backend::new(street, dice, None).work());
        }
        for number in 0..arguments.readers {
            let account = format!("replicas-{}", number / 2 % ACCOUNTS);
            let dice = Dice::new(dice.below(u64::MAX));
            let reader = Reader { street: street.clone(), account, dice, answers: 0 };
            if number % 2 == 0 {
                pollers.spawn(reader.poll());
            } else {
                listeners.spawn(reader.listen());
            }
        }
        Self { backends, pollers, listeners }
    }

    async fn ended(mut self, book: &mut Book, tally: &mut Tally) -> Result<(), Failure> {
        while let Some(backend) = self.backends.join_next().await {
            book.add(backend?);
        }
        while let Some(reads) = self.pollers.join_next().await {
            tally.reads += reads?;
        }
        while let Some(events) = self.listeners.join_next().await {
            tally.events += events?;
        }
        Ok(())
    }
}
