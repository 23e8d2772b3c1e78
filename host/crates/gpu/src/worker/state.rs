//! The accounts of a link: who waits for what, what is in flight, and since when nothing was heard.
//!
//! Flow control is by what the worker says it has [taken](Reply::Taken). What has been sent and not taken is in flight:
//! over [`REQUESTS`] requests or [`BYTES`] bytes of it, the session is congested, and its caller waits until half of that is
//! left. A worker takes a request only when its own session is not congested, so what a slow GPU holds up is held up here.
//!
//! Time counts against a worker while somebody waits for it, and from its last sign of life.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use samebit_device::DeviceError;
use tokio::sync::oneshot;

use super::message::{Kind, Reply};

/// Requests in flight above which the caller should wait.
const REQUESTS: usize = 1024;
/// Bytes in flight above which the caller should wait.
const BYTES: u64 = 32 << 20;
/// What a request counts as beside its bulk bytes.
const REQUEST_BYTES: u64 = 256;
/// How long a worker may take to end when it was told to. Its session has ended by then: nobody waits for a GPU.
const CLOSING: Duration = Duration::from_secs(5);

/// What the threads of a link share.
pub(super) struct State {
    /// Why the worker is of no more use.
    pub(super) error: Option<DeviceError>,
    /// Nobody needs the worker any more.
    pub(super) is_dropped: bool,
    /// The worker was told to end.
    is_closing: bool,
    /// The worker's output has ended, and it is ending too.
    pub(super) has_ended: bool,
    /// Who waits for answers, in order.
    waiters: VecDeque<Waiter>,
    /// Who waits for room.
    room: Option<oneshot::Sender<()>>,
    sent: u64,
    taken: u64,
    /// What each request in flight counts as, oldest first.
    flying: VecDeque<u64>,
    flying_bytes: u64,
    /// When the worker was last heard of while somebody waited, or somebody began to wait.
    heard: Instant,
    /// Somebody else than the worker keeps the reading thread waiting.
    pub(super) is_delivering: bool,
    limit: Duration,
}

/// Somebody waiting for an answer.
pub(super) struct Waiter {
    number: u64,
    pub(super) kind: Kind,
    pub(super) answer: oneshot::Sender<Reply>,
    /// For reads: where pieces go, and how many bytes are still to come.
    pub(super) pieces: Option<Pieces>,
}

/// Where the pieces of a read go.
pub(super) struct Pieces {
    pub(super) sender: tokio::sync::mpsc::Sender<Vec<u8>>,
    pub(super) left: u64,
}

impl State {
    pub(super) fn new(limit: Duration) -> Self {
        Self {
            error: None,
            is_dropped: false,
            is_closing: false,
            has_ended: false,
            waiters: VecDeque::new(),
            room: None,
            sent: 0,
            taken: 0,
            flying: VecDeque::new(),
            flying_bytes: 0,
            heard: Instant::now(),
            is_delivering: false,
            limit,
        }
    }

    pub(super) fn check(&self) -> Result<(), DeviceError> {
        self.error.clone().map_or(Ok(()), Err)
    }

    pub(super) fn launch(&mut self, bulk: usize) -> Result<(), DeviceError> {
        self.check()?;
        let bytes = REQUEST_BYTES + bulk as u64;
        self.sent += 1;
        self.flying.push_back(bytes);
        self.flying_bytes += bytes;
        Ok(())
    }

    pub(super) fn has_room(&self, share: usize) -> bool {
        self.flying.len() <= REQUESTS / share && self.flying_bytes <= BYTES / share as u64
    }

    /// Time counts from now on, if nobody waited before.
    fn begin_waiting(&mut self) {
        if !self.is_awaited() {
            self.heard = Instant::now();
        }
    }

    /// The worker gave a sign of life. That does not put off its end: one that only babbles is not ending.
    pub(super) fn hear(&mut self) {
        if !self.is_closing {
            self.heard = Instant::now();
        }
    }

    /// The worker is told to end.
    pub(super) fn begin_closing(&mut self) {
        self.heard = Instant::now();
        self.limit = self.limit.min(CLOSING);
        self.is_closing = true;
    }

    /// Somebody waits for what was sent last to be answered.
    pub(super) fn wait_for_answer(&mut self, kind: Kind, answer: oneshot::Sender<Reply>, pieces: Option<Pieces>) {
        self.begin_waiting();
        self.waiters.push_back(Waiter { number: self.sent, kind, answer, pieces });
    }

    /// Somebody waits for room.
    pub(super) fn wait_for_room(&mut self, room: oneshot::Sender<()>) {
        self.begin_waiting();
        self.room = Some(room);
    }

    /// The read that the worker answers next, if it is one.
    pub(super) fn reading(&mut self) -> Option<&mut Pieces> {
        self.waiters.front_mut()?.pieces.as_mut()
    }

    fn is_awaited(&self) -> bool {
        let wants_room = self.room.as_ref().is_some_and(|room| !room.is_closed());
        self.is_closing || wants_room || !self.waiters.is_empty()
    }

    /// When the worker is to be given up, if it is not heard of before.
    pub(super) fn deadline(&self) -> Option<Instant> {
        (self.is_awaited() && !self.is_delivering).then(|| self.heard + self.limit)
    }

    /// What a worker has that let the deadline pass.
    pub(super) fn stuck(&self) -> DeviceError {
        DeviceError::Stuck(self.limit.as_secs())
    }

    /// The worker says that it has taken so many requests; false if that cannot be.
    pub(super) fn take(&mut self, taken: u64) -> bool {
        let awaited = self.waiters.front().map_or(u64::MAX, |waiter| waiter.number);
        let can_be = taken >= self.taken && taken <= self.sent && taken < awaited;
        if can_be {
            self.advance(taken);
        }
        can_be
    }

    /// The waiter that an answer of this kind is for.
    pub(super) fn answered(&mut self, kind: Kind) -> Option<Waiter> {
        if self.waiters.front()?.kind != kind {
            return None;
        }
        let waiter = self.waiters.pop_front()?;
        self.advance(waiter.number);
        Some(waiter)
    }

    fn advance(&mut self, taken: u64) {
        while self.taken < taken {
            self.flying_bytes -= self.flying.pop_front().unwrap_or(0);
            self.taken += 1;
        }
        if self.has_room(2)
            && let Some(room) = self.room.take()
        {
            // Whoever waited may have given up.
            let _ = room.send(());
        }
    }

    /// Nobody is to wait any longer.
    pub(super) fn release(&mut self) {
        self.waiters.clear();
        self.room = None;
    }
}
