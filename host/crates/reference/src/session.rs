//! [`ReferenceSession`]: one job's memory and kernels, and the queue of what it wants done.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::thread::JoinHandle;

use samebit_device::{
    BoxFuture, BufferCopy, BufferId, BufferRange, DeviceError, Dispatch, FinishError, Grid, KernelFault, KernelId,
    Program, ReadError, Session, SessionOptions, Sink,
};

use crate::allocator::{Allocator, Span};
use crate::compile::{Compiled, Compiler};
use crate::executor::{Executor, write};
use crate::launch::{Fault, Ground, Kernel, Scratch};
use crate::memory::{LIMIT_BYTES, Memory, PARAMS_BYTES};
use crate::pool::Pool;
use crate::queue::{self, Operation, Queue, Until};

/// Most memory that all buffers of a session have together.
pub(crate) const BUFFERS_BYTES: u64 = 3_584 << 20;
/// Most scratch memory of all threads together. If a kernel needs more, fewer threads run it.
const SCRATCH_BYTES: u64 = 256 << 20;
/// Operations on memory up to this size are done at once if nothing is queued: waking the executor takes longer.
const AT_ONCE_BYTES: u64 = 256 << 10;
/// Largest piece handed to a sink.
const PIECE_BYTES: u64 = 4 << 20;

/// One job's use of the CPU.
pub(crate) struct ReferenceSession {
    compiler: Arc<Compiler>,
    pool: Arc<Pool>,
    options: SessionOptions,
    ground: Arc<Ground>,
    queue: Arc<Queue>,
    /// Started when there is something for it to do.
    executor: Option<JoinHandle<()>>,
    allocator: Allocator,
    buffers: BTreeMap<BufferId, Span>,
    buffers_bytes: u64,
    kernels: BTreeMap<KernelId, Arc<Kernel>>,
    kernels_made: u64,
    scratch: Scratch,
}

impl ReferenceSession {
    pub(crate) fn new(compiler: Arc<Compiler>, pool: Arc<Pool>, options: SessionOptions) -> Result<Self, DeviceError> {
        let memory = Memory::new(compiler.engine())?;
        let threads = pool.threads();
        Ok(Self {
            compiler,
            pool,
            options,
            ground: Arc::new(Ground::new(memory, threads)),
            queue: Arc::default(),
            executor: None,
            allocator: Allocator::new(PARAMS_BYTES, LIMIT_BYTES),
            buffers: BTreeMap::new(),
            buffers_bytes: 0,
            kernels: BTreeMap::new(),
            kernels_made: 0,
            scratch: Scratch { address: PARAMS_BYTES, stride: 0, seats: threads },
        })
    }

    /// Queues an operation, or does it at once if it is small and would be next.
    fn submit(&mut self, operation: Operation) -> Result<(), DeviceError> {
        let small = match &operation {
            Operation::Fill { span, .. } | Operation::Copy { source: span, .. } => span.bytes <= AT_ONCE_BYTES,
            Operation::Write { .. } | Operation::Dispatch(_) | Operation::Forget(_) => false,
        };
        if small && self.queue.is_idle() {
            let mut memory = self.ground.memory.exclusive();
            match operation {
                Operation::Fill { span, word } => memory.fill(span, word),
                Operation::Copy { source, target } => memory.copy(source, target),
                Operation::Write { .. } | Operation::Dispatch(_) | Operation::Forget(_) => {}
            }
            return Ok(());
        }
        self.start()?;
        self.queue.push(operation);
        Ok(())
    }

    /// Starts the executor, if there is none.
    fn start(&mut self) -> Result<(), DeviceError> {
        if self.executor.is_some() {
            return Ok(());
        }
        let executor = Executor {
            queue: self.queue.clone(),
            ground: self.ground.clone(),
            pool: self.pool.clone(),
            loop_budget: self.options.loop_iterations,
        };
        self.executor = Some(executor.start().inspect_err(|error| self.queue.fail(Fault::Device(error.clone())))?);
        Ok(())
    }

