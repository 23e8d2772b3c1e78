//! The second part of a job's way: it is run and signed.

use std::fmt::Display;
use std::sync::Arc;
use std::time::Instant;

use samebit_net::message::EventKind;
use samebit_net::{Peer, Place};
use samebit_runner::spec::{JobId, JobSpec, Receipt};
use samebit_runner::{Committed, Fetched};

use super::Jobs;
use super::table::Stop;
use crate::daemon::disk::Promise;
use crate::daemon::state::End;
use crate::daemon::story::Story;

impl Jobs {
    /// Runs a job to its end.
    pub(super) async fn run(self, id: JobId) {
        let Some((job, story, stop)) = self.begin(&id) else { return };
        let began = Instant::now();
        let committed = tokio::select! {
            committed = self.way(&id, job, &story) => Some(committed),
            () = stop.asked() => None,
        };
        let ran = match committed {
            Some(Ok((committed, _held))) => {
                // The host stops, and the job is begun again at the next start.
                if !self.begin_signing(&id) {
                    return;
                }
                // Whoever cancels now comes too late: a receipt that the store may keep is the job's end.
                let machine = &self.means().machine;
                Some(committed.sign(&machine.host, &machine.key).await.map_err(text))
            }
            Some(Err(reason)) => Some(Err(reason)),
            None => None,
        };
        self.charge(&id, began, ran.as_ref().and_then(|ran| ran.as_ref().ok()));
        let Some(ran) = ran else { return self.end(&id, End::Cancelled).await };
        match ran {
            Ok(receipt) => self.finish(&id, receipt).await,
            Err(reason) => {
                tracing::warn!("failed: {reason}");
                self.end(&id, End::Failed { reason }).await;
            }
        }
    }

    /// Counts a run against its owner, if runs are bounded: what the receipt measured, or the time on the clock where there
    /// is none, so that giving jobs up at their end saves nothing.
    fn charge(&self, id: &JobId, began: Instant, receipt: Option<&Receipt>) {
        let means = self.means();
        let owner = self.lock().active.get(id).map(|active| active.record.owner());
        if let (Some(Peer::Remote(key)), Some(_)) = (owner, means.policy.peer.gpu_time_per_hour) {
            let measured = receipt.map(|receipt| receipt.measured.run_time_us);
            let time = measured.unwrap_or_else(|| u64::try_from(began.elapsed().as_micros()).unwrap_or(u64::MAX));
            means.spent.gpu_time_us.spend(key, time, Instant::now());
        }
    }

    /// Notes that a job is begun, so that one which takes the host down each time is not begun for ever.
    fn begin(&self, id: &JobId) -> Option<(JobSpec, Arc<Story>, Arc<Stop>)> {
        let mut table = self.lock();
        let active = table.active.get_mut(id)?;
        active.record.starts += 1;
        // Nobody waits for this: should it be lost, a crash is forgiven once more.
        drop(self.means().state.put(&active.record));
        Some((active.record.job.clone(), active.story.clone(), active.stop.clone()))
    }

    /// Notes that a job may have a receipt from now on. False if the host has stopped its jobs and taken back that they
    /// were begun.
    fn begin_signing(&self, id: &JobId) -> bool {
        let mut table = self.lock();
        let Some(active) = table.active.get_mut(id).filter(|active| active.abort.is_some()) else { return false };
        active.signs = true;
        true
    }

    /// The steps of `samebit-runner` but the last one, which signs, and what is held until that is done.
    async fn way(
        &self,
        id: &JobId,
        job: JobSpec,
        story: &Arc<Story>,
    ) -> Result<(Committed, (Option<Place<'_>>, Promise)), String> {
        let host = &self.means().machine.host;
        let fetched = Fetched::fetch(host, job).await.map_err(text)?;
        story.tell(EventKind::Compiling);
        let compiled = fetched.compile(host).await.map_err(text)?;
        story.tell(EventKind::Running);
        let ran = compiled.run(host, story.clone()).await.map_err(text)?;
        story.tell(EventKind::Hashing);
        let aside = self.let_next_begin(id);
        let disk = self.means().room.make(ran.written_bytes()).await;
        Ok((ran.commit(host).await.map_err(text)?, (aside, disk)))
    }

    /// Gives up a job's place among those that run. What is left of it is waiting for the disk, which many jobs can do
    /// together: one after the other, a host of small jobs would do nothing else. Too many at once keep their places.
    fn let_next_begin(&self, id: &JobId) -> Option<Place<'_>> {
        let owner = self.lock().active.get(id)?.record.owner();
        let aside = self.0.ending.take(owner)?;
        self.lock().runs.remove(id);
        self.pump();
        Some(aside)
    }
}

fn text(error: impl Display) -> String {
    error.to_string()
}
