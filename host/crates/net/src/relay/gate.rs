//! Who may use a relay. Asked once a client has proved its key.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

use iroh::EndpointId;
use iroh_relay::server::{Access, AccessControl, ClientRequest, ConnectionId};
use samebit_spec::HostKey;

/// Whose packets a relay carries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Admitted {
    /// Anybody's.
    Any,
    /// Those of these keys. To carry a packet, both its ends must be here.
    Keys(BTreeSet<HostKey>),
}

/// Connections of one key at once: some more than one, so that who comes back need not wait for its old connection to end.
const KEY_CLIENTS_MAX: usize = 4;

/// Admits clients, and counts them.
#[derive(Debug)]
pub(super) struct Gate {
    admitted: Admitted,
    clients_max: usize,
    clients: Mutex<BTreeMap<HostKey, usize>>,
}

impl Gate {
    pub(super) fn new(admitted: Admitted, clients_max: usize) -> Self {
        Self { admitted, clients_max, clients: Mutex::default() }
    }

    pub(super) fn clients(&self) -> usize {
        self.lock().values().sum()
    }

    fn admit(&self, key: &HostKey) -> Result<(), &'static str> {
        match &self.admitted {
            Admitted::Keys(keys) if !keys.contains(key) => return Err("this relay does not carry packets of this key"),
            _ => {}
        }
        let mut clients = self.lock();
        if clients.get(key).is_some_and(|count| *count >= KEY_CLIENTS_MAX) {
            return Err("this key has as many connections to this relay as it may");
        }
        if clients.values().sum::<usize>() >= self.clients_max {
            return Err("this relay has as many clients as it takes");
        }
        *clients.entry(*key).or_default() += 1;
        Ok(())
    }

    fn leave(&self, key: &HostKey) {
        let mut clients = self.lock();
        match clients.get_mut(key) {
            Some(count) if *count > 1 => *count -= 1,
            _ => drop(clients.remove(key)),
        }
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<HostKey, usize>> {
        self.clients.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl AccessControl for Gate {
    async fn on_connect(&self, request: &ClientRequest) -> Access {
        let key = HostKey::from_bytes(*request.endpoint_id().as_bytes());
        match self.admit(&key) {
            Ok(()) => {
                tracing::info!(client = %key, "a client is here");
                Access::Allow
            }
            Err(reason) => {
                tracing::info!(client = %key, "a client is sent away: {reason}");
                Access::Deny { reason: Some(reason.to_owned()) }
            }
        }
    }

    fn on_disconnect(&self, id: EndpointId, _connection: ConnectionId) {
        let key = HostKey::from_bytes(*id.as_bytes());
        self.leave(&key);
        tracing::info!(client = %key, "a client has gone");
    }
}

#[cfg(test)]
mod tests {
    use samebit_spec::SecretKey;

    use super::*;

    fn key(number: u8) -> HostKey {
        SecretKey::from_bytes(&[number; 32]).public()
    }

    #[test]
    fn only_keys_that_are_named_are_admitted() {
        let gate = Gate::new(Admitted::Keys([key(1)].into()), 10);
        gate.admit(&key(1)).expect("named");
        gate.admit(&key(2)).expect_err("a stranger");
        assert_eq!(gate.clients(), 1, "who is sent away is not counted");
    }

    #[test]
    fn there_are_never_more_than_so_many() {
        let gate = Gate::new(Admitted::Any, 2);
        gate.admit(&key(1)).expect("one");
        gate.admit(&key(1)).expect("two");
        gate.admit(&key(2)).expect_err("full");
        gate.leave(&key(1));
        gate.admit(&key(2)).expect("room again");
    }

    #[test]
    fn one_key_leaves_room_for_others() {
        let gate = Gate::new(Admitted::Any, 100);
        for _ in 0..KEY_CLIENTS_MAX {
            gate.admit(&key(1)).expect("its share");
        }
        gate.admit(&key(1)).expect_err("no more");
        gate.admit(&key(2)).expect("another");
        gate.leave(&key(1));
        gate.admit(&key(1)).expect("room again");
    }
}
