//! This machine on the network: one endpoint, known by the host's key, with what it accepts and whom it can reach.
//!
//! A node speaks to the peers that it is told of and to the services that its [`Reach`] names, and to nobody else.

mod arrivals;
mod blobs;
mod congestion;
mod jobs;
mod lookup;
mod reach;

use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use iroh::address_lookup::memory::MemoryLookup;
use iroh::endpoint::{ConnectError, ConnectingError, Connection, ConnectionError, Endpoint, TransportErrorCode};
use iroh::protocol::Router;
use iroh::{EndpointAddr, TransportAddr};
use iroh_gossip::net::Gossip;
use samebit_spec::{Hash, HostKey, SecretKey};
use samebit_store::Store;
use thiserror::Error;
use tokio::time::timeout;

pub use reach::{Dht, Reach, Relays};

use crate::address::AddressError;
use crate::client::{Client, ClientError, Link};
use crate::message::Provider;
use crate::{ALPN, Server, announce};

/// How long connecting may take, if nothing else is configured.
pub const CONNECT_TIME: Duration = Duration::from_secs(10);

/// How long a node that is to be reached through relays waits for one of them before it goes on without.
const RELAY_TIME: Duration = Duration::from_secs(5);

/// Decides which blobs a peer may have. The store may hold more than is meant for everybody.
pub type MayServe = Arc<dyn Fn(HostKey, Hash) -> BoxFuture<'static, bool> + Send + Sync>;

/// Told how many bytes of blobs are about to go to a peer. False: no more of them.
pub type MaySend = Arc<dyn Fn(HostKey, u64) -> bool + Send + Sync>;

/// How to take part.
pub struct NodeConfig {
    /// The host's key, which peers authenticate it by.
    pub key: SecretKey,
    /// Where to listen; any free port of every interface if this is empty.
    pub bind: Vec<SocketAddr>,
    /// Which services help to find and reach others.
    pub reach: Reach,
    /// How long connecting to another node may take.
    pub connect_time: Duration,
    /// Jobs, if this node takes any.
    pub server: Option<Server>,
    /// Blobs, if this node serves any.
    pub may_serve: Option<MayServe>,
    /// How much of blobs may go to a peer, if that is bounded.
    pub may_send: Option<MaySend>,
    /// True to take part in announcements, by [`Node::join`].
    pub gossip: bool,
}

impl NodeConfig {
    /// A node that listens wherever it can, reaches others, and serves nothing.
    pub fn new(key: SecretKey, reach: Reach) -> Self {
        let connect_time = CONNECT_TIME;
        let (server, may_serve, may_send) = (None, None, None);
        Self { key, bind: Vec::new(), reach, connect_time, server, may_serve, may_send, gossip: false }
    }
}

/// Why a node cannot take part.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum NodeError {
    /// Nothing may leave the machine, but something would.
    #[error("cannot listen at {0}: it is not a loopback address, and this host is offline; leave out one of the two")]
    NotLoopback(SocketAddr),
    /// An address cannot be listened at.
    #[error("cannot listen: {0}; is the port in use?")]
    Bind(String),
    /// A relay or key is none.
    #[error(transparent)]
    Address(#[from] AddressError),
}

/// An endpoint on the network.
#[derive(Clone)]
pub struct Node {
    endpoint: Endpoint,
    router: Router,
    known: MemoryLookup,
    /// Addresses from announcements, which are strangers' word: the newest of each host, apart from those that the user named.
    heard: MemoryLookup,
    relays: Relays,
    store: Store,
    connect_time: Duration,
    gossip: Option<Gossip>,
}

impl Node {
    /// Listens, and serves what the configuration gives it to serve.
    pub async fn start(config: NodeConfig, store: &Store) -> Result<Self, NodeError> {
        let known = MemoryLookup::new();
        let heard = MemoryLookup::new();
        let endpoint = reach::bind(&config, [&known, &heard]).await?;
        let relays = config.reach.relays();
        // Others are told of this node's relay: what is said before it has one is of no use to them.
        if relays != Relays::None && timeout(RELAY_TIME, endpoint.online()).await.is_err() {
            tracing::warn!("no relay answers: this node can be reached at its own addresses alone for now");
        }
        let connect_time = config.connect_time;
        let mut router = Router::builder(endpoint.clone());
        if let Some(may_serve) = config.may_serve {
            router = router.accept(iroh_blobs::ALPN, blobs::Blobs::new(store.clone(), may_serve, config.may_send));
        }
        if let Some(server) = config.server {
            // Only hosts are known to strangers. A submitter is sent to by those whom it asked, as often as they have jobs of it.
            router = router.accept(ALPN, jobs::Jobs::new(server)).incoming_filter(arrivals::filter());
        }
        let gossip = config.gossip.then(|| announce::gossip(&endpoint));
        if let Some(gossip) = &gossip {
            router = router.accept(iroh_gossip::ALPN, gossip.clone());
        }
        Ok(Self { endpoint, router: router.spawn(), known, heard, relays, store: store.clone(), connect_time, gossip })
    }

