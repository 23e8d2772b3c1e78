//! What stands behind the protocol: the seam between the network and a host's queue, state and policy.
//!
//! The server in this crate authenticates, frames, bounds and paces; it decides nothing about jobs. Everything a
//! [`Service`] is handed was decoded strictly and is within the protocol's bounds, and comes with the [`Peer`] that asks.

use core::fmt;

use futures_util::future::BoxFuture;
use futures_util::stream::BoxStream;
use samebit_spec::{HostKey, JobId};

use crate::PeerBounds;
use crate::message::{
    Accepted, ChainItem, HostInfo, JobEvent, JobStatus, LocalRequest, LocalResponse, Refusal, Submit,
};

/// Who asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Peer {
    /// A program of this user's on this machine, over the local socket.
    Local,
    /// Another machine, which proved that it holds this key.
    Remote(HostKey),
}

/// Why a job is to end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CancelReason {
    /// The peer asks for it.
    Asked,
    /// The peer submitted the job with [`OnDisconnect::Cancel`](crate::message::OnDisconnect) and is gone.
    Disconnected,
}

/// An answer, in time.
pub type Answer<'a, T> = BoxFuture<'a, Result<T, Refusal>>;
/// Answers, one after the other.
pub type Answers<T> = BoxStream<'static, Result<T, Refusal>>;

/// A host's side of the protocol. Methods may be called at the same time, and are dropped when the peer goes away.
pub trait Service: Send + Sync + 'static {
    /// Says whether this peer may speak at all, and how much. Asked once for each connection, before any request is read.
    fn admit(&self, peer: Peer) -> Result<PeerBounds, Refusal>;

    /// Describes this host.
    fn info(&self, peer: Peer) -> Answer<'_, HostInfo>;

    /// Takes a job on, or not. What was taken on must survive a crash before this answers.
    fn submit(&self, peer: Peer, submit: Submit) -> Answer<'_, Accepted>;

    /// The job's events from number `from_seq` on, past and to come, to the last.
    fn events(&self, peer: Peer, job: JobId, from_seq: u64) -> Answer<'_, Answers<JobEvent>>;

    /// Ends a job. With [`CancelReason::Disconnected`], only if nobody else wants it.
    fn cancel(&self, peer: Peer, job: JobId, reason: CancelReason) -> Answer<'_, ()>;

    /// One job, or all that the peer may see, the latest first.
    fn status(&self, peer: Peer, job: Option<JobId>) -> Answer<'_, Vec<JobStatus>>;

    /// The chain of receipts from entry `from_seq` on, at most `count_max` of them.
    fn receipts(&self, peer: Peer, from_seq: u64, count_max: u32) -> Answer<'_, Answers<ChainItem>>;

    /// Something for programs on this machine. The server calls this for [`Peer::Local`] alone.
    fn local(&self, request: LocalRequest) -> Answer<'_, Answers<LocalResponse>>;
}

impl fmt::Display for Peer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Local => f.write_str("local"),
            Self::Remote(key) => write!(f, "{key}"),
        }
    }
}
