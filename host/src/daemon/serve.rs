//! A host from its start to its end: everything is put together, served, and taken apart in the opposite order.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use samebit_gpu::worker::WorkerOptions;
#[cfg(unix)]
use samebit_net::local::{LocalListener, SOCKET_NAME};
use samebit_net::message::{DeviceOffer, Text};
use samebit_net::{Node, NodeConfig, Server, ServerBounds};
use samebit_runner::engine::DeviceSource;
use samebit_runner::engine::device::Device;
use samebit_runner::spec::{Hash, Receipt};
use tokio::runtime::{Builder, Handle, Runtime};

use super::config::HostConfig;
use super::disk::Room;
use super::endpoint;
use super::jobs::{Jobs, Means};
use super::metrics::Metrics;
use super::node::LateNode;
use super::open::OpenBlobs;
use super::service::{About, HostService, may_send, may_serve};
use super::spent::Spent;
use super::state::{Found, State};
use crate::config::Config;
use crate::error::Failure;
use crate::machine::Machine;
use crate::output::Output;

/// How long connecting to another host may take.
const CONNECT_TIME: Duration = Duration::from_secs(10);
/// How often is looked whether the store's index still answers.
const INDEX_LOOK: Duration = Duration::from_secs(2);
/// The folder of the host's state in the store.
const STATE_DIR: &str = "host";
/// The state's file in it.
const STATE_FILE: &str = "state.redb";

/// A host that is up.
pub(crate) struct Serving {
    service: HostService,
    node: Node,
    server: Server,
    _guests: Guests,
    drain: Duration,
}

impl Serving {
    /// Starts a host.
    pub(crate) async fn start(config: &Config, host: HostConfig, output: &Output) -> Result<Self, Failure> {
        // One device for all jobs: sessions of one share its threads fairly.
        let source = host.device.clone().source(config.batteries(), WorkerOptions::default());
        let mut machine = Machine::open(config, source.clone(), host.wall_time, output).await?;
        let device = opened(source).await?;
        machine.host.caps = host.policy.job.limits.clone();
        // First, so that it counts whatever is done from here on.
        machine.host.store.keep_accounts().await?;
        let (state, found) = open_state(config.store()).await?;
        let open = Arc::new(OpenBlobs::default());
        fill(&open, &state, &machine).await?;
        let guests = Guests::start(host.slots)?;
        let node = LateNode::new();
        let about = About { devices: vec![offer(device.as_ref())], price: host.price, labels: host.labels };
        let key = machine.key.clone();
        let store = machine.host.store.clone();
        let metrics = Arc::new(Metrics::default());
        let means = Means {
            room: Room::new(store.clone(), config.store(), host.disk, metrics.clone()),
            machine,
            state,
            policy: host.policy,
            caps: host.caps,
            slots: host.slots,
            fetch: Arc::new(node.clone()),
            guests: guests.handle(),
            metrics,
            spent: Arc::new(Spent::new(Instant::now())),
            open: open.clone(),
        };
        let jobs = Jobs::start(means, found).await.map_err(|error| Failure::host("state", error.to_string()))?;
        let crowd = Arc::default();
        let service = HostService { jobs: jobs.clone(), node: node.clone(), open: open.clone(), about, crowd };
        let server = Server::new(Arc::new(service.clone()), ServerBounds::default());
        let network = NodeConfig {
            key,
            bind: host.bind,
            reach: host.reach,
            connect_time: CONNECT_TIME,
            server: Some(server.clone()),
            may_send: may_send(&jobs),
            may_serve: Some(may_serve(open, jobs)),
            gossip: host.announce || !host.peers.is_empty(),
        };
        let takes_part = network.gossip;
        let up = Node::start(network, &store).await.map_err(|error| Failure::host("network", error.to_string()))?;
        node.set(up.clone());
        if takes_part {
            let crowd = up.join(&host.peers).await.map_err(|error| Failure::host("network", error.to_string()))?;
            service.take_part(Arc::new(crowd), host.announce);
        }
        let serving = Self { service, node: up, server, _guests: guests, drain: host.drain };
        serving.listen(config.store(), host.metrics).await?;
        // The quota may be smaller than it was. By now jobs that were taken on hold what they need.
        drop(serving.service.jobs.means().room.make(0).await);
        Ok(serving)
    }

    /// Serves programs on this machine.
    async fn listen(&self, store: &Path, metrics: Option<std::net::SocketAddr>) -> Result<(), Failure> {
        self.listen_locally(store);
        if let Some(address) = metrics {
            let jobs = self.service.jobs.clone();
            let text = move || {
                let means = jobs.means();
                means.metrics.text(&jobs.load(), jobs.receipts(), means.room.usage())
            };
            endpoint::serve(address, text)
                .await
                .map_err(|error| Failure::host("metrics", format!("metrics cannot be served at {address}: {error}")))?;
        }
        Ok(())
    }

