//! The device as one run sees it: not open until the guest first asks, and then its own.

use std::sync::Arc;

use samebit_device::{Checked, DeviceInfo};
use samebit_spec::{JobSpec, Profile};

use crate::end::Stop;
use crate::{DeviceSource, Event, GpuUsed, Observer, RunError};

/// One run's use of a device.
pub(crate) struct Gpu {
    source: DeviceSource,
    profile: Profile,
    memory_limit_bytes: u64,
    open: Option<OpenGpu>,
}

/// An open device.
pub(crate) struct OpenGpu {
    pub(super) checked: Checked,
    info: DeviceInfo,
}

impl Gpu {
    pub(crate) fn new(source: DeviceSource, job: &JobSpec) -> Self {
        Self { source, profile: job.profile, memory_limit_bytes: job.limits.gpu_memory_bytes, open: None }
    }

    /// The device, opened now if it was not before.
    pub(super) async fn open(&mut self, observer: &Arc<dyn Observer>) -> Result<&mut Checked, Stop> {
        let open = match self.open.take() {
            Some(open) => open,
            None => open(self.source.clone(), self.profile, self.memory_limit_bytes, observer).await?,
        };
        Ok(&mut self.open.insert(open).checked)
    }

    /// The device, which a guest's handle proves to be open.
    pub(in crate::host) fn opened(&mut self) -> Result<&mut Checked, Stop> {
        self.open.as_mut().map(|open| &mut open.checked).ok_or_else(not_open)
    }

    /// Takes the open device out, to be put back.
    pub(super) fn take(&mut self) -> Result<OpenGpu, Stop> {
        self.open.take().ok_or_else(not_open)
    }

    pub(super) fn put_back(&mut self, open: OpenGpu) {
        self.open = Some(open);
    }

    /// Waits for whatever is still queued, so that a failure in it is known before anything is signed.
    pub(crate) async fn finish(self) -> Result<Option<GpuUsed>, RunError> {
        let Some(OpenGpu { mut checked, info }) = self.open else { return Ok(None) };
        checked.finish().await?;
        let usage = checked.usage();
        checked.close().await;
        Ok(Some(GpuUsed { info, usage }))
    }
}

async fn open(
    source: DeviceSource,
    profile: Profile,
    memory_limit_bytes: u64,
    observer: &Arc<dyn Observer>,
) -> Result<OpenGpu, Stop> {
    if profile == Profile::Exact {
        return Err(Stop::Host(RunError::Profile(profile)));
    }
    let device = super::blocking(move || source()).await?.map_err(|error| Stop::Host(error.into()))?;
    let info = device.info().clone();
    let session = device.open().await.map_err(|error| Stop::Host(error.into()))?;
    observer.event(Event::DeviceOpened(&info.name));
    Ok(OpenGpu { checked: Checked::new(session, memory_limit_bytes), info })
}

fn not_open() -> Stop {
    Stop::Host(RunError::Host("a device was used before it was opened".to_owned()))
}
