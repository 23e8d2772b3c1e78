//! The host's side of the protocol: connections are admitted and counted, streams are read, answered and ended.
//!
//! The same on every transport. Whoever accepts connections hands each to [`Server::connect`] with the peer's
//! authenticated key, and each of its streams to [`Connection::serve`]. Nothing that a peer does or leaves undone holds
//! more than its share: connections, streams, requests per second, time to send a request and time to read an answer
//! are all bounded, and so is the memory behind them.

mod bounds;
mod bucket;
mod crowded;
mod gate;
mod stream;

use std::fmt;
use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::time::timeout;

pub use bounds::{PeerBounds, ServerBounds};
pub use crowded::{Crowded, Place};

pub(crate) use self::bucket::Bucket;
pub(crate) use self::gate::{Gate, Pass};
use crate::message::{Refusal, rule};
use crate::{Peer, Service};

/// Serves a [`Service`] to peers. Clones are handles to the same server.
#[derive(Clone)]
pub struct Server {
    shared: Arc<Shared>,
}

struct Shared {
    service: Arc<dyn Service>,
    bounds: ServerBounds,
    gate: Arc<Gate>,
    /// One for each long request that may be in memory.
    long_requests: Crowded,
    stopping: watch::Sender<bool>,
}

/// A peer that was let in. Dropping it makes room for another.
pub struct Connection {
    server: Server,
    peer: Peer,
    pass: Pass,
    streams: Arc<Semaphore>,
    streams_max: usize,
}

impl Server {
    /// A server for a service.
    pub fn new(service: Arc<dyn Service>, bounds: ServerBounds) -> Self {
        let gate = Arc::new(Gate::new(bounds.connections));
        let long_requests = Crowded::new(bounds.long_requests);
        let stopping = watch::Sender::new(false);
        Self { shared: Arc::new(Shared { service, bounds, gate, long_requests, stopping }) }
    }

    /// Lets a peer in, or says why not.
    pub fn connect(&self, peer: Peer) -> Result<Connection, Refusal> {
        if *self.shared.stopping.borrow() {
            return Err(stopping());
        }
        let bounds = self.shared.service.admit(peer)?;
        let pass = self.shared.gate.enter(peer, &bounds)?;
        let streams = Arc::new(Semaphore::new(bounds.streams));
        Ok(Connection { server: self.clone(), peer, pass, streams, streams_max: bounds.streams })
    }

    /// Ends every stream with a refusal that tells the client to come back later, and lets nobody in any more.
    pub fn stop(&self) {
        self.shared.stopping.send_replace(true);
    }

    /// Waits for [`Server::stop`].
    pub async fn stopped(&self) {
        // The sender lives as long as this server, so waiting cannot fail.
        let _ = self.shared.stopping.subscribe().wait_for(|stopping| *stopping).await;
    }
}

impl Connection {
    /// Waits until this peer may have another stream.
    pub async fn room(&self) -> OwnedSemaphorePermit {
        // The semaphore is never closed.
        self.streams.clone().acquire_owned().await.expect("open semaphore")
    }

    /// Returns when this connection is to end, since it was long unused and the place is another's.
    pub async fn left(&self) {
        self.pass.left().await;
    }

    /// Waits until every stream was answered, for as long as an answer may take.
    pub async fn idle(&self) {
        let streams = u32::try_from(self.streams_max).unwrap_or(u32::MAX);
        let _ = timeout(self.server.shared.bounds.response_time, self.streams.acquire_many(streams)).await;
    }
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server").field("bounds", &self.shared.bounds).finish_non_exhaustive()
    }
}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connection").field("peer", &self.peer).finish_non_exhaustive()
    }
}

fn stopping() -> Refusal {
    Refusal::new(rule::STOPPING, "this host stops: what it accepted is kept; come back when it is up again")
}
