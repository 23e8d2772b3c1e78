//! Who is in, and how much each has asked lately.
//!
//! When the house is full, a connection that is not being answered gives way to who comes, if it was unused for long or its
//! peer has several more than who comes: one of the peer that has the most. Strangers have as many keys as they like, and must
//! not keep others out by sitting still or by taking all that each of them may.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::Notify;

use super::PeerBounds;
use super::bucket::Bucket;
use crate::Peer;
use crate::message::{Refusal, rule};

/// Peers that are gone but not forgotten, before those whose buckets are full again are looked for.
const REMEMBERED: usize = 1024;
/// How long a connection may go unused before it has to give way.
const UNUSED_TIME: Duration = Duration::from_secs(2);

/// Counts connections and requests, by peer and in all. This machine's own programs have room of their own: strangers, who
/// have as many keys as they like, must not keep a host's owner out.
pub(crate) struct Gate {
    connections_max: usize,
    inside: Mutex<Inside>,
}

#[derive(Default)]
struct Inside {
    /// Connections of other machines, by number.
    seats: BTreeMap<u64, Seat>,
    seat_next: u64,
    peers: HashMap<Peer, Account>,
}

/// A connection's place.
struct Seat {
    peer: Peer,
    /// Requests that are being answered.
    busy: usize,
    /// When the last of them was, or the connection was made.
    used: Instant,
    leave: Arc<Notify>,
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
    seat: u64,
    leave: Arc<Notify>,
}

/// A request that is being answered.
pub(crate) struct Busy<'a>(&'a Pass);

impl Gate {
    /// A gate for so many. Whoever serves a connection has to wait for [`Pass::left`] as well.
    pub(crate) fn new(connections_max: usize) -> Self {
        Self { connections_max, inside: Mutex::default() }
    }

    /// Lets a peer in, if there is room.
    pub(crate) fn enter(self: &Arc<Self>, peer: Peer, bounds: &PeerBounds) -> Result<Pass, Refusal> {
        let now = Instant::now();
        let mut inside = self.lock();
        let connections = inside.peers.get(&peer).map_or(0, |account| account.connections);
        if connections >= bounds.connections {
            let text = format!("this peer has {connections} connections, as many as it may: use those");
            return Err(Refusal::new(rule::CONNECTIONS, text));
        }
        let is_full = peer != Peer::Local && inside.seats.len() >= self.connections_max;
        if is_full && !inside.make_room(connections, now) {
            let text =
                format!("this host serves {} connections, as many as it may: try again later", inside.seats.len());
            return Err(Refusal::new(rule::BUSY, text));
        }
        inside.forget(now);
        let account = inside.peers.entry(peer).or_insert_with(|| Account::new(bounds, now));
        account.bucket.adjust(bounds.requests_per_second, bounds.requests_burst);
        account.connections += 1;
        let (seat, leave) = inside.seat(peer, now);
        Ok(Pass { gate: self.clone(), peer, seat, leave })
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

    /// Notes that a request is being answered, until this is dropped: such a connection gives way to nobody.
    pub(crate) fn busy(&self) -> Busy<'_> {
        self.use_seat(|seat| seat.busy += 1);
        Busy(self)
    }

    /// Returns when this connection is to give way.
    pub(crate) async fn left(&self) {
        self.leave.notified().await;
    }

    fn use_seat(&self, how: impl FnOnce(&mut Seat)) {
        if let Some(seat) = self.gate.lock().seats.get_mut(&self.seat) {
            seat.used = Instant::now();
            how(seat);
        }
    }
}

impl Drop for Busy<'_> {
    fn drop(&mut self) {
        self.0.use_seat(|seat| seat.busy = seat.busy.saturating_sub(1));
    }
}

impl Drop for Pass {
    fn drop(&mut self) {
        let mut inside = self.gate.lock();
        inside.seats.remove(&self.seat);
        if let Some(account) = inside.peers.get_mut(&self.peer) {
            account.connections = account.connections.saturating_sub(1);
        }
    }
}

impl Inside {
    /// Gives a connection a place. Those of this machine's programs need none.
    fn seat(&mut self, peer: Peer, now: Instant) -> (u64, Arc<Notify>) {
        let leave = Arc::new(Notify::new());
        let number = self.seat_next;
        self.seat_next += 1;
        if peer != Peer::Local {
            self.seats.insert(number, Seat { peer, busy: 0, used: now, leave: leave.clone() });
        }
        (number, leave)
    }

