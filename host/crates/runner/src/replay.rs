//! The way of a check up to its last step: a receipt's job ran again, and nothing of it was stored.

use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;

use samebit_engine::spec::{BlobRef, Measured, Name, Outcome, Receipt};
use samebit_engine::{Module, Observer, Spool};
use thiserror::Error;

use crate::hashing::{blob_of, blocking};
use crate::{CompileError, FetchError, Fetched, Host, Ran, RunError};

/// Why this machine could not run a receipt's job again.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ReplayError {
    /// What the job names could not be had.
    #[error(transparent)]
    Fetch(#[from] FetchError),
    /// The module could not be made ready.
    #[error(transparent)]
    Compile(#[from] CompileError),
    /// The run came to nothing.
    #[error(transparent)]
    Run(#[from] RunError),
    /// What the run wrote could not be read back.
    #[error("an output of the re-run could not be read: {0}")]
    Output(#[source] io::Error),
}

/// A job that ran again, with what it wrote.
pub struct Replayed {
    /// What it came to here.
    pub(crate) found: Outcome,
    /// What was measured here.
    pub(crate) measured: Measured,
    /// The outputs, until this is dropped.
    pub(crate) outputs: Arc<BTreeMap<Name, Spool>>,
    /// The log.
    pub(crate) log: Vec<u8>,
    /// What ran, to be asked whether an output is as good as the claimed one.
    pub(crate) module: Module,
}

impl Replayed {
    /// Runs the job of a receipt again.
    pub async fn replay(host: &Host, receipt: &Receipt, observer: Arc<dyn Observer>) -> Result<Self, ReplayError> {
        let fetched = Fetched::fetch(host, receipt.job.clone()).await?;
        let compiled = fetched.compile(host).await?;
        let module = compiled.module.clone();
        let ran = compiled.run(host, observer).await?;
        Self::of(ran, module).await.map_err(ReplayError::Output)
    }

    /// Names what a run wrote.
    async fn of(ran: Ran, module: Module) -> io::Result<Self> {
        let Ran { ran, measured, .. } = ran;
        let log = ran.log;
        let outputs = Arc::new(ran.outputs);
        let to_hash = outputs.clone();
        let blobs = blocking(move || {
            to_hash.iter().map(|(name, spool)| Ok((name.clone(), blob_of(spool)?))).collect::<io::Result<_>>()
        })
        .await?;
        let found = Outcome { status: ran.status, outputs: blobs, log: BlobRef::of(&log), fuel: ran.fuel };
        Ok(Self { found, measured, outputs, log, module })
    }

    /// What the job came to on this machine.
    pub fn outcome(&self) -> &Outcome {
        &self.found
    }
}
