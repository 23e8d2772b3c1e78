//! Few places that everybody wants: no peer may take more than half, and others' machines leave this machine's programs room.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::Peer;

/// Places, and who has how many.
#[derive(Debug)]
pub struct Crowded {
    places: usize,
    taken: Mutex<BTreeMap<Peer, usize>>,
}

/// A place, until this is dropped.
#[derive(Debug)]
pub struct Place<'a> {
    crowded: &'a Crowded,
    peer: Peer,
}

impl Crowded {
    /// So many places.
    pub fn new(places: usize) -> Self {
        Self { places, taken: Mutex::default() }
    }

    /// A place for a peer, if one is free and the peer has less than its share.
    pub fn take(&self, peer: Peer) -> Option<Place<'_>> {
        let mut taken = self.lock();
        let has = taken.get(&peer).copied().unwrap_or_default();
        let others = taken.iter().filter(|(peer, _)| **peer != Peer::Local).map(|(_, has)| has).sum::<usize>();
        if peer != Peer::Local && others >= self.places || has >= self.places.div_ceil(2) {
            return None;
        }
        taken.insert(peer, has + 1);
        Some(Place { crowded: self, peer })
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<Peer, usize>> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        let mut taken = self.crowded.lock();
        match taken.get_mut(&self.peer) {
            Some(has) if *has > 1 => *has -= 1,
            _ => drop(taken.remove(&self.peer)),
        }
    }
}

#[cfg(test)]
mod tests {
    use samebit_spec::HostKey;

    use super::*;

    #[test]
    fn one_peer_leaves_places_for_others() {
        let peers = [1, 2, 3].map(|number| Peer::Remote(HostKey::from_bytes([number; 32])));
        let crowded = Crowded::new(4);
        let [first, _second] = [0; 2].map(|_| crowded.take(peers[0]).expect("half is its own"));
        assert!(crowded.take(peers[0]).is_none(), "and no more");
        let _others = [0; 2].map(|_| crowded.take(peers[1]).expect("the other half"));
        assert!(crowded.take(peers[2]).is_none(), "all are taken");
        let _owner = crowded.take(Peer::Local).expect("strangers do not keep the owner out");
        drop(first);
        assert!(crowded.take(peers[1]).is_none());
        drop(crowded.take(peers[2]).expect("there is one again"));
        assert!(crowded.take(peers[0]).is_some());
    }
}
