//! How a job is taken on, or not.

use std::sync::Arc;
use std::time::SystemTime;

use futures_util::StreamExt;
use samebit_net::Peer;
use samebit_net::message::{Accepted, Refusal, Submit, rule};
use samebit_runner::spec::JobId;

use super::table::Active;
use super::{CANCEL_WAIT, Jobs};
use crate::daemon::policy::Submission;
use crate::daemon::state::{End, JobRecord, Submitter};
use crate::daemon::story::Story;

/// What became of a submission.
enum Taken {
    /// It is new, and to be written.
    New(Box<JobRecord>),
    /// It is known, and who wants it is to be written.
    Known(Box<JobRecord>),
    /// The same job is just ending.
    Ending,
}

impl Jobs {
    /// Takes a job on, or not.
    pub(crate) async fn submit(&self, peer: Peer, submit: Submit) -> Result<Accepted, Refusal> {
        let taken = self.take(peer, submit).await;
        if let Err(refusal) = &taken {
            tracing::info!(%peer, "refused: {refusal}");
            self.0.means.metrics.refused();
        }
        taken
    }

    async fn take(&self, peer: Peer, submit: Submit) -> Result<Accepted, Refusal> {
        let id = submit.job.id();
        let submitter = Submitter::new(peer, submit.on_disconnect);
        loop {
            if let Some(ending) = self.ending(&id) {
                // Its end is being written. It is over in a moment, and then the past.
                let _ = tokio::time::timeout(CANCEL_WAIT, ending.follow(u64::MAX).next()).await;
            }
            let write = match self.take_on(peer, &submit, submitter)? {
                Taken::New(write) => Some((write, false)),
                Taken::Known(write) => Some((write, true)),
                Taken::Ending => None,
            };
            let Some((record, known)) = write else { continue };
            let jobs = self.clone();
            // On its own, so that it is finished even if the peer goes away meanwhile.
            let written = self.0.means.guests.spawn(async move { jobs.write_down(&record, known).await });
            written.await.unwrap_or_else(|_| Err(Refusal::new(rule::STOPPING, "the host stops: submit elsewhere")))?;
            return Ok(Accepted { job: id, known });
        }
    }

    /// The decision, and its entry in the table, without a wait between.
    fn take_on(&self, peer: Peer, submit: &Submit, submitter: Submitter) -> Result<Taken, Refusal> {
        let id = submit.job.id();
        let means = &self.0.means;
        let mut table = self.lock();
        if table.stopping {
            return Err(Refusal::new(rule::STOPPING, "the host stops: submit elsewhere, or later"));
        }
        let (peer_going, all_going) = table.going(peer);
        if let Some(active) = table.active.get_mut(&id) {
            if active.record.end.is_some() {
                return Ok(Taken::Ending);
            }
            means.policy.decide_known(&Submission::new(peer, submit, peer_going, all_going))?;
            active.add(submitter, &submit.providers);
            return Ok(Taken::Known(Box::new(active.record.clone())));
        }
        // Read under the lock: a job leaves the table only once its end can be read.
        let past = self.past(&id)?;
        let submission = Submission::new(peer, submit, peer_going, all_going);
        if let Some(mut record) = past.clone().filter(|record| matches!(record.end, Some(End::Done { .. }))) {
            means.policy.decide_known(&submission)?;
            record.add(submitter);
            return Ok(Taken::Known(Box::new(record)));
        }
        means.policy.decide(&submission, &means.caps)?;
        (means.room)()?;
        let record = JobRecord {
            job: submit.job.clone(),
            submitters: vec![submitter],
            providers: submit.providers.clone(),
            accepted_unix_ms: unix_ms((means.machine.host.clock)()),
            order: table.order_next,
            starts: 0,
            // A job that failed or was cancelled begins anew, and its story goes on.
            first_seq: past.map_or(0, |record| record.last_seq + 1),
            last_seq: 0,
            end: None,
        };
        table.order_next += 1;
        table.active.insert(id, Active::new(record.clone()));
        Ok(Taken::New(Box::new(record)))
    }

    /// Writes down a job that was taken on, and puts it in line.
    async fn write_down(&self, record: &JobRecord, known: bool) -> Result<(), Refusal> {
        self.0.means.state.put(record).await.map_err(|error| self.broken(&error))?;
        if !known {
            self.0.means.metrics.accepted();
            self.line_up(&record.id()).await;
            self.pump();
        }
        Ok(())
    }

    /// The story of a job whose end is being written.
    fn ending(&self, id: &JobId) -> Option<Arc<Story>> {
        let table = self.lock();
        table.active.get(id).filter(|active| active.record.end.is_some()).map(|active| active.story.clone())
    }
}

fn unix_ms(time: SystemTime) -> u64 {
    let since = time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}
