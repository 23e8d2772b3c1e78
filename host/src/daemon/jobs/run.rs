//! The second part of a job's way: it is run and signed.

use std::fmt::Display;
use std::sync::Arc;
use std::time::Instant;

use samebit_net::Peer;
use samebit_net::message::EventKind;
use samebit_runner::Fetched;
use samebit_runner::spec::{JobId, JobSpec, Receipt};
use tokio::sync::OwnedSemaphorePermit as Room;

use super::Jobs;
use super::table::asked;
use crate::daemon::state::End;
use crate::daemon::story::Story;

impl Jobs {
    /// Runs a job to its end.
    pub(super) async fn run(self, id: JobId) {
        let Some((job, story, stop)) = self.begin(&id) else { return };
        let began = Instant::now();
        let ran = tokio::select! {
            ran = self.way(&id, job, &story) => Some(ran),
            () = asked(stop) => None,
        };
        let (ran, _room) = match ran {
            Some(Ok((receipt, room))) => (Some(Ok(receipt)), room),
            Some(Err(reason)) => (Some(Err(reason)), None),
            None => (None, None),
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
    fn begin(&self, id: &JobId) -> Option<(JobSpec, Arc<Story>, tokio::sync::watch::Receiver<bool>)> {
        let mut table = self.lock();
        let active = table.active.get_mut(id)?;
        active.record.starts += 1;
        // Nobody waits for this: should it be lost, a crash is forgiven once more.
        drop(self.means().state.put(&active.record));
        Some((active.record.job.clone(), active.story.clone(), active.stop.subscribe()))
    }

    /// The steps of `samebit-runner`. The last one signs, and the store keeps the receipt before it is known.
    async fn way(&self, id: &JobId, job: JobSpec, story: &Arc<Story>) -> Result<(Receipt, Option<Room>), String> {
        let machine = &self.means().machine;
        let host = &machine.host;
        let fetched = Fetched::fetch(host, job).await.map_err(text)?;
        story.tell(EventKind::Compiling);
        let compiled = fetched.compile(host).await.map_err(text)?;
        story.tell(EventKind::Running);
        let ran = compiled.run(host, story.clone()).await.map_err(text)?;
        story.tell(EventKind::Hashing);
        let room = self.let_next_begin(id);
        let _disk = self.means().room.make(ran.written_bytes()).await;
        let committed = ran.commit(host).await.map_err(text)?;
        if let Some(active) = self.lock().active.get_mut(id) {
            active.signs = true;
        }
        Ok((committed.sign(host, &machine.key).await.map_err(text)?, room))
    }

    /// Gives up a job's place among those that run. What is left of it is waiting for the disk, which many jobs can do
    /// together: one after the other, a host of small jobs would do nothing else. Too many at once keep their places.
    fn let_next_begin(&self, id: &JobId) -> Option<Room> {
        let room = self.0.ending.clone().try_acquire_owned().ok()?;
        self.lock().runs.remove(id);
        self.pump();
        Some(room)
    }
}

fn text(error: impl Display) -> String {
    error.to_string()
}
