//! How a job is taken on, or not.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Instant, SystemTime};

use futures_util::future::BoxFuture;
use futures_util::{FutureExt, StreamExt};
use samebit_net::Peer;
use samebit_net::message::{Accepted, Refusal, Submit, rule};
use samebit_runner::spec::{BlobRef, JobId};

use super::table::Active;
use super::{CANCEL_WAIT, Jobs};
use crate::daemon::disk::Place;
use crate::daemon::policy::Submission;
use crate::daemon::state::{End, JobRecord, StateError, Submitter};
use crate::daemon::story::Story;

/// A write that is in line. It went there under the table's lock, so that a job's end cannot overtake it.
type Written = BoxFuture<'static, Result<(), StateError>>;

/// What became of a submission.
enum Taken {
    /// It is new.
    New(Written),
    /// It is known, and who wants it is noted.
    Known(Written),
    /// The same job is just ending.
    Ending,
    /// It would be taken on, if the disk has room for it: where its blobs are is to be found out.
    Unlocated,
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
        let mut places = None;
        loop {
            if let Some(ending) = self.ending(&id) {
                // Its end is being written. It is over in a moment, and then the past.
                let _ = tokio::time::timeout(CANCEL_WAIT, ending.follow(u64::MAX).next()).await;
            }
            let (written, known) = match self.take_on(peer, &submit, submitter, places.as_ref())? {
                Taken::New(written) => (written, false),
                Taken::Known(written) => (written, true),
                Taken::Ending => continue,
                Taken::Unlocated => {
                    places = Some(self.places(&submit.job).await);
                    continue;
                }
            };
            let jobs = self.clone();
            // On its own, so that it is finished even if the peer goes away meanwhile.
            let begun = self.0.means.guests.spawn(async move { jobs.begin_once(id, written, known).await });
            begun.await.unwrap_or_else(|_| Err(Refusal::new(rule::STOPPING, "the host stops: submit elsewhere")))?;
            return Ok(Accepted { job: id, known });
        }
    }

    /// The decision, and its entry in the table, without a wait between.
    fn take_on(
        &self,
        peer: Peer,
        submit: &Submit,
        submitter: Submitter,
        places: Option<&BTreeMap<BlobRef, Place>>,
    ) -> Result<Taken, Refusal> {
        let id = submit.job.id();
        let means = &self.0.means;
        let mut table = self.lock();
        if table.stopping {
            return Err(Refusal::new(rule::STOPPING, "the host stops: submit elsewhere, or later"));
        }
        let going = table.sums.going(peer);
        let spent = means.spent.of(peer, Instant::now());
        if let Some(active) = table.active.get_mut(&id) {
            if active.record.end.is_some() {
                return Ok(Taken::Ending);
            }
            means.policy.decide_known(&Submission::new(peer, submit, going, spent))?;
            active.record.check_room(&submitter)?;
            active.add(submitter, &submit.providers);
            return Ok(Taken::Known(means.state.put(&active.record).boxed()));
        }
        // Read under the lock: a job leaves the table only once its end can be read.
        let past = self.past(&id)?;
        let submission = Submission::new(peer, submit, going, spent);
        if past.as_ref().is_some_and(|record| matches!(record.end, Some(End::Done { .. }))) {
            means.policy.decide_known(&submission)?;
            return Ok(Taken::Known(means.state.add_submitter(&id, submitter).boxed()));
        }
        means.policy.decide(&submission, &means.caps)?;
        let Some(places) = places else { return Ok(Taken::Unlocated) };
        means.room.check(&table.sums.needs(&submit.job, places))?;
        let record = JobRecord {
            job: submit.job.clone(),
            owner: submitter.key,
            submitters: vec![submitter],
            providers: submit.providers.clone(),
            accepted_unix_ms: unix_ms((means.machine.host.clock)()),
            order: table.order_next,
            fetched: false,
            starts: 0,
            // A job that failed or was cancelled begins anew, and its story goes on.
            first_seq: past.map_or(0, |record| record.last_seq + 1),
            last_seq: 0,
            end: None,
        };
        table.order_next += 1;
        let written = means.state.put(&record).boxed();
        table.add(id, Active::new(record), places);
        Ok(Taken::New(written))
    }

    /// Puts a job in line, and returns once it is written down. Its end is written after that in any case, so it may
    /// begin at once, and need not wait for the disk before.
    async fn begin_once(&self, id: JobId, written: Written, known: bool) -> Result<(), Refusal> {
        if !known {
            self.line_up(&id).await;
            self.pump();
        }
        written.await.map_err(|error| self.broken(&error))?;
        if !known {
            self.0.means.metrics.accepted();
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
