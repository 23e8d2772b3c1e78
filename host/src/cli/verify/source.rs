//! Hosts that may have what a check lacks. The network is not touched before something is wanted of it.

use std::sync::Arc;

use samebit_net::message::Provider;
use samebit_net::{Node, Reach};
use samebit_runner::Bring;
use samebit_runner::spec::{BlobRef, SecretKey};
use samebit_runner::store::{Pin, Store};
use tokio::sync::OnceCell;

use crate::machine::Machine;
use crate::remote::{self, Desk};

/// Hosts, and a node to reach them with once that is needed. Clones share the node.
#[derive(Clone)]
pub(super) struct HostSource(Arc<Inner>);

struct Inner {
    store: Store,
    key: SecretKey,
    reach: Reach,
    hosts: Vec<Provider>,
    node: OnceCell<Node>,
}

impl HostSource {
    /// Nothing happens yet.
    pub(super) fn new(machine: &Machine, hosts: Vec<Provider>, reach: Reach) -> Self {
        let (store, key) = (machine.host.store.clone(), machine.key.clone());
        Self(Arc::new(Inner { store, key, reach, hosts, node: OnceCell::new() }))
    }

    /// Gets blobs into the store, where they stay while the pins are held; or gives the reason why not.
    pub(super) async fn fetch(&self, blobs: &[BlobRef]) -> Result<Vec<Pin>, String> {
        if blobs.is_empty() {
            return Ok(Vec::new());
        }
        let Inner { store, key, reach, hosts, node } = &*self.0;
        let start = async {
            let desk = Desk::over(store.clone(), key.clone(), reach.clone(), None).await;
            desk.map(|desk| desk.node).map_err(|failure| failure.message().to_owned())
        };
        let node = node.get_or_try_init(|| start).await?;
        remote::fetch(node, blobs, hosts, &|_| ()).await.map_err(|error| error.to_string())
    }

    /// The same for single blobs, as the runner asks for them.
    pub(super) fn bring(&self) -> Bring {
        let source = self.clone();
        Arc::new(move |blob| {
            let source = source.clone();
            Box::pin(async move {
                let pins = source.fetch(&[blob]).await?;
                pins.into_iter().next().ok_or_else(|| "it was not fetched".to_owned())
            })
        })
    }

    /// Ends the node, if there is one.
    pub(super) async fn close(self) {
        if let Some(node) = self.0.node.get() {
            node.stop().await;
        }
    }
}
