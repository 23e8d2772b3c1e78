//! What host and worker say to each other.
//!
//! A worker is asked to list, or to select and then to open; from there on the requests are the calls of one
//! [`Session`](samebit_device::Session), in their order. Requests that wait are answered in order; the others are counted.

use samebit_device::{
    Battery, BufferCopy, BufferId, BufferRange, DeviceError, DeviceInfo, Dispatch, FinishError, KernelFault, KernelId,
    SessionOptions,
};
use serde::{Deserialize, Serialize};

use super::rates::Rates;
use crate::adapters::{Choice, SelectError};

/// From host to worker.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum Request {
    /// Which adapters are there? Answered.
    List,
    /// Use this one. Answered.
    Select(Choice),
    /// Open a session on it. Answered.
    Open(SessionOptions),
    /// Create a buffer.
    BufferCreate(BufferId, u64),
    /// Free a buffer.
    BufferDrop(BufferId),
    /// Write to a buffer at an offset as many bytes as are announced, and follow.
    BufferWrite(BufferId, u64, u32),
    /// Fill a range with a word.
    BufferFill(BufferRange, u32),
    /// Copy between buffers.
    BufferCopy(BufferCopy),
    /// Send the bytes of a range. Answered, after the pieces.
    BufferRead(BufferRange),
    /// Measure hashing with a range. Answered.
    HashRates(BufferRange),
    /// Hash the pieces of a range, numbered from here on. Answered.
    BufferHash(BufferRange, u64),
    /// Make a kernel ready. Answered.
    KernelCreate(KernelId, KernelSource),
    /// Free a kernel.
    KernelDrop(KernelId),
    /// Launch.
    Dispatch(Dispatch),
    /// Wait for everything. Answered.
    Finish,
    /// Close the session, and end. Answered.
    Close,
}

/// What a kernel is made from, again. It is parsed, and in `exact` lowered, a second time in the worker, which costs some
/// hundred microseconds beside a driver's milliseconds; in return no inner form of a kernel is part of a protocol.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct KernelSource {
    pub(super) text: String,
    pub(super) entry_point: String,
    pub(super) constants: Vec<(String, f64)>,
}

/// From worker to host.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum Reply {
    /// To [`Request::List`].
    Listed(Vec<DeviceInfo>),
    /// To [`Request::Select`].
    Selected(Result<DeviceInfo, SelectError>),
    /// To [`Request::Open`]; with what the battery came to, if the device was put to it.
    Opened(Result<Option<Battery>, DeviceError>),
    /// To [`Request::KernelCreate`].
    Kernel(Result<(), KernelFault>),
    /// Bytes for [`Request::BufferRead`], as many as are announced, follow.
    Piece(u32),
    /// To [`Request::BufferRead`]; if all is well, as many bytes have been sent as were asked for.
    Read(Result<(), FinishError>),
    /// To [`Request::HashRates`]; nothing if the range cannot be hashed there.
    Rates(Result<Option<Rates>, FinishError>),
    /// To [`Request::BufferHash`], the same.
    Hashed(Result<Option<Vec<[u8; 32]>>, FinishError>),
    /// To [`Request::Finish`].
    Finished(Result<(), FinishError>),
    /// To [`Request::Close`].
    Closed,
    /// So many requests have been taken in all.
    Taken(u64),
    /// The GPU has finished something: it is slow, but not stuck.
    Alive,
    /// A request that is not answered has failed, and with it the session.
    Failed(DeviceError),
}

/// What a request is answered with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    List,
    Select,
    Open,
    Kernel,
    Read,
    Rates,
    Hash,
    Finish,
    Close,
}

impl Request {
    /// Which answer it waits for, if it does.
    pub(super) fn kind(&self) -> Option<Kind> {
        Some(match self {
            Self::List => Kind::List,
            Self::Select(_) => Kind::Select,
            Self::Open(_) => Kind::Open,
            Self::KernelCreate(..) => Kind::Kernel,
            Self::BufferRead(_) => Kind::Read,
            Self::HashRates(_) => Kind::Rates,
            Self::BufferHash(..) => Kind::Hash,
            Self::Finish => Kind::Finish,
            Self::Close => Kind::Close,
            _ => return None,
        })
    }
}

impl Reply {
    /// Which request it answers, if it does.
    pub(super) fn kind(&self) -> Option<Kind> {
        Some(match self {
            Self::Listed(_) => Kind::List,
            Self::Selected(_) => Kind::Select,
            Self::Opened(_) => Kind::Open,
            Self::Kernel(_) => Kind::Kernel,
            Self::Read(_) => Kind::Read,
            Self::Rates(_) => Kind::Rates,
            Self::Hashed(_) => Kind::Hash,
            Self::Finished(_) => Kind::Finish,
            Self::Closed => Kind::Close,
            Self::Piece(_) | Self::Taken(_) | Self::Alive | Self::Failed(_) => return None,
        })
    }
}
