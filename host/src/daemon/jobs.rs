//! The jobs of this host, from the moment they are taken on to their end.
//!
//! ```text
//! submit → waits to fetch → fetches → waits to run → runs → done | failed
//!                       any of these → cancelled
//! ```
//!
//! A job that is here already is not taken on twice, whoever submits it. What is taken on is on disk before the peer
//! hears of it, and so is every end. All that is going on is in one [`Table`] under one lock, which nobody holds across
//! a wait. After a failed write nothing more is taken on: the host has to be started again.

mod end;
mod fetch;
mod recover;
mod run;
mod submit;
mod sums;
mod table;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream::BoxStream;
use samebit_net::message::{EventKind, JobEvent, JobState, JobStatus, Load, Refusal, rule};
use samebit_net::{CancelReason, Crowded, Peer};
use samebit_runner::spec::{JobId, ReceiptId};
use tokio::runtime::Handle;
use tokio::sync::watch;

use super::disk::Room;
use super::metrics::Metrics;
use super::open::OpenBlobs;
use super::policy::{HostCaps, Policy};
use super::spent::Spent;
use super::state::{End, JobRecord, State, StateError};
use super::story::Story;
use crate::machine::Machine;
pub(crate) use fetch::{Fetch, Told};
use table::Table;

/// How long a cancelled job may take to end before the peer is told that it will.
const CANCEL_WAIT: Duration = Duration::from_secs(5);
/// Places for jobs that wait for the disk alone after their guests have ended. What they hold is no more than the guests
/// held. A peer has at most half of them.
const ENDING_MAX: usize = 128;
/// The most jobs in one listing.
const LISTED_MAX: usize = 1_000;

/// What jobs need of their surroundings.
pub(crate) struct Means {
    /// This machine.
    pub(crate) machine: Machine,
    /// What it has promised.
    pub(crate) state: State,
    /// Whose jobs it takes.
    pub(crate) policy: Policy,
    /// What it has with everybody together.
    pub(crate) caps: HostCaps,
    /// How many jobs run at once.
    pub(crate) slots: usize,
    /// Gets blobs from elsewhere.
    pub(crate) fetch: Arc<dyn Fetch>,
    /// Where guests run: threads of their own, so that they keep nobody else waiting.
    pub(crate) guests: Handle,
    /// What is counted.
    pub(crate) metrics: Arc<Metrics>,
    /// What peers had lately.
    pub(crate) spent: Arc<Spent>,
    /// What anybody may have.
    pub(crate) open: Arc<OpenBlobs>,
    /// Where its bytes go.
    pub(crate) room: Room,
}

/// The jobs of this host. Clones are handles to the same.
#[derive(Clone)]
pub(crate) struct Jobs(Arc<Inner>);

struct Inner {
    means: Means,
    table: Mutex<Table>,
    /// Changes whenever a job ends or the host breaks.
    changed: watch::Sender<()>,
    /// Room for jobs whose guests have ended, and which only wait for the disk now.
    ending: Crowded,
}

