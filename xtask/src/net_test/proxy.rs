//! The network between the nodes: delay, loss, a rate, and nodes that are cut off.
//!
//! Datagrams come from the ports and go to them; on the way each is delayed, or dropped. Nothing is put out of order, and
//! a link that is sent more than it carries drops what would wait for more than a quarter of a second, as routers do.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::io::BufReader;
use std::net::{Ipv4Addr, SocketAddrV4};
use std::process::{ChildStdin, ChildStdout};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use super::frame::Frame;
use super::random::Random;

/// The longest that a datagram waits for a link to be free.
const BACKLOG: Duration = Duration::from_millis(250);

/// What the network is like.
#[derive(Debug, Clone)]
pub(super) struct Weather {
    /// How long a datagram is on its way.
    pub(super) delay: Duration,
    /// How many of a thousand are lost.
    pub(super) loss_per_mille: u64,
    /// How much goes from one node to another, in bytes per second.
    pub(super) rate: u64,
    /// Nodes that nothing reaches and nothing comes from.
    pub(super) cut: BTreeSet<Ipv4Addr>,
}

/// A network that works. Clones are handles to the same.
#[derive(Clone)]
pub(super) struct Proxy(Arc<Shared>);

struct Shared {
    state: Mutex<State>,
    wake: Condvar,
}

struct State {
    weather: Weather,
    random: Random,
    /// What is on its way, by when it arrives and the order in which it came.
    queue: BTreeMap<(Instant, u64), (SocketAddrV4, SocketAddrV4, Vec<u8>)>,
    count: u64,
    /// When a link, by its ends, has sent what it has.
    free: HashMap<(Ipv4Addr, Ipv4Addr), Instant>,
    /// Addresses that are known to be in use.
    seen: HashSet<SocketAddrV4>,
    ports: HashMap<Ipv4Addr, ChildStdin>,
    ended: bool,
}

impl Proxy {
    /// Starts the network.
    pub(super) fn start(seed: u64, weather: Weather) -> Self {
        let proxy = Self(Arc::new(Shared { state: Mutex::new(State::new(seed, weather)), wake: Condvar::new() }));
        let deliverer = proxy.clone();
        thread::spawn(move || deliverer.deliver());
        proxy
    }

    /// Connects the port of a node.
    pub(super) fn connect(&self, node: Ipv4Addr, to: ChildStdin, from: ChildStdout) {
        self.lock().ports.insert(node, to);
        let proxy = self.clone();
        thread::spawn(move || {
            let mut from = BufReader::with_capacity(1 << 18, from);
            while let Ok(Some(Frame::Datagram { from, to, bytes })) = Frame::read(&mut from) {
                proxy.take(from, to, bytes);
            }
        });
    }

    /// Changes the weather.
    pub(super) fn change(&self, change: impl FnOnce(&mut Weather)) {
        change(&mut self.lock().weather);
    }

    /// A node listens at a port, which others may have been told of.
    pub(super) fn listen(&self, node: Ipv4Addr, port: u16) {
        self.lock().listen(SocketAddrV4::new(node, port));
    }

    /// Ends the network, and with it its ports.
    pub(super) fn end(&self) {
        let mut state = self.lock();
        state.ended = true;
        state.ports.clear();
        self.0.wake.notify_all();
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes a datagram on its way, or drops it.
    fn take(&self, from: SocketAddrV4, to: SocketAddrV4, bytes: Vec<u8>) {
        let mut state = self.lock();
        state.listen(from);
        if let Some(due) = state.due(from, to, bytes.len(), Instant::now()) {
            state.count += 1;
            let place = (due, state.count);
            state.queue.insert(place, (from, to, bytes));
            self.0.wake.notify_all();
        }
    }

    /// Hands out what has arrived, until the end.
    fn deliver(&self) {
        let mut state = self.lock();
        while !state.ended {
            let now = Instant::now();
            let wait = match state.queue.first_key_value() {
                Some(((due, _), _)) if *due <= now => Duration::ZERO,
                Some(((due, _), _)) => *due - now,
                None => Duration::from_secs(1),
            };
            if wait.is_zero() {
                if let Some((_, (from, to, bytes))) = state.queue.pop_first() {
                    state.hand(to.ip(), &Frame::Datagram { from, to, bytes });
                }
            } else {
                state = self.0.wake.wait_timeout(state, wait).unwrap_or_else(PoisonError::into_inner).0;
            }
        }
    }
}

impl State {
    fn new(seed: u64, weather: Weather) -> Self {
        Self {
            weather,
            random: Random::new(seed),
            queue: BTreeMap::new(),
            count: 0,
            free: HashMap::new(),
            seen: HashSet::new(),
            ports: HashMap::new(),
            ended: false,
        }
    }

    /// When a datagram arrives. `None` if it never does.
    fn due(&mut self, from: SocketAddrV4, to: SocketAddrV4, bytes: usize, now: Instant) -> Option<Instant> {
        let weather = &self.weather;
        let is_cut = weather.cut.contains(from.ip()) || weather.cut.contains(to.ip());
        if is_cut || self.random.below(1000) < weather.loss_per_mille {
            return None;
        }
        let free = self.free.entry((*from.ip(), *to.ip())).or_insert(now);
        let begins = (*free).max(now);
        if begins - now > BACKLOG {
            return None;
        }
        *free = begins + Duration::from_secs_f64(bytes as f64 / weather.rate as f64);
        Some(*free + weather.delay)
    }

    /// Has every other port listen at an address.
    fn listen(&mut self, at: SocketAddrV4) {
        if !self.seen.insert(at) {
            return;
        }
        for (node, port) in &mut self.ports {
            if node != at.ip() {
                // A port that is gone is noticed by what no longer arrives.
                let _ = Frame::Listen(at).write(port);
            }
        }
    }

    fn hand(&mut self, to: &Ipv4Addr, frame: &Frame) {
        if let Some(port) = self.ports.get_mut(to) {
            let _ = frame.write(port);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(last: u8) -> SocketAddrV4 {
        SocketAddrV4::new(Ipv4Addr::new(10, 77, 0, last), 1)
    }

    fn weather() -> Weather {
        Weather { delay: Duration::from_millis(20), loss_per_mille: 0, rate: 1_000_000, cut: BTreeSet::new() }
    }

    #[test]
    fn datagrams_take_their_time_and_turn_and_a_full_link_drops() {
        let now = Instant::now();
        let mut state = State::new(1, weather());
        let due = |state: &mut State| state.due(address(1), address(2), 1000, now);
        assert_eq!(due(&mut state), Some(now + Duration::from_millis(21)));
        assert_eq!(due(&mut state), Some(now + Duration::from_millis(22)));
        let carried = (0..1000).filter(|_| due(&mut state).is_some()).count();
        assert_eq!(carried, 249, "a quarter of a second's worth in all");
        assert!(state.due(address(2), address(1), 1000, now).is_some(), "the way back is free");
    }

    #[test]
    fn some_are_lost_and_nothing_reaches_who_is_cut_off() {
        let now = Instant::now();
        let mut state = State::new(1, Weather { loss_per_mille: 100, rate: u64::MAX, ..weather() });
        let arrived = (0..1000).filter(|_| state.due(address(1), address(2), 10, now).is_some()).count();
        assert!((850..950).contains(&arrived), "{arrived}");
        state.weather = Weather { cut: [*address(2).ip()].into(), ..weather() };
        assert_eq!(state.due(address(1), address(2), 10, now), None);
        assert_eq!(state.due(address(2), address(3), 10, now), None);
        assert!(state.due(address(1), address(3), 10, now).is_some());
    }
}
