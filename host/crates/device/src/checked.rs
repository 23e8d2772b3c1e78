//! Validates a guest's calls before any device sees them.
//!
//! The rules are those of `wit/gpu.wit` and nothing else, so a call that one device takes every device takes. A call
//! that is refused changes nothing. What is allowed past here is safe to hand to a driver that validates nothing.

use std::collections::BTreeMap;
use std::sync::Arc;

use samebit_wgsl::{Admission, BindingDecl, BindingKind, Interface, Kernel, Refusal, RefusalReason, lower};

use crate::hash::PIECE_BYTES;
use crate::{
    Abort, Binding, BindingIndex, BufferCopy, BufferId, BufferRange, CallError, DeviceError, Dispatch, FinishError,
    GpuError, Grid, KernelFault, KernelId, Program, ReadError, Session, Sink, limits,
};

/// What a session has used of its device.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Usage {
    /// Buffers alive now, in bytes, each counted with at least [`limits::BUFFER_CHARGE_BYTES`].
    pub memory_bytes: u64,
    /// The most that was alive at once, in bytes.
    pub memory_peak_bytes: u64,
    /// Dispatches queued so far.
    pub dispatches: u64,
}

/// A session behind the rules of `wit/gpu.wit`.
pub struct Checked {
    session: Box<dyn Session>,
    buffers: BTreeMap<BufferId, u64>,
    kernels: BTreeMap<KernelId, Interface>,
    next_id: u32,
    memory_limit_bytes: u64,
    admission: Admission,
    usage: Usage,
}

impl Checked {
    /// Puts a session behind the rules. Buffers alive at once may have `memory_limit_bytes` together. `admission` is what
    /// the session was opened with.
    pub fn new(session: Box<dyn Session>, memory_limit_bytes: u64, admission: Admission) -> Self {
        Self {
            session,
            buffers: BTreeMap::new(),
            kernels: BTreeMap::new(),
            next_id: 0,
            memory_limit_bytes,
            admission,
            usage: Usage::default(),
        }
    }

    /// What was used so far.
    pub fn usage(&self) -> Usage {
        self.usage
    }

    /// Creates a buffer of zeros.
    pub fn buffer_create(&mut self, size: u64) -> Result<BufferId, CallError> {
        if size == 0 || size > limits::BUFFER_BYTES {
            return Err(GpuError::InvalidSize.into());
        }
        words(size)?;
        let used = self.usage.memory_bytes + charge(size);
        if used > self.memory_limit_bytes {
            return Err(GpuError::OutOfMemory.into());
        }
        let id = BufferId(self.fresh_id()?);
        self.session.buffer_create(id, size)?;
        self.buffers.insert(id, size);
        self.usage.memory_bytes = used;
        self.usage.memory_peak_bytes = self.usage.memory_peak_bytes.max(used);
        Ok(id)
    }

    /// Frees a buffer.
    pub fn buffer_drop(&mut self, id: BufferId) {
        if let Some(size) = self.buffers.remove(&id) {
            self.usage.memory_bytes -= charge(size);
            self.session.buffer_drop(id);
        }
    }

    /// The size of a buffer in bytes; an id that was never given out, or dropped, has none.
    pub fn buffer_size(&self, id: BufferId) -> u64 {
        self.buffers.get(&id).copied().unwrap_or(0)
    }

    /// Checks a write of `size` bytes and returns how many bytes to hand to [`buffer_write`](Self::buffer_write) in
    /// all: `size` rounded up to whole words.
    pub fn check_write(&self, id: BufferId, offset: u64, size: u64) -> Result<u64, GpuError> {
        words(offset)?;
        let padded = size.checked_next_multiple_of(4).ok_or(GpuError::OutOfRange)?;
        self.check_range(BufferRange { buffer: id, offset, size: padded })?;
        Ok(padded)
    }

    /// Writes bytes. If their number is not a multiple of 4, the rest of the last word becomes zero.
    pub fn buffer_write(&mut self, id: BufferId, offset: u64, bytes: &[u8]) -> Result<(), CallError> {
        self.check_write(id, offset, bytes.len() as u64)?;
        let (head, tail) = bytes.split_at(bytes.len() - bytes.len() % 4);
        if !head.is_empty() {
            self.session.buffer_write(id, offset, head)?;
        }
        if !tail.is_empty() {
            let mut word = [0; 4];
            word[..tail.len()].copy_from_slice(tail);
            self.session.buffer_write(id, offset + head.len() as u64, &word)?;
        }
        Ok(())
    }

    /// Ends the session from elsewhere; see [`Session::abort`].
    pub fn abort(&self) -> Abort {
        self.session.abort()
    }

