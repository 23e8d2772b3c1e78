//! The stand-in: inputs, outputs and buffers in memory, for the thread that runs [`testing::Host`](crate::testing::Host).
//!
//! Holds jobs to the interface's rules on ranges, alignment and sizes, so that a test meets the errors that a host would
//! give. It has no limits of a job, and it runs no WGSL.

use crate::kernel::{Constant, Source};
use crate::testing::Call;
use crate::{DataError, GpuError, KernelError, Level};
use std::cell::{Ref, RefCell};
use std::collections::BTreeMap;
use std::ops::Range;
use std::rc::Rc;

const BUFFER_BYTES: u64 = 1 << 28;
const STORAGE_BINDING_BYTES: u64 = 1 << 27;
const BINDING_ALIGNMENT: u64 = 256;
const WORKGROUPS: u32 = 65_535;
const OUTPUTS: usize = 4_096;

/// Stands in for a kernel.
type StandIn = Rc<dyn Fn(&mut Call<'_>)>;

/// All that a job can see and leave behind.
#[derive(Default)]
pub(crate) struct State {
    pub(crate) inputs: BTreeMap<String, Vec<u8>>,
    pub(crate) stand_ins: BTreeMap<String, StandIn>,
    pub(crate) outputs: BTreeMap<String, Vec<u8>>,
    pub(crate) log: Vec<(Level, String)>,
    pub(crate) progress: Vec<(u64, u64)>,
}

thread_local! {
    static STATE: RefCell<Option<State>> = const { RefCell::new(None) };
}

/// Runs `job` on a host in this state, and gives the state back.
pub(crate) fn with<R>(state: State, job: impl FnOnce() -> R) -> (R, State) {
    /// Leaves no host behind for the thread's next test when a job panics.
    struct Cleanup;
    impl Drop for Cleanup {
        fn drop(&mut self) {
            STATE.set(None);
        }
    }
    assert!(STATE.replace(Some(state)).is_none(), "a job cannot run another job");
    let _cleanup = Cleanup;
    let result = job();
    (result, STATE.take().unwrap_or_default())
}

fn state<R>(operation: impl FnOnce(&mut State) -> R) -> R {
    STATE.with_borrow_mut(|state| match state {
        Some(state) => operation(state),
        None => panic!("no host: off wasm32, run the job through `samebit_guest::testing::Host`"),
    })
}

#[derive(Debug)]
pub(crate) struct Buffer(RefCell<Vec<u8>>);

#[derive(Debug)]
pub(crate) struct Kernel {
    source: &'static Source,
    constants: Vec<(String, f64)>,
}

pub(crate) struct Binding<'a> {
    pub(crate) group: u32,
    pub(crate) binding: u32,
    pub(crate) buffer: &'a Buffer,
    pub(crate) offset: u64,
    pub(crate) size: Option<u64>,
}

impl Buffer {
    pub(crate) fn create(size: u64) -> Result<Self, GpuError> {
        if size == 0 || size > BUFFER_BYTES {
            return Err(GpuError::InvalidSize);
        }
        aligned(&[size])?;
        Ok(Self(RefCell::new(vec![0; usize::try_from(size).map_err(|_| GpuError::OutOfMemory)?])))
    }

    pub(crate) fn size(&self) -> u64 {
        self.0.borrow().len() as u64
    }

    pub(crate) fn write(&self, offset: u64, bytes: &[u8]) -> Result<(), GpuError> {
        aligned(&[offset])?;
        let padded = (bytes.len() as u64).next_multiple_of(4);
        let range = inside(offset, padded, self.size()).ok_or(GpuError::OutOfRange)?;
        let mut memory = self.0.borrow_mut();
        let target = &mut memory[range];
        target[..bytes.len()].copy_from_slice(bytes);
        target[bytes.len()..].fill(0);
        Ok(())
    }

    pub(crate) fn read(&self, offset: u64, size: u64) -> Result<Vec<u8>, GpuError> {
        let range = inside(offset, size, self.size()).ok_or(GpuError::OutOfRange)?;
        Ok(self.0.borrow()[range].to_vec())
    }

    pub(crate) fn fill(&self, offset: u64, size: u64, word: u32) -> Result<(), GpuError> {
        aligned(&[offset, size])?;
        let range = inside(offset, size, self.size()).ok_or(GpuError::OutOfRange)?;
        for target in self.0.borrow_mut()[range].chunks_exact_mut(4) {
            target.copy_from_slice(&word.to_le_bytes());
        }
        Ok(())
    }

    pub(crate) fn copy_from(&self, offset: u64, source: &Self, source_offset: u64, size: u64) -> Result<(), GpuError> {
        aligned(&[offset, source_offset, size])?;
        if std::ptr::eq(self, source) {
            return Err(GpuError::Aliased);
        }
        self.write(offset, &source.read(source_offset, size)?)
    }

    pub(crate) fn load_input(&self, offset: u64, input: &str, input_offset: u64, size: u64) -> Result<(), GpuError> {
        let bytes = input_read(input, input_offset, size).map_err(|error| match error {
            DataError::UnknownInput => GpuError::UnknownInput,
            _ => GpuError::OutOfRange,
        })?;
        self.write(offset, &bytes)
    }
}

