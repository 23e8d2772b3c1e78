//! The network, as the jobs see it: blobs come from it.
//!
//! Jobs are taken up before the network is there, since it serves them; so it is handed in late, and whoever needs it
//! waits.

use futures_util::future::BoxFuture;
use samebit_net::message::Provider;
use samebit_net::{FetchError, FetchProgress, Fetcher, Node};
use samebit_runner::spec::{BlobRef, JobId};
use tokio::sync::watch;

use super::jobs::{Fetch, Told};
use crate::remote;

/// A node that may not be there yet. Clones are handles to the same.
#[derive(Clone)]
pub(crate) struct LateNode(watch::Sender<Option<Node>>);

impl LateNode {
    /// None yet.
    pub(crate) fn new() -> Self {
        Self(watch::Sender::new(None))
    }

    /// Hands it in.
    pub(crate) fn set(&self, node: Node) {
        self.0.send_replace(Some(node));
    }

    /// Waits for it.
    pub(crate) async fn get(&self) -> Node {
        let mut receiver = self.0.subscribe();
        loop {
            if let Some(node) = receiver.borrow_and_update().clone() {
                return node;
            }
            // The sender is ours: it cannot be gone.
            let _ = receiver.changed().await;
        }
    }
}

/// Makes sure that blobs that are here could have been brought by these providers.
async fn prove(node: &Node, blobs: &[BlobRef], providers: &[Provider]) -> Result<(), FetchError> {
    let fetcher = Fetcher::new(node, providers, u64::MAX);
    for blob in blobs {
        fetcher.prove((*blob).into()).await?;
    }
    Ok(())
}

impl Fetch for LateNode {
    fn fetch(
        &self,
        _job: JobId,
        blobs: Vec<BlobRef>,
        providers: Vec<Provider>,
        told: Told,
    ) -> BoxFuture<'static, Result<(), String>> {
        let late = self.clone();
        Box::pin(async move {
            let node = late.get().await;
            let progress = move |progress: FetchProgress| told(progress.blob, progress.done_bytes);
            let (mut here, mut absent) = (Vec::new(), Vec::new());
            for blob in blobs {
                let is_here = node.store().contains(&blob.hash).await.map_err(|error| error.to_string())?;
                if is_here { here.push(blob) } else { absent.push(blob) }
            }
            prove(&node, &here, &providers).await.map_err(|error| error.to_string())?;
            let fetched = remote::fetch(&node, &absent, &providers, &progress).await;
            fetched.map(drop).map_err(|error| error.to_string())
        })
    }
}