    /// Fills a range with a 32-bit word.
    pub fn buffer_fill(&mut self, range: BufferRange, word: u32) -> Result<(), CallError> {
        words(range.offset)?;
        words(range.size)?;
        self.check_range(range)?;
        if range.size > 0 {
            self.session.buffer_fill(range, word)?;
        }
        Ok(())
    }

    /// Copies between two different buffers.
    pub fn buffer_copy(&mut self, copy: BufferCopy) -> Result<(), CallError> {
        let BufferCopy { source, source_offset, target } = copy;
        for number in [source_offset, target.offset, target.size] {
            words(number)?;
        }
        self.check_range(target)?;
        self.check_range(BufferRange { buffer: source, offset: source_offset, size: target.size })?;
        if source == target.buffer {
            return Err(GpuError::Aliased.into());
        }
        if target.size > 0 {
            self.session.buffer_copy(copy)?;
        }
        Ok(())
    }

    /// Checks that a range lies within its buffer.
    pub fn check_range(&self, range: BufferRange) -> Result<(), GpuError> {
        let end = range.offset.checked_add(range.size).ok_or(GpuError::OutOfRange)?;
        if end > self.buffer_size(range.buffer) { Err(GpuError::OutOfRange) } else { Ok(()) }
    }

    /// Hands the bytes of a range to `sink`.
    pub async fn buffer_read(&mut self, range: BufferRange, sink: Sink<'_>) -> Result<(), ReadError> {
        self.check_range(range)?;
        if range.size > 0 {
            self.session.buffer_read(range, sink).await?;
        }
        Ok(())
    }

    /// The chaining values of a range's pieces, if the device has a fast way to them.
    pub async fn buffer_hash(&mut self, range: BufferRange, first: u64) -> Result<Option<Vec<[u8; 32]>>, ReadError> {
        self.check_range(range)?;
        if range.size == 0 || !range.size.is_multiple_of(PIECE_BYTES) {
            return Ok(None);
        }
        self.session.buffer_hash(range, first).await
    }

    /// Makes a kernel, parsed from `text`, ready to dispatch. In `exact` it is lowered here, so that what is refused and
    /// why does not depend on the device.
    pub fn kernel_create(&mut self, kernel: Kernel, text: &str) -> Result<KernelId, KernelFault> {
        if self.kernels.len() >= limits::KERNELS {
            return Err(too_many_kernels().into());
        }
        let interface = kernel.interface().clone();
        let kernel = Arc::new(kernel);
        let program = match self.admission {
            Admission::Exact => Program::Exact(Arc::new(lower(&kernel, text, Admission::Exact)?)),
            Admission::Native => Program::Native { kernel: kernel.clone(), text: text.into() },
        };
        let id = KernelId(self.fresh_id()?);
        self.session.kernel_source(id, &kernel, text);
        self.session.kernel_create(id, program)?;
        self.kernels.insert(id, interface);
        Ok(id)
    }

    /// Frees a kernel.
    pub fn kernel_drop(&mut self, id: KernelId) {
        if self.kernels.remove(&id).is_some() {
            self.session.kernel_drop(id);
        }
    }

    /// Queues a launch. The bindings may come in any order; a size of `None` means the rest of the buffer.
    pub fn dispatch(
        &mut self,
        kernel: KernelId,
        bindings: &[(BindingIndex, BufferId, u64, Option<u64>)],
        grid: Grid,
    ) -> Result<(), CallError> {
        let Some(interface) = self.kernels.get(&kernel) else {
            return Err(DeviceError::Failed("a kernel was used after it was dropped".into()).into());
        };
        self.check_grid(grid)?;
        let bindings = self.check_bindings(&interface.bindings, bindings)?;
        check_aliasing(&interface.bindings, &bindings, grid)?;
        self.session.dispatch(&Dispatch { kernel, bindings, grid })?;
        self.usage.dispatches += 1;
        Ok(())
    }

    /// Waits until there is room for more, if there is none.
    pub async fn settle(&mut self) -> Result<(), DeviceError> {
        if self.session.is_congested() { self.session.settle().await } else { Ok(()) }
    }

    /// Waits until everything queued is done.
    pub async fn finish(&mut self) -> Result<(), FinishError> {
        self.session.finish().await
    }

    /// Frees everything, and returns when the driver has let go of it.
    pub async fn close(self) {
        self.session.close().await;
    }

    fn fresh_id(&mut self) -> Result<u32, DeviceError> {
        let id = self.next_id;
        self.next_id =
            id.checked_add(1).ok_or_else(|| DeviceError::Failed("a job made more than 2^32 objects".into()))?;
        Ok(id)
    }

