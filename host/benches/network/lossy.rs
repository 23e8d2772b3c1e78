//! A path with delay and loss, in one process: a proxy between a provider that has IPv4 alone and a fetcher that has IPv6
//! alone, so that they find no way around it.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use samebit_net::message::Provider;
use samebit_net::store::Store;
use samebit_net::{Fetcher, Wish};
use tokio::net::UdpSocket;

use crate::author::{node, runtime};
use crate::figures::{Row, median, noise, speed};

const BYTES: usize = 64 << 20;
/// One way; there and back it is twice that.
const DELAY: Duration = Duration::from_millis(20);
/// One datagram in so many is lost, in each direction.
const LOST_ONE_IN: u64 = 100;

pub(crate) fn rows(rounds: usize) -> Vec<Row> {
    let times: Vec<_> = (0..rounds.min(3)).map(|_| runtime().block_on(fetch())).collect();
    let what = "64 MiB over a path of 40 ms and 1 % loss, into a store".to_owned();
    vec![(what, speed(BYTES, median(times)), "≥ 10 MiB/s")]
}

async fn fetch() -> Duration {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let from = Store::open(&dir.path().join("from"), Duration::ZERO).await.expect("a store");
    let (blob, _pin) = from.import_bytes(noise(BYTES, 2).into()).await.expect("imported");
    let provider = node(&from, 1, &["127.0.0.1:0"]).await;
    let to = Store::open(&dir.path().join("to"), Duration::ZERO).await.expect("a store");
    let fetcher = node(&to, 2, &["[::1]:0"]).await;
    let proxy = proxy(provider.sockets()[0]).await;
    let through = Provider { host: provider.key(), addresses: vec![proxy], relay: None };
    let started = Instant::now();
    let wish = Wish { hash: blob.hash, size_bytes: None };
    let fetched = Fetcher::new(&fetcher, &[through], u64::MAX).fetch(wish, &|_| ()).await;
    let time = started.elapsed();
    drop(fetched.expect("fetched"));
    fetcher.stop().await;
    provider.stop().await;
    from.close().await.and(to.close().await).expect("closed");
    time
}

/// Starts the proxy, for one client.
async fn proxy(target: SocketAddr) -> SocketAddr {
    let near = Arc::new(UdpSocket::bind("[::1]:0").await.expect("a socket"));
    let far = Arc::new(UdpSocket::bind("127.0.0.1:0").await.expect("a socket"));
    far.connect(target).await.expect("an address");
    let address = near.local_addr().expect("bound");
    let client: Arc<Mutex<Option<SocketAddr>>> = Arc::default();
    let known = client.clone();
    let note = move |from| *known.lock().expect("nobody panics") = Some(from);
    tokio::spawn(carry(near.clone(), far.clone(), 1, note, || None));
    tokio::spawn(carry(far, near, 2, |_| (), move || *client.lock().expect("nobody panics")));
    address
}

/// Carries datagrams one way, each later by the delay, some of them nowhere.
async fn carry(
    from: Arc<UdpSocket>,
    to: Arc<UdpSocket>,
    seed: u64,
    note: impl Fn(SocketAddr) + Send + 'static,
    target: impl Fn() -> Option<SocketAddr> + Send + 'static,
) {
    let mut waiting: VecDeque<(tokio::time::Instant, Vec<u8>)> = VecDeque::new();
    let (mut random, mut piece) = (seed, vec![0; 1 << 16]);
    loop {
        let due = waiting.front().map_or_else(|| tokio::time::Instant::now() + DELAY, |(due, _)| *due);
        tokio::select! {
            received = from.recv_from(&mut piece) => {
                let Ok((count, sender)) = received else { continue };
                note(sender);
                random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                if (random >> 33) % LOST_ONE_IN != 0 {
                    waiting.push_back((tokio::time::Instant::now() + DELAY, piece[..count].to_vec()));
                }
            }
            () = tokio::time::sleep_until(due), if !waiting.is_empty() => {
                let Some((_, datagram)) = waiting.pop_front() else { continue };
                // What cannot be sent is lost, as on any path.
                let _ = match target() {
                    Some(target) => to.send_to(&datagram, target).await,
                    None => to.send(&datagram).await,
                };
            }
        }
    }
}
