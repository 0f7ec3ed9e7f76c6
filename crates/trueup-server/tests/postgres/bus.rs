//! What servers tell each other, over every bus that there is, working and broken.

use std::sync::Arc;
use std::time::Duration;

use sqlx::{Connection as _, PgConnection};
use tempfile::TempDir;
use tokio::task::JoinHandle;
use tokio::time::timeout;
use trueup_core::{AccountId, Version};
use trueup_server::bus::{
    self, Bus, BusError, Heard, Listener, LocalBus, NatsBus, PostgresBus, Speaker,
};
use trueup_server::config::Secret;
use trueup_server::ledger::{Ledger, LedgerTask};
use trueup_server::push::{self, Feed, Watcher};
use trueup_server::shutdown::{Shutdown, ShutdownTrigger};
use trueup_server::store::Store;

use crate::desk::START;
use crate::nats::Nats;
use crate::replicas::{catalog, hold, id, view};
use crate::{audit, desk, postgres};

/// What does not come within this does not come.
const PATIENCE: Duration = Duration::from_secs(20);

/// One server without its HTTP.
struct Shop {
    ledger: Ledger,
    feed: Feed,
    task: LedgerTask,
    joined: JoinHandle<()>,
}

/// Two servers over one database.
struct Street {
    shops: Vec<Shop>,
    trigger: ShutdownTrigger,
    url: String,
    _folder: TempDir,
}

impl Street {
    /// `bus` makes each server's end of the bus; `truth` says whether watched accounts are looked up
    /// as well.
    async fn open<B: Bus>(truth: bool, bus: impl Fn(&Store) -> B) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let url = postgres::schema_url(folder.path());
        let (trigger, shutdown) = Shutdown::new();
        let mut shops = Vec::new();
        for _ in 0..2 {
            let feed = Feed::shared();
            let (ledger, task, _) = desk::open_with(&url, catalog(), feed.clone()).await;
            let store = Arc::new(Store::open(&url, 1, START).await.unwrap());
            let hints = bus::run(bus(&store), feed.clone(), shutdown.clone());
            let (feed_of_truth, shutdown) = (feed.clone(), shutdown.clone());
            let joined = tokio::spawn(async move {
                let looks = async {
                    if truth {
                        push::resync(feed_of_truth, store, shutdown).await;
                    }
                };
                tokio::join!(hints, looks);
            });
            shops.push(Shop { ledger, feed, task, joined });
        }
        Self { shops, trigger, url, _folder: folder }
    }

    /// A change that one server makes, and the version after it.
    async fn change(&self, at: usize, account: &AccountId, number: u32) -> Version {
        let ledger = &self.shops[at].ledger;
        let hold = hold(account, id(number));
        ledger.command(account, view(account), hold, Vec::new()).await.unwrap().snapshot.version
    }

    async fn close(self) {
        self.trigger.shut_down();
        for shop in self.shops {
            shop.joined.await.unwrap();
            shop.task.stop().await;
        }
        audit::audit(&self.url).await;
    }
}

/// Waits until the watcher is told, saying it again until then: the first words on a bus may come
/// before anybody listens.
async fn until_heard(speaker: &Feed, watcher: &mut Watcher, account: &AccountId) {
    let mut version = Version(1_000);
    let heard = async {
        loop {
            speaker.changed(&[(account.clone(), version)]);
            let told = timeout(Duration::from_millis(100), watcher.changed()).await;
            if told.is_ok() {
                return;
            }
            version = Version(version.0 + 1);
        }
    };
    timeout(PATIENCE, heard).await.expect("nothing is heard over the bus");
}

/// Follows an account as a push stream does, and checks what it sees, until it is at `newest`.
async fn follow(
    shop: &Shop,
    account: &AccountId,
    mut newest: tokio::sync::watch::Receiver<Version>,
) {
    let mut watcher = shop.feed.watch(account).unwrap();
    let mut version = Version(0);
    let caught_up = async {
        loop {
            let actor = account.personal_actor();
            let seen = shop.ledger.snapshot(account, &actor, Some(version), &[]).await.unwrap();
            assert!(seen.version >= version, "{} after {version}", seen.version);
            assert!(!seen.reset);
            version = seen.version;
            watcher.has_read(version);
            if *newest.borrow() == version {
                return;
            }
            tokio::select! {
                () = watcher.changed() => {}
                changed = newest.changed() => changed.unwrap(),
            }
        }
    };
    timeout(PATIENCE, caught_up).await.expect("a reader does not learn of the newest version");
}

async fn each_word_is_heard<B: Bus>(bus: impl Fn(&Store) -> B) {
    let street = Street::open(false, bus).await;
    let (here, there) = (&street.shops[0].feed, &street.shops[1].feed);
    let account: AccountId = "ann".parse().unwrap();
    let mut watcher = there.watch(&account).unwrap();
    until_heard(here, &mut watcher, &account).await;
    for number in 0..20 {
        // What was said again until it was heard may still be under way.
        here.changed(&[(account.clone(), Version(10_000 + number))]);
        timeout(PATIENCE, watcher.changed()).await.expect("a word was lost");
    }
    // More than fits into one word.
    let many = |at| AccountId::new(&format!("{at:0>100}")).unwrap();
    let mut last = there.watch(&many(2_999)).unwrap();
    let all: Vec<_> = (0..3_000).map(|at| (many(at), Version(1))).collect();
    here.changed(&all);
    timeout(PATIENCE, last.changed()).await.expect("a word was lost");
    street.close().await;
}

