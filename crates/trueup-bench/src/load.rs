//! Many clients at once, on one thread.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use tokio::task::JoinSet;

use crate::http::Connection;
use crate::process;
use crate::work::{Client, Work};
use crate::{Failure, clock};

/// What so many clients got done.
#[derive(Clone, Debug, Default)]
pub struct Measured {
    /// Operations that were answered, and how many that is a second.
    pub done: u64,
    pub rate: f64,
    /// How long the middle call took, and the one of a hundred that took longest.
    pub p50: Duration,
    pub p99: Duration,
    /// How much of a processor the clients took: what the servers here did not have.
    pub clients_share: f64,
    /// How much of a processor the server took, without its database.
    pub server_share: f64,
}

/// Who is measured, and how.
#[derive(Clone)]
pub struct Load {
    pub address: SocketAddr,
    pub process: u32,
    pub work: Work,
    pub clients: usize,
    pub seconds: f64,
    pub seed: u64,
}

impl Load {
    /// Lets every client call until the time is up.
    pub async fn run(&self) -> Result<Measured, Failure> {
        let mut connections = Vec::with_capacity(self.clients);
        for _ in 0..self.clients {
            connections.push(Connection::open(self.address).await?);
        }
        let cpu = || (process::cpu("self"), process::cpu(&self.process.to_string()));
        let (clients_before, server_before) = cpu();
        let begun = clock::instant();
        let end = begun + Duration::from_secs_f64(self.seconds);
        let mut clients = JoinSet::new();
        for (seed, connection) in (self.seed..).zip(connections) {
            clients.spawn(client(connection, Client::new(&self.work, seed), end));
        }
        let (mut done, mut latencies) = (0_u64, Vec::new());
        while let Some(client) = clients.join_next().await {
            let (counted, took) = client??;
            done += counted;
            latencies.extend(took);
        }
        let elapsed = begun.elapsed().as_secs_f64();
        let (clients_after, server_after) = cpu();
        latencies.sort_unstable();
        #[expect(clippy::cast_precision_loss, reason = "calls of some seconds")]
        let rate = done as f64 / elapsed;
        Ok(Measured {
            done,
            rate,
            p50: percentile(&latencies, 50),
            p99: percentile(&latencies, 99),
            clients_share: (clients_after - clients_before).as_secs_f64() / elapsed,
            server_share: (server_after.saturating_sub(server_before)).as_secs_f64() / elapsed,
        })
    }
}

async fn client(
    mut connection: Connection,
    mut client: Client,
    end: Instant,
) -> Result<(u64, Vec<Duration>), Failure> {
    let (mut done, mut latencies) = (0, Vec::new());
    let mut now = clock::instant();
    while now < end {
        let call = client.next();
        let reply = connection.call(&call.request).await?;
        call.check(&reply)?;
        done += call.counts;
        let then = clock::instant();
        latencies.push(then - now);
        now = then;
    }
    Ok((done, latencies))
}

/// Of sorted values, the one that so many of a hundred do not pass.
pub fn percentile(sorted: &[Duration], percent: usize) -> Duration {
    let at = sorted.len().saturating_sub(1) * percent / 100;
    sorted.get(at).copied().unwrap_or_default()
}

/// The middle of several.
pub fn median(values: impl IntoIterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.into_iter().collect();
    values.sort_unstable_by(f64::total_cmp);
    let middle = values.len() / 2;
    let at = |place: usize| values.get(place).copied().unwrap_or(f64::NAN);
    if values.len() % 2 == 1 {
        at(middle)
    } else {
        f64::midpoint(at(middle.wrapping_sub(1)), at(middle))
    }
}

#[cfg(test)]
mod tests {
    use super::median;

    #[test]
    fn the_median_is_in_the_middle() {
        for (values, expected) in
            [(vec![3.0, 1.0, 2.0], 2.0), (vec![4.0, 1.0, 2.0, 3.0], 2.5), (vec![7.0], 7.0)]
        {
            assert!((median(values) - expected).abs() < 1e-9);
        }
    }
}
