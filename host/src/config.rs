//! What the flags and the environment come to: the rest of the program sees this and no flags.

use std::path::PathBuf;
use std::time::Duration;

use samebit_runner::spec::{LOOP_ITERATIONS_MAX, Limits};

use crate::cli::Global;
use crate::error::Failure;

/// How long to wait for another process that has the store open.
pub(crate) const STORE_WAIT: Duration = Duration::from_secs(30);

/// What this host grants a job at most. Whoever runs the command is the operator, so these only keep out what no
/// machine can give, and what a stranger's receipt could hurt this one with.
pub(crate) fn caps() -> Limits {
    Limits {
        // Wall time is what bounds a job on this host; fuel is the job's own matter.
        fuel: u64::MAX,
        // What 32-bit addresses reach, and the sandbox reserves.
        memory_bytes: 4 << 30,
        table_elements: 1 << 20,
        instances: 256,
        gpu_memory_bytes: 1 << 40,
        dispatches: u64::MAX,
        loop_iterations: LOOP_ITERATIONS_MAX,
        // Written to disk even by a check, until it is over.
        output_bytes: 64 << 30,
        log_bytes: 16 << 20,
    }
}

/// The resolved configuration.
#[derive(Debug, Clone)]
pub(crate) struct Config {
    store: PathBuf,
}

impl Config {
    /// Lowers the global flags.
    pub(crate) fn resolve(global: &Global) -> Result<Self, Failure> {
        let store = match &global.store {
            Some(dir) => dir.clone(),
            None => directories::ProjectDirs::from("", "", "samebit")
                .map(|dirs| dirs.data_dir().to_owned())
                .ok_or_else(|| {
                    Failure::usage(
                        "store",
                        "no place for the store: this user has no home folder; name a folder with --store",
                    )
                })?,
        };
        Ok(Self { store })
    }

    /// The store's folder.
    pub(crate) fn store(&self) -> &std::path::Path {
        &self.store
    }

    /// Where the host's key is.
    pub(crate) fn key(&self) -> PathBuf {
        self.store.join("key")
    }

    /// Where compiled modules are kept.
    pub(crate) fn compiled(&self) -> PathBuf {
        self.store.join("compiled")
    }

    /// Where is kept what devices came to in the battery of arithmetic.
    pub(crate) fn batteries(&self) -> PathBuf {
        self.store.join("batteries")
    }
}
