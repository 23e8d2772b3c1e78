//! The first part of a job's way: its blobs come here.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use futures_util::future::BoxFuture;
use samebit_net::message::{EventKind, Provider};
use samebit_runner::spec::{BlobRef, JobId, JobSpec};
use tracing::{Instrument, info_span};

use super::Jobs;
use super::sums::blobs;
use super::table::Phase;
use crate::daemon::disk::Place;
use crate::daemon::policy;
use crate::daemon::state::{End, JobRecord};

/// Told of a blob how much of it is here, in bytes.
pub(crate) type Told = Arc<dyn Fn(BlobRef, u64) + Send + Sync>;

/// Gets blobs from elsewhere into the store.
pub(crate) trait Fetch: Send + Sync {
    /// Gets all of these, none longer than it says, or says why not; of those that are here already, makes sure that a
    /// provider has them. What is here then stays here for `job`.
    fn fetch(
        &self,
        job: JobId,
        blobs: Vec<BlobRef>,
        providers: Vec<Provider>,
        told: Told,
    ) -> BoxFuture<'static, Result<(), String>>;
}

impl Jobs {
    /// Puts a job where it belongs: in line to fetch, or if everything is here, in line to run.
    pub(super) async fn line_up(&self, id: &JobId) {
        self.hold(id).await;
        let Some(record) = self.lock().active.get(id).map(|active| active.record.clone()) else { return };
        let missing = self.missing(&record).await;
        if !self.join_line(id, missing.is_empty()) {
            self.end(id, End::Cancelled).await;
        }
    }

    /// Puts a job in line to run, or to fetch. False if it was cancelled between two lines, where nobody else hears it.
    fn join_line(&self, id: &JobId, runs: bool) -> bool {
        let mut table = self.lock();
        let Some(active) = table.active.get_mut(id).filter(|active| active.record.end.is_none()) else { return true };
        active.phase = Phase::Waiting;
        // The task that fetched is over but for this. Its handle would keep all its memory for as long as the job waits.
        active.abort = None;
        if active.stop.is_asked() {
            return false;
        }
        let (owner, memory_bytes) = (active.record.owner(), policy::memory_bytes(&active.record.job));
        if runs {
            table.runs.push(owner, *id, memory_bytes);
        } else {
            table.fetches.push(owner, *id, 0);
        }
        table.tell_positions();
        true
    }

    /// Keeps what a job needs in the store from now on, so that what is found there stays there.
    pub(super) async fn hold(&self, id: &JobId) {
        let needed: Vec<_> = match self.lock().active.get(id).filter(|active| active.pins.is_empty()) {
            Some(active) => blobs(&active.record.job).into_iter().map(|blob| blob.hash).collect(),
            None => return,
        };
        let store = &self.means().machine.host.store;
        let mut pins = Vec::with_capacity(needed.len());
        for hash in needed {
            match store.pin(&hash).await {
                Ok(pin) => pins.push(pin),
                // Noticed again by whoever reads the blob, who can say so.
                Err(error) => tracing::warn!("a job's blob is not held: {error}"),
            }
        }
        let mut table = self.lock();
        if let Some(active) = table.active.get_mut(id) {
            active.pins = pins;
        }
    }

    /// Where a job's blobs are, for the disk. An index that does not answer is noticed by whoever reads them.
    pub(super) async fn places(&self, job: &JobSpec) -> BTreeMap<BlobRef, Place> {
        let store = &self.means().machine.host.store;
        let mut places = BTreeMap::new();
        for blob in blobs(job) {
            let place = match store.contains(&blob.hash).await {
                Ok(true) if store.may_evict(&blob.hash) => Place::Here,
                Ok(true) => Place::Stays,
                _ => Place::Coming,
            };
            places.insert(blob, place);
        }
        places
    }

    /// How much of this is not here yet.
    async fn absent_bytes(&self, blobs: &[BlobRef]) -> u64 {
        let store = &self.means().machine.host.store;
        let mut bytes: u64 = 0;
        for blob in blobs {
            if !matches!(store.contains(&blob.hash).await, Ok(true)) {
                bytes = bytes.saturating_add(blob.size_bytes);
            }
        }
        bytes
    }

    /// What is to be fetched. A blob that is here counts only if its submitters may have it: whoever knows a hash could
    /// otherwise have a job print what the store holds for others.
    async fn missing(&self, record: &JobRecord) -> Vec<BlobRef> {
        let store = &self.means().machine.host.store;
        let mut missing = Vec::new();
        for blob in blobs(&record.job) {
            let may_use = record.fetched || record.is_of_this_machine() || self.means().open.has(&blob.hash);
            // An index that does not answer is noticed by whoever reads the blob, who can say so.
            let lacks = !may_use || matches!(store.contains(&blob.hash).await, Ok(false));
            if lacks {
                missing.push(blob);
            }
        }
        missing
    }

    /// Begins whatever may begin.
    pub(super) fn pump(&self) {
        let mut table = self.lock();
        let mut begun = false;
        while let Some((id, phase)) = table.next() {
            begun = true;
            let Some(active) = table.active.get_mut(&id) else { continue };
            active.phase = phase;
            let span = info_span!(parent: None, "job", id = %id.short(), peer = %active.record.owner());
            let jobs = self.clone();
            let task = async move {
                match phase {
                    Phase::Fetching => jobs.fetch(id).await,
                    Phase::Running | Phase::Waiting => jobs.run(id).await,
                }
            };
            active.abort = Some(self.means().guests.spawn(task.instrument(span)).abort_handle());
        }
        if begun {
            table.tell_positions();
        }
    }

    /// Fetches what a job needs, then lines it up again.
    async fn fetch(self, id: JobId) {
        let Some((record, story, stop)) = self
            .lock()
            .active
            .get(&id)
            .map(|active| (active.record.clone(), active.story.clone(), active.stop.clone()))
        else {
            return;
        };
        let missing = self.missing(&record).await;
        let room = Arc::new(self.means().room.make(self.absent_bytes(&missing).await).await);
        let (promise, written) = (room.clone(), Mutex::new(BTreeMap::new()));
        let told: Told = Arc::new(move |blob, done_bytes| {
            let mut written = written.lock().unwrap_or_else(PoisonError::into_inner);
            // Less than before, where a provider failed and the next one is asked: that is on the disk already.
            let most = written.entry(blob).or_insert(0);
            promise.wrote(done_bytes.saturating_sub(*most));
            *most = done_bytes.max(*most);
            story.tell(EventKind::Fetching { blob, done_bytes });
        });
        let fetched = tokio::select! {
            fetched = self.means().fetch.fetch(id, missing, record.providers, told) => fetched,
            () = stop.asked() => {
                return self.end(&id, End::Cancelled).await;
            }
        };
        match fetched {
            Ok(()) => {
                {
                    let mut table = self.lock();
                    let table = &mut *table;
                    table.fetches.remove(&id);
                    if let Some(active) = table.active.get_mut(&id).filter(|active| active.record.end.is_none()) {
                        active.record.fetched = true;
                        table.sums.arrived(&active.record.job);
                        // In line now, and nobody waits: lost, it is only asked for again.
                        drop(self.means().state.put(&active.record));
                    }
                }
                self.line_up(&id).await;
                self.pump();
            }
            Err(why) => {
                tracing::warn!("failed: {why}");
                self.end(&id, End::Failed { reason: why }).await;
            }
        }
    }
}
