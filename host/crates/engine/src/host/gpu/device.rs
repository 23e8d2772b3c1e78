//! The device as one run sees it: not open until the guest first asks, and then its own.

use std::sync::Arc;

use samebit_device::wgsl::Admission;
use samebit_device::{Abort, Checked, DeviceInfo, FinishError, SessionOptions};
use samebit_spec::{JobSpec, LOOP_ITERATIONS_MAX, Limit, Profile};

use crate::end::Stop;
use crate::{DeviceSource, Event, GpuUsed, Observer, RunError};

/// One run's use of a device.
pub(crate) struct Gpu {
    source: DeviceSource,
    options: SessionOptions,
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
        let admission = match job.profile {
            Profile::Exact => Admission::Exact,
            Profile::Native => Admission::Native,
        };
        // `JobSpec::check` has seen to it that it fits.
        let loop_iterations = job.limits.loop_iterations.min(LOOP_ITERATIONS_MAX) as u32;
        let options = SessionOptions { admission, loop_iterations };
        Self { source, options, memory_limit_bytes: job.limits.gpu_memory_bytes, open: None }
    }

    /// The device, opened now if it was not before.
    pub(super) async fn open(&mut self, observer: &Arc<dyn Observer>) -> Result<&mut Checked, Stop> {
        let open = match self.open.take() {
            Some(open) => open,
            None => open(self.source.clone(), self.options, self.memory_limit_bytes, observer).await?,
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

    /// Waits for whatever is still queued, so that a failure in it is known before anything is signed. What was used,
    /// and whether all of it came to its end, or spent a budget on the way.
    pub(crate) async fn finish(self) -> Result<(Option<GpuUsed>, Result<(), Limit>), RunError> {
        let Some(OpenGpu { mut checked, info }) = self.open else { return Ok((None, Ok(()))) };
        let within = match checked.finish().await {
            Ok(()) => Ok(()),
            Err(FinishError::BudgetSpent) => Err(Limit::LoopIterations),
            Err(FinishError::Device(error)) => return Err(error.into()),
        };
        let usage = checked.usage();
        checked.close().await;
        Ok((Some(GpuUsed { info, usage }), within))
    }
}

/// Ends a session whose call, on another thread, outlives the run that made it.
pub(super) struct AbortOnDrop(Option<Abort>);

impl AbortOnDrop {
    pub(super) fn new(session: &Checked) -> Self {
        Self(Some(session.abort()))
    }

    /// The call has returned.
    pub(super) fn finish(mut self) {
        self.0 = None;
    }
}

impl Drop for AbortOnDrop {
    fn drop(&mut self) {
        if let Some(abort) = &self.0 {
            abort();
        }
    }
}

async fn open(
    source: DeviceSource,
    options: SessionOptions,
    memory_limit_bytes: u64,
    observer: &Arc<dyn Observer>,
) -> Result<OpenGpu, Stop> {
    let device = super::blocking(move || source()).await?.map_err(|error| Stop::Host(error.into()))?;
    let session = device.open(options).await.map_err(|error| Stop::Host(error.into()))?;
    // Asked only now: it may have been put to the test when it was opened.
    let info = device.info().clone();
    observer.event(Event::DeviceOpened(&info.name));
    Ok(OpenGpu { checked: Checked::new(session, memory_limit_bytes, options.admission), info })
}

fn not_open() -> Stop {
    Stop::Host(RunError::Host("a device was used before it was opened".to_owned()))
}
