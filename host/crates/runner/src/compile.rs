//! The second step: the module is ready to run.

use std::collections::BTreeMap;
use std::io;

use samebit_engine::spec::{Hash, JobSpec, Name, Tolerance};
use samebit_engine::{CacheUse, Module, ModuleKind};
use samebit_store::Blob;
use thiserror::Error;
use tracing::debug;

use crate::hashing::blocking;
use crate::{Fetched, Host};

/// Why a module cannot be made ready.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum CompileError {
    /// The module is none that a job can have. Nothing was run, so nothing can be signed.
    #[error(transparent)]
    Refused(samebit_engine::CompileError),
    /// The compiler failed: not the module's fault.
    #[error(transparent)]
    Compiler(samebit_engine::CompileError),
    /// The job leaves a comparison to its module, which does not offer one.
    #[error(
        "the job leaves it to its module to compare output {0}, but the module exports no `compare: func(name: string) \
         -> result<_, string>`: give another tolerance, or build it for the world samebit:job/comparing"
    )]
    NoCompare(Name),
    /// The module's file was written to after it was hashed.
    #[error("the module was changed while it was being read: {found} instead of {wanted}; run it again")]
    Changed {
        /// What the job names.
        wanted: Hash,
        /// What was read.
        found: Hash,
    },
    /// The worker thread failed.
    #[error("the module could not be compiled: {0}; please report it")]
    Worker(#[source] io::Error),
}

/// A job whose module is ready to run.
pub struct Compiled {
    pub(crate) job: JobSpec,
    pub(crate) inputs: BTreeMap<Name, Blob>,
    pub(crate) module: Module,
}

impl Fetched {
    /// Compiles the module, or takes its compiled form from the engine's cache.
    pub async fn compile(self, host: &Host) -> Result<Compiled, CompileError> {
        let Self { job, module, inputs } = self;
        let engine = host.engine.clone();
        let compiled = blocking(move || Ok(engine.compile(&module))).await.map_err(CompileError::Worker)?;
        let module = compiled.map_err(|error| match error {
            samebit_engine::CompileError::Compiler(_) => CompileError::Compiler(error),
            refusal => CompileError::Refused(refusal),
        })?;
        if module.hash() != job.module.hash {
            return Err(CompileError::Changed { wanted: job.module.hash, found: module.hash() });
        }
        let left_to_module =
            |(name, tolerance): (&Name, &Tolerance)| (*tolerance == Tolerance::Compare).then(|| name.clone());
        if let (false, Some(name)) = (module.compares(), job.tolerances.iter().find_map(left_to_module)) {
            return Err(CompileError::NoCompare(name));
        }
        debug!(module = %module.hash(), cache = ?module.cache_use(), "compiled");
        Ok(Compiled { job, inputs, module })
    }
}

impl Compiled {
    /// What the module is.
    pub fn kind(&self) -> ModuleKind {
        self.module.kind()
    }

    /// Where its compiled code came from.
    pub fn cache_use(&self) -> CacheUse {
        self.module.cache_use()
    }
}
