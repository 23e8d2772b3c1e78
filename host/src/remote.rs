//! This machine as a client of hosts: a store for what travels, and a node to travel with.
//!
//! Works with this user's own store. If a daemon holds that, a temporary one takes its place, and what ends up in it is
//! gone when the command ends; the identity is the same.

mod line;
mod order;

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use samebit_net::local::{self, SOCKET_NAME};
use samebit_net::message::Provider;
use samebit_net::{
    BlobAddress, Client, ClientError, FetchError, FetchProgress, Fetcher, Node, NodeConfig, Reach, Wish,
};
use samebit_runner::spec::{BlobRef, Hash, HostKey, SecretKey};
use samebit_runner::store::{OpenError, Pin, Store};
use tempfile::TempDir;

pub(crate) use self::line::Line;
pub(crate) use self::order::Order;
use crate::config::Config;
use crate::daemon::config::reach::reach;
use crate::error::Failure;
use crate::key;
use crate::machine::{create_or_load, open_store};
use crate::output::Output;

/// How long another process may hold the store before a temporary one takes its place.
const STORE_WAIT: Duration = Duration::from_secs(2);

/// How long connecting to a host may take.
const CONNECT_TIME: Duration = Duration::from_secs(10);

/// Flags of every command that speaks to hosts.
#[derive(Debug, Clone, Default, PartialEq, Eq, clap::Args)]
#[command(next_help_heading = "Network")]
pub(crate) struct NetArgs {
    /// Nothing leaves this machine: speak to hosts on loopback alone
    #[arg(long)]
    offline: bool,
    /// Reach hosts through this relay's URL (repeatable), or through those of n0 with `public`
    #[arg(long, value_name = "URL", conflicts_with = "offline")]
    relay: Vec<String>,
    /// Find hosts on the local network
    #[arg(long, conflicts_with = "offline")]
    mdns: bool,
    /// Look hosts up by their keys in BitTorrent's distributed hash table, or in one that is entered through this node
    /// (repeatable)
    #[arg(
        long, value_name = "NAME:PORT", conflicts_with = "offline", num_args = 0..=1, require_equals = true,
        default_missing_value = "public"
    )]
    dht: Vec<String>,
}

/// Whom a desk is to speak to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum To {
    /// This user's own daemon.
    Daemon,
    /// Other hosts.
    Others,
}

/// Blobs that hosts may fetch from here.
type Offered = Arc<Mutex<BTreeSet<Hash>>>;

/// A store and a node.
pub(crate) struct Desk {
    /// Where blobs are.
    pub(crate) store: Store,
    /// What they travel with.
    pub(crate) node: Node,
    /// What hosts fetch from, where it is another: see [`Desk::open`].
    shelf: Option<Node>,
    offered: Offered,
    /// Holds a temporary store's folder.
    temporary: Option<TempDir>,
}

impl NetArgs {
    /// Refuses flags that would have no effect, since this user's daemon does the work, by its own settings.
    pub(crate) fn check_for_daemon(&self) -> Result<(), Failure> {
        if *self == Self::default() {
            return Ok(());
        }
        let why = "a host is up on this store and does this by its own settings: leave out --offline, --relay, --mdns \
                   and --dht";
        Err(Failure::usage("network", why))
    }

    /// Whom to speak to.
    pub(crate) fn reach(&self) -> Result<Reach, Failure> {
        reach(self.offline, self.relay.clone(), self.mdns, self.dht.clone())
    }
}

impl Desk {
    /// Opens the store, or a temporary one if it is held, and a node over it.
    ///
    /// This user's daemon has the same key then, and hosts that know it would look for blobs there: so they are served
    /// under a key that nobody else has.
    pub(crate) async fn open(config: &Config, net: &NetArgs, to: To, output: &Output) -> Result<Self, Failure> {
        let reach = net.reach()?;
        let (store, temporary) = match Store::open(config.store(), STORE_WAIT).await {
            Ok(store) => (store, None),
            Err(OpenError::Busy { .. }) if client(config).is_some() => {
                let folder = tempfile::Builder::new().prefix("samebit-").tempdir();
                let folder = folder.map_err(|error| Failure::host("store", format!("no temporary store: {error}")))?;
                (open_store(folder.path(), output).await?, Some(folder))
            }
            Err(OpenError::Busy { .. }) => (open_store(config.store(), output).await?, None),
            Err(error) => return Err(error.into()),
        };
        let key = match (&temporary, to) {
            (None, _) => create_or_load(config, output)?,
            (Some(_), To::Others) => key::load(&config.key())?,
            // The daemon has this user's key, and asks nobody for blobs who is itself.
            (Some(_), To::Daemon) => key::fresh()?,
        };
        let is_double = temporary.is_some() && matches!(to, To::Others);
        let mut desk = Self::over(store, key, reach.clone(), temporary).await?;
        if is_double {
            desk.shelf = Some(serve(&desk.store, key::fresh()?, reach, &desk.offered).await?);
        }
        Ok(desk)
    }

