//! [`ReferenceSession`]: one job's memory and kernels, and the queue of what it wants done.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::thread::JoinHandle;

use samebit_device::{
    BoxFuture, BufferCopy, BufferId, BufferRange, DeviceError, Dispatch, FinishError, Grid, KernelFault, KernelId,
    Program, ReadError, Session, SessionOptions, Sink,
};

use crate::allocator::Span;
use crate::buffers::Buffers;
use crate::compile::{Compiled, Compiler};
use crate::executor::Executor;
use crate::launch::{Fault, Ground, Kernel};
use crate::memory::Memory;
use crate::operation::{self, Change, Operation};
use crate::pool::Pool;
use crate::queue::{Queue, Until};

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
    buffers: Buffers,
    kernels: BTreeMap<KernelId, Arc<Kernel>>,
    kernels_made: u64,
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
            buffers: Buffers::new(threads),
            kernels: BTreeMap::new(),
            kernels_made: 0,
        })
    }

    /// Queues a change of memory, or does it now if it is small and would be next.
    fn change(&mut self, change: Change) -> Result<(), DeviceError> {
        if change.bytes() <= AT_ONCE_BYTES && self.queue.is_idle() {
            change.apply(&mut self.ground.memory.exclusive());
            return Ok(());
        }
        self.submit(Operation::Change(change))
    }

    /// Queues an operation.
    fn submit(&mut self, operation: Operation) -> Result<(), DeviceError> {
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

    /// Makes a compiled kernel one of this session.
    pub(crate) fn add_kernel(&mut self, id: KernelId, compiled: Compiled) -> Result<(), DeviceError> {
        self.buffers.ensure_scratch(&self.ground.memory, compiled.scratch_bytes)?;
        self.kernels_made += 1;
        self.kernels.insert(id, Arc::new(Kernel::new(self.kernels_made, compiled)));
        Ok(())
    }

    /// Whether nothing is queued and nothing runs.
    #[cfg(test)]
    pub(crate) fn is_idle(&self) -> bool {
        self.queue.is_idle()
    }

    async fn read(&mut self, range: BufferRange, sink: Sink<'_>) -> Result<(), ReadError> {
        self.queue.wait(Until::Idle).await;
        match self.queue.fate() {
            Ok(()) => {}
            Err(Fault::BudgetSpent) => return Err(ReadError::BudgetSpent),
            Err(Fault::Device(error)) => return Err(error.into()),
        }
        let Span { mut address, bytes } = self.buffers.span(range)?;
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
        match self.buffers.create(&self.ground.memory, id, size_bytes)? {
            Some(span) => self.change(Change::Fill { span, word: 0 }),
            None => Ok(()),
        }
    }

    fn buffer_drop(&mut self, id: BufferId) {
        self.buffers.remove(id);
    }

    fn buffer_write(&mut self, id: BufferId, offset: u64, bytes: &[u8]) -> Result<(), DeviceError> {
        self.queue.check()?;
        let Span { address, .. } = self.buffers.span(BufferRange { buffer: id, offset, size: bytes.len() as u64 })?;
        if self.queue.is_idle() {
            // Without a copy of its own: it may be as large as the buffer.
            self.ground.memory.exclusive().write(address, bytes);
            return Ok(());
        }
        self.submit(Operation::Change(Change::Write { address, bytes: bytes.to_vec() }))
    }

    fn buffer_fill(&mut self, range: BufferRange, word: u32) -> Result<(), DeviceError> {
        self.queue.check()?;
        let span = self.buffers.span(range)?;
        self.change(Change::Fill { span, word })
    }

    fn buffer_copy(&mut self, copy: BufferCopy) -> Result<(), DeviceError> {
        self.queue.check()?;
        let BufferCopy { source, source_offset, target } = copy;
        let source = self.buffers.span(BufferRange { buffer: source, offset: source_offset, size: target.size })?;
        let target = self.buffers.span(target)?.address;
        self.change(Change::Copy { source, target })
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
        let bindings =
            dispatch.bindings.iter().map(|binding| self.buffers.span(binding.range)).collect::<Result<_, _>>()?;
        let grid = match dispatch.grid {
            Grid::Direct(counts) if counts.contains(&0) => return Ok(()),
            Grid::Direct(counts) => Grid::Direct(counts),
            Grid::Indirect { buffer, offset } => {
                let counts = self.buffers.span(BufferRange { buffer, offset, size: 12 })?;
                Grid::Indirect { buffer, offset: counts.address }
            }
        };
        let scratch = self.buffers.scratch();
        self.submit(Operation::Dispatch(Box::new(operation::Dispatch { kernel, bindings, grid, scratch })))
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
