//! [`GpuSession`]: one job's wgpu device, its buffers and kernels, and what is on its way to the GPU.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Instant;

use samebit_device::{
    BoxFuture, BufferCopy, BufferId, BufferRange, DeviceError, Dispatch, FinishError, Grid, KernelFault, KernelId,
    Program, Progress, ReadError, Session, Sink,
};

use crate::batch::Batch;
use crate::bind::bind_groups;
use crate::exact::control::Exact;
use crate::fate::Fate;
use crate::kernel::{Pipeline, compile, compile_exact};
use crate::pace::Pace;
use crate::read::Staging;
use crate::upload::Upload;
use crate::watcher::Watcher;

/// Memory held by one batch beyond the guest's buffers. Large writes go to the GPU while the guest prepares the next.
const BATCH_BYTES: u64 = 16 << 20;
/// The same, of all that is queued and submitted, above which the caller should wait.
const QUEUED_BYTES: u64 = 64 << 20;
/// Batches submitted and not done above which the caller should wait. The GPU needs only one to stay busy.
const QUEUED_BATCHES: usize = 8;
/// Largest piece handed to wgpu's own writing, which allocates as much.
const WRITE_BYTES: usize = 16 << 20;
/// Largest pattern that fills copy from.
const PATTERN_BYTES: u64 = 1 << 20;
/// Smallest buffer that a dispatch can take its counts from, and so needs to be prepared for it.
const INDIRECT_BYTES: u64 = 12;

/// A batch that the GPU has been given.
struct Submitted {
    number: u64,
    index: wgpu::SubmissionIndex,
    held_bytes: u64,
}

/// One job's use of a GPU.
pub(crate) struct GpuSession {
    buffers: BTreeMap<BufferId, wgpu::Buffer>,
    kernels: BTreeMap<KernelId, Pipeline>,
    batch: Batch,
    submitted: VecDeque<Submitted>,
    submissions: u64,
    pace: Pace,
    pub(crate) staging: Option<[Staging; 2]>,
    pub(crate) device: wgpu::Device,
    queue: wgpu::Queue,
    pub(crate) fate: Arc<Fate>,
    pub(crate) watcher: Watcher,
    /// What exact programs need; nothing in a session for native ones.
    pub(crate) exact: Option<Exact>,
}

impl GpuSession {
    pub(crate) fn new(device: wgpu::Device, queue: wgpu::Queue, fate: Arc<Fate>, watcher: Watcher) -> Self {
        Self {
            buffers: BTreeMap::new(),
            kernels: BTreeMap::new(),
            batch: Batch::default(),
            submitted: VecDeque::new(),
            submissions: 0,
            pace: Pace::default(),
            staging: None,
            device,
            queue,
            fate,
            watcher,
            exact: None,
        }
    }

    pub(crate) fn device(&self) -> wgpu::Device {
        self.device.clone()
    }

    /// A buffer, and a note that the batch uses it.
    fn used(&mut self, id: BufferId) -> Result<wgpu::Buffer, DeviceError> {
        self.batch.mark(id);
        self.buffer(id)
    }

    fn buffer(&self, id: BufferId) -> Result<wgpu::Buffer, DeviceError> {
        let buffer = self.buffers.get(&id).cloned();
        buffer.ok_or_else(|| DeviceError::Failed(format!("buffer {} does not exist", id.0)))
    }

    /// Records a copy out of a buffer into memory that can be read, behind everything queued.
    pub(crate) fn record_copy_out(
        &mut self,
        source: (BufferId, u64),
        target: &wgpu::Buffer,
        size: u64,
    ) -> Result<(), DeviceError> {
        let buffer = self.used(source.0)?;
        self.batch.encoder(&self.device).copy_buffer_to_buffer(&buffer, source.1, target, 0, size);
        Ok(())
    }

    /// Records a copy of a word of the control buffer, behind everything queued.
    pub(crate) fn record_control_out(&mut self, control: &wgpu::Buffer, offset: u64, target: &wgpu::Buffer) {
        self.batch.encoder(&self.device).copy_buffer_to_buffer(control, offset, target, 0, 4);
    }

    /// Submits what is queued.
    pub(crate) fn submit(&mut self) -> Result<wgpu::SubmissionIndex, DeviceError> {
        let batch = std::mem::take(&mut self.batch);
        let (held_bytes, commands) = (batch.held_bytes, batch.commands);
        let index = self.queue.submit(batch.finish());
        self.submissions += 1;
        let (fate, number) = (self.fate.clone(), self.submissions);
        self.pace.submitted(number, commands, Instant::now());
        self.queue.on_submitted_work_done(move || fate.finished(number));
        self.keep_pace();
        self.submitted.push_back(Submitted { number, index: index.clone(), held_bytes });
        self.fate.check()?;
        Ok(index)
    }

