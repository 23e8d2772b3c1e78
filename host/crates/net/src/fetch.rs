//! Getting blobs from whoever has them.
//!
//! A hint where a blob may be proves nothing, so each provider is asked in turn until one delivers. Bytes are checked
//! against the hash as they come, and what arrived stays when a provider fails or this program is killed: the next
//! attempt asks only for what is missing. Sizes are checked before bytes: nobody makes this machine fetch a terabyte by
//! naming one. And nothing is handed on before the store has read it back and hashed it.

mod attempt;
mod error;
mod order;
mod parts;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use futures_util::{FutureExt, StreamExt, TryStreamExt, stream};
use iroh::endpoint::Connection;
use samebit_spec::{BlobRef, Hash, HostKey};
use samebit_store::{Pin, ReadError};

pub use error::{FetchError, ProviderFault};

use crate::Node;
use crate::message::Provider;

/// Blobs that are fetched at once.
const BLOBS_AT_ONCE: usize = 4;
/// How often all providers are asked again after some were lost on the way.
const ROUNDS: u32 = 4;
/// How long to wait before the second round. Doubled for each further one.
const ROUND_WAIT: Duration = Duration::from_millis(200);

/// A blob that is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wish {
    /// Its hash.
    pub hash: Hash,
    /// Its size, if it is known. A blob of another size is refused.
    pub size_bytes: Option<u64>,
}

/// How far a fetch is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FetchProgress {
    /// The blob.
    pub blob: BlobRef,
    /// How much of it is here, in bytes.
    pub done_bytes: u64,
}

/// Fetches blobs from a set of providers. Knows which of them are of no use, and keeps connections open.
pub struct Fetcher<'a> {
    node: &'a Node,
    providers: Vec<Provider>,
    size_bytes_max: u64,
    connections: Mutex<BTreeMap<HostKey, Connection>>,
    /// Providers that are not asked again: they lied, or are not there.
    given_up: Mutex<BTreeMap<HostKey, ProviderFault>>,
    /// Providers that were not there when others were. They are asked last.
    late: Mutex<BTreeSet<HostKey>>,
}

impl From<BlobRef> for Wish {
    fn from(blob: BlobRef) -> Self {
        Self { hash: blob.hash, size_bytes: Some(blob.size_bytes) }
    }
}

impl<'a> Fetcher<'a> {
    /// Fetches from these providers, and no blob over `size_bytes_max`.
    pub fn new(node: &'a Node, providers: &[Provider], size_bytes_max: u64) -> Self {
        let mut known: Vec<Provider> = Vec::new();
        for provider in providers.iter().filter(|provider| provider.host != node.key()) {
            match known.iter_mut().find(|known| known.host == provider.host) {
                Some(known) => known.addresses.extend(&provider.addresses),
                None => known.push(provider.clone()),
            }
        }
        Self {
            node,
            providers: known,
            size_bytes_max,
            connections: Mutex::default(),
            given_up: Mutex::default(),
            late: Mutex::default(),
        }
    }

    /// Fetches several blobs, some of them at the same time. All are in the store when this returns, in the order of
    /// the wishes, until their pins are dropped.
    pub async fn fetch_all(
        &self,
        wishes: &[Wish],
        progress: &(dyn Fn(FetchProgress) + Send + Sync),
    ) -> Result<Vec<(BlobRef, Pin)>, FetchError> {
        // Before anything travels: one impossible wish makes the others useless.
        wishes.iter().try_for_each(|wish| self.check_size(wish.hash, wish.size_bytes.unwrap_or(0)))?;
        // In boxes, or the compiler cannot see that this can be sent to other threads.
        let fetches = wishes.iter().enumerate().map(|(first, wish)| self.fetch_from(first, *wish, progress).boxed());
        let fetches: Vec<_> = fetches.collect();
        stream::iter(fetches).buffered(BLOBS_AT_ONCE).try_collect().await
    }

    /// Fetches a blob. It is in the store when this returns, until the pin is dropped.
    pub async fn fetch(
        &self,
        wish: Wish,
        progress: &(dyn Fn(FetchProgress) + Send + Sync),
    ) -> Result<(BlobRef, Pin), FetchError> {
        self.fetch_from(0, wish, progress).await
    }

    /// Asks the providers until one proves that it has a blob, by its last bytes and their place in the tree. Nothing else
    /// is received: for blobs that are here already, and are to be used for nobody who could not have brought them.
    pub async fn prove(&self, wish: Wish) -> Result<(), FetchError> {
        self.rounds(0, wish, None).await.map(drop)
    }

    /// Providers that sent something else than the blobs they were asked for.
    pub fn liars(&self) -> Vec<HostKey> {
        let given_up = self.given_up.lock().unwrap_or_else(PoisonError::into_inner);
        let lied = given_up.iter().filter(|(_, fault)| matches!(fault, ProviderFault::Lied(_)));
        lied.map(|(host, _)| *host).collect()
    }

