//! What can go wrong with a fetch, and whose fault it was.

use samebit_spec::{Hash, HostKey};
use samebit_store::{DatabaseError, ReadError};
use thiserror::Error;

/// Why a blob could not be fetched.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum FetchError {
    /// It is over the bound, by what is said of it or by what was proven.
    #[error("blob {hash} is not fetched: it has {size_bytes} bytes, at most {size_bytes_max} are allowed here")]
    TooLarge {
        /// The blob.
        hash: Hash,
        /// Its size.
        size_bytes: u64,
        /// The bound.
        size_bytes_max: u64,
    },
    /// It has another size than was said.
    #[error(
        "blob {hash} is not fetched: it has {found_bytes} bytes, not {declared_bytes} as the job says; correct the job"
    )]
    Size {
        /// The blob.
        hash: Hash,
        /// What was said.
        declared_bytes: u64,
        /// What was proven.
        found_bytes: u64,
    },
    /// Nobody was named who may have it.
    #[error("blob {0} is not here and no provider of it is known: name one")]
    NoProviders(Hash),
    /// None of the providers delivered.
    #[error("blob {hash} could not be fetched: {}", told(faults))]
    Nobody {
        /// The blob.
        hash: Hash,
        /// Who was asked, and what came of it.
        faults: Vec<(HostKey, ProviderFault)>,
    },
    /// This machine could not keep what came.
    #[error("blob {hash} could not be kept: {reason}; is the disk full?")]
    Local {
        /// The blob.
        hash: Hash,
        /// Why not.
        reason: String,
    },
    /// The store could not be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// The store does not answer.
    #[error(transparent)]
    Database(#[from] DatabaseError),
}

/// Why a provider did not deliver.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ProviderFault {
    /// It cannot be reached.
    #[error("{0}")]
    Unreachable(String),
    /// It does not have the blob, or not all of it.
    #[error("it does not have the blob")]
    Lacks,
    /// Its policy does not allow it.
    #[error("it refuses to serve the blob to this host")]
    Refused,
    /// It sent something else.
    #[error("it sent wrong bytes ({0})")]
    Lied(String),
    /// It stopped sending.
    #[error("it sent nothing for {0} s")]
    Stalled(u64),
    /// The connection broke.
    #[error("the connection broke: {0}")]
    Lost(String),
}

impl ProviderFault {
    /// True if asking again may help.
    pub fn is_transient(&self) -> bool {
        matches!(self, Self::Lost(_) | Self::Stalled(_))
    }
}

fn told(faults: &[(HostKey, ProviderFault)]) -> String {
    let told: Vec<_> = faults.iter().map(|(host, fault)| format!("{host}: {fault}")).collect();
    told.join("; ")
}