    /// Submits what is queued if it is enough for a batch.
    fn submit_full(&mut self) -> Result<(), DeviceError> {
        if self.batch.commands >= self.pace.commands() || self.batch.held_bytes >= BATCH_BYTES {
            self.submit()?;
        }
        self.fate.check()
    }

    fn keep_pace(&mut self) {
        if let Some((number, when)) = self.fate.last_finished() {
            self.pace.finished(number, when);
        }
    }

    /// Memory held and batches running, of what is not known to be done.
    fn queued(&self) -> (u64, usize) {
        let done = self.fate.done();
        let running = self.submitted.iter().filter(|submitted| submitted.number > done);
        running.fold((self.batch.held_bytes, 0), |(bytes, count), submitted| (bytes + submitted.held_bytes, count + 1))
    }

    /// Waits until at most so many bytes are held and so many batches run.
    async fn wait(&mut self, bytes: u64, batches: usize) -> Result<(), DeviceError> {
        if !self.batch.is_empty() {
            self.submit()?;
        }
        loop {
            self.fate.check()?;
            let done = self.fate.done();
            self.submitted.retain(|submitted| submitted.number > done);
            let (held_bytes, running) = self.queued();
            if held_bytes <= bytes && running <= batches {
                return Ok(());
            }
            let Some(oldest) = self.submitted.front() else { return Ok(()) };
            let (number, index) = (oldest.number, oldest.index.clone());
            self.watcher.wait(index).await;
            self.keep_pace();
            self.fate.check()?;
            if self.fate.done() < number {
                return Err(self.fate.failure("it did not finish what it was given"));
            }
        }
    }

    fn write_large(&mut self, id: BufferId, offset: u64, bytes: &[u8]) -> Result<(), DeviceError> {
        let buffer = self.buffer(id)?;
        let mut at = offset;
        for piece in bytes.chunks(WRITE_BYTES) {
            // wgpu writes before the batch that follows; nothing in that batch may want the buffer as it was.
            if self.batch.uses(id) {
                self.submit()?;
            }
            self.queue.write_buffer(&buffer, at, piece);
            at += piece.len() as u64;
            self.batch.held_bytes += piece.len() as u64;
            self.submit_full()?;
        }
        Ok(())
    }

    fn fill_pattern(&mut self, range: BufferRange, word: u32) -> Result<(), DeviceError> {
        let buffer = self.used(range.buffer)?;
        let size = range.size.min(PATTERN_BYTES);
        let pattern = Upload::pattern(&self.device, &self.fate, word, size)?;
        self.batch.held_bytes += size;
        let encoder = self.batch.encoder(&self.device);
        let mut done = 0;
        while done < range.size {
            let piece = size.min(range.size - done);
            encoder.copy_buffer_to_buffer(&pattern, 0, &buffer, range.offset + done, piece);
            done += piece;
        }
        Ok(())
    }

    fn record_dispatch(&mut self, dispatch: &Dispatch) -> Result<(), DeviceError> {
        let indirect = match dispatch.grid {
            Grid::Direct(counts) if counts.contains(&0) => return Ok(()),
            Grid::Direct(_) => None,
            Grid::Indirect { buffer, offset } => Some((self.used(buffer)?, offset)),
        };
        let mut buffers = Vec::with_capacity(dispatch.bindings.len());
        for binding in &dispatch.bindings {
            buffers.push(self.used(binding.range.buffer)?);
        }
        let kernel = self.kernels.get(&dispatch.kernel);
        let kernel = kernel.ok_or_else(|| DeviceError::Failed("a kernel does not exist".to_owned()))?;
        let control = self.exact.as_mut().map(|exact| exact.control_for(kernel));
        let groups = bind_groups(&self.device, kernel, dispatch, &buffers, control);
        let pass = self.batch.pass(&self.device);
        pass.set_pipeline(&kernel.pipeline);
        for (index, group) in &groups {
            pass.set_bind_group(*index, group, &[]);
        }
        match (dispatch.grid, indirect) {
            (Grid::Direct([x, y, z]), _) => pass.dispatch_workgroups(x, y, z),
            (_, Some((buffer, offset))) => pass.dispatch_workgroups_indirect(&buffer, offset),
            (_, None) => {}
        }
        Ok(())
    }
}

