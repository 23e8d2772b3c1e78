//! The control buffer of a session: what every exact program reads besides what the guest binds, and where it says that an
//! invocation has spent its budget.

use samebit_device::{DeviceError, SessionOptions};
use tokio::sync::oneshot;

use super::Exactness;
use super::target::Control;
use crate::fate::Fate;
use crate::kernel::{Layout, Pipeline};
use crate::session::GpuSession;

/// Words of the buffer, the last of them unused.
const WORDS: usize = 4;

/// Bytes of the buffer.
pub(crate) const SIZE_BYTES: u64 = 4 * WORDS as u64;

/// What a session for exact programs has beyond others.
pub(crate) struct Exact {
    /// How programs are written for its device.
    pub(crate) exactness: Exactness,
    control: wgpu::Buffer,
    /// Whether a dispatch since the last look may have spent a budget.
    is_unsure: bool,
    /// Whether one has, at any time.
    is_spent: bool,
}

impl Exact {
    pub(crate) fn new(
        device: &wgpu::Device,
        fate: &Fate,
        exactness: Exactness,
        options: SessionOptions,
    ) -> Result<Self, DeviceError> {
        let control = device.create_buffer(&wgpu::BufferDescriptor {
            label: None,
            size: SIZE_BYTES,
            usage: wgpu::BufferUsages::STORAGE | wgpu::BufferUsages::COPY_SRC,
            mapped_at_creation: true,
        });
        let mut words = [0; WORDS];
        words[Control::Budget as usize] = options.loop_iterations;
        let mapped = control.get_mapped_range_mut(0..SIZE_BYTES);
        let mut view = mapped.map_err(|error| fate.failure(&format!("memory could not be mapped: {error}")))?;
        view.copy_from_slice(words.map(u32::to_le_bytes).as_flattened());
        drop(view);
        control.unmap();
        fate.check()?;
        Ok(Self { exactness, control, is_unsure: false, is_spent: false })
    }

    /// What a launch of a kernel binds, which may spend a budget.
    pub(crate) fn control_for(&mut self, kernel: &Pipeline) -> &wgpu::Buffer {
        self.is_unsure |= matches!(kernel.layout, Layout::Exact { has_loops: true, .. });
        &self.control
    }
}

/// A look at the word that says whether the budget is spent, on its way.
pub(crate) struct Look {
    word: wgpu::Buffer,
    mapped: Option<oneshot::Receiver<Result<(), wgpu::BufferAsyncError>>>,
}

impl Look {
    /// Has the word mapped once it is there. Only after what was recorded is submitted.
    pub(crate) fn map(&mut self) {
        let (sender, mapped) = oneshot::channel();
        self.word.map_async(wgpu::MapMode::Read, 0..4, |result| drop(sender.send(result)));
        self.mapped = Some(mapped);
    }
}

impl GpuSession {
    /// Whether a dispatch since the session began spent its budget, once everything queued is done. Costs nothing unless
    /// loops have run since the last look.
    pub(crate) async fn is_spent(&mut self) -> Result<bool, DeviceError> {
        let Some(mut look) = self.look() else { return Ok(self.is_known_spent()) };
        let submission = self.submit()?;
        look.map();
        self.watcher.wait(submission).await;
        self.seen(look)
    }

    /// Whether the last look found the budget spent.
    pub(crate) fn is_known_spent(&self) -> bool {
        self.exact.as_ref().is_some_and(|exact| exact.is_spent)
    }

    /// Records a look behind everything queued, if one is needed.
    pub(crate) fn look(&mut self) -> Option<Look> {
        let exact = self.exact.as_ref().filter(|exact| exact.is_unsure && !exact.is_spent)?;
        let control = exact.control.clone();
        let word = self.device.create_buffer(&wgpu::BufferDescriptor {
            label: None,
            size: 4,
            usage: wgpu::BufferUsages::COPY_DST | wgpu::BufferUsages::MAP_READ,
            mapped_at_creation: false,
        });
        self.record_control_out(&control, 4 * Control::Spent as u64, &word);
        Some(Look { word, mapped: None })
    }

    /// What a look saw. Only once its submission is done.
    pub(crate) fn seen(&mut self, look: Look) -> Result<bool, DeviceError> {
        self.fate.check()?;
        let is_mapped = look.mapped.is_some_and(|mut mapped| matches!(mapped.try_recv(), Ok(Ok(()))));
        if !is_mapped {
            return Err(self.fate.failure("memory could not be mapped"));
        }
        let view = look.word.get_mapped_range(0..4);
        let view = view.map_err(|error| self.fate.failure(&format!("memory could not be mapped: {error}")))?;
        let is_spent = view.iter().any(|byte| *byte != 0);
        if let Some(exact) = &mut self.exact {
            (exact.is_unsure, exact.is_spent) = (false, is_spent);
        }
        Ok(is_spent)
    }
}
