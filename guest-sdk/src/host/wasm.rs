//! The real host: the imports of the world `guest`, with this crate's types around them.

use crate::bindings::samebit::job::{data, gpu, report};
use crate::{DataError, GpuError, KernelError, Level, kernel::Source};

#[derive(Debug)]
pub(crate) struct Buffer(gpu::Buffer);

#[derive(Debug)]
pub(crate) struct Kernel(gpu::Kernel);

pub(crate) struct Binding<'a> {
    pub(crate) group: u32,
    pub(crate) binding: u32,
    pub(crate) buffer: &'a Buffer,
    pub(crate) offset: u64,
    pub(crate) size: Option<u64>,
}

impl Buffer {
    pub(crate) fn create(size: u64) -> Result<Self, GpuError> {
        Ok(Self(gpu::Buffer::create(size)?))
    }

    pub(crate) fn size(&self) -> u64 {
        self.0.size()
    }

    pub(crate) fn write(&self, offset: u64, bytes: &[u8]) -> Result<(), GpuError> {
        Ok(self.0.write(offset, bytes)?)
    }

    pub(crate) fn read(&self, offset: u64, size: u64) -> Result<Vec<u8>, GpuError> {
        Ok(self.0.read(offset, size)?)
    }

    pub(crate) fn fill(&self, offset: u64, size: u64, word: u32) -> Result<(), GpuError> {
        Ok(self.0.fill(offset, size, word)?)
    }

    pub(crate) fn copy_from(&self, offset: u64, source: &Self, source_offset: u64, size: u64) -> Result<(), GpuError> {
        Ok(self.0.copy_from(offset, &source.0, source_offset, size)?)
    }

    pub(crate) fn load_input(&self, offset: u64, input: &str, input_offset: u64, size: u64) -> Result<(), GpuError> {
        Ok(self.0.load_input(offset, input, input_offset, size)?)
    }
}

impl Kernel {
    pub(crate) fn create(source: &'static Source, constants: &[(String, f64)]) -> Result<Self, KernelError> {
        let descriptor = gpu::KernelDescriptor {
            wgsl: source.wgsl.to_owned(),
            entry_point: source.entry_point.to_owned(),
            constants: constants.to_vec(),
        };
        Ok(Self(gpu::Kernel::create(&descriptor)?))
    }
}

pub(crate) fn dispatch(kernel: &Kernel, bindings: &[Binding<'_>], workgroups: [u32; 3]) -> Result<(), GpuError> {
    let [x, y, z] = workgroups;
    Ok(gpu::dispatch(&kernel.0, &lower(bindings), gpu::Workgroups { x, y, z })?)
}

pub(crate) fn dispatch_indirect(
    kernel: &Kernel,
    bindings: &[Binding<'_>],
    counts: &Buffer,
    offset: u64,
) -> Result<(), GpuError> {
    Ok(gpu::dispatch_indirect(&kernel.0, &lower(bindings), &counts.0, offset)?)
}

fn lower<'a>(bindings: &[Binding<'a>]) -> Vec<gpu::Binding<'a>> {
    let lower = |&Binding { group, binding, buffer, offset, size }: &Binding<'a>| gpu::Binding {
        group,
        binding,
        buffer: &buffer.0,
        offset,
        size,
    };
    bindings.iter().map(lower).collect()
}

pub(crate) fn inputs() -> Vec<String> {
    data::inputs()
}

pub(crate) fn input_size(name: &str) -> Result<u64, DataError> {
    Ok(data::input_size(name)?)
}

pub(crate) fn input_read(name: &str, offset: u64, size: u64) -> Result<Vec<u8>, DataError> {
    Ok(data::input_read(name, offset, size)?)
}

pub(crate) fn output_append(name: &str, bytes: &[u8]) -> Result<(), DataError> {
    Ok(data::output_append(name, bytes)?)
}

pub(crate) fn output_append_buffer(name: &str, buffer: &Buffer, offset: u64, size: u64) -> Result<(), DataError> {
    Ok(data::output_append_buffer(name, &buffer.0, offset, size)?)
}

pub(crate) fn log(level: Level, message: &str) {
    let level = match level {
        Level::Error => report::Level::Error,
        Level::Warn => report::Level::Warn,
        Level::Info => report::Level::Info,
        Level::Debug => report::Level::Debug,
        Level::Trace => report::Level::Trace,
    };
    report::log(level, message);
}

pub(crate) fn progress(done: u64, total: u64) {
    report::progress(done, total);
}

impl From<gpu::GpuError> for GpuError {
    fn from(error: gpu::GpuError) -> Self {
        match error {
            gpu::GpuError::OutOfRange => Self::OutOfRange,
            gpu::GpuError::Misaligned => Self::Misaligned,
            gpu::GpuError::InvalidSize => Self::InvalidSize,
            gpu::GpuError::OutOfMemory => Self::OutOfMemory,
            gpu::GpuError::UnknownInput => Self::UnknownInput,
            gpu::GpuError::Aliased => Self::Aliased,
            gpu::GpuError::BindingMismatch(gpu::BindingIndex { group, binding }) => {
                Self::BindingMismatch { group, binding }
            }
        }
    }
}

impl From<gpu::KernelError> for KernelError {
    fn from(error: gpu::KernelError) -> Self {
        match error {
            gpu::KernelError::Invalid(gpu::SourceLocation { line, column }) => Self::Invalid { line, column },
            gpu::KernelError::Unsupported(gpu::SourceLocation { line, column }) => Self::Unsupported { line, column },
            gpu::KernelError::UnknownEntryPoint => Self::UnknownEntryPoint,
            gpu::KernelError::BadConstant(name) => Self::BadConstant(name),
            gpu::KernelError::TooLarge => Self::TooLarge,
        }
    }
}

impl From<data::DataError> for DataError {
    fn from(error: data::DataError) -> Self {
        match error {
            data::DataError::UnknownInput => Self::UnknownInput,
            data::DataError::OutOfRange => Self::OutOfRange,
            data::DataError::InvalidName => Self::InvalidName,
            data::DataError::TooManyOutputs => Self::TooManyOutputs,
        }
    }
}