impl Jobs {
    /// The events of a job from a number on.
    pub(crate) fn events(
        &self,
        peer: Peer,
        id: &JobId,
        from_seq: u64,
    ) -> Result<BoxStream<'static, Result<JobEvent, Refusal>>, Refusal> {
        let active = self.lock().active.get(id).map(|active| (active.record.is_seen_by(peer), active.story.clone()));
        match active {
            Some((true, story)) => Ok(story.follow(from_seq)),
            Some((false, _)) => Err(unknown(id)),
            None => {
                let record = self.past(id)?.filter(|record| record.is_seen_by(peer)).ok_or_else(|| unknown(id))?;
                Ok(self.story_of(&record).map_err(|error| internal(&error))?.follow(from_seq))
            }
        }
    }

    /// The story of a job that has ended, with its receipt at the end.
    fn story_of(&self, record: &JobRecord) -> Result<Arc<Story>, StateError> {
        let mut events = self.0.means.state.story(&record.id())?;
        if let (Some(End::Done { sequence }), Some(last)) = (&record.end, events.last_mut()) {
            let link = self.0.means.state.links(*sequence, 1)?.pop();
            last.kind = EventKind::Done { receipt: link.map(|link| link.receipt).unwrap_or_default() };
        }
        Ok(Story::of(events))
    }

    /// Ends a job, and returns when it has ended. A job that has ended stays as it is.
    pub(crate) async fn cancel(&self, peer: Peer, id: &JobId, reason: CancelReason) -> Result<(), Refusal> {
        let story = {
            let mut table = self.lock();
            match table.active.get_mut(id) {
                Some(active) if !active.record.is_seen_by(peer) => return Err(unknown(id)),
                Some(active) if peer != Peer::Local && !active.is_wanted_by_only(peer) => {
                    // It is out, and the others keep their job. Who wants it is written with what is next written of it;
                    // a crash before that forgets no more than that one left.
                    active.record.submitters.retain(|submitter| submitter.peer() != peer);
                    return Ok(());
                }
                // The owner's own programs may end anything, but one that only goes away ends nothing of others'.
                Some(active) if reason == CancelReason::Disconnected && !active.is_wanted_by_only(peer) => {
                    return Ok(());
                }
                Some(active) => {
                    active.stop.ask();
                    active.story.clone()
                }
                None => {
                    drop(table);
                    return match self.past(id)? {
                        Some(record) if record.is_seen_by(peer) => Ok(()),
                        _ => Err(unknown(id)),
                    };
                }
            }
        };
        self.cancel_if_waiting(id).await;
        // Whoever runs it ends it.
        let ended = story.follow(story.last_seq()).for_each(|_| std::future::ready(()));
        let _ = tokio::time::timeout(CANCEL_WAIT, ended).await;
        Ok(())
    }

    /// One job, or all that the peer may see, the latest first.
    pub(crate) fn status(&self, peer: Peer, id: Option<JobId>) -> Result<Vec<JobStatus>, Refusal> {
        let state = &self.0.means.state;
        let records = match id {
            Some(id) => state.job(&id).map(|record| Vec::from_iter(record.filter(|record| record.is_seen_by(peer)))),
            None => state.latest(peer, LISTED_MAX),
        };
        let records = records.map_err(|error| internal(&error))?;
        if let (Some(id), true) = (id, records.is_empty()) {
            return Err(unknown(&id));
        }
        records.iter().map(|record| self.status_of(record)).collect()
    }

    fn status_of(&self, record: &JobRecord) -> Result<JobStatus, Refusal> {
        let job = record.id();
        let accepted_unix_ms = record.accepted_unix_ms;
        if let Some((state, last_seq)) = self.lock().state_of(&job) {
            return Ok(JobStatus { job, state, accepted_unix_ms, last_seq, receipt: None });
        }
        let (state, receipt) = match &record.end {
            Some(End::Done { sequence }) => (JobState::Done, self.receipt_at(*sequence)?),
            Some(End::Failed { .. }) => (JobState::Failed, None),
            Some(End::Cancelled) => (JobState::Cancelled, None),
            // It ended since the record was read.
            None => (JobState::Running, None),
        };
        Ok(JobStatus { job, state, accepted_unix_ms, last_seq: record.last_seq, receipt })
    }

    fn receipt_at(&self, sequence: u64) -> Result<Option<ReceiptId>, Refusal> {
        let links = self.0.means.state.links(sequence, 1).map_err(|error| internal(&error))?;
        Ok(links.first().map(|link| link.entry.receipt))
    }

    /// How busy this host is.
    pub(crate) fn load(&self) -> Load {
        let table = self.lock();
        let count = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
        Load {
            running: count(table.runs.running()),
            slots: count(self.0.means.slots),
            queued: count(table.fetches.waiting() + table.fetches.running() + table.runs.waiting()),
            queue_max: u32::try_from(self.0.means.caps.queued).unwrap_or(u32::MAX),
        }
    }

    /// How many receipts the chain has.
    pub(crate) fn receipts(&self) -> u64 {
        self.lock().head.sequence()
    }

    /// What jobs need of their surroundings.
    pub(crate) fn means(&self) -> &Means {
        &self.0.means
    }

    /// Takes nothing more on, and waits until what runs has ended, or for so long; then stops it. What was stopped or
    /// still waits is begun again at the next start.
    pub(crate) async fn stop(&self, patience: Duration) {
        let mut changed = self.0.changed.subscribe();
        self.lock().stopping = true;
        let drained = async {
            while self.is_busy() {
                // The sender is ours: it cannot be gone.
                let _ = changed.changed().await;
            }
        };
        if tokio::time::timeout(patience, drained).await.is_err() {
            tracing::info!("jobs still run after {} s: they will be begun again at the next start", patience.as_secs());
        }
        let written: Vec<_> = {
            let mut table = self.lock();
            table.abort_all();
            // That the host was told to stop is not their doing. Put in line under the lock, so that no end is overtaken.
            table.unbegin().iter().map(|record| self.0.means.state.put(record)).collect()
        };
        for written in written {
            if let Err(error) = written.await {
                tracing::warn!("{error}");
            }
        }
    }

    /// Returns when a write has failed, and the host has to stop.
    pub(crate) async fn failed(&self) -> String {
        let mut changed = self.0.changed.subscribe();
        loop {
            if let Some(why) = self.lock().broken.clone() {
                return why;
            }
            // The sender is ours: it cannot be gone.
            let _ = changed.changed().await;
        }
    }

    /// True if something is going on that may still end well.
    fn is_busy(&self) -> bool {
        let table = self.lock();
        table.broken.is_none() && table.is_busy()
    }

    /// Notes that a write failed.
    fn broken(&self, error: &StateError) -> Refusal {
        tracing::error!("{error}");
        let mut table = self.lock();
        table.stopping = true;
        table.broken.get_or_insert_with(|| error.to_string());
        drop(table);
        self.0.changed.send_replace(());
        Refusal::new(rule::INTERNAL, "the host cannot write its state, and stops: submit elsewhere")
    }

    /// What is written down of a job that is not going on.
    fn past(&self, id: &JobId) -> Result<Option<JobRecord>, Refusal> {
        self.0.means.state.job(id).map_err(|error| internal(&error))
    }

    fn lock(&self) -> MutexGuard<'_, Table> {
        self.0.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn unknown(id: &JobId) -> Refusal {
    Refusal::new(rule::UNKNOWN_JOB, format!("no job {id} of yours is here"))
}

fn internal(error: &StateError) -> Refusal {
    tracing::error!("{error}");
    Refusal::new(rule::INTERNAL, "the host cannot read its state: its operator has to look")
}

#[cfg(test)]
mod tests;