    /// Fetches a blob, beginning with the provider number `first`, so that several blobs come from several providers.
    async fn fetch_from(
        &self,
        first: usize,
        wish: Wish,
        progress: &(dyn Fn(FetchProgress) + Send + Sync),
    ) -> Result<(BlobRef, Pin), FetchError> {
        self.check_size(wish.hash, wish.size_bytes.unwrap_or(0))?;
        let pin = self.node.store().pin(&wish.hash).await?;
        if let Some(blob) = self.here(wish).await? {
            return Ok((blob, pin));
        }
        // Verified piece by piece as it came, and again by whoever reads it: reading all of it here would be once too often.
        Ok((self.rounds(first, wish, Some(progress)).await?, pin))
    }

    /// Asks all providers, again and again while that may help.
    async fn rounds(
        &self,
        first: usize,
        wish: Wish,
        progress: Option<&(dyn Fn(FetchProgress) + Send + Sync)>,
    ) -> Result<BlobRef, FetchError> {
        if self.providers.is_empty() {
            return Err(FetchError::NoProviders(wish.hash));
        }
        let mut faults = Vec::new();
        for round in 0..ROUNDS {
            if round > 0 {
                tokio::time::sleep(ROUND_WAIT * (1 << (round - 1))).await;
            }
            faults = match self.round(first, wish, progress).await? {
                Ok(blob) => return Ok(blob),
                Err(faults) => faults,
            };
            // Asking the same again is of use only if a connection broke, and of none if nobody has the blob.
            if !faults.iter().any(|(_, fault)| fault.is_transient()) {
                break;
            }
        }
        Err(FetchError::Nobody { hash: wish.hash, faults })
    }

    /// Asks each provider once, until one delivers. If none does, the inner error says why.
    async fn round(
        &self,
        first: usize,
        wish: Wish,
        progress: Option<&(dyn Fn(FetchProgress) + Send + Sync)>,
    ) -> Result<Result<BlobRef, Vec<(HostKey, ProviderFault)>>, FetchError> {
        let mut faults = Vec::new();
        for provider in self.order(first).await {
            if let Some(fault) = self.why_given_up(&provider.host) {
                faults.push((provider.host, fault));
                continue;
            }
            match self.attempt(provider, wish, progress).await? {
                Ok(blob) => return Ok(Ok(blob)),
                Err(fault) => {
                    tracing::info!(provider = %provider.host, hash = %wish.hash, "not fetched: {fault}");
                    if matches!(fault, ProviderFault::Lied(_) | ProviderFault::Unreachable(_)) {
                        self.give_up(provider.host, fault.clone());
                    }
                    self.disconnect(&provider.host, &fault);
                    faults.push((provider.host, fault));
                }
            }
        }
        Ok(Err(faults))
    }

    /// The blob, if the store has it. Its bytes are read and hashed.
    async fn here(&self, wish: Wish) -> Result<Option<BlobRef>, FetchError> {
        match self.node.store().open_blob(&wish.hash).await {
            Ok(blob) => {
                let blob = BlobRef { hash: wish.hash, size_bytes: blob.size_bytes() };
                self.check_found(wish, blob.size_bytes)?;
                Ok(Some(blob))
            }
            Err(ReadError::Missing(_)) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    fn check_size(&self, hash: Hash, size_bytes: u64) -> Result<(), FetchError> {
        if size_bytes > self.size_bytes_max {
            return Err(FetchError::TooLarge { hash, size_bytes, size_bytes_max: self.size_bytes_max });
        }
        Ok(())
    }

    /// A size that was proven against the hash.
    fn check_found(&self, wish: Wish, found_bytes: u64) -> Result<(), FetchError> {
        match wish.size_bytes {
            Some(declared_bytes) if declared_bytes != found_bytes => {
                Err(FetchError::Size { hash: wish.hash, declared_bytes, found_bytes })
            }
            _ => self.check_size(wish.hash, found_bytes),
        }
    }

    fn why_given_up(&self, host: &HostKey) -> Option<ProviderFault> {
        self.given_up.lock().unwrap_or_else(PoisonError::into_inner).get(host).cloned()
    }

    fn give_up(&self, host: HostKey, fault: ProviderFault) {
        self.given_up.lock().unwrap_or_else(PoisonError::into_inner).insert(host, fault);
    }

    async fn connection(&self, provider: &Provider) -> Result<Connection, ProviderFault> {
        let open = |connections: &BTreeMap<HostKey, Connection>| {
            connections.get(&provider.host).filter(|connection| connection.close_reason().is_none()).cloned()
        };
        if let Some(connection) = open(&self.connections.lock().unwrap_or_else(PoisonError::into_inner)) {
            return Ok(connection);
        }
        let connection = self
            .node
            .open(provider, iroh_blobs::ALPN)
            .await
            .map_err(|error| ProviderFault::Unreachable(error.to_string()))?;
        self.connections.lock().unwrap_or_else(PoisonError::into_inner).insert(provider.host, connection.clone());
        Ok(connection)
    }

    /// Forgets a connection that is of no more use.
    fn disconnect(&self, host: &HostKey, fault: &ProviderFault) {
        if !matches!(fault, ProviderFault::Lacks | ProviderFault::Refused) {
            self.connections.lock().unwrap_or_else(PoisonError::into_inner).remove(host);
        }
    }
}
