//! The first step: everything a job names is at hand, and its bytes are what their hashes say.

use std::collections::BTreeMap;
use std::fmt;
use std::io::{self, Read};

use bytes::Bytes;
use samebit_engine::MODULE_BYTES_MAX;
use samebit_engine::spec::{BlobRef, Hash, JobSpec, JobSpecError, LimitError, Name};
use samebit_store::{Blob, DatabaseError, ReadError};
use thiserror::Error;

use crate::Host;
use crate::hashing::blocking;

/// A part of a job that is a blob.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Part {
    /// The module.
    Module,
    /// The input of this name.
    Input(Name),
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Module => f.write_str("the module"),
            Self::Input(name) => write!(f, "input {name}"),
        }
    }
}

/// A blob that a job names and the store lacks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Missing {
    /// What it is to the job.
    pub part: Part,
    /// Its hash.
    pub hash: Hash,
}

/// Why a job's blobs cannot be had.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum FetchError {
    /// The job breaks a rule for all jobs.
    #[error("the job is invalid: {0}")]
    Job(#[from] JobSpecError),
    /// The job asks for more than this host grants.
    #[error(transparent)]
    Limit(#[from] LimitError),
    /// The store lacks blobs.
    #[error("the store lacks what the job names: {}; give it as a file", list(.0))]
    Missing(Vec<Missing>),
    /// A blob has another length than the job says: whoever made the job lied about it.
    #[error("{part} has {found} bytes, but the job says {claimed}: nobody can run this job")]
    Size {
        /// Which blob.
        part: Part,
        /// What the job says.
        claimed: u64,
        /// What the blob has.
        found: u64,
    },
    /// The module is larger than the engine takes.
    #[error("the module is too large: {0} bytes, at most {MODULE_BYTES_MAX} are allowed")]
    ModuleTooLarge(u64),
    /// A blob is there but cannot be read, or is damaged.
    #[error("{part} cannot be read: {source}")]
    Read {
        /// Which blob.
        part: Part,
        /// The cause.
        source: ReadError,
    },
    /// The module's file cannot be read.
    #[error("the module cannot be read: {0}")]
    Module(#[source] io::Error),
    /// The store does not answer.
    #[error(transparent)]
    Store(#[from] DatabaseError),
}

fn list(missing: &[Missing]) -> String {
    const SHOWN: usize = 8;
    let mut text = missing.iter().take(SHOWN).map(Missing::to_string).collect::<Vec<_>>().join(", ");
    if missing.len() > SHOWN {
        text.push_str(&format!(" and {} more", missing.len() - SHOWN));
    }
    text
}

impl fmt::Display for Missing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.part, self.hash)
    }
}

/// A job with its blobs, verified.
#[derive(Debug)]
pub struct Fetched {
    pub(crate) job: JobSpec,
    pub(crate) module: Bytes,
    pub(crate) inputs: BTreeMap<Name, Blob>,
}

impl Fetched {
    /// Checks what can be told before any of the job's blobs is here: that this host would run it at all.
    pub fn check(host: &Host, job: &JobSpec) -> Result<(), FetchError> {
        job.check()?;
        job.limits.check_within(&host.caps)?;
        if job.module.size_bytes > MODULE_BYTES_MAX {
            return Err(FetchError::ModuleTooLarge(job.module.size_bytes));
        }
        Ok(())
    }

    /// Checks the job against the host's caps, then takes its blobs from the store.
    pub async fn fetch(host: &Host, job: JobSpec) -> Result<Self, FetchError> {
        Self::check(host, &job)?;
        let missing = missing(host, &job).await?;
        if !missing.is_empty() {
            return Err(FetchError::Missing(missing));
        }
        let module = in_memory(open(host, Part::Module, &job.module).await?).await.map_err(FetchError::Module)?;
        let mut inputs = BTreeMap::new();
        for (name, blob) in &job.inputs {
            inputs.insert(name.clone(), open(host, Part::Input(name.clone()), blob).await?);
        }
        Ok(Self { job, module, inputs })
    }
}

/// Everything the store lacks, not just the first, so that it can be given at once.
async fn missing(host: &Host, job: &JobSpec) -> Result<Vec<Missing>, DatabaseError> {
    let inputs = job.inputs.iter().map(|(name, blob)| (Part::Input(name.clone()), blob));
    let mut missing = Vec::new();
    for (part, blob) in std::iter::once((Part::Module, &job.module)).chain(inputs) {
        if !host.store.contains(&blob.hash).await? {
            missing.push(Missing { part, hash: blob.hash });
        }
    }
    Ok(missing)
}

async fn open(host: &Host, part: Part, named: &BlobRef) -> Result<Blob, FetchError> {
    match host.store.open_blob(&named.hash).await {
        Ok(blob) if blob.size_bytes() == named.size_bytes => Ok(blob),
        Ok(blob) => Err(FetchError::Size { part, claimed: named.size_bytes, found: blob.size_bytes() }),
        Err(source) => Err(FetchError::Read { part, source }),
    }
}

/// A module's bytes. One that is too large for the store's memory is read from its file; the engine's own hash of the
/// bytes is compared in the next step.
async fn in_memory(blob: Blob) -> io::Result<Bytes> {
    match blob {
        Blob::Bytes(bytes) => Ok(bytes),
        Blob::File(file) => {
            blocking(move || {
                let mut bytes = Vec::new();
                // Opened anew: the store's handle is shared, and has one position.
                let reader = std::fs::File::open(file.path())?;
                reader.take(MODULE_BYTES_MAX).read_to_end(&mut bytes)?;
                Ok(bytes.into())
            })
            .await
        }
    }
}
