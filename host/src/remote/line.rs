//! A host that is asked more than once: one connection for all questions, made again when it broke.

use std::time::Instant;

use samebit_net::message::Provider;
use samebit_net::{Client, ClientError};
use tokio::sync::Mutex;

use super::Desk;

/// Whom a line leads to.
enum Whom {
    /// Another machine.
    Remote(Provider),
    /// This user's daemon.
    Local(Client),
}

/// A way to a host.
pub(crate) struct Line {
    whom: Whom,
    held: Mutex<Held>,
}

#[derive(Default)]
struct Held {
    client: Option<Client>,
    /// When a connection could not be made, and why.
    failed: Option<(Instant, String)>,
}

impl Line {
    /// To another machine.
    pub(crate) fn remote(provider: Provider) -> Self {
        Self { whom: Whom::Remote(provider), held: Mutex::default() }
    }

    /// To this user's daemon.
    pub(crate) fn local(client: Client) -> Self {
        Self { whom: Whom::Local(client), held: Mutex::default() }
    }

    /// The host, unless it is this user's daemon.
    pub(crate) fn provider(&self) -> Option<&Provider> {
        match &self.whom {
            Whom::Remote(provider) => Some(provider),
            Whom::Local(_) => None,
        }
    }

    /// The connection, or a new one in the place of one that broke. Who waits while one cannot be made hears the same.
    pub(crate) async fn client(&self, desk: &Desk) -> Result<Client, ClientError> {
        let provider = match &self.whom {
            Whom::Local(client) => return Ok(client.clone()),
            Whom::Remote(provider) => provider,
        };
        let asked = Instant::now();
        let mut held = self.held.lock().await;
        if let Some(client) = held.client.as_ref().filter(|client| !client.is_closed()) {
            return Ok(client.clone());
        }
        if let Some((when, reason)) = &held.failed
            && *when >= asked
        {
            return Err(ClientError::Unreachable { host: provider.host.to_string(), reason: reason.clone() });
        }
        match desk.node.connect(provider).await {
            Ok(client) => {
                held.client = Some(client.clone());
                Ok(client)
            }
            Err(error) => {
                if let ClientError::Unreachable { reason, .. } = &error {
                    held.failed = Some((Instant::now(), reason.clone()));
                }
                Err(error)
            }
        }
    }
}
