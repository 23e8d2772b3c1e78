//! Nodes on loopback, jobs and bytes.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use samebit_net::message::{OnDisconnect, Provider, Submit};
use samebit_net::store::Store;
use samebit_net::{MayServe, Node, NodeConfig, Reach, Server, ServerBounds};
use samebit_spec::{BlobRef, JobSpec, Limits, Profile, SecretKey};
use tempfile::TempDir;

use crate::script::Script;

/// Nothing here may take longer.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// Waits for something that must happen soon.
pub(crate) async fn soon<T>(what: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, what).await.expect("in time")
}

/// Folders for one test.
pub(crate) struct Lab {
    folder: PathBuf,
    bounds: ServerBounds,
    /// Removed with the lab, unless the folder is another's.
    _temporary: Option<TempDir>,
}

/// A node with what is behind it.
pub(crate) struct Machine {
    pub(crate) node: Node,
    pub(crate) store: Store,
    pub(crate) script: Arc<Script>,
    pub(crate) server: Server,
}

pub(crate) fn key(number: u8) -> SecretKey {
    SecretKey::from_bytes(&[number; 32])
}

impl Lab {
    pub(crate) fn new() -> Self {
        let temporary = tempfile::tempdir().expect("folder");
        let lab = Self::at(temporary.path());
        Self { _temporary: Some(temporary), ..lab }
    }

    /// In a folder of another lab's.
    pub(crate) fn at(folder: &Path) -> Self {
        Self { folder: folder.to_owned(), bounds: ServerBounds::default(), _temporary: None }
    }

    pub(crate) fn with_bounds(bounds: ServerBounds) -> Self {
        Self { bounds, ..Self::new() }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    pub(crate) async fn store(&self, number: u8) -> Store {
        Store::open(&self.path(&format!("store-{number}")), PATIENCE).await.expect("store")
    }

    /// A machine that serves every blob to everybody.
    pub(crate) async fn machine(&self, number: u8) -> Machine {
        self.machine_that(number, everything()).await
    }

    pub(crate) async fn machine_that(&self, number: u8, may_serve: MayServe) -> Machine {
        self.machine_at(number, Reach::Offline, may_serve).await
    }

    /// A machine that listens on loopback, and speaks to whom it is told to.
    pub(crate) async fn machine_at(&self, number: u8, reach: Reach, may_serve: MayServe) -> Machine {
        let store = self.store(number).await;
        let script = Arc::new(Script::new(key(number)));
        let server = Server::new(script.clone(), self.bounds.clone());
        let config = NodeConfig {
            key: key(number),
            bind: vec![([127, 0, 0, 1], 0).into()],
            reach,
            connect_time: Duration::from_secs(2),
            server: Some(server.clone()),
            may_serve: Some(may_serve),
            may_send: None,
            gossip: true,
        };
        let node = Node::start(config, &store).await.expect("node");
        Machine { node, store, script, server }
    }
}

impl Machine {
    pub(crate) fn provider(&self) -> Provider {
        self.node.provider()
    }

    pub(crate) async fn add(&self, bytes: &[u8]) -> BlobRef {
        let (blob, pin) = self.store.import_bytes(bytes.to_vec().into()).await.expect("imported");
        drop(pin);
        blob
    }

    /// A connection for blobs that goes around everything of ours on the asking side.
    pub(crate) async fn raw_connection(&self, to: &Provider) -> iroh::endpoint::Connection {
        use iroh::endpoint::{Endpoint, presets};
        let id = iroh::EndpointId::from_bytes(to.host.as_bytes()).expect("key");
        let address = to.addresses.iter().fold(iroh::EndpointAddr::new(id), |address, ip| address.with_ip_addr(*ip));
        let endpoint = Endpoint::builder(presets::Minimal).relay_mode(iroh::RelayMode::Disabled);
        let endpoint = soon(endpoint.bind()).await.expect("bound");
        let connection = soon(endpoint.connect(address, iroh_blobs::ALPN)).await.expect("connected");
        // Closed by the end of the test.
        std::mem::forget(endpoint);
        connection
    }

    pub(crate) async fn stop(self) {
        self.node.stop().await;
        self.store.close().await.expect("closed");
    }
}

pub(crate) fn everything() -> MayServe {
    Arc::new(|_, _| Box::pin(async { true }))
}

/// Bytes that look random and depend on the seed alone.
pub(crate) fn noise(seed: u64, size: usize) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let words = std::iter::repeat_with(move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()
    });
    words.flatten().take(size).collect()
}

pub(crate) fn job(name: &str) -> JobSpec {
    JobSpec {
        module: BlobRef::of(b"a module"),
        args: vec![name.to_owned()],
        inputs: BTreeMap::new(),
        limits: Limits::default(),
        profile: Profile::Exact,
        tolerances: BTreeMap::new(),
    }
}

pub(crate) fn submit(name: &str, on_disconnect: OnDisconnect) -> Submit {
    Submit { job: job(name), publication: None, providers: Vec::new(), on_disconnect }
}
