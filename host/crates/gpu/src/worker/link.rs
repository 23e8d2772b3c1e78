//! The host's end of a worker: requests go out in order, and answers come back in order. `state` keeps the accounts.
//!
//! Four threads serve a link, because each blocks: one writes (here), one reads (`listen`), one reads what the driver says
//! on standard error (`process`), one watches the clock and the process (`warden`). All end with the worker.

use std::io::{self, BufWriter, Write};
use std::process::ChildStdin;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, mpsc};
use std::time::Duration;

use samebit_device::{Abort, BufferRange, DeviceError};
use tokio::sync::oneshot;

use super::frame;
use super::message::{Reply, Request};
use super::process::Program;
use super::state::{Pieces, State};
use super::{listen, warden};

/// Pieces of a read that wait for their reader.
const PIECES: usize = 4;

/// A worker, from its host's side. Dropping it kills the worker.
pub(super) struct Link {
    shared: Arc<Shared>,
    outgoing: mpsc::Sender<Outgoing>,
    reaped: oneshot::Receiver<()>,
}

/// A frame, and the bulk bytes behind it.
type Outgoing = (Vec<u8>, Vec<u8>);

/// What the threads of a link share.
pub(super) struct Shared {
    state: Mutex<State>,
    /// Something happened that the warden should look at.
    pub(super) changed: Condvar,
}

/// A read on its way: its pieces, and its answer after them.
pub(super) struct Reading {
    pub(super) pieces: tokio::sync::mpsc::Receiver<Vec<u8>>,
    pub(super) answer: oneshot::Receiver<Reply>,
}

impl Link {
    /// Starts a worker. It is given up when it makes somebody wait for `limit` without a sign of progress.
    pub(super) fn start(program: &Program, limit: Duration) -> Result<Self, DeviceError> {
        let failed = |error: io::Error| {
            DeviceError::Unavailable(format!("the process that would run the GPU's driver did not start: {error}"))
        };
        let mut child = program.start().map_err(failed)?;
        let pipes = (child.stdin.take(), child.stdout.take());
        let shared = Arc::new(Shared { state: Mutex::new(State::new(limit)), changed: Condvar::new() });
        let (outgoing, queue) = mpsc::channel();
        let (reaping, reaped) = oneshot::channel();
        let listening = shared.clone();
        let watched = shared.clone();
        // The warden comes first: from here on, whatever fails, the child is waited for.
        thread("warden", move || warden::watch(&watched, child, reaping)).map_err(failed)?;
        let link = Self { shared, outgoing, reaped };
        let (Some(stdin), Some(stdout)) = pipes else { return Err(failed(io::Error::other("it has no pipes"))) };
        thread("writer", move || drop(write(stdin, &queue))).map_err(failed)?;
        thread("reader", move || listen::listen(&listening, stdout)).map_err(failed)?;
        Ok(link)
    }

    /// Kills the worker when it is called.
    pub(super) fn abort(&self) -> Abort {
        let shared = self.shared.clone();
        Arc::new(move || shared.abandon())
    }

    /// Sends a request that is not answered.
    pub(super) fn send(&self, request: &Request, bulk: Vec<u8>) -> Result<(), DeviceError> {
        let mut state = self.shared.lock();
        state.launch(bulk.len())?;
        drop(state);
        self.put(request, bulk)
    }

    /// Sends a request that is answered.
    pub(super) fn request(&self, request: &Request) -> Result<oneshot::Receiver<Reply>, DeviceError> {
        self.expect(request, None)
    }

    /// Sends a request, and waits for its answer.
    pub(super) async fn ask(&self, request: &Request) -> Result<Reply, DeviceError> {
        let answer = self.request(request)?;
        self.answered(answer).await
    }

    /// Waits for an answer.
    pub(super) async fn answered(&self, answer: oneshot::Receiver<Reply>) -> Result<Reply, DeviceError> {
        answer.await.map_err(|_| self.error())
    }

    /// Asks for the bytes of a range.
    pub(super) fn read(&self, range: BufferRange) -> Result<Reading, DeviceError> {
        let (sender, pieces) = tokio::sync::mpsc::channel(PIECES);
        let answer = self.expect(&Request::BufferRead(range), Some(Pieces { sender, left: range.size }))?;
        Ok(Reading { pieces, answer })
    }

    /// True if the caller should wait for [`room`](Self::room).
    pub(super) fn is_congested(&self) -> bool {
        !self.shared.lock().has_room(1)
    }

    /// Waits until half of what may be in flight is left.
    pub(super) async fn room(&self) -> Result<(), DeviceError> {
        loop {
            let (sender, receiver) = oneshot::channel();
            {
                let mut state = self.shared.lock();
                state.check()?;
                if state.has_room(2) {
                    return Ok(());
                }
                state.wait_for_room(sender);
            }
            self.shared.changed.notify_all();
            receiver.await.map_err(|_| self.error())?;
        }
    }

    /// Has the worker end its session and itself, and waits until it is gone.
    pub(super) async fn close(mut self) {
        self.shared.lock().begin_closing();
        // However it goes: what comes next is the worker's end.
        let _ = self.ask(&Request::Close).await;
        let _ = (&mut self.reaped).await;
    }

    fn error(&self) -> DeviceError {
        let known = self.shared.lock().error.clone();
        known.unwrap_or_else(|| broken("it gave no answer"))
    }

    fn expect(&self, request: &Request, pieces: Option<Pieces>) -> Result<oneshot::Receiver<Reply>, DeviceError> {
        let Some(kind) = request.kind() else { return Err(broken("it was asked what has no answer")) };
        let (answer, answered) = oneshot::channel();
        let mut state = self.shared.lock();
        state.launch(0)?;
        state.wait_for_answer(kind, answer, pieces);
        drop(state);
        self.shared.changed.notify_all();
        self.put(request, Vec::new())?;
        Ok(answered)
    }

    fn put(&self, request: &Request, bulk: Vec<u8>) -> Result<(), DeviceError> {
        let mut message = Vec::new();
        frame::write(&mut message, request).map_err(|error| broken(&error.to_string()))?;
        // The writer ends only when the worker does; why it did is on its way.
        let _ = self.outgoing.send((message, bulk));
        Ok(())
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        self.shared.abandon();
    }
}

impl Shared {
    /// Nobody needs the worker any more: it is killed, and whoever waits for it is released.
    fn abandon(&self) {
        self.lock().is_dropped = true;
        self.changed.notify_all();
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The worker is of no more use. The first reason counts.
    pub(super) fn fail(&self, error: DeviceError) {
        self.lock().error.get_or_insert(error);
        self.changed.notify_all();
    }
}

/// The worker did something that no worker does.
pub(super) fn broken(what: &str) -> DeviceError {
    DeviceError::Failed(format!("the process that runs the GPU's driver went wrong: {what}"))
}

fn thread(name: &str, body: impl FnOnce() + Send + 'static) -> io::Result<()> {
    std::thread::Builder::new().name(format!("samebit-gpu-{name}")).spawn(body).map(drop)
}

fn write(stdin: ChildStdin, queue: &mpsc::Receiver<Outgoing>) -> io::Result<()> {
    let mut out = BufWriter::with_capacity(64 << 10, stdin);
    while let Ok(first) = queue.recv() {
        // All that is there goes out together.
        for (message, bulk) in std::iter::once(first).chain(queue.try_iter()) {
            out.write_all(&message)?;
            out.write_all(&bulk)?;
        }
        out.flush()?;
    }
    Ok(())
}