    /// Memory for something, not necessarily zero.
    fn allocate(&mut self, bytes: u64) -> Result<(Span, u64), DeviceError> {
        let allocation = self.allocator.allocate(bytes).ok_or_else(|| {
            DeviceError::OutOfMemory(format!("no {bytes} bytes in a row are left of the 4 GiB that a session has"))
        })?;
        if let Err(error) = self.ground.memory.reserve(self.allocator.end()) {
            self.allocator.free(allocation.span);
            return Err(error);
        }
        Ok((allocation.span, allocation.dirty_bytes))
    }

    /// Sees to it that each thread has so much scratch memory. What was there before goes on serving what is queued: it
    /// is used again only by what is queued later.
    fn ensure_scratch(&mut self, bytes: u32) -> Result<(), DeviceError> {
        let stride = Allocator::rounded(u64::from(bytes));
        if stride <= self.scratch.stride {
            return Ok(());
        }
        let seats = (SCRATCH_BYTES / stride).clamp(1, self.pool.threads() as u64);
        if self.scratch.stride > 0 {
            let bytes = self.scratch.stride * self.scratch.seats as u64;
            self.allocator.free(Span { address: self.scratch.address, bytes });
            self.scratch.stride = 0;
        }
        let (span, _) = self.allocate(stride * seats)?;
        self.scratch = Scratch { address: span.address, stride, seats: seats as usize };
        Ok(())
    }

    /// Makes a compiled kernel one of this session.
    pub(crate) fn add_kernel(&mut self, id: KernelId, compiled: Compiled) -> Result<(), DeviceError> {
        self.ensure_scratch(compiled.scratch_bytes)?;
        self.kernels_made += 1;
        self.kernels.insert(id, Arc::new(Kernel::new(self.kernels_made, compiled)));
        Ok(())
    }

    /// Whether nothing is queued and nothing runs.
    #[cfg(test)]
    pub(crate) fn is_idle(&self) -> bool {
        self.queue.is_idle()
    }

    fn buffer(&self, id: BufferId) -> Result<Span, DeviceError> {
        self.buffers.get(&id).copied().ok_or_else(|| DeviceError::Failed("a buffer does not exist".to_owned()))
    }

    /// Where a range of a buffer is.
    fn span(&self, range: BufferRange) -> Result<Span, DeviceError> {
        let buffer = self.buffer(range.buffer)?;
        let end = range.offset.checked_add(range.size);
        if end.is_none_or(|end| end > buffer.bytes) {
            return Err(DeviceError::Failed("a range is outside of its buffer".to_owned()));
        }
        Ok(Span { address: buffer.address + range.offset, bytes: range.size })
    }

    async fn read(&mut self, range: BufferRange, sink: Sink<'_>) -> Result<(), ReadError> {
        self.queue.wait(Until::Idle).await;
        match self.queue.fate() {
            Ok(()) => {}
            Err(Fault::BudgetSpent) => return Err(ReadError::BudgetSpent),
            Err(Fault::Device(error)) => return Err(error.into()),
        }
        let Span { mut address, bytes } = self.span(range)?;
        let end = address + bytes;
        let memory = self.ground.memory.exclusive();
        while address < end {
            let piece = Span { address, bytes: PIECE_BYTES.min(end - address) };
            sink(memory.bytes(piece))?;
            address = piece.end();
        }
        Ok(())
    }

    /// Makes what runs stop soon, and what is queued not run at all.
    fn end(&self) {
        self.queue.end();
        self.ground.memory.cancel();
    }
}

impl Session for ReferenceSession {
    fn buffer_create(&mut self, id: BufferId, size_bytes: u64) -> Result<(), DeviceError> {
        self.queue.check()?;
        let total = self.buffers_bytes + size_bytes;
        if total > BUFFERS_BYTES {
            let limit = BUFFERS_BYTES >> 20;
            return Err(DeviceError::OutOfMemory(format!(
                "the job wants {} MiB of buffers at once, and the reference device has {limit} MiB for a job",
                total.div_ceil(1 << 20)
            )));
        }
        let (span, dirty_bytes) = self.allocate(size_bytes)?;
        self.buffers_bytes = total;
        self.buffers.insert(id, Span { address: span.address, bytes: size_bytes });
        if dirty_bytes > 0 {
            self.submit(Operation::Fill { span: Span { address: span.address, bytes: dirty_bytes }, word: 0 })?;
        }
        Ok(())
    }

