//! `samebit/1` over QUIC: each connection is a peer that proved its key, each stream a request.

use std::sync::Arc;
use std::time::Duration;

use iroh::endpoint::Connection;
use iroh::protocol::{AcceptError, ProtocolHandler};
use samebit_spec::HostKey;
use tokio::time::timeout;

use crate::client::{CLOSED_DONE, CLOSED_REFUSED};
use crate::{Peer, Server};

/// How long a peer may take to confirm the last of an answer.
const CONFIRM_TIME: Duration = Duration::from_secs(2);

/// Accepts connections for a server.
#[derive(Debug)]
pub(super) struct Jobs {
    server: Server,
}

impl Jobs {
    pub(super) fn new(server: Server) -> Self {
        Self { server }
    }
}

impl ProtocolHandler for Jobs {
    async fn accept(&self, connection: Connection) -> Result<(), AcceptError> {
        let peer = Peer::Remote(HostKey::from_bytes(*connection.remote_id().as_bytes()));
        let admitted = match self.server.connect(peer) {
            Ok(admitted) => Arc::new(admitted),
            Err(refusal) => {
                tracing::debug!(%peer, "turned away: {refusal}");
                connection.close(CLOSED_REFUSED.into(), &samebit_spec::encode(&refusal));
                return Ok(());
            }
        };
        loop {
            // Room first: what a peer opens beyond its share waits in its own buffers, not here.
            let next = async {
                let room = admitted.room().await;
                Some((room, connection.accept_bi().await.ok()?))
            };
            let next = tokio::select! {
                next = next => next,
                () = self.server.stopped() => break,
                () = admitted.left() => {
                    tracing::debug!(%peer, "gave way to another");
                    connection.close(CLOSED_DONE.into(), b"");
                    return Ok(());
                }
            };
            let Some((room, (mut outgoing, incoming))) = next else { break };
            let admitted = admitted.clone();
            tokio::spawn(async move {
                admitted.serve(incoming, &mut outgoing).await;
                // Closing a connection discards what the peer has not confirmed yet, such as why its stream ended.
                let _ = timeout(CONFIRM_TIME, outgoing.stopped()).await;
                drop(room);
            });
        }
        admitted.idle().await;
        connection.close(CLOSED_DONE.into(), b"");
        Ok(())
    }

    async fn shutdown(&self) {
        self.server.stop();
    }
}