    /// Has a connection give way to somebody who has so many. Its place is free at once.
    fn make_room(&mut self, connections: usize, now: Instant) -> bool {
        let of = |seat: &Seat| self.peers.get(&seat.peer).map_or(0, |account| account.connections);
        let unused = |seat: &Seat| now.saturating_duration_since(seat.used);
        let gives_way = |seat: &Seat| seat.busy == 0 && (unused(seat) >= UNUSED_TIME || of(seat) >= connections + 2);
        let candidates = self.seats.iter().filter(|(_, seat)| gives_way(seat));
        let chosen = candidates.max_by_key(|(_, seat)| (of(seat), unused(seat))).map(|(number, _)| *number);
        let Some(seat) = chosen.and_then(|number| self.seats.remove(&number)) else { return false };
        seat.leave.notify_one();
        true
    }

    /// Forgets peers that are gone, once their buckets are full: coming back buys nobody a new one.
    fn forget(&mut self, now: Instant) {
        if self.peers.len() >= self.seats.len() + REMEMBERED {
            self.peers.retain(|_, account| account.connections > 0 || !account.bucket.is_full(now));
        }
    }
}

impl Account {
    fn new(bounds: &PeerBounds, now: Instant) -> Self {
        Self { connections: 0, bucket: Bucket::new(bounds.requests_per_second, bounds.requests_burst, now) }
    }
}

#[cfg(test)]
mod tests {
    use samebit_spec::HostKey;

    use super::*;

    fn peer(number: u32) -> Peer {
        let mut key = [0; 32];
        key[..4].copy_from_slice(&number.to_be_bytes());
        Peer::Remote(HostKey::from_bytes(key))
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
        let second = gate.enter(peer(1), &bounds).expect("second");
        assert_eq!(
            gate.enter(peer(1), &bounds).err().map(|refusal| refusal.rule.to_string()).as_deref(),
            Some(rule::CONNECTIONS)
        );
        let _other = gate.enter(peer(2), &bounds).expect("another peer");
        // Those that are being answered give way to nobody.
        let answering = [first.busy(), second.busy()];
        assert_eq!(
            gate.enter(peer(3), &bounds).err().map(|refusal| refusal.rule.to_string()).as_deref(),
            Some(rule::BUSY)
        );
        drop(answering);
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
    #[test]
    fn who_sits_still_gives_way_and_who_is_busy_does_not() {
        let gate = Arc::new(Gate::new(2));
        let bounds = PeerBounds::default();
        let enter = |number| gate.enter(peer(number), &bounds);
        let (still, busy) = (enter(1).expect("in"), enter(2).expect("in"));
        let answering = busy.busy();
        assert!(enter(3).is_err(), "both came just now");
        gate.lock().seats.values_mut().for_each(|seat| seat.used -= UNUSED_TIME);
        let third = enter(3).expect("in the place of the first");
        assert!(futures_util::FutureExt::now_or_never(still.left()).is_some());
        assert!(futures_util::FutureExt::now_or_never(busy.left()).is_none());
        gate.lock().seats.values_mut().for_each(|seat| seat.used -= UNUSED_TIME);
        drop(still);
        let _fourth = enter(4).expect("in the place of the third");
        assert!(enter(5).is_err(), "the second is busy, the fourth came just now");
        drop(answering);
        assert!(enter(5).is_err(), "it was busy until now");
        drop((third, busy));
        enter(5).expect("the second is gone");
    }

    #[test]
    fn who_has_the_most_gives_way_to_who_has_none() {
        let gate = Arc::new(Gate::new(3));
        let bounds = PeerBounds::default();
        let enter = |number| gate.enter(peer(number), &bounds);
        let greedy = [enter(1).expect("in"), enter(1).expect("in")];
        let single = enter(2).expect("in");
        let _newcomer = enter(3).expect("in the place of one of two");
        assert_eq!(
            greedy.iter().filter(|pass| futures_util::FutureExt::now_or_never(pass.left()).is_some()).count(),
            1
        );
        assert!(futures_util::FutureExt::now_or_never(single.left()).is_none());
        drop(greedy);
        let _second = enter(3).expect("there is room");
        assert!(enter(2).is_err(), "one more than another is not several");
    }
}