    fn buffer_drop(&mut self, id: BufferId) {
        if let Some(Span { address, bytes }) = self.buffers.remove(&id) {
            self.buffers_bytes -= bytes;
            self.allocator.free(Span { address, bytes: Allocator::rounded(bytes) });
        }
    }

    fn buffer_write(&mut self, id: BufferId, offset: u64, bytes: &[u8]) -> Result<(), DeviceError> {
        self.queue.check()?;
        let Span { address, .. } = self.span(BufferRange { buffer: id, offset, size: bytes.len() as u64 })?;
        if self.queue.is_idle() {
            write(&mut self.ground.memory.exclusive(), address, bytes);
            return Ok(());
        }
        self.submit(Operation::Write { address, bytes: bytes.to_vec() })
    }

    fn buffer_fill(&mut self, range: BufferRange, word: u32) -> Result<(), DeviceError> {
        self.queue.check()?;
        let span = self.span(range)?;
        self.submit(Operation::Fill { span, word })
    }

    fn buffer_copy(&mut self, copy: BufferCopy) -> Result<(), DeviceError> {
        self.queue.check()?;
        let BufferCopy { source, source_offset, target } = copy;
        let source = self.span(BufferRange { buffer: source, offset: source_offset, size: target.size })?;
        let target = self.span(target)?.address;
        self.submit(Operation::Copy { source, target })
    }

    fn buffer_read<'a>(&'a mut self, range: BufferRange, sink: Sink<'a>) -> BoxFuture<'a, Result<(), ReadError>> {
        Box::pin(self.read(range, sink))
    }

    fn kernel_create(&mut self, id: KernelId, program: Program) -> Result<(), KernelFault> {
        self.queue.check()?;
        let compiled = self.compiler.compile(program);
        let added = compiled.and_then(|compiled| Ok(self.add_kernel(id, compiled)?));
        if let Err(KernelFault::Device(error)) = &added {
            self.queue.fail(Fault::Device(error.clone()));
        }
        added
    }

    fn kernel_drop(&mut self, id: KernelId) {
        if let Some(kernel) = self.kernels.remove(&id)
            && self.executor.is_some()
        {
            self.queue.push(Operation::Forget(kernel.key));
        }
    }

    fn dispatch(&mut self, dispatch: &Dispatch) -> Result<(), DeviceError> {
        self.queue.check()?;
        let kernel = self.kernels.get(&dispatch.kernel).cloned();
        let kernel = kernel.ok_or_else(|| DeviceError::Failed("a kernel does not exist".to_owned()))?;
        let bindings = dispatch.bindings.iter().map(|binding| self.span(binding.range)).collect::<Result<_, _>>()?;
        let grid = match dispatch.grid {
            Grid::Direct(counts) if counts.contains(&0) => return Ok(()),
            Grid::Direct(counts) => Grid::Direct(counts),
            Grid::Indirect { buffer, offset } => {
                let counts = self.span(BufferRange { buffer, offset, size: 12 })?;
                Grid::Indirect { buffer, offset: counts.address }
            }
        };
        let scratch = self.scratch;
        self.submit(Operation::Dispatch(Box::new(queue::Dispatch { kernel, bindings, grid, scratch })))
    }

    fn is_congested(&self) -> bool {
        self.queue.is_congested()
    }

    fn settle(&mut self) -> BoxFuture<'_, Result<(), DeviceError>> {
        Box::pin(async {
            self.queue.wait(Until::Room).await;
            self.queue.check()
        })
    }

    fn finish(&mut self) -> BoxFuture<'_, Result<(), FinishError>> {
        Box::pin(async {
            self.queue.wait(Until::Idle).await;
            self.queue.fate().map_err(|fault| match fault {
                Fault::BudgetSpent => FinishError::BudgetSpent,
                Fault::Device(error) => FinishError::Device(error),
            })
        })
    }

    fn close(mut self: Box<Self>) -> BoxFuture<'static, ()> {
        let executor = self.executor.take();
        let queue = self.queue.clone();
        // It ends what runs, and leaves the executor alone with the memory.
        drop(self);
        Box::pin(async move {
            if let Some(executor) = executor {
                queue.wait(Until::Exited).await;
                // It has nothing left to do but to end; if it panicked, that is told already or does not matter any more.
                let _ = executor.join();
            }
        })
    }
}

impl Drop for ReferenceSession {
    fn drop(&mut self) {
        self.end();
    }
}
