//! The thread of a session: it opens the wgpu device, waits for it when asked, and closes it at the end.
//!
//! All three may block in the driver, for long if a kernel runs long, so none of them may happen on a thread of the
//! caller's. The thread sleeps unless something is being waited for. When the session is dropped it stops waiting, and
//! closes the device, which first lets the GPU finish what it was given: nobody waits for that but this thread.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError, mpsc};
use std::time::Duration;

use samebit_device::DeviceError;
use tokio::sync::oneshot;

use crate::fate::{Fate, panic_text};

/// How long one call waits for the GPU before it looks whether the session still exists. Completion ends the call at
/// once, so this costs nothing but a wake-up.
const PATIENCE: Duration = Duration::from_millis(100);

/// What a device is asked for when it is opened.
pub(crate) struct Demands {
    pub(crate) features: wgpu::Features,
    pub(crate) limits: wgpu::Limits,
}

/// Something to wait for.
struct Wait {
    submission: wgpu::SubmissionIndex,
    done: oneshot::Sender<()>,
}

/// A session's end of its thread. Dropping it ends the thread.
pub(crate) struct Watcher {
    waits: mpsc::Sender<Wait>,
    ended: Ended,
    closed: oneshot::Receiver<()>,
}

/// How many of these threads there are.
static THREADS: Mutex<usize> = Mutex::new(0);
static THREAD_ENDED: Condvar = Condvar::new();

/// Counts a thread for as long as it has anything of wgpu's.
struct Counted;

impl Counted {
    fn new() -> Self {
        *THREADS.lock().unwrap_or_else(PoisonError::into_inner) += 1;
        Self
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        *THREADS.lock().unwrap_or_else(PoisonError::into_inner) -= 1;
        THREAD_ENDED.notify_all();
    }
}

/// Waits until every session of this process has closed its device, or `limit` is over; true if they have.
///
/// To be called before the process exits: a driver whose device is being closed while its library is unloaded crashes.
/// A session that was dropped closes its device on a thread of its own, so nothing else tells.
pub fn all_closed_within(limit: Duration) -> bool {
    let threads = THREADS.lock().unwrap_or_else(PoisonError::into_inner);
    let waited = THREAD_ENDED.wait_timeout_while(threads, limit, |threads| *threads > 0);
    let (threads, _) = waited.unwrap_or_else(PoisonError::into_inner);
    *threads == 0
}

/// Tells the thread, when dropped, that nobody waits any more.
struct Ended(Arc<AtomicBool>);

impl Drop for Ended {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Release);
    }
}

impl Watcher {
    /// Starts a thread that opens an adapter.
    pub(crate) async fn open(
        adapter: wgpu::Adapter,
        demands: Demands,
        fate: Arc<Fate>,
    ) -> Result<(Self, wgpu::Device, wgpu::Queue), DeviceError> {
        let (waits, requests) = mpsc::channel();
        let (opened, device) = oneshot::channel();
        let (closing, closed) = oneshot::channel();
        let is_dropped = Arc::new(AtomicBool::new(false));
        let watcher = Self { waits, ended: Ended(is_dropped.clone()), closed };
        let counted = Counted::new();
        let thread = std::thread::Builder::new().name("samebit-gpu".to_owned());
        let body = move || {
            let watched = AssertUnwindSafe(|| {
                let (device, queue) = match request(&adapter, demands) {
                    Ok((device, queue)) => (device, queue),
                    Err(error) => return drop(opened.send(Err(error))),
                };
                fate.attach(&device);
                // A caller that has gone away drops what it was sent, and the channel of requests with it.
                drop(opened.send(Ok((device.clone(), queue.clone()))));
                watch(&device, &requests, &is_dropped);
                drop(queue);
            });
            if let Err(panic) = catch_unwind(watched) {
                fate.fail(DeviceError::Failed(format!("its driver or wgpu panicked: {}", panic_text(&*panic))));
            }
            drop((adapter, fate));
            drop(counted);
            drop(closing);
        };
        thread.spawn(body).map_err(|error| DeviceError::Unavailable(format!("no thread could be started: {error}")))?;
        let (device, queue) = device
            .await
            .map_err(|_| DeviceError::Unavailable("the driver panicked while opening the device".to_owned()))??;
        Ok((watcher, device, queue))
    }

    /// Ends the thread, and returns when it has closed the device. Whatever else holds the device must be dropped before.
    pub(crate) async fn close(self) {
        let Self { waits, ended, closed } = self;
        drop((waits, ended));
        // The sender is never used, only dropped: an error is the answer.
        let _ = closed.await;
    }

    /// Waits until the GPU has finished a submission, or until there is nothing left to hope for: look at the session's
    /// [`Fate`] afterward.
    pub(crate) async fn wait(&self, submission: wgpu::SubmissionIndex) {
        let (done, finished) = oneshot::channel();
        if self.waits.send(Wait { submission, done }).is_ok() {
            // An error means that the thread has panicked, which the fate says.
            let _ = finished.await;
        }
    }
}

fn request(adapter: &wgpu::Adapter, demands: Demands) -> Result<(wgpu::Device, wgpu::Queue), DeviceError> {
    let descriptor = wgpu::DeviceDescriptor {
        label: None,
        required_features: demands.features,
        required_limits: demands.limits,
        experimental_features: wgpu::ExperimentalFeatures::disabled(),
        // Many sessions share a machine, and most of them are small.
        memory_hints: wgpu::MemoryHints::MemoryUsage,
        trace: wgpu::Trace::Off,
    };
    match ready(adapter.request_device(&descriptor)) {
        Some(Ok(opened)) => Ok(opened),
        Some(Err(error)) => Err(DeviceError::Unavailable(error.to_string())),
        None => Err(DeviceError::Unavailable("the driver did not answer".to_owned())),
    }
}

fn watch(device: &wgpu::Device, requests: &mpsc::Receiver<Wait>, is_dropped: &AtomicBool) {
    while let Ok(Wait { submission, done }) = requests.recv() {
        loop {
            let poll = wgpu::PollType::Wait { submission_index: Some(submission.clone()), timeout: Some(PATIENCE) };
            match device.poll(poll) {
                Err(wgpu::PollError::Timeout) if !is_dropped.load(Ordering::Acquire) => {}
                // Whether it went well is for the fate to say: a lost device finishes nothing.
                Ok(_) | Err(_) => break,
            }
        }
        let _ = done.send(());
    }
}

/// The value of a future that is ready at once, as all of wgpu's are outside a browser.
pub(crate) fn ready<T>(future: impl Future<Output = T>) -> Option<T> {
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    match std::pin::pin!(future).poll(&mut context) {
        std::task::Poll::Ready(value) => Some(value),
        std::task::Poll::Pending => None,
    }
}
