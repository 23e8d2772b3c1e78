//! The memory of a session, shared between the threads that run its kernels and the host.
//!
//! Kernels run while somebody holds [`Running`]; the host looks at memory while it holds [`Exclusive`], which nobody gets
//! while kernels run. Two things are apart from that: the parameter block, of which only single words are written and
//! read, atomically; and growing, which changes nothing of what is there.
//!
//! All the unsafe code of this crate that touches memory is in this file.

use std::ops::Range;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use samebit_device::{DeviceError, limits};
use samebit_wgsl::limits as kernel;
use wasmtime::{Engine, Extern, Instance, MemoryType, Module, SharedMemory, Store, TypedFunc};

use crate::allocator::Span;
use crate::codegen::params;

/// Where the parameter block is.
const PARAMS: u32 = 0;
/// How long it may be: the memory of buffers begins here.
pub(crate) const PARAMS_BYTES: u64 = limits::BINDING_OFFSET_ALIGNMENT;
/// Most bindings of a kernel.
const BINDINGS: usize = kernel::STORAGE_BINDINGS + kernel::UNIFORM_BINDINGS;
const _: () = assert!(params::BINDINGS as u64 + BINDINGS as u64 * params::BINDING_BYTES as u64 <= PARAMS_BYTES);

/// Where a session's memory ends at the latest. The last page is left out, so that no range ends at 2^32.
pub(crate) const LIMIT_BYTES: u64 = PAGES_MAX as u64 * PAGE_BYTES - PAGE_BYTES;
const PAGES_MAX: u32 = 1 << 16;
const PAGE_BYTES: u64 = 1 << 16;
/// What memory grows by at least.
const GROWTH_BYTES: u64 = 1 << 20;
/// Memory beyond this address is asked for in large pages, where the system has them: fewer faults when it is first used,
/// and fewer misses later. A session that uses less would only pay for clearing them.
const LARGE_PAGES_FROM: u64 = 16 << 20;
/// The size of a large page.
const LARGE_PAGE_BYTES: u64 = 2 << 20;

/// What a kernel is called with: parameters, scratch area, first workgroup, number of workgroups.
type Run = TypedFunc<(u32, u32, u32, u32, u32, u32), u32>;

/// A session's memory.
pub(crate) struct Memory {
    shared: SharedMemory,
    access: RwLock<()>,
    /// Held while memory grows.
    growing: Mutex<()>,
}

/// While it lives, kernels may run and the host does not touch their memory.
pub(crate) struct Running<'a> {
    shared: &'a SharedMemory,
    _guard: RwLockReadGuard<'a, ()>,
}

/// While it lives, no kernel runs.
pub(crate) struct Exclusive<'a> {
    shared: &'a SharedMemory,
    _guard: RwLockWriteGuard<'a, ()>,
}

/// A kernel, ready to run on one thread at a time over one session's memory.
pub(crate) struct Runner {
    store: Store<()>,
    run: Run,
    /// Where the memory begins that it runs on.
    base: usize,
}

/// The first of some consecutive workgroups, and how many.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Workgroups {
    /// The first one's id.
    pub(crate) first: [u32; 3],
    /// How many, x moving fastest.
    pub(crate) count: u32,
}

impl Memory {
    /// Memory with room for the parameter block, and address space for the rest.
    pub(crate) fn new(engine: &Engine) -> Result<Self, DeviceError> {
        let shared = SharedMemory::new(engine, MemoryType::shared(1, PAGES_MAX)).map_err(|error| {
            DeviceError::OutOfMemory(format!("no 4 GiB of address space for a session's memory: {error:#}"))
        })?;
        Ok(Self { shared, access: RwLock::new(()), growing: Mutex::new(()) })
    }

    /// Makes addresses below `end` usable. What is new is zero, and takes no real memory until it is used.
    pub(crate) fn reserve(&self, end: u64) -> Result<(), DeviceError> {
        let _growing = self.growing.lock().unwrap_or_else(PoisonError::into_inner);
        let size = self.shared.data_size() as u64;
        if end <= size {
            return Ok(());
        }
        let wanted = end.max(size + (size / 8).max(GROWTH_BYTES)).min(LIMIT_BYTES + PAGE_BYTES).max(end);
        let pages = (wanted - size).div_ceil(PAGE_BYTES);
        self.shared.grow(pages).map_err(|error| {
            DeviceError::OutOfMemory(format!("the system gives no {} MiB for buffers: {error:#}", wanted >> 20))
        })?;
        self.advise(size.max(LARGE_PAGES_FROM), size + pages * PAGE_BYTES);
        Ok(())
    }

