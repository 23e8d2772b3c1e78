//! The second part of a job's way: it is run and signed.

use std::fmt::Display;
use std::sync::Arc;

use samebit_net::message::EventKind;
use samebit_runner::Fetched;
use samebit_runner::spec::{JobId, JobSpec, Receipt};

use super::Jobs;
use super::table::asked;
use crate::daemon::state::End;
use crate::daemon::story::Story;

impl Jobs {
    /// Runs a job to its end.
    pub(super) async fn run(self, id: JobId) {
        let Some((job, story, stop)) = self.begin(&id) else { return };
        let ran = tokio::select! {
            ran = self.way(job, &story) => ran,
            () = asked(stop) => return self.end(&id, End::Cancelled).await,
        };
        match ran {
            Ok(receipt) => self.finish(&id, receipt).await,
            Err(reason) => {
                tracing::warn!("failed: {reason}");
                self.end(&id, End::Failed { reason }).await;
            }
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
    async fn way(&self, job: JobSpec, story: &Arc<Story>) -> Result<Receipt, String> {
        let machine = &self.means().machine;
        let host = &machine.host;
        let fetched = Fetched::fetch(host, job).await.map_err(text)?;
        story.tell(EventKind::Compiling);
        let compiled = fetched.compile(host).await.map_err(text)?;
        story.tell(EventKind::Running);
        let ran = compiled.run(host, story.clone()).await.map_err(text)?;
        story.tell(EventKind::Hashing);
        let committed = ran.commit(host).await.map_err(text)?;
        committed.sign(host, &machine.key).await.map_err(text)
    }
}

fn text(error: impl Display) -> String {
    error.to_string()
}
