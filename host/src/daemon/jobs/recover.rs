//! What a host does first: it takes up what it had promised when it stopped, in whatever way it did.
//!
//! A job that was being run may have been signed: then the store keeps the receipt, and that is the job's end, whatever
//! another run would measure. Else it is run again. A job that was being run each time when the host went down takes it
//! down, as far as anybody can tell, and is reported as failed; a host that is told to stop counts for nothing.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use samebit_net::Crowded;
use samebit_runner::spec::{ChainHead, HostKey, JobId, Receipt};
use samebit_runner::store::DatabaseError;
use thiserror::Error;
use tokio::sync::watch;

use super::sums::Sums;
use super::table::{Active, Table};
use super::{ENDING_MAX, Inner, Jobs, Means};
use crate::daemon::queue::Queue;
use crate::daemon::state::{End, Found, JobRecord, StateError};

/// How often a job may be begun without ending, but for the host being told to stop.
const STARTS_MAX: u32 = 3;
/// How many jobs fetch at once.
const FETCHES: usize = 16;
/// How far the numbers of events jump at a start: further than they can have come without being written down.
const SEQ_STEP: u64 = 1 << 32;

/// Why a host cannot take up its work.
#[derive(Debug, Error)]
pub(crate) enum RecoverError {
    /// The chain is another host's.
    #[error(
        "this host's chain of receipts was signed by {chain}, but its key is {key}: restore that key, or move the state away to begin a new chain"
    )]
    Key {
        /// Who signed the chain.
        chain: HostKey,
        /// Whose key this is.
        key: HostKey,
    },
    /// The state.
    #[error(transparent)]
    State(#[from] StateError),
    /// The store.
    #[error(transparent)]
    Store(#[from] DatabaseError),
}

impl Jobs {
    /// Takes up what was found.
    pub(crate) async fn start(means: Means, found: Found) -> Result<Self, RecoverError> {
        let key = means.machine.key.public();
        let head = match &found.head {
            Some(entry) if entry.host != key => return Err(RecoverError::Key { chain: entry.host, key }),
            Some(entry) => ChainHead::after(entry),
            None => ChainHead::new(key),
        };
        let per_peer = means.policy.peer.running;
        let table = Table {
            active: BTreeMap::new(),
            sums: Sums::default(),
            fetches: Queue::new(FETCHES, FETCHES / 2, u64::MAX),
            runs: Queue::new(means.slots, per_peer, means.caps.memory_bytes),
            head,
            order_next: found.order_next,
            stopping: false,
            broken: None,
        };
        let (table, changed) = (Mutex::new(table), watch::Sender::new(()));
        let jobs = Self(Arc::new(Inner { means, table, changed, ending: Crowded::new(ENDING_MAX) }));
        let mut receipts = jobs.kept_receipts(&found.open).await?;
        let (mut taken_up, mut written) = (Vec::new(), Vec::new());
        for mut record in found.open {
            record.first_seq += SEQ_STEP;
            written.push(jobs.means().state.put(&record));
            taken_up.push((record.id(), record.starts));
            let places = jobs.places(&record.job).await;
            jobs.lock().add(record.id(), Active::new(record), &places);
        }
        // All of them in line first: they share the waits for the disk.
        for written in written {
            written.await?;
        }
        // And all of them held, before the end of one makes room.
        for (id, _) in &taken_up {
            jobs.hold(id).await;
        }
        for (id, starts) in taken_up {
            match receipts.remove(&id) {
                Some(receipt) => jobs.finish(&id, receipt).await,
                None if starts >= STARTS_MAX => jobs.end(&id, too_often(starts)).await,
                None => jobs.line_up(&id).await,
            }
        }
        jobs.pump();
        Ok(jobs)
    }

    /// Receipts of jobs that were begun and have not ended.
    async fn kept_receipts(&self, open: &[JobRecord]) -> Result<BTreeMap<JobId, Receipt>, DatabaseError> {
        let begun = open.iter().filter(|record| record.starts > 0).map(JobRecord::id).collect::<Vec<_>>();
        if begun.is_empty() {
            return Ok(BTreeMap::new());
        }
        let host = self.means().machine.key.public();
        let receipts = self.means().machine.host.store.receipts().await?.into_iter().flatten();
        let ours = receipts.filter(|receipt| receipt.host == host).map(|receipt| (receipt.job.id(), receipt));
        Ok(ours.filter(|(id, _)| begun.contains(id)).collect())
    }
}

fn too_often(starts: u32) -> End {
    End::Failed {
        reason: format!("the host went down {starts} times while it ran this job: it will not be run here again"),
    }
}