    /// Asks for large pages between two addresses. Whether they come makes no difference but to time.
    #[cfg_attr(target_os = "linux", expect(unsafe_code, reason = "the system knows memory by its address only"))]
    fn advise(&self, start: u64, end: u64) {
        let start = start / LARGE_PAGE_BYTES * LARGE_PAGE_BYTES;
        let Some(cells) = self.shared.data().get(start as usize..end as usize) else { return };
        #[cfg(target_os = "linux")]
        {
            use rustix::mm::{Advice, madvise};
            // SAFETY: the range is mapped, as the slice shows, and this advice leaves its contents alone.
            let _ = unsafe { madvise(cells.as_ptr().cast_mut().cast(), cells.len(), Advice::LinuxHugepage) };
        }
        #[cfg(not(target_os = "linux"))]
        let _ = cells;
    }

    /// Lets kernels run until it is dropped.
    pub(crate) fn running(&self) -> Running<'_> {
        let guard = self.access.read().unwrap_or_else(PoisonError::into_inner);
        Running { shared: &self.shared, _guard: guard }
    }

    /// Waits until no kernel runs, and keeps it so until it is dropped.
    pub(crate) fn exclusive(&self) -> Exclusive<'_> {
        let guard = self.access.write().unwrap_or_else(PoisonError::into_inner);
        Exclusive { shared: &self.shared, _guard: guard }
    }

    /// Makes kernels that run, and all that would run later, end soon. It is never taken back.
    pub(crate) fn cancel(&self) {
        self.set(params::CANCEL, 1);
    }

    /// Writes the parameter block, but for the cancel word.
    pub(crate) fn set_params(&self, grid: [u32; 3], loop_budget: u32, bindings: &[Span]) {
        for (offset, count) in (params::NUM_WORKGROUPS..).step_by(4).zip(grid) {
            self.set(offset, count);
        }
        self.set(params::LOOP_BUDGET, loop_budget);
        let entries = (params::BINDINGS..).step_by(params::BINDING_BYTES as usize);
        for (offset, span) in entries.zip(bindings.iter().take(BINDINGS)) {
            self.set(offset, span.address as u32);
            self.set(offset + 4, span.bytes as u32);
        }
    }

    /// Makes a kernel ready to run on this memory.
    pub(crate) fn runner(&self, module: &Module) -> Result<Runner, DeviceError> {
        let mut store = Store::new(module.engine(), ());
        let make = |store: &mut Store<()>| -> wasmtime::Result<Run> {
            let instance = Instance::new(&mut *store, module, &[Extern::SharedMemory(self.shared.clone())])?;
            instance.get_typed_func(store, "run")
        };
        match make(&mut store) {
            Ok(run) => Ok(Runner { store, run, base: base(&self.shared) }),
            Err(error) => Err(DeviceError::Failed(format!("a kernel could not be made ready: {error:#}"))),
        }
    }

    /// Writes a word of the parameter block.
    fn set(&self, offset: u32, value: u32) {
        self.word(offset).store(value, Ordering::Relaxed);
    }

    /// A word of the parameter block.
    #[expect(unsafe_code, reason = "wasmtime gives out shared memory as bare cells")]
    fn word(&self, offset: u32) -> &AtomicU32 {
        let at = (PARAMS + offset.min(PARAMS_BYTES as u32 - 4)) as usize & !3;
        let word = self.shared.data()[at..at + 4].as_ptr();
        // SAFETY: the memory lives as long as `self` and never moves. Its base is aligned to a page, so the word is
        // aligned. Rust reaches the parameter block through this function only, since `Exclusive` keeps away from it;
        // generated code is outside of Rust's memory model, and reads words of it whole.
        unsafe { AtomicU32::from_ptr(word.cast_mut().cast()) }
    }
}

impl Running<'_> {
    /// Runs workgroups, and gives back how it ended: a [`Status`](crate::codegen::Status) as a number.
    pub(crate) fn run(&self, runner: &mut Runner, scratch: u32, groups: Workgroups) -> Result<u32, DeviceError> {
        assert_eq!(runner.base, base(self.shared), "a kernel runs on the memory that is held for it");
        let [x, y, z] = groups.first;
        runner
            .run
            .call(&mut runner.store, (PARAMS, scratch, x, y, z, groups.count))
            .map_err(|error| DeviceError::Failed(format!("a kernel trapped, which no kernel should: {error:#}")))
    }
}

