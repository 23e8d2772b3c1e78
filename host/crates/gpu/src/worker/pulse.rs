//! Signs of life: while the host waits, it hears whenever the GPU has finished something.

use std::io;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::time::{Duration, Instant};

use samebit_device::Progress;

use super::message::Reply;
use super::serve::{Out, say};

/// How often to look whether the GPU gets on, and to say so at most.
const TICK: Duration = Duration::from_millis(200);

/// Tells the host, now and then, that the GPU gets on.
pub(super) struct Pulse {
    progress: Progress,
    seen: u64,
    told: Instant,
}

impl Pulse {
    pub(super) fn new(progress: Progress) -> Self {
        Self { progress, seen: 0, told: Instant::now() }
    }

    fn tell(&mut self, out: &Out) -> io::Result<()> {
        if self.told.elapsed() < TICK {
            return Ok(());
        }
        let seen = (self.progress)();
        if seen != self.seen {
            (self.seen, self.told) = (seen, Instant::now());
            say(out, &Reply::Alive)?;
        }
        Ok(())
    }
}

/// Waits for a future, and goes on telling that the GPU gets on.
pub(super) fn wait<T>(future: impl Future<Output = T>, pulse: &mut Pulse, out: &Out) -> io::Result<T> {
    let waker = Waker::from(Arc::new(Unpark(std::thread::current())));
    let mut future = std::pin::pin!(future);
    loop {
        pulse.tell(out)?;
        if let Poll::Ready(value) = future.as_mut().poll(&mut Context::from_waker(&waker)) {
            return Ok(value);
        }
        std::thread::park_timeout(TICK);
    }
}

struct Unpark(std::thread::Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}
