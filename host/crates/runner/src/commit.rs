//! The fourth step: what the job wrote is in the store, and its outcome has a name.

use std::collections::BTreeMap;

use samebit_engine::Spool;
use samebit_engine::spec::{BlobRef, JobSpec, Measured, Name, Outcome};
use samebit_store::{ImportError, Pin};
use thiserror::Error;

use crate::{Host, Ran};

/// Why what a job wrote could not be stored.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum CommitError {
    /// An output.
    #[error("output {name} could not be stored: {source}; there is no receipt")]
    Output {
        /// Which output.
        name: Name,
        /// The cause.
        source: ImportError,
    },
    /// The log.
    #[error("the log could not be stored: {0}; there is no receipt")]
    Log(#[source] ImportError),
}

/// A job whose outcome is fixed and whose outputs are stored.
#[derive(Debug)]
pub struct Committed {
    pub(crate) job: JobSpec,
    pub(crate) outcome: Outcome,
    pub(crate) measured: Measured,
    /// Holds the outputs in the store until a receipt does.
    pub(crate) pins: Vec<Pin>,
}

impl Ran {
    /// Stores outputs and log, and makes the outcome of them.
    pub async fn commit(self, host: &Host) -> Result<Committed, CommitError> {
        let Self { job, ran, measured } = self;
        let mut pins = Vec::new();
        let mut outputs = BTreeMap::new();
        for (name, spool) in ran.outputs {
            match import(host, spool).await {
                Ok((blob, pin)) => {
                    outputs.insert(name, blob);
                    pins.push(pin);
                }
                Err(source) => return Err(CommitError::Output { name, source }),
            }
        }
        let (log, pin) = host.store.import_bytes(ran.log.into()).await.map_err(CommitError::Log)?;
        pins.push(pin);
        let outcome = Outcome { status: ran.status, outputs, log, fuel: ran.fuel };
        Ok(Committed { job, outcome, measured, pins })
    }
}

impl Committed {
    /// What the job came to.
    pub fn outcome(&self) -> &Outcome {
        &self.outcome
    }
}

async fn import(host: &Host, spool: Spool) -> Result<(BlobRef, Pin), ImportError> {
    match spool {
        Spool::Memory(bytes) => host.store.import_bytes(bytes).await,
        // The store moves the file away; if it fails, dropping `path` removes it.
        Spool::File { path, size_bytes, hash: Some(hash) } => {
            host.store.adopt_hashed(&path, BlobRef { hash, size_bytes }).await
        }
        Spool::File { path, hash: None, .. } => host.store.adopt_file(&path).await,
    }
}
