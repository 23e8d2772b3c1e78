//! Blobs over iroh-blobs' protocol, for peers that the policy allows.
//!
//! iroh-blobs would answer anyone who knows a hash. Here every request is read, and looked at, before the store is
//! asked. Only plain reads are answered: `observe`, `push` and reads of many blobs in one request are not. No peer holds
//! more than its share of connections, none holds one that it does not use, and whoever reads too slowly is left.

mod metered;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use iroh::endpoint::{Connection, RecvStream, SendStream};
use iroh::protocol::{AcceptError, ProtocolHandler};
use iroh_blobs::api::blobs::BlobStatus;
use iroh_blobs::hashseq::HashSeq;
use iroh_blobs::protocol::{ChunkRangesSeq, ERR_INTERNAL, ERR_LIMIT, ERR_PERMISSION, GetRequest, Request};
use iroh_blobs::provider::events::EventSender;
use iroh_blobs::provider::{StreamPair, handle_get};
use samebit_spec::{Hash, HostKey};
use samebit_store::Store;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

use self::metered::Metered;
use super::{MaySend, MayServe};
use crate::server::{Gate, Pass};
use crate::{Peer, PeerBounds};

/// Connections at once.
const CONNECTIONS_MAX: usize = 512;
/// Connections of one peer at once: a host opens one for each job that it fetches for.
const PEER_CONNECTIONS_MAX: usize = 64;
/// Requests of one connection that are answered at once.
const REQUESTS_MAX: usize = 32;
/// How long a request may take to arrive.
const REQUEST_TIME: Duration = Duration::from_secs(5);
/// How long a connection may be open without a request.
const IDLE_TIME: Duration = Duration::from_secs(60);
/// The longest list of a collection that is looked through, in bytes: 4,097 hashes.
const COLLECTION_BYTES_MAX: u64 = 32 * 4097;

/// Serves blobs.
pub(super) struct Blobs {
    store: Store,
    may_serve: MayServe,
    may_send: Option<MaySend>,
    gate: Arc<Gate>,
}

impl Blobs {
    pub(super) fn new(store: Store, may_serve: MayServe, may_send: Option<MaySend>) -> Self {
        Self { store, may_serve, may_send, gate: Arc::new(Gate::new(CONNECTIONS_MAX)) }
    }
}

impl ProtocolHandler for Blobs {
    async fn accept(&self, connection: Connection) -> Result<(), AcceptError> {
        let peer = HostKey::from_bytes(*connection.remote_id().as_bytes());
        let bounds = PeerBounds { connections: PEER_CONNECTIONS_MAX, ..PeerBounds::default() };
        let Ok(pass) = self.gate.enter(Peer::Remote(peer), &bounds) else {
            connection.close(ERR_LIMIT, b"limit");
            return Ok(());
        };
        let pass = Arc::new(pass);
        let requests = Arc::new(Semaphore::new(REQUESTS_MAX));
        loop {
            let next = async {
                let permit = requests.clone().acquire_owned().await.ok()?;
                Some((permit, timeout(IDLE_TIME, connection.accept_bi()).await))
            };
            let next = tokio::select! {
                next = next => next,
                // It sat still while others wanted in.
                () = pass.left() => break,
            };
            let (permit, (outgoing, incoming)) = match next {
                Some((permit, Ok(Ok(streams)))) => (permit, streams),
                // Others are still being answered, and the one that waits here is that of no request.
                Some((_, Err(_))) if requests.available_permits() < REQUESTS_MAX - 1 => continue,
                _ => break,
            };
            let Self { store, may_serve, may_send, .. } = self;
            let serving =
                Serving { store: store.clone(), may_serve: may_serve.clone(), may_send: may_send.clone(), peer };
            let pass = pass.clone();
            tokio::spawn(async move { serving.answer(outgoing, incoming, &pass, permit).await });
        }
        connection.close(ERR_LIMIT, b"idle");
        Ok(())
    }
}

impl fmt::Debug for Blobs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Blobs").finish_non_exhaustive()
    }
}

/// One peer's requests.
struct Serving {
    store: Store,
    may_serve: MayServe,
    may_send: Option<MaySend>,
    peer: HostKey,
}

impl Serving {
    async fn answer(
        self,
        mut outgoing: SendStream,
        mut incoming: RecvStream,
        pass: &Pass,
        _permit: OwnedSemaphorePermit,
    ) {
        // Whoever is reset may be gone already, which is as well.
        let request = match timeout(REQUEST_TIME, read(&mut incoming)).await {
            Ok(Some(request)) => request,
            Ok(None) | Err(_) => return drop(outgoing.reset(ERR_LIMIT)),
        };
        let Request::Get(request) = request else { return drop(outgoing.reset(ERR_PERMISSION)) };
        let Some((request, hashes)) = self.allowed(request).await else {
            tracing::debug!(peer = %self.peer, "a blob was asked for that this peer may not have");
            return drop(outgoing.reset(ERR_PERMISSION));
        };
        let _busy = pass.busy();
        // As if it were gone already.
        let Some(reading) = self.store.reading(hashes) else { return drop(outgoing.reset(ERR_INTERNAL)) };
        let outgoing = Metered::new(outgoing, self.peer, self.may_send, reading);
        let pair = StreamPair::new(0, incoming, outgoing, EventSender::DEFAULT);
        if let Err(error) = handle_get(pair, self.store.index().clone(), request).await {
            tracing::debug!(peer = %self.peer, "a blob was not served to its end: {error:#}");
        }
    }

    /// What a request asks for that is there to be asked for, with the blobs of it, if the peer may have all of them: it may
    /// also ask for those that a blob lists.
    async fn allowed(&self, request: GetRequest) -> Option<(GetRequest, Vec<Hash>)> {
        let root = Hash::from_bytes(*request.hash.as_bytes());
        if !(self.may_serve)(self.peer, root).await {
            return None;
        }
        let mut hashes = vec![root];
        if request.ranges.is_blob() {
            return Some((request, hashes));
        }
        // Opening hashes all of it, which a long blob is no reason for.
        match self.store.index().status(request.hash).await {
            Ok(BlobStatus::Complete { size }) if size <= COLLECTION_BYTES_MAX => {}
            _ => return None,
        }
        let Ok(samebit_store::Blob::Bytes(list)) = self.store.open_blob(&root).await else { return None };
        let list = HashSeq::try_from(list).ok()?;
        let request = GetRequest { ranges: within(&request.ranges, list.len()), ..request };
        for (place, _) in request.ranges.iter_non_empty_infinite() {
            let child = place.checked_sub(1).and_then(|child| list.get(usize::try_from(child).ok()?));
            let Some(hash) = child.map(|hash| Hash::from_bytes(*hash.as_bytes())) else { continue };
            if !(self.may_serve)(self.peer, hash).await {
                return None;
            }
            hashes.push(hash);
        }
        Some((request, hashes))
    }
}

/// What is asked of a list of so many and of those on it. A request may name the place 2^62, and iroh-blobs would count up to it.
fn within(ranges: &ChunkRangesSeq, count: usize) -> ChunkRangesSeq {
    ChunkRangesSeq::from_ranges(ranges.iter_infinite().take(count + 1).cloned())
}

/// A request, and the end of the peer's half after it.
async fn read(incoming: &mut RecvStream) -> Option<Request> {
    let (request, _) = Request::read_async(incoming).await.ok()?;
    matches!(incoming.read(&mut [0]).await, Ok(None)).then_some(request)
}
