//! Whose turn it is: jobs wait in a lane for each peer, and the lanes take turns.
//!
//! Two promises. No peer waits for ever: each lane gets its turn, and a job that needs more memory than is free at its
//! turn is waited for, not overtaken. And what runs at once never needs more than the queue's memory, nor more than its
//! slots, nor more than one peer's share of them. Pure: it is told what happens, and says what to start.

use std::collections::{BTreeMap, VecDeque};

use samebit_net::Peer;
use samebit_runner::spec::JobId;

/// Jobs that wait and jobs that run.
#[derive(Debug)]
pub(crate) struct Queue {
    slots: usize,
    slots_per_peer: usize,
    memory_bytes: u64,
    /// Never empty ones.
    lanes: BTreeMap<Peer, VecDeque<Waiting>>,
    /// Every peer with a lane, the next one first.
    turns: VecDeque<Peer>,
    running: BTreeMap<JobId, Running>,
}

#[derive(Debug, Clone, Copy)]
struct Waiting {
    job: JobId,
    memory_bytes: u64,
}

#[derive(Debug, Clone, Copy)]
struct Running {
    peer: Peer,
    memory_bytes: u64,
}

impl Queue {
    /// An empty queue: so many jobs at once, of one peer, and with so much memory together.
    pub(crate) fn new(slots: usize, slots_per_peer: usize, memory_bytes: u64) -> Self {
        let (lanes, turns, running) = Default::default();
        Self { slots: slots.max(1), slots_per_peer: slots_per_peer.max(1), memory_bytes, lanes, turns, running }
    }

    /// Puts a job at the end of its peer's lane. One that needs more memory than there is will run alone.
    pub(crate) fn push(&mut self, peer: Peer, job: JobId, memory_bytes: u64) {
        let memory_bytes = memory_bytes.min(self.memory_bytes);
        let lane = self.lanes.entry(peer).or_default();
        if lane.is_empty() {
            self.turns.push_back(peer);
        }
        lane.push_back(Waiting { job, memory_bytes });
    }

    /// The next job to start, if one may. It counts as running from then on.
    pub(crate) fn start(&mut self) -> Option<JobId> {
        if self.running.len() >= self.slots {
            return None;
        }
        // A peer at its share is passed over, and keeps its turn.
        let at = self.turns.iter().position(|peer| self.runs_of(*peer) < self.slots_per_peer)?;
        let peer = *self.turns.get(at)?;
        let lane = self.lanes.get_mut(&peer)?;
        let next = *lane.front()?;
        let used = self.running.values().fold(0, |sum: u64, running| sum.saturating_add(running.memory_bytes));
        if used.saturating_add(next.memory_bytes) > self.memory_bytes {
            return None;
        }
        lane.pop_front();
        self.turns.remove(at);
        if lane.is_empty() {
            self.lanes.remove(&peer);
        } else {
            self.turns.push_back(peer);
        }
        self.running.insert(next.job, Running { peer, memory_bytes: next.memory_bytes });
        Some(next.job)
    }

    /// Takes a job out, whether it waits or runs. False if it did neither.
    pub(crate) fn remove(&mut self, job: &JobId) -> bool {
        if self.running.remove(job).is_some() {
            return true;
        }
        let found = self.lanes.iter_mut().find_map(|(peer, lane)| {
            let at = lane.iter().position(|waiting| waiting.job == *job)?;
            lane.remove(at);
            Some((*peer, lane.is_empty()))
        });
        if let Some((peer, true)) = found {
            self.lanes.remove(&peer);
            self.turns.retain(|turn| *turn != peer);
        }
        found.is_some()
    }

    /// How many jobs that wait come before this one, if it waits and nothing else happens.
    pub(crate) fn position(&self, job: &JobId) -> Option<usize> {
        let (mine, index) = self
            .lanes
            .iter()
            .find_map(|(peer, lane)| lane.iter().position(|waiting| waiting.job == *job).map(|index| (*peer, index)))?;
        let turn = self.turns.iter().position(|peer| *peer == mine)?;
        let before = |(place, peer): (usize, &Peer)| {
            let rounds = if place < turn { index + 1 } else { index };
            self.lanes.get(peer).map_or(0, |lane| lane.len().min(rounds))
        };
        Some(self.turns.iter().enumerate().map(before).sum())
    }

    /// The jobs that wait, in the order in which they would start, at most so many.
    pub(crate) fn first(&self, count_max: usize) -> Vec<JobId> {
        let longest = self.lanes.values().map(VecDeque::len).max().unwrap_or_default();
        let lanes = self.turns.iter().filter_map(|peer| self.lanes.get(peer)).collect::<Vec<_>>();
        let round = |index: usize| lanes.iter().filter_map(move |lane| lane.get(index).map(|waiting| waiting.job));
        (0..longest).flat_map(round).take(count_max).collect()
    }

    /// How many jobs wait.
    pub(crate) fn waiting(&self) -> usize {
        self.lanes.values().map(VecDeque::len).sum()
    }

    /// How many jobs run.
    pub(crate) fn running(&self) -> usize {
        self.running.len()
    }

    fn runs_of(&self, peer: Peer) -> usize {
        self.running.values().filter(|running| running.peer == peer).count()
    }
}

#[cfg(test)]
mod tests;