    fn check_grid(&self, grid: Grid) -> Result<(), GpuError> {
        match grid {
            Grid::Direct(counts) if counts.iter().any(|count| *count > limits::WORKGROUPS) => {
                Err(GpuError::InvalidSize)
            }
            Grid::Direct(_) => Ok(()),
            Grid::Indirect { buffer, offset } => {
                words(offset)?;
                self.check_range(BufferRange { buffer, offset, size: 12 })
            }
        }
    }

    /// Pairs the bindings given with those declared, both sorted. The first in that order which is missing, unknown,
    /// given twice or too small is the one reported.
    fn check_bindings(
        &self,
        declared: &[BindingDecl],
        given: &[(BindingIndex, BufferId, u64, Option<u64>)],
    ) -> Result<Vec<Binding>, GpuError> {
        let mut given = given.to_vec();
        given.sort_by_key(|(index, ..)| *index);
        let mut given = given.into_iter();
        let mut bound = Vec::with_capacity(declared.len());
        for declaration in declared {
            let expected = BindingIndex { group: declaration.group, binding: declaration.binding };
            match given.next() {
                Some((index, buffer, offset, size)) if index == expected => {
                    bound.push(self.check_binding(declaration, buffer, offset, size)?);
                }
                Some((index, ..)) => return Err(GpuError::BindingMismatch(index.min(expected))),
                None => return Err(GpuError::BindingMismatch(expected)),
            }
        }
        match given.next() {
            Some((index, ..)) => Err(GpuError::BindingMismatch(index)),
            None => Ok(bound),
        }
    }

    fn check_binding(
        &self,
        declaration: &BindingDecl,
        buffer: BufferId,
        offset: u64,
        size: Option<u64>,
    ) -> Result<Binding, GpuError> {
        let index = BindingIndex { group: declaration.group, binding: declaration.binding };
        let rest = self.buffer_size(buffer).checked_sub(offset).ok_or(GpuError::OutOfRange)?;
        let size = size.unwrap_or(rest);
        let range = BufferRange { buffer, offset, size };
        self.check_range(range)?;
        if !offset.is_multiple_of(limits::BINDING_OFFSET_ALIGNMENT) {
            return Err(GpuError::Misaligned);
        }
        words(size)?;
        let size_max = match declaration.kind {
            BindingKind::Uniform => limits::UNIFORM_BINDING_BYTES,
            BindingKind::Storage { .. } => limits::STORAGE_BINDING_BYTES,
        };
        if size == 0 || size > size_max {
            return Err(GpuError::InvalidSize);
        }
        if size < declaration.size_min_bytes {
            return Err(GpuError::BindingMismatch(index));
        }
        Ok(Binding { group: index.group, binding: index.binding, range })
    }
}

/// A buffer that the kernel may write has no second role in the same dispatch.
fn check_aliasing(declared: &[BindingDecl], bound: &[Binding], grid: Grid) -> Result<(), GpuError> {
    let indirect = match grid {
        Grid::Indirect { buffer, .. } => Some(buffer),
        Grid::Direct(_) => None,
    };
    let buffers = || bound.iter().map(|binding| binding.range.buffer);
    for (declaration, binding) in declared.iter().zip(bound) {
        let writable = matches!(declaration.kind, BindingKind::Storage { writable: true });
        let roles = buffers().chain(indirect).filter(|buffer| *buffer == binding.range.buffer).count();
        if writable && roles > 1 {
            return Err(GpuError::Aliased);
        }
    }
    Ok(())
}

/// What a buffer counts as against the job's limit.
fn charge(size: u64) -> u64 {
    size.max(limits::BUFFER_CHARGE_BYTES)
}

fn too_many_kernels() -> Refusal {
    Refusal {
        reason: RefusalReason::TooLarge,
        location: None,
        message: format!("kernel is too large: {} kernels are alive already; drop some", limits::KERNELS),
    }
}

fn words(number: u64) -> Result<(), GpuError> {
    if number.is_multiple_of(4) { Ok(()) } else { Err(GpuError::Misaligned) }
}

#[cfg(test)]
mod tests {
    use samebit_wgsl::{Source, parse};

    use super::*;
    use crate::fake::{Fake, Flaw};

    const LIMIT_BYTES: u64 = 1 << 20;

    fn checked() -> (Checked, Fake) {
        let fake = Fake::new(Flaw::None);
        (Checked::new(fake.session(), LIMIT_BYTES, Admission::Native), fake)
    }

    const TEXT: &str = "@group(0) @binding(1) var<storage, read_write> a: array<u32>;
                        @group(2) @binding(0) var<uniform> b: vec4u;
                        @compute @workgroup_size(1) fn main() { a[0] = b.x; }";

    fn create(gpu: &mut Checked) -> Result<KernelId, KernelFault> {
        let kernel = parse(&Source { text: TEXT, entry_point: "main", constants: &[] }).expect("the text is valid");
        gpu.kernel_create(kernel, TEXT)
    }