    /// A node over a store that is open.
    pub(crate) async fn over(
        store: Store,
        key: SecretKey,
        reach: Reach,
        temporary: Option<TempDir>,
    ) -> Result<Self, Failure> {
        let offered = Offered::default();
        let node = serve(&store, key, reach, &offered).await?;
        Ok(Self { store, node, shelf: None, offered, temporary })
    }

    /// Where hosts fetch blobs from that are offered here.
    pub(crate) fn provider(&self) -> Provider {
        self.shelf.as_ref().unwrap_or(&self.node).provider()
    }

    /// Lets hosts fetch these blobs from here. Whoever knows a hash was told it.
    pub(crate) fn offer(&self, hashes: impl IntoIterator<Item = Hash>) {
        self.offered.lock().unwrap_or_else(PoisonError::into_inner).extend(hashes);
    }

    /// True if what is put into the store stays there.
    pub(crate) fn is_lasting(&self) -> bool {
        self.temporary.is_none()
    }

    /// Gets blobs from these hosts into the store.
    pub(crate) async fn fetch(&self, blobs: &[BlobRef], from: &[Provider]) -> Result<Vec<Pin>, Failure> {
        Ok(fetch(&self.node, blobs, from, &|_| ()).await?)
    }

    /// Ends the node and frees the store.
    pub(crate) async fn close(self) -> Result<(), Failure> {
        if let Some(shelf) = &self.shelf {
            shelf.stop().await;
        }
        self.node.stop().await;
        self.store.close().await?;
        Ok(())
    }
}

/// Starts a node that lets hosts fetch what is offered.
async fn serve(store: &Store, key: SecretKey, reach: Reach, offered: &Offered) -> Result<Node, Failure> {
    let offer = offered.clone();
    let may_serve = Arc::new(move |_peer: HostKey, hash: Hash| {
        let offered = offer.lock().unwrap_or_else(PoisonError::into_inner).contains(&hash);
        Box::pin(async move { offered }) as _
    });
    let config = NodeConfig {
        key,
        bind: Vec::new(),
        reach,
        connect_time: CONNECT_TIME,
        server: None,
        may_serve: Some(may_serve),
        may_send: None,
        gossip: false,
    };
    Node::start(config, store).await.map_err(|error| Failure::host("network", error.to_string()))
}

/// Gets blobs from these hosts into a node's store, where they stay until the pins are dropped.
pub(crate) async fn fetch(
    node: &Node,
    blobs: &[BlobRef],
    from: &[Provider],
    progress: &(dyn Fn(FetchProgress) + Send + Sync),
) -> Result<Vec<Pin>, FetchError> {
    let wishes: Vec<_> = blobs.iter().copied().map(Wish::from).collect();
    // Each size is known, and nothing larger than that is taken.
    let fetched = Fetcher::new(node, from, u64::MAX).fetch_all(&wishes, progress).await?;
    Ok(fetched.into_iter().map(|(_, pin)| pin).collect())
}

/// A client of this user's daemon, if one is there. A socket that a killed daemon left behind answers nobody.
#[cfg(unix)]
pub(crate) fn client(config: &Config) -> Option<Client> {
    let path = config.store().join(SOCKET_NAME);
    std::os::unix::net::UnixStream::connect(&path).is_ok().then(|| local::client(&path))
}

/// There is no local socket on this platform yet.
#[cfg(not(unix))]
pub(crate) fn client(_config: &Config) -> Option<Client> {
    None
}

/// Reads a host as users name it.
pub(crate) fn host(text: &str) -> Result<Provider, String> {
    Provider::parse(text).map_err(|error| error.to_string())
}

/// Reads somebody who may have a blob. Whoever made a ticket for a blob may have others, too.
pub(crate) fn provider(text: &str) -> Result<Provider, String> {
    match BlobAddress::parse(text) {
        Ok(BlobAddress { provider: Some(provider), .. }) => Ok(provider),
        _ => host(text),
    }
}

impl From<ClientError> for Failure {
    fn from(error: ClientError) -> Self {
        match &error {
            ClientError::Refused(_) => Self::usage("refused", error.to_string()),
            _ => Self::host("network", error.to_string()),
        }
    }
}

impl From<FetchError> for Failure {
    fn from(error: FetchError) -> Self {
        match &error {
            FetchError::Size { .. } | FetchError::TooLarge { .. } => Self::usage("fetch", error.to_string()),
            _ => Self::host("fetch", error.to_string()),
        }
    }
}