impl Binding<'_> {
    fn range(&self) -> Result<Range<usize>, GpuError> {
        let size = self.size.unwrap_or_else(|| self.buffer.size().saturating_sub(self.offset));
        if !self.offset.is_multiple_of(BINDING_ALIGNMENT) {
            return Err(GpuError::Misaligned);
        }
        aligned(&[size])?;
        if size == 0 || size > STORAGE_BINDING_BYTES {
            return Err(GpuError::InvalidSize);
        }
        inside(self.offset, size, self.buffer.size()).ok_or(GpuError::OutOfRange)
    }

    /// The bytes that are bound.
    pub(crate) fn bytes(&self) -> Ref<'_, [u8]> {
        let range = self.range().expect("a dispatch checks its bindings");
        Ref::map(self.buffer.0.borrow(), |memory| &memory[range])
    }

    /// Writes the first of the bytes that are bound.
    pub(crate) fn overwrite(&self, bytes: &[u8]) {
        let range = self.range().expect("a dispatch checks its bindings");
        assert!(bytes.len() <= range.len(), "{} bytes do not fit a binding of {}", bytes.len(), range.len());
        self.buffer.0.borrow_mut()[range.start..range.start + bytes.len()].copy_from_slice(bytes);
    }
}

impl Kernel {
    pub(crate) fn create(source: &'static Source, constants: &[(String, f64)]) -> Result<Self, KernelError> {
        let given = |constant: &Constant| constants.iter().any(|(key, _)| constant.is(key));
        match source.constants.iter().find(|constant| constant.required && !given(constant)) {
            Some(missing) => Err(KernelError::BadConstant(missing.name.to_owned())),
            None => Ok(Self { source, constants: constants.to_vec() }),
        }
    }
}

pub(crate) fn dispatch(kernel: &Kernel, bindings: &[Binding<'_>], workgroups: [u32; 3]) -> Result<(), GpuError> {
    if workgroups.iter().any(|&count| count > WORKGROUPS) {
        return Err(GpuError::InvalidSize);
    }
    check(kernel, bindings)?;
    if workgroups.contains(&0) {
        return Ok(());
    }
    let Source { path, entry_point, .. } = kernel.source;
    let stand_in = state(|state| state.stand_ins.get(*entry_point).cloned());
    let Some(stand_in) = stand_in else {
        panic!(
            "nothing stands in for {path} ({entry_point}): WGSL runs under `samebit run` only; give this test a \
             function in its place with `testing::Host::kernel({entry_point:?}, …)`"
        );
    };
    stand_in(&mut Call { source: kernel.source, constants: &kernel.constants, bindings, workgroups });
    Ok(())
}

pub(crate) fn dispatch_indirect(
    kernel: &Kernel,
    bindings: &[Binding<'_>],
    counts: &Buffer,
    offset: u64,
) -> Result<(), GpuError> {
    aligned(&[offset])?;
    let bytes = counts.read(offset, 12)?;
    let mut workgroups = [0; 3];
    bytemuck::cast_slice_mut(&mut workgroups).copy_from_slice(&bytes);
    if workgroups.iter().any(|&count| count > WORKGROUPS) {
        return check(kernel, bindings);
    }
    dispatch(kernel, bindings, workgroups)
}

fn check(kernel: &Kernel, bindings: &[Binding<'_>]) -> Result<(), GpuError> {
    for (index, binding) in bindings.iter().enumerate() {
        binding.range()?;
        let is_written = kernel.source.variables.iter().any(|variable| {
            (variable.group, variable.binding) == (binding.group, binding.binding) && variable.writable
        });
        let mut others = bindings.iter().enumerate().filter(|(other, _)| *other != index);
        if is_written && others.any(|(_, other)| std::ptr::eq(other.buffer, binding.buffer)) {
            return Err(GpuError::Aliased);
        }
    }
    Ok(())
}

pub(crate) fn inputs() -> Vec<String> {
    state(|state| state.inputs.keys().cloned().collect())
}

pub(crate) fn input_size(name: &str) -> Result<u64, DataError> {
    state(|state| state.inputs.get(name).map(|bytes| bytes.len() as u64).ok_or(DataError::UnknownInput))
}

pub(crate) fn input_read(name: &str, offset: u64, size: u64) -> Result<Vec<u8>, DataError> {
    state(|state| {
        let bytes = state.inputs.get(name).ok_or(DataError::UnknownInput)?;
        let range = inside(offset, size, bytes.len() as u64).ok_or(DataError::OutOfRange)?;
        Ok(bytes[range].to_vec())
    })
}

pub(crate) fn output_append(name: &str, bytes: &[u8]) -> Result<(), DataError> {
    let mut characters = name.bytes();
    let starts = characters.next().is_some_and(|first| first.is_ascii_alphanumeric());
    if !starts || name.len() > 128 || !characters.all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte)) {
        return Err(DataError::InvalidName);
    }
    state(|state| {
        if !state.outputs.contains_key(name) && state.outputs.len() >= OUTPUTS {
            return Err(DataError::TooManyOutputs);
        }
        state.outputs.entry(name.to_owned()).or_default().extend_from_slice(bytes);
        Ok(())
    })
}

pub(crate) fn output_append_buffer(name: &str, buffer: &Buffer, offset: u64, size: u64) -> Result<(), DataError> {
    let bytes = buffer.read(offset, size).map_err(|_| DataError::OutOfRange)?;
    output_append(name, &bytes)
}

pub(crate) fn log(level: Level, message: &str) {
    state(|state| state.log.extend(message.lines().map(|line| (level, line.to_owned()))));
}

pub(crate) fn progress(done: u64, total: u64) {
    state(|state| state.progress.push((done, total)));
}

fn aligned(offsets: &[u64]) -> Result<(), GpuError> {
    if offsets.iter().all(|offset| offset.is_multiple_of(4)) { Ok(()) } else { Err(GpuError::Misaligned) }
}

/// The range `offset..offset + size`, if it ends at or before `end`.
fn inside(offset: u64, size: u64, end: u64) -> Option<Range<usize>> {
    let to = offset.checked_add(size).filter(|to| *to <= end)?;
    Some(usize::try_from(offset).ok()?..usize::try_from(to).ok()?)
}
