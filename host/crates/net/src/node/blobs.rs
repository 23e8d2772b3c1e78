//! Blobs over iroh-blobs' protocol, for peers that the policy allows.
//!
//! iroh-blobs would answer anyone who knows a hash. Here every request is read, and looked at, before the store is
//! asked. Only plain reads are answered: `observe`, `push` and reads of many blobs in one request are not.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use iroh::endpoint::{Connection, RecvStream, SendStream};
use iroh::protocol::{AcceptError, ProtocolHandler};
use iroh_blobs::api::blobs::BlobStatus;
use iroh_blobs::hashseq::HashSeq;
use iroh_blobs::protocol::{ERR_LIMIT, ERR_PERMISSION, GetRequest, Request};
use iroh_blobs::provider::events::EventSender;
use iroh_blobs::provider::{StreamPair, handle_get};
use samebit_spec::{Hash, HostKey};
use samebit_store::Store;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

use super::MayServe;

/// Connections at once.
const CONNECTIONS_MAX: usize = 512;
/// Requests of one connection that are answered at once.
const REQUESTS_MAX: usize = 32;
/// How long a request may take to arrive.
const REQUEST_TIME: Duration = Duration::from_secs(5);
/// The longest list of a collection that is looked through, in bytes: 4,097 hashes.
const COLLECTION_BYTES_MAX: u64 = 32 * 4097;

/// Serves blobs.
pub(super) struct Blobs {
    store: Store,
    may_serve: MayServe,
    room: Arc<Semaphore>,
}

impl Blobs {
    pub(super) fn new(store: Store, may_serve: MayServe) -> Self {
        Self { store, may_serve, room: Arc::new(Semaphore::new(CONNECTIONS_MAX)) }
    }
}

impl ProtocolHandler for Blobs {
    async fn accept(&self, connection: Connection) -> Result<(), AcceptError> {
        let Ok(_room) = self.room.try_acquire() else {
            connection.close(ERR_LIMIT, b"limit");
            return Ok(());
        };
        let requests = Arc::new(Semaphore::new(REQUESTS_MAX));
        let peer = HostKey::from_bytes(*connection.remote_id().as_bytes());
        loop {
            let Ok(permit) = requests.clone().acquire_owned().await else { break };
            let Ok((outgoing, incoming)) = connection.accept_bi().await else { break };
            let serving = Serving { store: self.store.clone(), may_serve: self.may_serve.clone(), peer };
            tokio::spawn(serving.answer(outgoing, incoming, permit));
        }
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
    peer: HostKey,
}

impl Serving {
    async fn answer(self, mut outgoing: SendStream, mut incoming: RecvStream, _permit: OwnedSemaphorePermit) {
        let request = match timeout(REQUEST_TIME, Request::read_async(&mut incoming)).await {
            Ok(Ok((Request::Get(request), _))) if self.allowed(&request).await => request,
            Ok(Ok(_)) => {
                tracing::debug!(peer = %self.peer, "a blob was asked for that this peer may not have");
                // The peer may be gone already, which is as well.
                let _ = outgoing.reset(ERR_PERMISSION);
                return;
            }
            Ok(Err(_)) | Err(_) => {
                let _ = outgoing.reset(ERR_LIMIT);
                return;
            }
        };
        let pair = StreamPair::new(0, incoming, outgoing, EventSender::DEFAULT);
        if let Err(error) = handle_get(pair, self.store.index().clone(), request).await {
            tracing::debug!(peer = %self.peer, "a blob was not served to its end: {error:#}");
        }
    }

    /// A request may also ask for the blobs that a blob lists, so each of them is looked at.
    async fn allowed(&self, request: &GetRequest) -> bool {
        let root = Hash::from_bytes(*request.hash.as_bytes());
        if !(self.may_serve)(self.peer, root).await {
            return false;
        }
        if request.ranges.is_blob() {
            return true;
        }
        // Opening hashes all of it, which a long blob is no reason for.
        match self.store.index().status(request.hash).await {
            Ok(BlobStatus::Complete { size }) if size <= COLLECTION_BYTES_MAX => {}
            _ => return false,
        }
        let Ok(samebit_store::Blob::Bytes(list)) = self.store.open_blob(&root).await else { return false };
        let Ok(list) = HashSeq::try_from(list) else { return false };
        for hash in list {
            if !(self.may_serve)(self.peer, Hash::from_bytes(*hash.as_bytes())).await {
                return false;
            }
        }
        true
    }
}
