//! How fast new connections are taken on, by where they come from.
//!
//! Each costs a handshake before anybody knows whose it is, and keys are free. So they are counted by address before anything
//! is computed for them, and whoever brings too many waits, not those who come from elsewhere. What is over the bound gets no
//! answer: QUIC sends its first packet again after a second, then after two and four, so an honest burst is spread out rather
//! than failed, and whoever tries several ways at once gets in by another one.
//!
//! An address is easily forged until it has answered. Forged ones spend no more than half of what an address has, and all
//! together no more than a rate of their own; beyond, one has to send back a token first, which costs this machine little and
//! leaves nothing in memory. Only those that are taken on are remembered, and of them only so many.
//!
//! Loopback is an address like any other: what this machine's own programs ask of the host goes over the local socket.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use iroh::EndpointId;
use iroh::endpoint::IncomingAddr;
use iroh::protocol::{IncomingFilter, IncomingFilterOutcome};

use crate::server::Bucket;

/// New connections of one address in a second, in the long run. Several hosts and arrays behind one router need fewer: they keep
/// the connections that they have.
const PER_SECOND: u32 = 20;
/// Those that may come at once, after a quiet time.
const BURST: u32 = 100;
/// New connections in a second whose address was not proved, of all addresses together.
const UNPROVED_PER_SECOND: u32 = 100;
/// Those that may come at once.
const UNPROVED_BURST: u32 = 200;
/// Addresses that are remembered.
const SOURCES_MAX: usize = 4096;

/// Where connections come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Source {
    V4(Ipv4Addr),
    /// The first half: whoever has one such address has all that begin like it.
    V6([u8; 8]),
    /// Through a relay, which has had it prove its key. Addresses behind relays are not known.
    Key(EndpointId),
}

/// What each address has had lately.
#[derive(Debug)]
struct Arrivals {
    sources: HashMap<Source, Bucket>,
    /// For those whose addresses were not proved.
    unproved: Bucket,
}

/// A bound on how fast connections come in, for a router.
pub(super) fn filter() -> IncomingFilter {
    let arrivals = Mutex::new(Arrivals::new(Instant::now()));
    Arc::new(move |incoming| {
        let Some(source) = Source::of(&incoming.remote_addr()) else { return IncomingFilterOutcome::Accept };
        let mut arrivals = arrivals.lock().unwrap_or_else(PoisonError::into_inner);
        let outcome = arrivals.judge(source, incoming.remote_addr_validated(), Instant::now());
        if outcome == IncomingFilterOutcome::Ignore {
            tracing::debug!(?source, "too many connections come from there: not answered");
        }
        outcome
    })
}

impl Source {
    /// `None` for ways of transport that this node does not use.
    fn of(address: &IncomingAddr) -> Option<Self> {
        match address {
            IncomingAddr::Ip(address) => Some(Self::of_ip(address.ip())),
            IncomingAddr::Relay { endpoint_id, .. } => Some(Self::Key(*endpoint_id)),
            _ => None,
        }
    }

    fn of_ip(ip: IpAddr) -> Self {
        match ip.to_canonical() {
            IpAddr::V4(ip) => Self::V4(ip),
            IpAddr::V6(ip) => {
                let [a, b, c, d, e, f, g, h, ..] = ip.octets();
                Self::V6([a, b, c, d, e, f, g, h])
            }
        }
    }
}

impl Arrivals {
    fn new(now: Instant) -> Self {
        Self { sources: HashMap::new(), unproved: Bucket::new(UNPROVED_PER_SECOND, UNPROVED_BURST, now) }
    }

    /// What becomes of a connection.
    fn judge(&mut self, source: Source, is_proved: bool, now: Instant) -> IncomingFilterOutcome {
        let level = self.sources.get(&source).map_or(f64::from(BURST), |bucket| bucket.level(now));
        if level < 1.0 {
            return IncomingFilterOutcome::Ignore;
        }
        if !is_proved && (level <= f64::from(BURST / 2) || !self.unproved.take(now)) {
            return IncomingFilterOutcome::Retry;
        }
        if !self.sources.contains_key(&source) {
            self.make_room(now);
        }
        self.sources.entry(source).or_insert_with(|| Bucket::new(PER_SECOND, BURST, now)).take(now);
        IncomingFilterOutcome::Accept
    }

