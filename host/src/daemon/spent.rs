//! What peers had of this host within the last hour.
//!
//! Two counters for each peer, of this hour and of the one before, which counts for the part of it that is not an hour ago:
//! so a peer has its share in any hour, within what an even use of the hour before makes of a difference. Strangers have
//! many keys, so what is remembered is bounded, and those who had least are forgotten first. It is not written down: a
//! host that starts again has forgotten all of it. Pure but for the lock: the time is handed in.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use samebit_net::Peer;
use samebit_runner::spec::HostKey;

const HOUR: Duration = Duration::from_secs(3_600);
/// The most peers that are remembered.
const PEERS_MAX: usize = 16_384;

/// What all peers had.
#[derive(Debug)]
pub(crate) struct Spent {
    /// How long their jobs ran, in microseconds.
    pub(crate) gpu_time_us: Hourly,
    /// What they were sent of blobs, in bytes.
    pub(crate) output_bytes: Hourly,
}

/// What one peer had.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct PeerSpent {
    /// How long its jobs ran.
    pub(crate) gpu_time: Duration,
    /// What it was sent of blobs, in bytes.
    pub(crate) output_bytes: u64,
}

/// Amounts by peer.
#[derive(Debug)]
pub(crate) struct Hourly {
    start: Instant,
    peers: Mutex<HashMap<HostKey, Tally>>,
}

#[derive(Debug, Clone, Copy, Default)]
struct Tally {
    hour: u64,
    this: u64,
    before: u64,
}

impl Spent {
    pub(crate) fn new(start: Instant) -> Self {
        let hourly = || Hourly { start, peers: Mutex::default() };
        Self { gpu_time_us: hourly(), output_bytes: hourly() }
    }

    /// What a peer had. Programs on this machine are not counted.
    pub(crate) fn of(&self, peer: Peer, now: Instant) -> PeerSpent {
        let Peer::Remote(key) = peer else { return PeerSpent::default() };
        PeerSpent {
            gpu_time: Duration::from_micros(self.gpu_time_us.level(&key, now)),
            output_bytes: self.output_bytes.level(&key, now),
        }
    }
}

impl Hourly {
    /// What a peer had in the last hour.
    pub(crate) fn level(&self, peer: &HostKey, now: Instant) -> u64 {
        let since = now.saturating_duration_since(self.start);
        self.lock().get(peer).map_or(0, |tally| tally.level(since))
    }

    /// Adds to it.
    pub(crate) fn spend(&self, peer: HostKey, amount: u64, now: Instant) {
        let since = now.saturating_duration_since(self.start);
        let mut peers = self.lock();
        if peers.len() >= PEERS_MAX && !peers.contains_key(&peer) {
            forget(&mut peers, since);
        }
        peers.entry(peer).or_default().add(amount, since);
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<HostKey, Tally>> {
        self.peers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Forgets the half that had least.
fn forget(peers: &mut HashMap<HostKey, Tally>, since: Duration) {
    let mut levels: Vec<_> = peers.iter().map(|(key, tally)| (tally.level(since), *key)).collect();
    let middle = levels.len() / 2;
    levels.select_nth_unstable(middle);
    for (_, key) in levels.iter().take(middle) {
        peers.remove(key);
    }
}

impl Tally {
    fn add(&mut self, amount: u64, since: Duration) {
        let hour = hour(since);
        if hour != self.hour {
            let before = if hour == self.hour + 1 { self.this } else { 0 };
            *self = Self { hour, this: 0, before };
        }
        self.this = self.this.saturating_add(amount);
    }

    fn level(&self, since: Duration) -> u64 {
        let passed = u64::try_from(since.as_millis()).unwrap_or(u64::MAX) % (HOUR.as_millis() as u64);
        let left = HOUR.as_millis() as u64 - passed;
        let part =
            |amount: u64| u64::try_from(u128::from(amount) * u128::from(left) / HOUR.as_millis()).unwrap_or(amount);
        match hour(since).saturating_sub(self.hour) {
            0 => self.this.saturating_add(part(self.before)),
            1 => part(self.this),
            _ => 0,
        }
    }
}

fn hour(since: Duration) -> u64 {
    since.as_secs() / HOUR.as_secs()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(number: u32) -> HostKey {
        let mut key = [0; 32];
        key[..4].copy_from_slice(&number.to_be_bytes());
        HostKey::from_bytes(key)
    }

    #[test]
    fn what_was_spent_counts_for_an_hour_and_fades_in_the_next() {
        let start = Instant::now();
        let hourly = Spent::new(start).output_bytes;
        let minutes = |count: u64| start + Duration::from_secs(60 * count);
        hourly.spend(key(1), 100, minutes(10));
        hourly.spend(key(1), 20, minutes(50));
        let levels = [50, 60, 90, 119, 120, 500].map(|count| hourly.level(&key(1), minutes(count)));
        assert_eq!(levels, [120, 120, 60, 2, 0, 0]);
        hourly.spend(key(1), 7, minutes(90));
        assert_eq!(hourly.level(&key(1), minutes(90)), 67);
        hourly.spend(key(1), 1, minutes(1_000));
        assert_eq!(hourly.level(&key(1), minutes(1_000)), 1, "nothing is left of before");
        assert_eq!(hourly.level(&key(2), minutes(90)), 0);
        hourly.spend(key(1), u64::MAX, minutes(1_000));
        assert_eq!(hourly.level(&key(1), minutes(1_000)), u64::MAX);
    }

    #[test]
    fn strangers_are_forgotten_before_those_who_had_much() {
        let start = Instant::now();
        let hourly = Spent::new(start).output_bytes;
        hourly.spend(key(0), 1_000, start);
        for number in 1..50_000 {
            hourly.spend(key(number), 1, start);
        }
        assert!(hourly.lock().len() <= PEERS_MAX);
        assert_eq!(hourly.level(&key(0), start), 1_000);
    }
}
