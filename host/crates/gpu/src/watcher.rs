//! The thread of a session: it opens the wgpu device, waits for it when asked, and closes it at the end.
//!
//! All three may block in the driver, for long if a kernel runs long, so none of them may happen on a thread of the
//! caller's. The thread sleeps unless something is being waited for. When the session is dropped it stops waiting, and
//! closes the device, which first lets the GPU finish what it was given: nobody waits for that but this thread.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, mpsc};
use std::time::Duration;

use samebit_device::DeviceError;
use tokio::sync::oneshot;

use crate::fate::{Fate, panic_text};

/// How long one call waits for the GPU before it looks whether the session still exists. Completion ends the call at
/// once, so this costs nothing but a wake-up.
const PATIENCE: Duration = Duration::from_millis(100);

/// Something to wait for.
struct Wait {
    submission: wgpu::SubmissionIndex,
    done: oneshot::Sender<()>,
}

/// A session's end of its thread. Dropping it ends the thread.
pub(crate) struct Watcher {
    waits: mpsc::Sender<Wait>,
    is_dropped: Arc<AtomicBool>,
}

impl Drop for Watcher {
    fn drop(&mut self) {
        self.is_dropped.store(true, Ordering::Release);
    }
}

impl Watcher {
    /// Starts a thread that opens an adapter.
    pub(crate) async fn open(
        adapter: wgpu::Adapter,
        limits: wgpu::Limits,
        fate: Arc<Fate>,
    ) -> Result<(Self, wgpu::Device, wgpu::Queue), DeviceError> {
        let (waits, requests) = mpsc::channel();
        let (opened, device) = oneshot::channel();
        let is_dropped = Arc::new(AtomicBool::new(false));
        let watcher = Self { waits, is_dropped: is_dropped.clone() };
        let thread = std::thread::Builder::new().name("samebit-gpu".to_owned());
        let body = move || {
            let watched = AssertUnwindSafe(|| {
                let (device, queue) = match request(&adapter, limits) {
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
        };
        thread.spawn(body).map_err(|error| DeviceError::Unavailable(format!("no thread could be started: {error}")))?;
        let (device, queue) = device
            .await
            .map_err(|_| DeviceError::Unavailable("the driver panicked while opening the device".to_owned()))??;
        Ok((watcher, device, queue))
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

fn request(adapter: &wgpu::Adapter, limits: wgpu::Limits) -> Result<(wgpu::Device, wgpu::Queue), DeviceError> {
    let descriptor = wgpu::DeviceDescriptor {
        label: None,
        required_features: wgpu::Features::empty(),
        required_limits: limits,
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
