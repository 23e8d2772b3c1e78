//! A device that checks every dispatch of a job while it runs it.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use samebit_device::{
    BoxFuture, BufferCopy, BufferId, BufferRange, Device, DeviceError, DeviceInfo, DeviceKind, Dispatch, FinishError,
    Grid, KernelFault, KernelId, Program, ReadError, Session, SessionOptions, Sink, limits,
};
use samebit_wgsl::{Admission, Kernel, lower};

use super::report::Report;
use super::{Checker, Options, Origin, Progress};
use crate::interp::Ended;

/// Is told how far the check of a dispatch has come; false stops it, and with it the job.
type Watch = Arc<dyn Fn(Progress) -> bool + Send + Sync>;

/// A device that checks. It runs what its sessions ask for at once, on the caller's thread.
pub struct CheckingDevice {
    info: DeviceInfo,
    options: Options,
    watch: Watch,
    found: Arc<Mutex<Kernels>>,
}

/// The kernels that were made, each once, by what they are.
#[derive(Default)]
struct Kernels {
    checkers: Vec<Checker>,
    by_hash: BTreeMap<[u8; 32], usize>,
}

impl CheckingDevice {
    /// A device that checks so thoroughly, and tells `watch` how far it has come. The budget of loop iterations is the
    /// session's.
    pub fn new(options: Options, watch: impl Fn(Progress) -> bool + Send + Sync + 'static) -> Self {
        let info = DeviceInfo {
            name: "reference".into(),
            driver: concat!("samebit ", env!("CARGO_PKG_VERSION")).into(),
            backend: "check".into(),
            kind: DeviceKind::Software,
            limits: BTreeMap::new(),
            features: Vec::new(),
            unsuitable: None,
            battery: None,
        };
        Self { info, options, watch: Arc::new(watch), found: Arc::default() }
    }

    /// What was found so far, in all sessions.
    pub fn report(&self) -> Report {
        let found = lock(&self.found);
        Report { kernels: found.checkers.iter().map(Checker::report).collect() }
    }
}

fn lock(found: &Mutex<Kernels>) -> MutexGuard<'_, Kernels> {
    found.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Device for CheckingDevice {
    fn info(&self) -> &DeviceInfo {
        &self.info
    }

    fn open(&self, options: SessionOptions) -> BoxFuture<'_, Result<Box<dyn Session>, DeviceError>> {
        let session = Checking {
            options: Options { loop_iterations: options.loop_iterations, ..self.options },
            watch: self.watch.clone(),
            found: self.found.clone(),
            buffers: BTreeMap::new(),
            origins: BTreeMap::new(),
            kernels: BTreeMap::new(),
            is_budget_spent: false,
        };
        Box::pin(async { Ok(Box::new(session) as Box<dyn Session>) })
    }
}

/// One job's use of the device.
struct Checking {
    options: Options,
    watch: Watch,
    found: Arc<Mutex<Kernels>>,
    buffers: BTreeMap<BufferId, Vec<u8>>,
    /// Where each kernel comes from that is about to be made.
    origins: BTreeMap<KernelId, Origin>,
    /// The checker of each kernel.
    kernels: BTreeMap<KernelId, usize>,
    is_budget_spent: bool,
}

fn broken(what: &str) -> DeviceError {
    DeviceError::Failed(format!("its caller broke its contract: {what}"))
}

impl Checking {
    fn buffer(&mut self, id: BufferId) -> Result<&mut Vec<u8>, DeviceError> {
        self.buffers.get_mut(&id).ok_or_else(|| broken("there is no such buffer"))
    }

    fn slice(&mut self, range: BufferRange) -> Result<&mut [u8], DeviceError> {
        let bytes = self.buffer(range.buffer)?;
        let start = usize::try_from(range.offset).ok();
        let end = range.offset.checked_add(range.size).and_then(|end| usize::try_from(end).ok());
        let bytes = start.zip(end).and_then(|(start, end)| bytes.get_mut(start..end));
        bytes.ok_or_else(|| broken("a range ends past its buffer"))
    }

    /// The counts of a grid; nothing if nothing runs.
    fn workgroups(&mut self, grid: Grid) -> Result<Option<[u32; 3]>, DeviceError> {
        let (buffer, offset) = match grid {
            Grid::Direct(counts) => return Ok(Some(counts)),
            Grid::Indirect { buffer, offset } => (buffer, offset),
        };
        let bytes = self.slice(BufferRange { buffer, offset, size: 12 })?;
        let mut words = bytes.as_chunks().0.iter().map(|word| u32::from_le_bytes(*word));
        let counts = [(); 3].map(|()| words.next().unwrap_or(0));
        Ok(counts.iter().all(|count| *count <= limits::WORKGROUPS).then_some(counts))
    }
}

