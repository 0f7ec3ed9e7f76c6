//! Starting and stopping.

use trueup_server::clock::Clock;
use trueup_server::http::look_up_account;
use trueup_server::server::{ServeError, Server};
use trueup_server::shutdown::Shutdown;

use crate::house::{House, settings};

#[tokio::test]
async fn a_server_that_is_asked_to_stop_stops_and_takes_nothing_more() {
    let house = House::open().await;
    let address = house.address.clone();
    house.hold("ann", "gpt-5").await;
    house.ask_to_stop();
    house.stopped().await;
    assert!(tokio::net::TcpStream::connect(address).await.is_err());
}

#[tokio::test]
async fn a_ledger_outlives_its_server() {
    let folder = tempfile::tempdir().unwrap();
    let secret = format!("jwt_secret = \"{}\"", crate::house::SECRET);
    let mut seen = Vec::new();
    for _ in 0..2 {
        let (_trigger, shutdown) = Shutdown::new();
        let clock = Clock::manual(crate::house::START);
        let server = Server::open(settings(&secret, &folder), clock, shutdown).await.unwrap();
        let (state, account) = (server.state(), "ann".parse().unwrap());
        let catalog = &state.settings.catalog;
        seen.push(look_up_account(&state.ledger, catalog, &account).await.unwrap());
        server.close().await;
    }
    assert_eq!(seen[0], seen[1]);
}

#[tokio::test]
async fn a_server_that_could_let_nobody_in_does_not_start() {
    let folder = tempfile::tempdir().unwrap();
    let (_trigger, shutdown) = Shutdown::new();
    let opened = Server::open(settings("", &folder), Clock::system(), shutdown).await;
    let Err(error) = opened else { panic!("it started") };
    assert!(matches!(error, ServeError::NoTokenKey));
    assert!(error.to_string().contains("TRUEUP_JWT_SECRET"), "{error}");
}