    /// If there is none, forgets the half that has had least: nobody gets much by being forgotten, and looking at all of them is
    /// seldom.
    fn make_room(&mut self, now: Instant) {
        if self.sources.len() < SOURCES_MAX {
            return;
        }
        let mut levels: Vec<_> = self.sources.values().map(|bucket| bucket.level(now)).collect();
        let (_, median, _) = levels.select_nth_unstable_by(SOURCES_MAX / 2, f64::total_cmp);
        let median = *median;
        self.sources.retain(|_, bucket| bucket.level(now) < median);
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn v4(number: u32) -> Source {
        Source::of_ip(Ipv4Addr::from_bits(number).into())
    }

    /// How many of so many connections are taken on, and how many are to prove their address.
    fn come(arrivals: &mut Arrivals, source: Source, is_proved: bool, count: usize, now: Instant) -> (usize, usize) {
        let outcomes: Vec<_> = (0..count).map(|_| arrivals.judge(source, is_proved, now)).collect();
        let those = |wanted| outcomes.iter().filter(|outcome| **outcome == wanted).count();
        (those(IncomingFilterOutcome::Accept), those(IncomingFilterOutcome::Retry))
    }

    #[test]
    fn an_address_has_a_burst_and_then_a_rate_and_others_have_theirs() {
        let start = Instant::now();
        let mut arrivals = Arrivals::new(start);
        assert_eq!(come(&mut arrivals, v4(1), true, 1000, start), (100, 0));
        assert_eq!(come(&mut arrivals, v4(2), true, 10, start), (10, 0), "nobody waits for another address");
        let second = start + Duration::from_millis(1010);
        assert_eq!(come(&mut arrivals, v4(1), true, 1000, second), (20, 0));
    }

    #[test]
    fn who_forges_an_address_leaves_its_owner_half() {
        let start = Instant::now();
        let mut arrivals = Arrivals::new(start);
        assert_eq!(come(&mut arrivals, v4(1), false, 1000, start), (50, 950));
        assert_eq!(come(&mut arrivals, v4(1), true, 1000, start), (50, 0), "the owner proves that it is there");
        assert_eq!(
            come(&mut arrivals, v4(1), false, 10, start),
            (0, 0),
            "a token is for those who have something left"
        );
    }

    #[test]
    fn forged_addresses_together_have_a_rate_and_are_not_remembered() {
        let start = Instant::now();
        let mut arrivals = Arrivals::new(start);
        let taken: usize = (0..100_000).map(|number| come(&mut arrivals, v4(number), false, 1, start).0).sum();
        assert_eq!((taken, arrivals.sources.len()), (200, 200));
        assert_eq!(come(&mut arrivals, v4(7), true, 1, start), (1, 0));
    }

    #[test]
    fn the_table_is_bounded_and_forgets_no_flooder() {
        let start = Instant::now();
        let mut arrivals = Arrivals::new(start);
        assert_eq!(come(&mut arrivals, v4(0), true, 1000, start), (100, 0));
        for number in 1..50_000 {
            assert_eq!(come(&mut arrivals, v4(number), true, 1 + number as usize % 3, start).1, 0);
            assert!(arrivals.sources.len() <= SOURCES_MAX);
        }
        assert_eq!(come(&mut arrivals, v4(0), true, 1, start), (0, 0));
    }

    #[test]
    fn addresses_of_one_owner_are_one() {
        let of = |text: &str| Source::of_ip(text.parse().expect("address"));
        assert_eq!(of("2001:db8:1:2::1"), of("2001:db8:1:2:ffff::9"));
        assert_ne!(of("2001:db8:1:2::1"), of("2001:db8:1:3::1"));
        assert_eq!(of("::ffff:192.0.2.1"), of("192.0.2.1"));
    }
}
