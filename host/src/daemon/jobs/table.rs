//! Everything that is going on at a moment. Pure bookkeeping: no waiting, no clock, no disk.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use samebit_net::Peer;
use samebit_net::message::{EventKind, JobState, Provider};
use samebit_runner::spec::{BlobRef, ChainHead, JobId};
use samebit_runner::store::Pin;
use tokio::sync::Notify;
use tokio::task::AbortHandle;

use super::sums::Sums;
use crate::daemon::disk::Place;
use crate::daemon::queue::Queue;
use crate::daemon::state::{JobRecord, Submitter};
use crate::daemon::story::Story;

/// The most providers that a job collects from those who submit it.
const PROVIDERS_MAX: usize = samebit_net::message::PROVIDERS_MAX;
/// How many of those who wait are told when they move up. The others are told nothing new by a small step.
const TOLD_MAX: usize = 16;

/// What is going on.
pub(super) struct Table {
    /// Jobs that have not ended. They come and go by [`Table::add`] and [`Table::remove`].
    pub(super) active: BTreeMap<JobId, Active>,
    /// What they come to.
    pub(super) sums: Sums,
    /// Jobs whose blobs are missing.
    pub(super) fetches: Queue,
    /// Jobs that could run.
    pub(super) runs: Queue,
    /// The end of the chain.
    pub(super) head: ChainHead,
    /// The next job's place among all jobs.
    pub(super) order_next: u64,
    /// True once nothing more is taken on or begun.
    pub(super) stopping: bool,
    /// Why nothing can be written any more.
    pub(super) broken: Option<String>,
}

/// A job that has not ended.
pub(super) struct Active {
    /// What is written down of it. Its end is set once that is on its way to the disk.
    pub(super) record: JobRecord,
    /// What happened to it.
    pub(super) story: Arc<Story>,
    /// Where it is.
    pub(super) phase: Phase,
    /// True if it is to end.
    pub(super) stop: Arc<Stop>,
    /// Kills its task, which ends nothing and writes nothing.
    pub(super) abort: Option<AbortHandle>,
    /// True once it may have a receipt that nobody knows of yet.
    pub(super) signs: bool,
    /// Keeps what it needs in the store.
    pub(super) pins: Vec<Pin>,
}

/// Where a job is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Phase {
    /// It is being taken on, or waits for something.
    Waiting,
    /// Its blobs are on their way.
    Fetching,
    /// It is compiled, run or hashed.
    Running,
}

impl Active {
    /// A job that was just taken on.
    pub(super) fn new(record: JobRecord) -> Self {
        let story = Story::new(record.first_seq);
        Self { record, story, phase: Phase::Waiting, stop: Arc::default(), abort: None, signs: false, pins: Vec::new() }
    }

    /// Notes somebody who wants it too.
    pub(super) fn add(&mut self, submitter: Submitter, providers: &[Provider]) {
        self.record.add(submitter);
        for provider in providers {
            if self.record.providers.len() < PROVIDERS_MAX && !self.record.providers.contains(provider) {
                self.record.providers.push(provider.clone());
            }
        }
    }

    /// True if this peer, and nobody else, wants it.
    pub(super) fn is_wanted_by_only(&self, peer: Peer) -> bool {
        self.record.submitters.iter().all(|submitter| submitter.peer() == peer)
    }
}

/// Whether a job is to end. A `watch` would do it too, in ten times the memory.
#[derive(Debug, Default)]
pub(super) struct Stop {
    asked: AtomicBool,
    notify: Notify,
}

impl Stop {
    /// Asks for its end.
    pub(super) fn ask(&self) {
        self.asked.store(true, Ordering::Release);
        self.notify.notify_waiters();
    }

    /// True once that was asked for.
    pub(super) fn is_asked(&self) -> bool {
        self.asked.load(Ordering::Acquire)
    }

    /// Returns once that was asked for.
    pub(super) async fn asked(&self) {
        // Made before the look, so that whoever asks in between is heard.
        let notified = self.notify.notified();
        if !self.is_asked() {
            notified.await;
        }
    }
}

impl Table {
    /// The next job to begin, and with what.
    pub(super) fn next(&mut self) -> Option<(JobId, Phase)> {
        if self.stopping {
            return None;
        }
        let fetch = self.fetches.start().map(|id| (id, Phase::Fetching));
        fetch.or_else(|| self.runs.start().map(|id| (id, Phase::Running)))
    }

    /// Adds a job, and where each of its blobs is.
    pub(super) fn add(&mut self, id: JobId, active: Active, places: &BTreeMap<BlobRef, Place>) {
        self.sums.add(active.record.owner(), &active.record.job, places);
        self.active.insert(id, active);
    }

    /// Takes a job out that has ended.
    pub(super) fn remove(&mut self, id: &JobId) -> Option<Active> {
        self.fetches.remove(id);
        self.runs.remove(id);
        let active = self.active.remove(id)?;
        self.sums.remove(active.record.owner(), &active.record.job);
        Some(active)
    }

    /// Where a job is, and the number of its last event.
    pub(super) fn state_of(&self, id: &JobId) -> Option<(JobState, u64)> {
        let active = self.active.get(id)?;
        let state = match active.phase {
            Phase::Fetching => JobState::Fetching,
            Phase::Running => JobState::Running,
            Phase::Waiting => {
                let position = self.runs.position(id).or_else(|| self.fetches.position(id)).unwrap_or_default();
                JobState::Queued { position: u32::try_from(position).unwrap_or(u32::MAX) }
            }
        };
        Some((state, active.story.last_seq()))
    }

    /// Tells those who are soon to start where they are.
    pub(super) fn tell_positions(&self) {
        for queue in [&self.fetches, &self.runs] {
            for (position, id) in queue.first(TOLD_MAX).iter().enumerate() {
                if let Some(active) = self.active.get(id) {
                    active.story.tell(EventKind::Queued { position: u32::try_from(position).unwrap_or(u32::MAX) });
                }
            }
        }
    }

    /// True if a job is being fetched for or run, or its end written.
    pub(super) fn is_busy(&self) -> bool {
        self.active.values().any(|active| active.phase != Phase::Waiting || active.record.end.is_some())
    }

    /// Kills every task.
    pub(super) fn abort_all(&mut self) {
        for abort in self.active.values_mut().filter_map(|active| active.abort.take()) {
            abort.abort();
        }
    }

    /// Takes back that jobs were begun which are stopped because the host is, and gives what is to be written of them. One
    /// that may have a receipt stays begun, so that the receipt is looked for.
    pub(super) fn unbegin(&mut self) -> Vec<JobRecord> {
        let stopped = self.active.values_mut().filter(|active| {
            active.phase == Phase::Running && active.record.end.is_none() && !active.signs && active.record.starts > 0
        });
        let taken_back = stopped.map(|active| {
            active.record.starts -= 1;
            active.record.clone()
        });
        taken_back.collect()
    }
}
