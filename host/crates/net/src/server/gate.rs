//! Who is in, and how much each has asked lately.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use super::PeerBounds;
use crate::Peer;
use crate::message::{Refusal, rule};

/// Peers that are gone but not forgotten, before those whose buckets are full again are looked for.
const REMEMBERED: usize = 1024;

/// Counts connections and requests, by peer and in all. This machine's own programs have room of their own: strangers, who
/// have as many keys as they like, must not keep a host's owner out.
pub(crate) struct Gate {
    connections_max: usize,
    inside: Mutex<Inside>,
}

#[derive(Default)]
struct Inside {
    connections: usize,
    peers: HashMap<Peer, Account>,
}

/// What one peer has taken.
struct Account {
    connections: usize,
    bucket: Bucket,
}

/// A connection that was let in. Its end is noted when this is dropped.
pub(crate) struct Pass {
    gate: Arc<Gate>,
    peer: Peer,
}

impl Gate {
    pub(crate) fn new(connections_max: usize) -> Self {
        Self { connections_max, inside: Mutex::default() }
    }

    /// Lets a peer in, if there is room.
    pub(crate) fn enter(self: &Arc<Self>, peer: Peer, bounds: &PeerBounds) -> Result<Pass, Refusal> {
        let now = Instant::now();
        let mut inside = self.lock();
        if peer != Peer::Local && inside.connections >= self.connections_max {
            let text =
                format!("this host serves {} connections, as many as it may: try again later", inside.connections);
            return Err(Refusal::new(rule::BUSY, text));
        }
        inside.forget(now);
        let account = inside.peers.entry(peer).or_insert_with(|| Account::new(bounds, now));
        if account.connections >= bounds.connections {
            let text = format!("this peer has {} connections, as many as it may: use those", account.connections);
            return Err(Refusal::new(rule::CONNECTIONS, text));
        }
        account.bucket.adjust(bounds);
        account.connections += 1;
        inside.connections += usize::from(peer != Peer::Local);
        Ok(Pass { gate: self.clone(), peer })
    }

    fn lock(&self) -> MutexGuard<'_, Inside> {
        self.inside.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Pass {
    /// Notes a request, if the peer may make one now.
    pub(crate) fn request(&self) -> Result<(), Refusal> {
        let mut inside = self.gate.lock();
        let allowed = inside.peers.get_mut(&self.peer).is_some_and(|account| account.bucket.take(Instant::now()));
        if allowed {
            Ok(())
        } else {
            Err(Refusal::new(rule::RATE, "too many requests in too short a time: wait a second, then try again"))
        }
    }
}

impl Drop for Pass {
    fn drop(&mut self) {
        let mut inside = self.gate.lock();
        inside.connections = inside.connections.saturating_sub(usize::from(self.peer != Peer::Local));
        if let Some(account) = inside.peers.get_mut(&self.peer) {
            account.connections = account.connections.saturating_sub(1);
        }
    }
}

impl Inside {
    /// Forgets peers that are gone, once their buckets are full: coming back buys nobody a new one.
    fn forget(&mut self, now: Instant) {
        if self.peers.len() >= self.connections + REMEMBERED {
            self.peers.retain(|_, account| account.connections > 0 || !account.bucket.is_full(now));
        }
    }
}

impl Account {
    fn new(bounds: &PeerBounds, now: Instant) -> Self {
        Self { connections: 0, bucket: Bucket::new(bounds, now) }
    }
}

/// A bucket of tokens, one for each request, that fills steadily.
struct Bucket {
    per_second: f64,
    burst: f64,
    tokens: f64,
    filled: Instant,
}

impl Bucket {
    fn new(bounds: &PeerBounds, now: Instant) -> Self {
        let burst = f64::from(bounds.requests_burst);
        Self { per_second: f64::from(bounds.requests_per_second), burst, tokens: burst, filled: now }
    }

