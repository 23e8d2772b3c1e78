//! Who may use a relay. Asked once a client has proved its key.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicUsize, Ordering};

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

/// Admits clients, and counts them.
#[derive(Debug)]
pub(super) struct Gate {
    admitted: Admitted,
    clients_max: usize,
    clients: AtomicUsize,
}

impl Gate {
    pub(super) fn new(admitted: Admitted, clients_max: usize) -> Self {
        Self { admitted, clients_max, clients: AtomicUsize::new(0) }
    }

    pub(super) fn clients(&self) -> usize {
        self.clients.load(Ordering::Relaxed)
    }

    fn admit(&self, key: &HostKey) -> Result<(), &'static str> {
        match &self.admitted {
            Admitted::Keys(keys) if !keys.contains(key) => return Err("this relay does not carry packets of this key"),
            _ => {}
        }
        let more = |clients: usize| (clients < self.clients_max).then_some(clients + 1);
        let counted = self.clients.fetch_update(Ordering::Relaxed, Ordering::Relaxed, more);
        counted.map(|_| ()).map_err(|_| "this relay has as many clients as it takes")
    }

    fn leave(&self) {
        self.clients.fetch_sub(1, Ordering::Relaxed);
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
        self.leave();
        tracing::info!(client = %HostKey::from_bytes(*id.as_bytes()), "a client has gone");
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
        gate.leave();
        gate.admit(&key(2)).expect("room again");
    }
}
