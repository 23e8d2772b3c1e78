//! [`GpuDevice`]: an adapter that sessions are opened on.

use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use samebit_device::wgsl::Admission;
use samebit_device::{BoxFuture, Device, DeviceError, DeviceInfo, Session, SessionOptions};

use crate::adapters::{Adapters, Choice, Entry, SelectError};
use crate::describe::{exact_demands, required};
use crate::exact::control::Exact;
use crate::exact::{Exactness, probe};
use crate::fate::Fate;
use crate::session::GpuSession;
use crate::watcher::{Demands, Watcher};

/// A GPU of this machine.
pub struct GpuDevice {
    info: DeviceInfo,
    entry: Mutex<Entry>,
    /// How it is made exact, or why it cannot be, once that is known.
    exactness: OnceLock<Result<Exactness, String>>,
}

impl GpuDevice {
    /// Picks an adapter of this machine. It is opened by each session anew.
    ///
    /// # Errors
    /// If the machine has none, or none that the choice names, or one that cannot run jobs.
    pub fn select(choice: &Choice) -> Result<Self, SelectError> {
        let entry = Adapters::enumerate().choose(choice)?;
        Ok(Self { info: entry.info.clone(), entry: Mutex::new(entry), exactness: OnceLock::new() })
    }

    /// Opens the device for exact programs that are written in this way, whether or not it computes exactly then.
    ///
    /// # Errors
    /// If the device cannot be opened, or lacks what the way takes.
    pub async fn open_with(
        &self,
        options: SessionOptions,
        exactness: Exactness,
    ) -> Result<Box<dyn Session>, DeviceError> {
        Ok(Box::new(self.open_session(Some((options, exactness))).await?))
    }

    /// Decides how the device is made exact, if that has not been decided.
    pub fn set_exactness(&self, exactness: Result<Exactness, String>) {
        // The first decision stands: sessions may have been opened by it.
        let _ = self.exactness.set(exactness);
    }

    /// How the device is made exact; finds out if need be.
    ///
    /// # Errors
    /// Why it cannot be.
    pub async fn exactness(&self) -> Result<Exactness, DeviceError> {
        if self.exactness.get().is_none() {
            let found = probe::find(self).await?;
            self.set_exactness(found);
        }
        match self.exactness.get() {
            Some(Ok(exactness)) => Ok(*exactness),
            Some(Err(why)) => Err(no_exact(&self.info.name, why)),
            None => Err(no_exact(&self.info.name, "it was not tried")),
        }
    }

    /// Whether Vulkan leads to it.
    pub(crate) fn is_vulkan(&self) -> bool {
        self.entry.lock().unwrap_or_else(PoisonError::into_inner).adapter.get_info().backend == wgpu::Backend::Vulkan
    }

    /// What its adapter says it could do.
    pub(crate) fn features(&self) -> wgpu::Features {
        self.entry.lock().unwrap_or_else(PoisonError::into_inner).adapter.features()
    }

    /// Opens a session together with something that makes it lose its device when called. For tests: a loss cannot be
    /// had otherwise.
    #[doc(hidden)]
    pub async fn open_losable(&self) -> Result<(Box<dyn Session>, impl FnOnce() + Send + use<>), DeviceError> {
        let session = self.open_session(None).await?;
        let device = session.device();
        let lose = move || {
            device.destroy();
            // wgpu tells of it only once the queue is empty and somebody looks. A real loss is told at once.
            let _ = device.poll(wgpu::PollType::wait_indefinitely());
        };
        Ok((Box::new(session) as Box<dyn Session>, lose))
    }

    async fn open_session(&self, exact: Option<(SessionOptions, Exactness)>) -> Result<GpuSession, DeviceError> {
        let entry = self.entry.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let error = match open(&entry, exact).await {
            Ok(session) => return Ok(session),
            Err(error) => error,
        };
        // A driver that was reset or replaced hands out fresh adapters under the same name.
        tracing::warn!(name = entry.info.name, %error, "opening the device failed; looking for it again");
        let Some(fresh) = Adapters::enumerate().same_as(&entry) else { return Err(error) };
        let session = open(&fresh, exact).await?;
        *self.entry.lock().unwrap_or_else(PoisonError::into_inner) = fresh;
        Ok(session)
    }
}

async fn open(entry: &Entry, exact: Option<(SessionOptions, Exactness)>) -> Result<GpuSession, DeviceError> {
    let fate = Arc::new(Fate::default());
    let limits = required(&entry.adapter);
    let demands = match exact {
        None => Demands { features: wgpu::Features::empty(), limits },
        Some((_, exactness)) => exact_demands(&entry.adapter, limits, exactness)?,
    };
    let (watcher, device, queue) = Watcher::open(entry.adapter.clone(), demands, fate.clone()).await?;
    let exact = exact.map(|(options, exactness)| Exact::new(&device, &fate, exactness, options)).transpose()?;
    let mut session = GpuSession::new(device, queue, fate, watcher);
    session.exact = exact;
    Ok(session)
}

impl Device for GpuDevice {
    fn info(&self) -> &DeviceInfo {
        &self.info
    }

    fn open(&self, options: SessionOptions) -> BoxFuture<'_, Result<Box<dyn Session>, DeviceError>> {
        Box::pin(async move {
            let exact = match options.admission {
                Admission::Native => None,
                Admission::Exact => Some((options, self.exactness().await?)),
            };
            Ok(Box::new(self.open_session(exact).await?) as Box<dyn Session>)
        })
    }
}

fn no_exact(name: &str, why: &str) -> DeviceError {
    DeviceError::Unavailable(format!(
        "{name} cannot run `exact` jobs: {why}; use `--device reference`, or `--profile native`"
    ))
}
