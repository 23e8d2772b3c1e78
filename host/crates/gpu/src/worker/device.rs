//! [`WorkerDevice`]: a GPU of this machine, each of whose sessions is a worker's.
//!
//! A worker has loaded the drivers and found its adapter before a session is opened on it, which is most of what opening
//! takes. The one that selected the device serves the first session; from the second on, the next worker is started when a
//! session is opened, so that a host which runs job after job never waits for one.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use samebit_device::{Battery, BoxFuture, Device, DeviceError, DeviceInfo, Session, SessionOptions};
use tokio::sync::oneshot;

use super::link::{Link, broken};
use super::message::{Reply, Request};
use super::process::Program;
use super::rates::Known;
use super::session::WorkerSession;
use crate::adapters::Choice;

/// How workers are treated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WorkerOptions {
    /// How long a worker may keep somebody waiting without finishing any of what it was given: opening, compiling a
    /// kernel, or one submission of what was queued. After that it is given up as hanging.
    pub limit: Duration,
    /// Whether large outputs are hashed where they lie. If nothing is said, whatever is faster, as measured.
    pub hashes: Option<bool>,
}

impl Default for WorkerOptions {
    fn default() -> Self {
        Self { limit: Duration::from_secs(60), hashes: None }
    }
}

/// A GPU of this machine, kept at arm's length.
pub struct WorkerDevice {
    program: Program,
    options: WorkerOptions,
    choice: Choice,
    info: DeviceInfo,
    /// The same, once the battery has been run on it.
    proven: OnceLock<DeviceInfo>,
    spare: Mutex<Option<Spare>>,
    sessions: AtomicU32,
    rates: Arc<Known>,
}

/// A worker that has been told which adapter to take.
struct Spare {
    link: Link,
    selected: oneshot::Receiver<Reply>,
}

/// Asks all drivers of this machine for their adapters, in a worker. Blocks.
///
/// # Errors
/// If the worker cannot be started, or a driver crashes or hangs in it.
pub fn adapters(program: &Program, options: WorkerOptions) -> Result<Vec<DeviceInfo>, DeviceError> {
    pollster::block_on(async {
        let link = Link::start(program, options.limit)?;
        let listed = link.ask(&Request::List).await?;
        link.close().await;
        match listed {
            Reply::Listed(infos) => Ok(infos),
            _ => Err(broken("it answered something else")),
        }
    })
}

impl WorkerDevice {
    /// Picks an adapter of this machine. Blocks.
    ///
    /// # Errors
    /// If the machine has none, or none that the choice names, or one that cannot run jobs, or if a driver crashes.
    pub fn select(program: Program, choice: &Choice, options: WorkerOptions) -> Result<Self, DeviceError> {
        let spare = Spare::start(&program, choice, options)?;
        let (link, info) = pollster::block_on(spare.selected())?;
        let (reply, selected) = oneshot::channel();
        // Nobody is in between: the receiver is here.
        let _ = reply.send(Reply::Selected(Ok(info.clone())));
        let spare = Mutex::new(Some(Spare { link, selected }));
        Ok(Self {
            program,
            options,
            choice: choice.clone(),
            info,
            proven: OnceLock::new(),
            spare,
            sessions: AtomicU32::new(0),
            rates: Arc::new(Known::new(options.hashes)),
        })
    }

    async fn open_session(&self, options: SessionOptions) -> Result<Box<dyn Session>, DeviceError> {
        // One that waited may have chosen long ago, by a driver that is not there any more.
        let spare = match self.take_spare() {
            Some(spare) => spare.selected().await.ok().filter(|(_, info)| *info == self.info),
            None => None,
        };
        if let Some((link, info)) = spare {
            match self.open_on(link, info, options).await {
                Err(error @ (DeviceError::Lost(_) | DeviceError::Stuck(_))) => {
                    tracing::warn!(name = self.info.name, %error, "a worker was lost before its session; starting another");
                }
                result => return result,
            }
        }
        let (link, info) = Spare::start(&self.program, &self.choice, self.options)?.selected().await?;
        self.open_on(link, info, options).await
    }

    async fn open_on(
        &self,
        link: Link,
        info: DeviceInfo,
        options: SessionOptions,
    ) -> Result<Box<dyn Session>, DeviceError> {
        if info != self.info {
            let why =
                format!("{} is no longer what `{:?}` names: it is now {}", self.info.name, self.choice, info.name);
            return Err(DeviceError::Unavailable(why));
        }
        match link.ask(&Request::Open(options)).await? {
            Reply::Opened(Ok(battery)) => {
                battery.map_or(Ok(()), |battery| self.prove(battery))?;
                Ok(Box::new(WorkerSession::new(link, self.rates.clone())))
            }
            Reply::Opened(Err(error)) => Err(error),
            _ => Err(broken("it answered something else")),
        }
    }

    /// The first result stands: receipts name it, and it cannot be another for the next job.
    fn prove(&self, battery: Battery) -> Result<(), DeviceError> {
        let proven = self.proven.get_or_init(|| DeviceInfo { battery: Some(battery.clone()), ..self.info.clone() });
        if proven.battery.as_ref() == Some(&battery) {
            return Ok(());
        }
        let why = "it came through the battery of arithmetic otherwise than before; start this program again";
        Err(DeviceError::Unavailable(format!("{}: {why}", self.info.name)))
    }

    fn take_spare(&self) -> Option<Spare> {
        self.spare.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// Starts the worker of the next session, if there is likely to be one.
    fn prepare(&self) {
        if self.sessions.fetch_add(1, Ordering::Relaxed) == 0 {
            return;
        }
        let mut spare = self.spare.lock().unwrap_or_else(PoisonError::into_inner);
        if spare.is_none() {
            // What fails here fails again when a session needs it.
            *spare = Spare::start(&self.program, &self.choice, self.options).ok();
        }
    }
}

impl Spare {
    fn start(program: &Program, choice: &Choice, options: WorkerOptions) -> Result<Self, DeviceError> {
        let link = Link::start(program, options.limit)?;
        let selected = link.request(&Request::Select(choice.clone()))?;
        Ok(Self { link, selected })
    }

    /// Waits until it has found its adapter.
    async fn selected(self) -> Result<(Link, DeviceInfo), DeviceError> {
        match self.link.answered(self.selected).await? {
            Reply::Selected(Ok(info)) => Ok((self.link, info)),
            Reply::Selected(Err(error)) => Err(DeviceError::Unavailable(error.to_string())),
            _ => Err(broken("it answered something else")),
        }
    }
}

impl Device for WorkerDevice {
    fn info(&self) -> &DeviceInfo {
        self.proven.get().unwrap_or(&self.info)
    }

    fn open(&self, options: SessionOptions) -> BoxFuture<'_, Result<Box<dyn Session>, DeviceError>> {
        Box::pin(async move {
            let session = self.open_session(options).await?;
            self.prepare();
            Ok(session)
        })
    }
}