    /// This host's key.
    pub fn key(&self) -> HostKey {
        HostKey::from_bytes(*self.endpoint.id().as_bytes())
    }

    /// This host, with the addresses that it knows itself by now.
    pub fn provider(&self) -> Provider {
        Provider::from_endpoint(&self.endpoint.addr())
    }

    /// The sockets that this node listens at.
    pub fn sockets(&self) -> Vec<SocketAddr> {
        self.endpoint.bound_sockets()
    }

    /// The store behind this node.
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// Remembers how a host can be reached.
    pub fn remember(&self, provider: &Provider) -> Result<(), AddressError> {
        self.known.add_endpoint_info(self.address(provider)?);
        Ok(())
    }

    /// Remembers how a host says that it can be reached, in the place of what it said before.
    pub(crate) fn hear(&self, provider: &Provider) -> Result<(), AddressError> {
        self.heard.set_endpoint_info(self.address(provider)?);
        Ok(())
    }

    /// Forgets what a host said.
    pub(crate) fn unhear(&self, host: &HostKey) {
        if let Ok(id) = iroh::EndpointId::from_bytes(host.as_bytes()) {
            self.heard.remove_endpoint_info(id);
        }
    }

    /// A host's address as far as this node may use it: a relay that it is not configured to speak to is left out, since
    /// otherwise whoever names a provider could choose what this machine connects to. A host of which the key alone is
    /// known may be at one's own relays, so those are tried.
    fn address(&self, provider: &Provider) -> Result<EndpointAddr, AddressError> {
        let mut address = provider.endpoint()?;
        if address.is_empty() {
            address.addrs.extend(self.relays.own()?.into_iter().map(TransportAddr::Relay));
        }
        address.addrs.retain(|way| !matches!(way, TransportAddr::Relay(url) if !self.relays.contains(url)));
        Ok(address)
    }

    /// How long connecting may take.
    pub(crate) fn connect_time(&self) -> Duration {
        self.connect_time
    }

    /// The gossip, if this node takes part.
    pub(crate) fn gossip(&self) -> Option<&Gossip> {
        self.gossip.as_ref()
    }

    /// Connects to a host.
    pub async fn connect(&self, host: &Provider) -> Result<Client, ClientError> {
        Ok(Client::new(Link::Quic(self.open(host, ALPN).await?)))
    }

    /// Opens a connection for a protocol.
    pub(crate) async fn open(&self, host: &Provider, alpn: &[u8]) -> Result<Connection, ClientError> {
        let unreachable = |reason: String| ClientError::Unreachable { host: host.host.to_string(), reason };
        let address = self.address(host).map_err(|error| unreachable(error.to_string()))?;
        match timeout(self.connect_time, self.dial(address, alpn)).await {
            Ok(Ok(connection)) => {
                connection.set_receive_window(reach::UNREAD_BYTES_MAX_OF_HOSTS.into());
                Ok(connection)
            }
            Ok(Err(error)) => Err(unreachable(format!("{error:#}"))),
            Err(_) => Err(unreachable(format!("no answer within {} s", self.connect_time.as_secs()))),
        }
    }

    /// Connects, and a second time if the host took a token that it had sent to one of this machine's addresses from another
    /// of them: everything before the connection stands goes every way at once.
    async fn dial(&self, address: EndpointAddr, alpn: &[u8]) -> Result<Connection, ConnectError> {
        match self.endpoint.connect(address.clone(), alpn).await {
            Err(error) if is_about_a_token(&error) => self.endpoint.connect(address, alpn).await,
            connected => connected,
        }
    }

    /// Ends every connection. The store stays open.
    pub async fn stop(&self) {
        if let Err(error) = self.router.shutdown().await {
            tracing::warn!("the network side did not stop cleanly: {error}");
        }
    }
}

fn is_about_a_token(error: &ConnectError) -> bool {
    let (ConnectError::Connection { source, .. }
    | ConnectError::Connecting { source: ConnectingError::ConnectionError { source, .. }, .. }) = error
    else {
        return false;
    };
    matches!(source, ConnectionError::ConnectionClosed(close) if close.error_code == TransportErrorCode::INVALID_TOKEN)
}

impl fmt::Debug for Node {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Node").field("key", &self.key()).finish_non_exhaustive()
    }
}
