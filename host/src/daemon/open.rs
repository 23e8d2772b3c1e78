//! Blobs that anybody may have who knows their hashes: what the receipts of this host's chain name, and what was
//! published here. A receipt that nobody can check is worth nothing; what a job's submitter wants to keep to itself has
//! no place on a stranger's machine.

use std::collections::BTreeSet;
use std::sync::{PoisonError, RwLock};

use samebit_runner::spec::{Hash, Receipt};

/// A set of hashes that grows.
#[derive(Debug, Default)]
pub(crate) struct OpenBlobs(RwLock<BTreeSet<Hash>>);

impl OpenBlobs {
    /// True if anybody may have this blob.
    pub(crate) fn has(&self, hash: &Hash) -> bool {
        self.0.read().unwrap_or_else(PoisonError::into_inner).contains(hash)
    }

    /// Adds blobs.
    pub(crate) fn add(&self, hashes: impl IntoIterator<Item = Hash>) {
        self.0.write().unwrap_or_else(PoisonError::into_inner).extend(hashes);
    }

    /// Adds a receipt's file and all that it names.
    pub(crate) fn add_receipt(&self, file: Hash, receipt: &Receipt) {
        let (job, outcome) = (&receipt.job, &receipt.outcome);
        let blobs = job.blobs().chain(outcome.outputs.values()).chain([&outcome.log]);
        self.add(blobs.map(|blob| blob.hash).chain([file]));
    }
}