    #[cfg(unix)]
    fn listen_locally(&self, store: &Path) {
        let path = store.join(SOCKET_NAME);
        match LocalListener::bind(&path) {
            Ok(listener) => {
                let server = self.server.clone();
                tokio::spawn(async move { listener.serve(server).await });
            }
            // The path may be too long for a socket. Everything else works.
            Err(error) => {
                tracing::warn!("no local socket at {}: {error}; commands here must name this host", path.display())
            }
        }
    }

    #[cfg(not(unix))]
    fn listen_locally(&self, _store: &Path) {}

    /// How others reach this host.
    pub(crate) fn ticket(&self) -> Result<String, Failure> {
        self.node.provider().ticket().map_err(|error| Failure::host("network", error.to_string()))
    }

    /// The host's key.
    pub(crate) fn key(&self) -> String {
        self.node.key().to_string()
    }

    /// Where it listens.
    pub(crate) fn sockets(&self) -> Vec<std::net::SocketAddr> {
        self.node.sockets()
    }

    /// Returns when the host cannot go on, with the reason.
    pub(crate) async fn failed(&self) -> String {
        tokio::select! {
            why = self.service.jobs.failed() => why,
            why = self.index_failed() => why,
        }
    }

    /// Returns when the store's index answers no more. It stops for good when it cannot write, on a full disk above all: a
    /// host that went on could neither serve nor keep anything, and would not say so.
    async fn index_failed(&self) -> String {
        let store = &self.service.jobs.means().machine.host.store;
        loop {
            tokio::time::sleep(INDEX_LOOK).await;
            if let Err(error) = store.contains(&Hash::of(b"any")).await {
                return format!(
                    "the store's index has stopped: {error}; if its disk is full make room, then start the host again"
                );
            }
        }
    }

    /// Ends the host: nothing new is taken on, what runs may end, the rest waits on disk for the next start.
    pub(crate) async fn stop(self) -> Result<(), Failure> {
        let Self { service, node, server, _guests, drain } = self;
        service.jobs.stop(drain).await;
        server.stop();
        node.stop().await;
        let store = service.jobs.means().machine.host.store.clone();
        drop(service);
        store.close().await?;
        Ok(())
    }
}

async fn open_state(store: &Path) -> Result<(State, Found), Failure> {
    let folder = store.join(STATE_DIR);
    let opened = tokio::task::spawn_blocking(move || {
        std::fs::create_dir_all(&folder)
            .map_err(|error| Failure::host("state", format!("cannot make {}: {error}", folder.display())))?;
        State::open(&folder.join(STATE_FILE)).map_err(|error| Failure::host("state", error.to_string()))
    });
    opened.await.map_err(|error| Failure::panicked(&error))?
}

/// Collects what anybody may have: what the chain's receipts name, and what was published.
async fn fill(open: &OpenBlobs, state: &State, machine: &Machine) -> Result<(), Failure> {
    const BATCH: usize = 256;
    let failed = |error: super::state::StateError| Failure::host("state", error.to_string());
    let mut from = 0;
    loop {
        let links = state.links(from, BATCH).map_err(failed)?;
        let Some(last) = links.last() else { break };
        from = last.entry.sequence + 1;
        for link in &links {
            let receipt = Receipt::decode(&link.receipt).map_err(|error| Failure::host("state", error.to_string()))?;
            open.add_receipt(link.entry.file.hash, &receipt);
        }
    }
    open.add(machine.host.store.published().await?);
    Ok(())
}

/// The device, so that a host without one does not start.
async fn opened(source: DeviceSource) -> Result<Arc<dyn Device>, Failure> {
    let opened = tokio::task::spawn_blocking(move || source()).await;
    opened.map_err(|error| Failure::panicked(&error))?.map_err(|error| Failure::host("device", error.to_string()))
}

fn offer(device: &dyn Device) -> DeviceOffer {
    let info = device.info();
    DeviceOffer {
        name: Text::fit(&info.name),
        driver: Text::fit(&info.driver),
        backend: Text::fit(&info.backend),
        exact: info.unsuitable.is_none(),
        native: true,
    }
}

/// The threads that guests run on. Ended in the background, for a guest may be in the middle of something.
struct Guests(Option<Runtime>);

impl Guests {
    fn start(slots: usize) -> Result<Self, Failure> {
        let runtime = Builder::new_multi_thread()
            // One more than guests run at once, so that what others wait for does not wait for a guest.
            .worker_threads(slots + 1)
            .thread_name("samebit-guest")
            .enable_all()
            .build()
            .map_err(|error| Failure::host("runtime", format!("threads cannot be started: {error}")))?;
        Ok(Self(Some(runtime)))
    }

    fn handle(&self) -> Handle {
        self.0.as_ref().map_or_else(Handle::current, |runtime| runtime.handle().clone())
    }
}

impl Drop for Guests {
    fn drop(&mut self) {
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}
