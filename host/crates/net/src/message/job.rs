//! Jobs on their way: what is submitted, what came of it so far, and the receipts at the end.

use samebit_spec::{DecodeError, JobId, JobSpec, Publication, ReceiptId};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::Provider;

/// Asks a host to run a job.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Submit {
    /// The job. It travels as its canonical bytes, so that it has the same id on both sides.
    #[serde(serialize_with = "job_to_bytes", deserialize_with = "job_from_bytes")]
    pub job: JobSpec,
    /// An author who stands by the module. Its signature is checked when the request is decoded.
    pub publication: Option<Publication>,
    /// Who may have the module and the inputs. The submitter itself is not implied.
    pub providers: Vec<Provider>,
    /// What becomes of the job when the client goes away before its end.
    pub on_disconnect: OnDisconnect,
}

/// What becomes of a job when the stream that it was submitted on ends before it does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum OnDisconnect {
    /// It goes on.
    Detach,
    /// It is cancelled, unless somebody else submitted it too.
    Cancel,
}

/// A host's word that it took a job on, and will either finish it once or report it as failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Accepted {
    /// The job.
    pub job: JobId,
    /// True if it was here already, so that nothing new was begun.
    pub known: bool,
}

/// Where a job is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum JobState {
    /// Waiting, with so many before it.
    Queued {
        /// Jobs before it.
        position: u32,
    },
    /// Module and inputs are on their way.
    Fetching,
    /// It is compiled or run, or its outputs are hashed.
    Running,
    /// There is a receipt.
    Done,
    /// The host could not run it, and there is no receipt.
    Failed,
    /// Somebody asked for its end.
    Cancelled,
}

/// A job as its host lists it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct JobStatus {
    /// The job.
    pub job: JobId,
    /// Where it is.
    pub state: JobState,
    /// When it was accepted, in milliseconds since 1970-01-01 UTC by the host's clock.
    pub accepted_unix_ms: u64,
    /// The sequence number of its last event.
    pub last_seq: u64,
    /// Its receipt, once it is done.
    pub receipt: Option<ReceiptId>,
}

/// An entry of a host's chain of receipts, and the receipt that it names. Both are bytes in formats of their own,
/// which `docs/RECEIPT.md` specifies; whoever receives them decodes and checks them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChainItem {
    /// The signed entry.
    pub entry: Vec<u8>,
    /// The receipt, as in a receipt file.
    pub receipt: Vec<u8>,
}

impl Submit {
    pub(crate) fn check(&self) -> Result<(), DecodeError> {
        if let Some(publication) = &self.publication {
            publication.check().map_err(|error| DecodeError::Invalid(error.to_string()))?;
        }
        Provider::check_all(&self.providers)
    }
}

fn job_to_bytes<S: Serializer>(job: &JobSpec, serializer: S) -> Result<S::Ok, S::Error> {
    if serializer.is_human_readable() { job.serialize(serializer) } else { job.encode().serialize(serializer) }
}

fn job_from_bytes<'de, D: Deserializer<'de>>(deserializer: D) -> Result<JobSpec, D::Error> {
    if deserializer.is_human_readable() {
        return JobSpec::deserialize(deserializer);
    }
    let bytes = <&[u8]>::deserialize(deserializer)?;
    JobSpec::decode(bytes).map_err(serde::de::Error::custom)
}