impl Session for Checking {
    fn buffer_create(&mut self, id: BufferId, size_bytes: u64) -> Result<(), DeviceError> {
        let size = usize::try_from(size_bytes).map_err(|error| DeviceError::OutOfMemory(error.to_string()))?;
        let mut bytes = Vec::new();
        bytes.try_reserve_exact(size).map_err(|error| DeviceError::OutOfMemory(error.to_string()))?;
        bytes.resize(size, 0);
        self.buffers.insert(id, bytes);
        Ok(())
    }

    fn buffer_drop(&mut self, id: BufferId) {
        self.buffers.remove(&id);
    }

    fn buffer_write(&mut self, id: BufferId, offset: u64, bytes: &[u8]) -> Result<(), DeviceError> {
        self.slice(BufferRange { buffer: id, offset, size: bytes.len() as u64 })?.copy_from_slice(bytes);
        Ok(())
    }

    fn buffer_fill(&mut self, range: BufferRange, word: u32) -> Result<(), DeviceError> {
        self.slice(range)?.as_chunks_mut().0.fill(word.to_le_bytes());
        Ok(())
    }

    fn buffer_copy(&mut self, copy: BufferCopy) -> Result<(), DeviceError> {
        let BufferCopy { source, source_offset: offset, target } = copy;
        let bytes = self.slice(BufferRange { buffer: source, offset, size: target.size })?.to_vec();
        self.slice(target)?.copy_from_slice(&bytes);
        Ok(())
    }

    fn buffer_read<'a>(&'a mut self, range: BufferRange, sink: Sink<'a>) -> BoxFuture<'a, Result<(), ReadError>> {
        Box::pin(async move {
            if self.is_budget_spent {
                return Err(ReadError::BudgetSpent);
            }
            Ok(sink(self.slice(range)?)?)
        })
    }

    fn kernel_source(&mut self, id: KernelId, kernel: &Kernel, text: &str) {
        let file = format!("<{}>", kernel.entry_point());
        self.origins.insert(id, Origin::new(&file, kernel, text));
    }

    fn kernel_create(&mut self, id: KernelId, program: Program) -> Result<(), KernelFault> {
        let origin = self.origins.remove(&id).ok_or_else(|| broken("a kernel comes from nowhere"))?;
        let lowered = match program {
            Program::Exact(lowered) => lowered,
            Program::Native { kernel, text } => Arc::new(lower(&kernel, &text, Admission::Native)?),
        };
        let mut hasher = blake3::Hasher::new();
        for part in [origin.entry_point.as_str(), &origin.text, &lowered.to_string()] {
            hasher.update(&(part.len() as u64).to_le_bytes()).update(part.as_bytes());
        }
        let hash = *hasher.finalize().as_bytes();
        let mut found = lock(&self.found);
        let index = match found.by_hash.get(&hash) {
            Some(index) => *index,
            None => {
                let checker = Checker::new(lowered, origin).map_err(|error| DeviceError::Failed(error.to_string()))?;
                found.checkers.push(checker);
                let index = found.checkers.len() - 1;
                found.by_hash.insert(hash, index);
                index
            }
        };
        drop(found);
        self.kernels.insert(id, index);
        Ok(())
    }

    fn kernel_drop(&mut self, id: KernelId) {
        self.kernels.remove(&id);
    }

    fn dispatch(&mut self, dispatch: &Dispatch) -> Result<(), DeviceError> {
        let Some(workgroups) = self.workgroups(dispatch.grid)? else { return Ok(()) };
        let index = *self.kernels.get(&dispatch.kernel).ok_or_else(|| broken("there is no such kernel"))?;
        let mut bytes = Vec::with_capacity(dispatch.bindings.len());
        for binding in &dispatch.bindings {
            bytes.push(self.slice(binding.range)?.to_vec());
        }
        let found = self.found.clone();
        let mut found = lock(&found);
        let checker = found.checkers.get_mut(index).ok_or_else(|| broken("there is no such kernel"))?;
        let watch = self.watch.clone();
        let ended = checker.dispatch(&mut bytes, workgroups, &self.options, &*watch);
        drop(found);
        match ended.map_err(|error| DeviceError::Failed(error.to_string()))? {
            Ended::Done => {}
            Ended::BudgetSpent(..) => self.is_budget_spent = true,
            Ended::Stopped => return Err(DeviceError::Failed("the check was stopped before its end".into())),
        }
        for (binding, bytes) in dispatch.bindings.iter().zip(bytes) {
            self.slice(binding.range)?.copy_from_slice(&bytes);
        }
        Ok(())
    }

    fn is_congested(&self) -> bool {
        false
    }

    fn settle(&mut self) -> BoxFuture<'_, Result<(), DeviceError>> {
        Box::pin(async { Ok(()) })
    }

    fn finish(&mut self) -> BoxFuture<'_, Result<(), FinishError>> {
        let is_spent = self.is_budget_spent;
        Box::pin(async move { if is_spent { Err(FinishError::BudgetSpent) } else { Ok(()) } })
    }

    fn close(self: Box<Self>) -> BoxFuture<'static, ()> {
        Box::pin(async {})
    }
}