async fn readers_catch_up<B: Bus>(bus: impl Fn(&Store) -> B) {
    let street = Street::open(true, bus).await;
    let account: AccountId = "ann".parse().unwrap();
    street.change(0, &account, 0).await;
    let (newest, seen) = tokio::sync::watch::channel(Version(0));
    let work = async {
        let mut version = Version(0);
        for number in 1..80_usize {
            version = street.change(number % 2, &account, u32::try_from(number).unwrap()).await;
        }
        newest.send_replace(version);
    };
    let (here, there) = (&street.shops[0], &street.shops[1]);
    tokio::join!(work, follow(here, &account, seen.clone()), follow(there, &account, seen));
    street.close().await;
}

/// A bus that loses, doubles, delays and makes things up.
struct Broken<B>(B);

struct BrokenListener<L> {
    listener: L,
    heard: u32,
    again: Option<Heard>,
}

struct BrokenSpeaker<S> {
    speaker: S,
    said: u32,
}

impl<B: Bus> Bus for Broken<B> {
    type Listener = BrokenListener<B::Listener>;
    type Speaker = BrokenSpeaker<B::Speaker>;

    fn split(self) -> (Self::Listener, Self::Speaker) {
        let (listener, speaker) = self.0.split();
        let listener = BrokenListener { listener, heard: 0, again: None };
        (listener, BrokenSpeaker { speaker, said: 0 })
    }
}

impl<L: Listener> Listener for BrokenListener<L> {
    async fn next(&mut self) -> Result<Heard, BusError> {
        if let Some(again) = self.again.take() {
            return Ok(again);
        }
        loop {
            let heard = self.listener.next().await?;
            self.heard += 1;
            match self.heard % 5 {
                0 => {}
                1 => self.again = Some(heard.clone()),
                2 => self.again = Some(Heard::Text("ann 9007199254740991\n".to_owned())),
                3 => self.again = Some(Heard::Text("ann\u{0} \n no announcement".to_owned())),
                _ => tokio::time::sleep(Duration::from_millis(300)).await,
            }
            if !self.heard.is_multiple_of(5) {
                return Ok(heard);
            }
        }
    }
}

impl<S: Speaker> Speaker for BrokenSpeaker<S> {
    const MOST_BYTES: usize = S::MOST_BYTES;

    async fn say(&mut self, text: &str) -> Result<(), BusError> {
        self.said += 1;
        match self.said % 4 {
            0 => Err(BusError("it is down".to_owned())),
            1 => Ok(()),
            _ => self.speaker.say(text).await,
        }
    }
}

fn notices(store: &Store) -> PostgresBus {
    let Store::Postgres(store) = store else { panic!("the store is no Postgres") };
    PostgresBus::of(store)
}

#[tokio::test(flavor = "multi_thread")]
async fn within_a_process_each_word_is_heard() {
    let bus = LocalBus::default();
    each_word_is_heard(|_| bus.clone()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn over_postgres_each_word_is_heard() {
    each_word_is_heard(notices).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn over_nats_each_word_is_heard() {
    let nats = Nats::start();
    each_word_is_heard(|store| NatsBus::new(Secret::new(nats.url()), store.epoch())).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn readers_catch_up_whatever_a_process_does_to_the_words() {
    let bus = LocalBus::default();
    readers_catch_up(|_| bus.clone()).await;
    readers_catch_up(|_| Broken(bus.clone())).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn readers_catch_up_whatever_postgres_does_to_the_words() {
    readers_catch_up(notices).await;
    readers_catch_up(|store| Broken(notices(store))).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn readers_catch_up_whatever_nats_does_to_the_words() {
    let nats = Nats::start();
    let bus = |store: &Store| NatsBus::new(Secret::new(nats.url()), store.epoch());
    readers_catch_up(bus).await;
    readers_catch_up(|store| Broken(bus(store))).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_nats_server_that_is_down_delays_and_comes_back() {
    let mut nats = Nats::start();
    let bus = |store: &Store| NatsBus::new(Secret::new(nats.url()), store.epoch());
    let street = Street::open(true, bus).await;
    let account: AccountId = "ann".parse().unwrap();
    let mut watcher = street.shops[1].feed.watch(&account).unwrap();
    until_heard(&street.shops[0].feed, &mut watcher, &account).await;
    nats.kill();
    for number in 0..3 {
        let version = street.change(0, &account, number).await;
        let (_newest, seen) = tokio::sync::watch::channel(version);
        follow(&street.shops[1], &account, seen).await;
    }
    nats.go_on();
    until_heard(&street.shops[0].feed, &mut watcher, &account).await;
    street.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_postgres_that_cuts_its_listeners_is_listened_to_again() {
    let street = Street::open(false, notices).await;
    let account: AccountId = "ann".parse().unwrap();
    let mut watcher = street.shops[1].feed.watch(&account).unwrap();
    until_heard(&street.shops[0].feed, &mut watcher, &account).await;
    let store = Store::open(&street.url, 1, START).await.unwrap();
    let mut connection = PgConnection::connect(&street.url).await.unwrap();
    let cut = "SELECT COUNT(pg_terminate_backend(pid)) FROM pg_stat_activity \
               WHERE query LIKE 'LISTEN%' || $1 || '%'";
    let (cut,): (i64,) =
        sqlx::query_as(cut).bind(store.epoch().as_str()).fetch_one(&mut connection).await.unwrap();
    assert_eq!(cut, 2, "the listener of each server");
    until_heard(&street.shops[0].feed, &mut watcher, &account).await;
    store.close().await;
    street.close().await;
}