impl Session for GpuSession {
    fn buffer_create(&mut self, id: BufferId, size_bytes: u64) -> Result<(), DeviceError> {
        use wgpu::BufferUsages as Usages;
        self.fate.check()?;
        let indirect = if size_bytes < INDIRECT_BYTES { Usages::empty() } else { Usages::INDIRECT };
        let buffer = self.device.create_buffer(&wgpu::BufferDescriptor {
            label: None,
            size: size_bytes,
            usage: Usages::STORAGE | Usages::UNIFORM | Usages::COPY_SRC | Usages::COPY_DST | indirect,
            mapped_at_creation: false,
        });
        self.fate.check()?;
        self.buffers.insert(id, buffer);
        Ok(())
    }

    fn buffer_drop(&mut self, id: BufferId) {
        let Some(buffer) = self.buffers.remove(&id) else { return };
        // It lives on until the GPU is done with what is queued. Counting it bounds a guest that drops what it has just
        // used, again and again.
        if !self.batch.is_empty() || self.queued().1 > 0 {
            self.batch.held_bytes += buffer.size();
            // What fails here shows in the next call.
            let _ = self.submit_full();
        }
    }

    fn buffer_write(&mut self, id: BufferId, offset: u64, bytes: &[u8]) -> Result<(), DeviceError> {
        self.fate.check()?;
        if !self.batch.uses(id) || !Upload::is_small(bytes.len()) {
            return self.write_large(id, offset, bytes);
        }
        let buffer = self.buffer(id)?;
        self.batch.write(&self.device, &self.fate, (&buffer, offset), bytes)?;
        self.submit_full()
    }

    fn buffer_fill(&mut self, range: BufferRange, word: u32) -> Result<(), DeviceError> {
        self.fate.check()?;
        if word == 0 {
            let buffer = self.used(range.buffer)?;
            self.batch.encoder(&self.device).clear_buffer(&buffer, range.offset, Some(range.size));
        } else {
            self.fill_pattern(range, word)?;
        }
        self.submit_full()
    }

    fn buffer_copy(&mut self, copy: BufferCopy) -> Result<(), DeviceError> {
        self.fate.check()?;
        let BufferCopy { source, source_offset, target } = copy;
        let (from, to) = (self.used(source)?, self.used(target.buffer)?);
        let encoder = self.batch.encoder(&self.device);
        encoder.copy_buffer_to_buffer(&from, source_offset, &to, target.offset, target.size);
        self.submit_full()
    }

    fn buffer_read<'a>(&'a mut self, range: BufferRange, sink: Sink<'a>) -> BoxFuture<'a, Result<(), ReadError>> {
        Box::pin(self.read(range, sink))
    }

    fn kernel_create(&mut self, id: KernelId, program: Program) -> Result<(), KernelFault> {
        self.fate.check()?;
        let compiled = match (program, &self.exact) {
            (Program::Native { kernel, .. }, _) => compile(&self.device, &kernel),
            (Program::Exact(kernel), Some(exact)) => compile_exact(&self.device, &kernel, exact.exactness),
            (Program::Exact(_), None) => {
                Err(DeviceError::Failed("it was given an exact kernel, which it never promised to run".into()).into())
            }
        };
        if let Err(KernelFault::Device(error)) = &compiled {
            self.fate.fail(error.clone());
        }
        self.fate.check()?;
        self.kernels.insert(id, compiled?);
        Ok(())
    }

    fn kernel_drop(&mut self, id: KernelId) {
        self.kernels.remove(&id);
        self.pace.forget(id);
    }

    fn dispatch(&mut self, dispatch: &Dispatch) -> Result<(), DeviceError> {
        self.fate.check()?;
        self.record_dispatch(dispatch)?;
        self.pace.launched(dispatch.kernel);
        self.submit_full()
    }

    fn progress(&self) -> Progress {
        let fate = self.fate.clone();
        Arc::new(move || fate.done())
    }

    fn is_congested(&self) -> bool {
        let (held_bytes, running) = self.queued();
        held_bytes > QUEUED_BYTES || running > QUEUED_BATCHES
    }

    fn settle(&mut self) -> BoxFuture<'_, Result<(), DeviceError>> {
        Box::pin(self.wait(QUEUED_BYTES / 2, QUEUED_BATCHES / 2))
    }

    fn close(self: Box<Self>) -> BoxFuture<'static, ()> {
        // What holds the device is dropped here; the thread holds it last.
        let Self { watcher, .. } = *self;
        Box::pin(watcher.close())
    }

    fn finish(&mut self) -> BoxFuture<'_, Result<(), FinishError>> {
        Box::pin(async {
            let is_spent = self.is_spent().await?;
            self.wait(0, 0).await?;
            if is_spent { Err(FinishError::BudgetSpent) } else { Ok(()) }
        })
    }
}