impl Exclusive<'_> {
    /// Looks at a range.
    #[expect(unsafe_code, reason = "wasmtime gives out shared memory as bare cells")]
    pub(crate) fn bytes(&self, span: Span) -> &[u8] {
        let cells = &self.shared.data()[range(span)];
        // SAFETY: the cells were just checked to exist, and stay where they are as long as the memory lives, which `self`
        // borrows. Nobody writes them while the slice lives: kernels are kept from running by the guard, the host writes
        // through `bytes_mut` and `copy`, which want `&mut self`, and atomic words are not in the range.
        unsafe { std::slice::from_raw_parts(cells.as_ptr().cast(), cells.len()) }
    }

    /// A range, to be changed.
    #[expect(unsafe_code, reason = "wasmtime gives out shared memory as bare cells")]
    fn bytes_mut(&mut self, span: Span) -> &mut [u8] {
        let cells = &self.shared.data()[range(span)];
        // SAFETY: as above; and since `self` is borrowed mutably, there is no other slice.
        unsafe { std::slice::from_raw_parts_mut(cells.as_ptr().cast_mut().cast(), cells.len()) }
    }

    /// Writes bytes to an address.
    pub(crate) fn write(&mut self, address: u64, bytes: &[u8]) {
        self.bytes_mut(Span { address, bytes: bytes.len() as u64 }).copy_from_slice(bytes);
    }

    /// Fills a range with a word.
    pub(crate) fn fill(&mut self, span: Span, word: u32) {
        let bytes = self.bytes_mut(span);
        let pattern = word.to_le_bytes();
        if pattern == [pattern[0]; 4] {
            bytes.fill(pattern[0]);
        } else {
            bytes.as_chunks_mut::<4>().0.fill(pattern);
        }
    }

    /// Copies a range to an address.
    #[expect(unsafe_code, reason = "wasmtime gives out shared memory as bare cells")]
    pub(crate) fn copy(&mut self, source: Span, target: u64) {
        let target = Span { address: target, bytes: source.bytes };
        let (from, to) = (&self.shared.data()[range(source)], &self.shared.data()[range(target)]);
        // SAFETY: both ranges were just checked, are of one length, and may overlap; why nobody else touches them is said
        // above.
        unsafe { std::ptr::copy(from.as_ptr(), to.as_ptr().cast_mut(), from.len()) }
    }

    /// Three words.
    pub(crate) fn words(&self, address: u64) -> [u32; 3] {
        let words = self.bytes(Span { address, bytes: 12 }).as_chunks::<4>().0;
        [0, 1, 2].map(|at| words.get(at).map_or(0, |word| u32::from_le_bytes(*word)))
    }
}

/// Where a memory begins, by which it is known.
fn base(shared: &SharedMemory) -> usize {
    shared.data().as_ptr().addr()
}

/// A range as Rust takes it, never of the parameter block.
fn range(span: Span) -> Range<usize> {
    assert!(span.address >= PARAMS_BYTES, "the parameter block is written word by word");
    span.address as usize..span.end() as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    fn memory(bytes: u64) -> Memory {
        let memory = Memory::new(&crate::engine::engine().expect("wasmtime runs")).expect("there is memory");
        memory.reserve(bytes).expect("there is memory");
        memory
    }

    fn span(address: u64, bytes: u64) -> Span {
        Span { address, bytes }
    }

    #[test]
    fn it_starts_at_zero_and_keeps_what_is_written() {
        let memory = memory(1 << 20);
        let mut access = memory.exclusive();
        assert!(access.bytes(span(256, (1 << 20) - 256)).iter().all(|byte| *byte == 0));
        access.write(300, &[1, 2, 3]);
        access.copy(span(300, 3), 301);
        assert_eq!(access.bytes(span(299, 6)), [0, 1, 1, 2, 3, 0]);
        access.fill(span(1024, 8), 0x0403_0201);
        access.fill(span(1032, 4), 0x0505_0505);
        assert_eq!(access.bytes(span(1023, 14)), [0, 1, 2, 3, 4, 1, 2, 3, 4, 5, 5, 5, 5, 0]);
        assert_eq!(access.words(1024), [0x0403_0201, 0x0403_0201, 0x0505_0505]);
    }

    #[test]
    fn it_grows_to_the_limit_and_no_further() {
        let memory = memory(LIMIT_BYTES);
        let mut access = memory.exclusive();
        access.fill(span(LIMIT_BYTES - 4, 4), 7);
        assert_eq!(access.bytes(span(LIMIT_BYTES - 4, 1)), [7]);
        drop(access);
        let error = memory.reserve(LIMIT_BYTES + 2 * PAGE_BYTES).expect_err("that is too much");
        assert!(matches!(error, DeviceError::OutOfMemory(_)), "{error}");
    }

    #[test]
    #[should_panic(expected = "parameter block")]
    fn the_parameter_block_is_not_for_bytes() {
        memory(1024).exclusive().fill(span(0, 16), 1);
    }
}