    fn index(group: u32, binding: u32) -> BindingIndex {
        BindingIndex { group, binding }
    }

    #[test]
    fn memory_counts_what_is_alive_and_the_most_that_was() {
        let (mut gpu, _) = checked();
        let large = gpu.buffer_create(LIMIT_BYTES).expect("it fits exactly");
        assert_eq!(gpu.buffer_create(4), Err(GpuError::OutOfMemory.into()));
        gpu.buffer_drop(large);
        gpu.buffer_drop(large);
        gpu.buffer_create(8_192).expect("there is room again");
        let usage = Usage { memory_bytes: 8_192, memory_peak_bytes: LIMIT_BYTES, dispatches: 0 };
        assert_eq!(gpu.usage(), usage);
    }

    #[test]
    fn tiny_buffers_cannot_take_the_hosts_memory() {
        let (mut gpu, _) = checked();
        let made = (0..10_000).take_while(|_| gpu.buffer_create(4).is_ok()).count() as u64;
        assert_eq!(made, LIMIT_BYTES / limits::BUFFER_CHARGE_BYTES);
    }

    #[test]
    fn kernels_alive_are_bounded() {
        let (mut gpu, _) = checked();
        let first = create(&mut gpu).expect("the first fits");
        for _ in 1..limits::KERNELS {
            create(&mut gpu).expect("it fits");
        }
        let error = create(&mut gpu).expect_err("one too many");
        assert!(matches!(error, KernelFault::Refused(refusal) if refusal.reason == RefusalReason::TooLarge));
        gpu.kernel_drop(first);
        create(&mut gpu).expect("there is room again");
    }

    #[test]
    fn what_is_refused_never_reaches_the_session() {
        let (mut gpu, fake) = checked();
        let id = gpu.buffer_create(16).expect("it fits");
        let gone = gpu.buffer_create(16).expect("it fits");
        gpu.buffer_drop(gone);
        fake.take_calls();
        assert_eq!(gpu.buffer_write(id, 12, &[0; 5]), Err(GpuError::OutOfRange.into()));
        assert_eq!(gpu.buffer_write(gone, 0, &[0; 4]), Err(GpuError::OutOfRange.into()));
        assert_eq!(gpu.check_write(id, 0, u64::MAX), Err(GpuError::OutOfRange));
        let far = BufferRange { buffer: id, offset: u64::MAX - 3, size: 8 };
        assert_eq!(gpu.buffer_fill(far, 1), Err(GpuError::OutOfRange.into()));
        assert_eq!(gpu.buffer_create(u64::MAX), Err(GpuError::InvalidSize.into()));
        gpu.buffer_write(id, 16, &[]).expect("nothing to do");
        gpu.buffer_fill(BufferRange { buffer: id, offset: 16, size: 0 }, 1).expect("nothing to do");
        assert_eq!(fake.take_calls(), Vec::<String>::new());
    }

    #[test]
    fn a_partial_word_is_written_by_itself() {
        let (mut gpu, fake) = checked();
        let id = gpu.buffer_create(16).expect("it fits");
        fake.take_calls();
        assert_eq!(gpu.check_write(id, 4, 6), Ok(8));
        gpu.buffer_write(id, 4, &[1; 6]).expect("it is in range");
        gpu.buffer_write(id, 0, &[1; 3]).expect("it is in range");
        assert_eq!(fake.take_calls(), ["write 0 4 4", "write 0 8 4", "write 0 0 4"]);
    }

    #[test]
    fn bindings_reach_the_session_sorted_and_with_their_sizes() {
        let (mut gpu, fake) = checked();
        let a = gpu.buffer_create(1024).expect("it fits");
        let b = gpu.buffer_create(1024).expect("it fits");
        let id = create(&mut gpu).expect("it is valid");
        fake.take_calls();
        let given = [(index(2, 0), b, 512, None), (index(0, 1), a, 0, Some(8))];
        gpu.dispatch(id, &given, Grid::Direct([1, 2, 65_535])).expect("it is valid");
        assert_eq!(fake.take_calls(), ["dispatch 2 [(0, 1, 0, 8), (2, 0, 512, 512)] Direct([1, 2, 65535])"]);
        assert_eq!(gpu.usage().dispatches, 1);
    }

    #[test]
    fn a_kernel_that_was_dropped_is_this_hosts_failure() {
        let (mut gpu, _) = checked();
        let id = create(&mut gpu).expect("it is valid");
        gpu.kernel_drop(id);
        let error = gpu.dispatch(id, &[], Grid::Direct([1, 1, 1])).expect_err("it is gone");
        assert!(matches!(error, CallError::Device(DeviceError::Failed(_))));
    }
}
