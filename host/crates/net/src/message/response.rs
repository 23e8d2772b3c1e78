//! What a host answers: one or more responses, then the end of its side of the stream.

use samebit_spec::DecodeError;
use serde::{Deserialize, Serialize};

use super::{Accepted, ChainItem, HostInfo, JobEvent, JobStatus, LocalResponse, RESPONSE_BYTES_MAX, Refusal};

/// A response.
///
/// | request | responses |
/// |---|---|
/// | `Info` | `Info` |
/// | `Submit` | `Accepted`, then `Event`s to the last |
/// | `Events` | `Event`s to the last |
/// | `Cancel` | `Done` |
/// | `Status` | any number of `Status`, then `Done` |
/// | `Receipts` | any number of `Receipt`, then `Done` |
/// | `Local` | what [`LocalResponse`] says, then `Done` |
///
/// Instead of any of them, and at any point, a `Refused` ends the stream. A stream that ends otherwise was cut.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Response {
    /// What the host is.
    Info(Box<HostInfo>),
    /// The job is taken.
    Accepted(Accepted),
    /// Something happened to the job.
    Event(JobEvent),
    /// A job.
    Status(JobStatus),
    /// A receipt and its place in the chain.
    Receipt(ChainItem),
    /// Something for programs on the host's own machine.
    Local(LocalResponse),
    /// That was all.
    Done,
    /// No.
    Refused(Refusal),
}

impl Response {
    /// The canonical bytes.
    pub fn encode(&self) -> Vec<u8> {
        samebit_spec::encode(self)
    }

    /// Reads a response from its canonical bytes, and checks its bounds.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        if bytes.len() > RESPONSE_BYTES_MAX {
            return Err(DecodeError::TooLong(bytes.len()));
        }
        let response: Self = samebit_spec::decode(bytes)?;
        match &response {
            Self::Info(info) => info.check()?,
            Self::Local(LocalResponse::Peer { info, provider, .. }) => {
                info.check()?;
                provider.check()?;
            }
            _ => {}
        }
        Ok(response)
    }
}
