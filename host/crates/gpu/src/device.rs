//! [`GpuDevice`]: an adapter that sessions are opened on.

use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use samebit_device::wgsl::Admission;
use samebit_device::{BoxFuture, Device, DeviceError, DeviceInfo, Progress, Session, SessionOptions};

use crate::adapters::{Adapters, Choice, Entry, SelectError};
use crate::describe::{exact_demands, required};
use crate::exact::Exactness;
use crate::exact::control::Exact;
use crate::exact::probe::{self, Extent};
use crate::exact::record::{self, Found};
use crate::fate::Fate;
use crate::session::GpuSession;
use crate::watcher::{Demands, Watcher};

/// A GPU of this machine.
pub struct GpuDevice {
    info: DeviceInfo,
    entry: Mutex<Entry>,
    /// How it is made exact, or why it cannot be, once that is known.
    exactness: OnceLock<Result<Exactness, String>>,
    /// What it says of itself once the whole battery has been run on it.
    proven: OnceLock<DeviceInfo>,
    /// Where the battery's results are kept.
    records: Option<PathBuf>,
    /// How much of the battery has been run.
    steps: Arc<AtomicU64>,
}

impl GpuDevice {
    /// Picks an adapter of this machine. It is opened by each session anew.
    ///
    /// # Errors
    /// If the machine has none, or none that the choice names, or one that cannot run jobs.
    pub fn select(choice: &Choice) -> Result<Self, SelectError> {
        let entry = Adapters::enumerate().choose(choice)?;
        Ok(Self {
            info: entry.info.clone(),
            entry: Mutex::new(entry),
            exactness: OnceLock::new(),
            proven: OnceLock::new(),
            records: None,
            steps: Arc::default(),
        })
    }

    /// Has the device put to the whole battery of arithmetic before its first exact session, and what that came to kept in
    /// a folder, for the next start. Without one, nobody would remember it, and the battery's short form has to do.
    #[must_use]
    pub fn remembering(self, records: PathBuf) -> Self {
        Self { records: Some(records), ..self }
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
            let found = self.find().await?;
            if self.records.is_some() {
                // Whoever was first has found the same.
                let _ = self.proven.set(DeviceInfo { battery: Some(record::summary(&found)), ..self.info.clone() });
            }
            let wrong = |operation| format!("its driver gets `{operation}` wrong, whichever way it is written");
            self.set_exactness(found.map_err(wrong));
        }
        match self.exactness.get() {
            Some(Ok(exactness)) => Ok(*exactness),
            Some(Err(why)) => Err(no_exact(&self.info.name, why)),
            None => Err(no_exact(&self.info.name, "it was not tried")),
        }
    }

    /// What was found before, if it still holds, or else what is found now.
    async fn find(&self) -> Result<Found, DeviceError> {
        let Some(records) = &self.records else { return probe::find(self, Extent::Short).await };
        let name = &self.info.name;
        match record::read(records, &self.info) {
            // Once more, though briefly: a device that failed by accident is not to be refused for ever.
            Some(Err(operation)) if probe::find(self, Extent::Short).await?.is_err() => return Ok(Err(operation)),
            Some(Ok(exactness)) if exactness.way == probe::way(self) && self.can_be(exactness) => {
                if probe::holds(self, exactness).await? {
                    return Ok(Ok(exactness));
                }
                tracing::warn!(name, "the device no longer computes what it did; its arithmetic is tested again");
            }
            _ => tracing::info!(name, "the device's arithmetic is tested, which takes some seconds, once"),
        }
        let found = probe::find(self, Extent::Whole).await?;
        if let Err(error) = record::write(records, &self.info, &found) {
            tracing::warn!(name, %error, "what the device's arithmetic came to could not be kept");
        }
        Ok(found)
    }

    fn can_be(&self, exactness: Exactness) -> bool {
        self.features().contains(exactness.features())
    }

    /// More of the battery has been run.
    pub(crate) fn advance(&self) {
        self.steps.fetch_add(1, Ordering::Relaxed);
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
    pub async fn open_losable(
        &self,
        options: SessionOptions,
    ) -> Result<(Box<dyn Session>, impl FnOnce() + Send + use<>), DeviceError> {
        let session = self.open_as(options).await?;
        let device = session.device();
        let lose = move || {
            device.destroy();
            // wgpu tells of it only once the queue is empty and somebody looks. A real loss is told at once.
            let _ = device.poll(wgpu::PollType::wait_indefinitely());
        };
        Ok((Box::new(session) as Box<dyn Session>, lose))
    }

    async fn open_as(&self, options: SessionOptions) -> Result<GpuSession, DeviceError> {
        let exact = match options.admission {
            Admission::Native => None,
            Admission::Exact => Some((options, self.exactness().await?)),
        };
        self.open_session(exact).await
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
        self.proven.get().unwrap_or(&self.info)
    }

    fn opening(&self) -> Progress {
        let steps = self.steps.clone();
        Arc::new(move || steps.load(Ordering::Relaxed))
    }

    fn open(&self, options: SessionOptions) -> BoxFuture<'_, Result<Box<dyn Session>, DeviceError>> {
        Box::pin(async move { Ok(Box::new(self.open_as(options).await?) as Box<dyn Session>) })
    }
}

fn no_exact(name: &str, why: &str) -> DeviceError {
    DeviceError::Unavailable(format!(
        "{name} cannot run `exact` jobs: {why}; use `--device reference`, or `--profile native`"
    ))
}
