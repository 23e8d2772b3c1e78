//! The worker: does what its host asks, one request after the other.
//!
//! Requests are read on a thread of their own, which also notices that the host is gone, whatever the driver is doing, and
//! then ends the process. How many requests wait here is what the host grants itself.

use std::fs::File;
use std::io::{self, BufReader, BufWriter, Write};
use std::path::PathBuf;
use std::sync::mpsc;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use samebit_device::{Battery, Device, DeviceError, DeviceInfo, Session, SessionOptions};

use super::frame;
use super::message::{Reply, Request};
use super::pulse::{Pulse, wait};
use super::serving::Serving;
use crate::adapters::{Adapters, Choice, SelectError};
use crate::device::GpuDevice;

/// How many requests may be taken before the host is told, and how many bytes: small parts of what it may have in flight.
const TELL_REQUESTS: u64 = 64;
const TELL_BYTES: usize = 4 << 20;
/// How long a driver may take to let go when all is done.
const GRACE: Duration = Duration::from_secs(2);

/// Where a worker's devices come from.
pub trait Source {
    /// Which there are.
    fn list(&self) -> Vec<DeviceInfo>;

    /// The one that a choice names.
    ///
    /// # Errors
    /// If there is no such device.
    fn select(&self, choice: &Choice) -> Result<Box<dyn Device>, SelectError>;
}

/// This machine's GPUs.
struct Gpus {
    records: Option<PathBuf>,
}

impl Source for Gpus {
    fn list(&self) -> Vec<DeviceInfo> {
        Adapters::enumerate().list()
    }

    fn select(&self, choice: &Choice) -> Result<Box<dyn Device>, SelectError> {
        let device = GpuDevice::select(choice)?;
        Ok(Box::new(match &self.records {
            Some(records) => device.remembering(records.clone()),
            None => device,
        }))
    }
}

/// Is a worker, over standard input and output, until the host has had enough. For the `main` of a program that
/// [`Program`](super::Program) names.
///
/// What devices come to in the battery of arithmetic is kept in the folder `records`.
pub fn serve(records: Option<PathBuf>) -> ! {
    serve_source(&Gpus { records })
}

/// A worker with devices of another kind, for tests.
#[doc(hidden)]
pub fn serve_source(source: &dyn Source) -> ! {
    let code = match Worker::start().and_then(|worker| worker.run(source)) {
        Ok(()) => 0,
        // The host is gone, or cannot be heard: there is nobody to tell.
        Err(_) => 1,
    };
    crate::all_closed_within(GRACE);
    std::process::exit(code)
}

/// Where frames go.
pub(super) type Out = Arc<Mutex<BufWriter<File>>>;

/// A session, and what the battery came to on its device.
type Opened = (Box<dyn Session>, Option<Battery>);

/// A worker without a session yet.
pub(super) struct Worker {
    requests: mpsc::Receiver<(Request, Vec<u8>)>,
    pub(super) out: Out,
    taken: u64,
    told: u64,
    untold_bytes: usize,
}

impl Worker {
    fn start() -> io::Result<Self> {
        let out = BufWriter::with_capacity(64 << 10, standard_output()?);
        let (sender, requests) = mpsc::channel();
        let thread = std::thread::Builder::new().name("samebit-requests".to_owned());
        thread.spawn(move || {
            listen(&sender);
            vanish();
        })?;
        Ok(Self { requests, out: Arc::new(Mutex::new(out)), taken: 0, told: 0, untold_bytes: 0 })
    }