    /// Follows a policy that has changed since.
    fn adjust(&mut self, bounds: &PeerBounds) {
        self.per_second = f64::from(bounds.requests_per_second);
        self.burst = f64::from(bounds.requests_burst);
        self.tokens = self.tokens.min(self.burst);
    }

    fn level(&self, now: Instant) -> f64 {
        let seconds = now.saturating_duration_since(self.filled).as_secs_f64();
        (self.tokens + seconds * self.per_second).min(self.burst)
    }

    fn is_full(&self, now: Instant) -> bool {
        self.level(now) >= self.burst
    }

    fn take(&mut self, now: Instant) -> bool {
        self.tokens = self.level(now);
        self.filled = now;
        let enough = self.tokens >= 1.0;
        if enough {
            self.tokens -= 1.0;
        }
        enough
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use samebit_spec::HostKey;

    use super::*;

    fn peer(number: u32) -> Peer {
        let mut key = [0; 32];
        key[..4].copy_from_slice(&number.to_be_bytes());
        Peer::Remote(HostKey::from_bytes(key))
    }

    #[test]
    fn a_bucket_allows_a_burst_and_then_a_rate() {
        let bounds = PeerBounds { requests_per_second: 10, requests_burst: 3, ..PeerBounds::default() };
        let start = Instant::now();
        let mut bucket = Bucket::new(&bounds, start);
        let taken = |bucket: &mut Bucket, now| (0..10).filter(|_| bucket.take(now)).count();
        assert_eq!(taken(&mut bucket, start), 3);
        assert_eq!(taken(&mut bucket, start + Duration::from_millis(210)), 2);
        assert_eq!(taken(&mut bucket, start + Duration::from_secs(3600)), 3);
        assert_eq!(taken(&mut bucket, start), 0, "a clock that goes back gives nothing");
    }

    #[test]
    fn strangers_leave_room_for_this_machines_programs() {
        let (gate, bounds) = (Arc::new(Gate::new(2)), PeerBounds { connections: 2, ..PeerBounds::default() });
        let _strangers = [1, 2].map(|number| gate.enter(peer(number), &bounds).expect("there is room"));
        assert!(gate.enter(peer(3), &bounds).is_err(), "the host is full");
        let local = gate.enter(Peer::Local, &bounds).expect("not for its owner");
        drop(local);
        assert!(gate.enter(peer(3), &bounds).is_err(), "no room was made by one who took none");
    }

    #[test]
    fn connections_are_bounded_by_peer_and_in_all() {
        let gate = Arc::new(Gate::new(3));
        let bounds = PeerBounds { connections: 2, ..PeerBounds::default() };
        let first = gate.enter(peer(1), &bounds).expect("first");
        let _second = gate.enter(peer(1), &bounds).expect("second");
        assert_eq!(
            gate.enter(peer(1), &bounds).err().map(|refusal| refusal.rule.to_string()).as_deref(),
            Some(rule::CONNECTIONS)
        );
        let _other = gate.enter(peer(2), &bounds).expect("another peer");
        assert_eq!(
            gate.enter(peer(3), &bounds).err().map(|refusal| refusal.rule.to_string()).as_deref(),
            Some(rule::BUSY)
        );
        drop(first);
        gate.enter(peer(1), &bounds).expect("room again");
    }

    #[test]
    fn coming_back_gives_no_new_bucket_and_strangers_leave_nothing() {
        let gate = Arc::new(Gate::new(10));
        let bounds = PeerBounds { requests_per_second: 0, requests_burst: 1, ..PeerBounds::default() };
        gate.enter(peer(0), &bounds).expect("in").request().expect("the first");
        for number in 1..5000 {
            gate.enter(peer(number), &bounds).expect("in");
        }
        gate.enter(peer(0), &bounds).expect("in").request().expect_err("the second");
        assert!(gate.lock().peers.len() <= REMEMBERED + 10, "{}", gate.lock().peers.len());
    }
}
