//! What happens to a job, in the order in which it happens.

use samebit_spec::{BlobRef, DecodeError};
use serde::{Deserialize, Serialize};

use super::Text;

/// The longest log line in an event, in bytes. A longer one is cut there; the log among the outcome's blobs is whole.
pub const LOG_LINE_BYTES_MAX: usize = 4096;

/// Something that happened to a job. Numbers go up from 0 without a gap, except that a host may drop the middle of a
/// long story; they are the same for everybody who follows the job, so that a client that comes back resumes by them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct JobEvent {
    /// The event's number.
    pub seq: u64,
    /// What happened.
    pub kind: EventKind,
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum EventKind {
    /// The job waits, with so many before it.
    Queued {
        /// Jobs before it.
        position: u32,
    },
    /// A blob is on its way.
    Fetching {
        /// Which.
        blob: BlobRef,
        /// How much of it is here, in bytes.
        done_bytes: u64,
    },
    /// Everything is here; the module is compiled.
    Compiling,
    /// The guest runs.
    Running,
    /// The guest says how far it is.
    Progress {
        /// Units done.
        done: u64,
        /// Units in all, 0 if the guest does not know.
        total: u64,
    },
    /// The guest wrote a line to its log.
    Log {
        /// How important it is.
        level: LogLevel,
        /// The line.
        text: Text<LOG_LINE_BYTES_MAX>,
    },
    /// The guest ended; what it made is hashed.
    Hashing,
    /// There is a receipt. The last event.
    Done {
        /// The receipt, as in a receipt file.
        receipt: Vec<u8>,
    },
    /// The host could not run the job. The last event.
    Failed {
        /// What happened: why; what to do.
        reason: Text<512>,
    },
    /// Somebody asked for the job's end. The last event.
    Cancelled,
}

/// How much a line of a guest's log matters: the levels of `wit/report.wit`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum LogLevel {
    /// Something is wrong.
    Error,
    /// Something is odd.
    Warn,
    /// For whoever wants to know.
    Info,
    /// For whoever looks for a defect.
    Debug,
    /// Everything.
    Trace,
}

impl EventKind {
    /// True if no event can follow.
    pub fn is_last(&self) -> bool {
        matches!(self, Self::Done { .. } | Self::Failed { .. } | Self::Cancelled)
    }
}

impl JobEvent {
    /// The canonical bytes.
    pub fn encode(&self) -> Vec<u8> {
        samebit_spec::encode(self)
    }

    /// Reads an event from its canonical bytes.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        samebit_spec::decode(bytes)
    }
}