    /// Before a session: which device, and the opening of it.
    fn run(mut self, source: &dyn Source) -> io::Result<()> {
        let mut device = None;
        loop {
            let (request, _) = self.next()?;
            match request {
                Request::List => self.reply(&Reply::Listed(source.list()))?,
                Request::Select(choice) => {
                    let selected = source.select(&choice).map(|found| {
                        let info = found.info().clone();
                        device = Some(found);
                        info
                    });
                    self.reply(&Reply::Selected(selected))?;
                }
                Request::Open(options) => {
                    let none = || DeviceError::Failed("it was opened before it was selected".to_owned());
                    let opened = match device.take() {
                        Some(device) => self.open(device.as_ref(), options)?,
                        None => Err(none()),
                    };
                    match opened {
                        Ok((session, battery)) => {
                            self.reply(&Reply::Opened(Ok(battery)))?;
                            return Serving::new(self, session, options).run();
                        }
                        Err(error) => self.reply(&Reply::Opened(Err(error)))?,
                    }
                }
                Request::Close => return self.reply(&Reply::Closed),
                _ => return Err(io::ErrorKind::InvalidData.into()),
            }
        }
    }

    /// Opens a session, and says that it gets on while the device is put to the test for it.
    fn open(&self, device: &dyn Device, options: SessionOptions) -> io::Result<Result<Opened, DeviceError>> {
        let mut pulse = Pulse::new(device.opening());
        let opened = wait(device.open(options), &mut pulse, &self.out)?;
        Ok(opened.map(|session| (session, device.info().battery.clone())))
    }

    pub(super) fn next(&mut self) -> io::Result<(Request, Vec<u8>)> {
        let (request, bytes) = self.requests.recv().map_err(|_| io::ErrorKind::UnexpectedEof)?;
        self.taken += 1;
        self.untold_bytes += bytes.len();
        Ok((request, bytes))
    }

    /// Answers the request that was taken last.
    pub(super) fn reply(&mut self, reply: &Reply) -> io::Result<()> {
        (self.told, self.untold_bytes) = (self.taken, 0);
        say(&self.out, reply)
    }

    /// Says what has been taken, now and then.
    pub(super) fn tell(&mut self) -> io::Result<()> {
        if self.taken - self.told < TELL_REQUESTS && self.untold_bytes < TELL_BYTES {
            return Ok(());
        }
        self.reply(&Reply::Taken(self.taken))
    }
}

pub(super) fn lock(out: &Out) -> MutexGuard<'_, BufWriter<File>> {
    out.lock().unwrap_or_else(PoisonError::into_inner)
}

pub(super) fn say(out: &Out, reply: &Reply) -> io::Result<()> {
    let mut out = lock(out);
    frame::write(&mut *out, reply)?;
    out.flush()
}

/// Reads requests until there are no more, or none that can be read.
fn listen(requests: &mpsc::Sender<(Request, Vec<u8>)>) {
    let mut from = BufReader::with_capacity(64 << 10, io::stdin().lock());
    while let Ok(Some(request)) = frame::read::<Request>(&mut from) {
        let bytes = match request {
            Request::BufferWrite(_, _, size) => frame::read_bulk(&mut from, size),
            _ => Ok(Vec::new()),
        };
        let Ok(bytes) = bytes else { return };
        if requests.send((request, bytes)).is_err() {
            return;
        }
    }
}

/// Standard output for frames alone. A driver that prints to it prints to standard error from here on.
#[cfg(unix)]
fn standard_output() -> io::Result<File> {
    use std::os::fd::AsFd;
    let out = io::stdout().as_fd().try_clone_to_owned()?;
    rustix::stdio::dup2_stdout(io::stderr().as_fd())?;
    Ok(File::from(out))
}

/// Standard output, which no driver is known to print to.
#[cfg(windows)]
fn standard_output() -> io::Result<File> {
    use std::os::windows::io::AsHandle;
    Ok(File::from(io::stdout().as_handle().try_clone_to_owned()?))
}

/// Ends the process at once, without the driver's cleaning up, which may crash or wait for the GPU.
#[cfg(unix)]
fn vanish() -> ! {
    // It cannot fail for one's own process.
    let _ = rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::KILL);
    std::process::abort()
}

#[cfg(not(unix))]
fn vanish() -> ! {
    std::process::abort()
}
