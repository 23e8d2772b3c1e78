//! What a client asks: one request on a stream of its own.

use samebit_spec::{DecodeError, JobId};
use serde::{Deserialize, Serialize};

use super::{LocalRequest, REQUEST_BYTES_MAX, SUBMIT_BYTES_MAX, Submit};

/// A request. The answers to each are told in [`Response`](super::Response).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Request {
    /// What are you?
    Info,
    /// Run a job, and tell what happens to it.
    Submit(Box<Submit>),
    /// Tell what happened to a job from an event on, and what happens until its end.
    Events {
        /// The job.
        job: JobId,
        /// The first event of interest.
        from_seq: u64,
    },
    /// End a job.
    Cancel {
        /// The job.
        job: JobId,
    },
    /// Where is a job, or where are all of mine?
    Status {
        /// The job, or all that this peer submitted, the latest first.
        job: Option<JobId>,
    },
    /// Hand out the chain of receipts from an entry on.
    Receipts {
        /// The first entry of interest.
        from_seq: u64,
        /// The most entries wanted.
        count_max: u32,
    },
    /// Something for programs on the host's own machine.
    Local(LocalRequest),
}

impl Request {
    /// The canonical bytes.
    pub fn encode(&self) -> Vec<u8> {
        samebit_spec::encode(self)
    }

    /// Reads a request from its canonical bytes, and checks its bounds.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        if bytes.len() > SUBMIT_BYTES_MAX {
            return Err(DecodeError::TooLong(bytes.len()));
        }
        let request: Self = samebit_spec::decode(bytes)?;
        match &request {
            Self::Submit(submit) => submit.check()?,
            _ if bytes.len() > REQUEST_BYTES_MAX => return Err(DecodeError::TooLong(bytes.len())),
            Self::Local(local) => local.check()?,
            Self::Info | Self::Events { .. } | Self::Cancel { .. } | Self::Status { .. } | Self::Receipts { .. } => {}
        }
        Ok(request)
    }
}
