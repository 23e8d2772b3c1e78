//! [`GpuDevice`]: an adapter that sessions are opened on.

use std::sync::{Arc, Mutex, PoisonError};

use samebit_device::wgsl::Admission;
use samebit_device::{BoxFuture, Device, DeviceError, DeviceInfo, Session, SessionOptions};

use crate::adapters::{Adapters, Choice, Entry, SelectError};
use crate::describe::required;
use crate::fate::Fate;
use crate::session::GpuSession;
use crate::watcher::Watcher;

/// A GPU of this machine.
pub struct GpuDevice {
    info: DeviceInfo,
    entry: Mutex<Entry>,
}

impl GpuDevice {
    /// Picks an adapter of this machine. It is opened by each session anew.
    ///
    /// # Errors
    /// If the machine has none, or none that the choice names, or one that cannot run jobs.
    pub fn select(choice: &Choice) -> Result<Self, SelectError> {
        let entry = Adapters::enumerate().choose(choice)?;
        Ok(Self { info: entry.info.clone(), entry: Mutex::new(entry) })
    }

    /// Opens a session together with something that makes it lose its device when called. For tests: a loss cannot be
    /// had otherwise.
    #[doc(hidden)]
    pub async fn open_losable(&self) -> Result<(Box<dyn Session>, impl FnOnce() + Send + use<>), DeviceError> {
        let session = self.open_session().await?;
        let device = session.device();
        let lose = move || {
            device.destroy();
            // wgpu tells of it only once the queue is empty and somebody looks. A real loss is told at once.
            let _ = device.poll(wgpu::PollType::wait_indefinitely());
        };
        Ok((Box::new(session) as Box<dyn Session>, lose))
    }

    async fn open_session(&self) -> Result<GpuSession, DeviceError> {
        let entry = self.entry.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let error = match open(&entry).await {
            Ok(session) => return Ok(session),
            Err(error) => error,
        };
        // A driver that was reset or replaced hands out fresh adapters under the same name.
        tracing::warn!(name = entry.info.name, %error, "opening the device failed; looking for it again");
        let Some(fresh) = Adapters::enumerate().same_as(&entry) else { return Err(error) };
        let session = open(&fresh).await?;
        *self.entry.lock().unwrap_or_else(PoisonError::into_inner) = fresh;
        Ok(session)
    }
}

async fn open(entry: &Entry) -> Result<GpuSession, DeviceError> {
    let fate = Arc::new(Fate::default());
    let limits = required(&entry.adapter);
    let (watcher, device, queue) = Watcher::open(entry.adapter.clone(), limits, fate.clone()).await?;
    Ok(GpuSession::new(device, queue, fate, watcher))
}

impl Device for GpuDevice {
    fn info(&self) -> &DeviceInfo {
        &self.info
    }

    fn open(&self, options: SessionOptions) -> BoxFuture<'_, Result<Box<dyn Session>, DeviceError>> {
        Box::pin(async move {
            if options.admission == Admission::Exact {
                return Err(no_exact(&self.info.name));
            }
            Ok(Box::new(self.open_session().await?) as Box<dyn Session>)
        })
    }
}

fn no_exact(name: &str) -> DeviceError {
    DeviceError::Unavailable(format!(
        "{name} cannot run `exact` jobs: its driver chooses the bits of floats, and this version has no way around that; \
         use `--device reference`, or `--profile native`"
    ))
}
