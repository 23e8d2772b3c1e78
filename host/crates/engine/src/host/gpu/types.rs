//! The types of `wit/gpu.wit`, as they cross the boundary.

use samebit_device::wgsl::{Refusal, RefusalReason};
use samebit_device::{BufferId, GpuError, KernelId};
use wasmtime::component::{ComponentType, Lift, Lower, Resource};

/// What a guest's `buffer` handle stands for.
pub(crate) struct BufferHandle(pub(crate) BufferId);

/// What a guest's `kernel` handle stands for.
pub(super) struct KernelHandle(pub(super) KernelId);

#[derive(ComponentType, Lower, Clone, Copy)]
#[component(record)]
pub(super) struct GuestBindingIndex {
    group: u32,
    binding: u32,
}

#[derive(ComponentType, Lower, Clone, Copy)]
#[component(variant)]
pub(super) enum GuestGpuError {
    #[component(name = "out-of-range")]
    OutOfRange,
    #[component(name = "misaligned")]
    Misaligned,
    #[component(name = "invalid-size")]
    InvalidSize,
    #[component(name = "out-of-memory")]
    OutOfMemory,
    #[component(name = "unknown-input")]
    UnknownInput,
    #[component(name = "aliased")]
    Aliased,
    #[component(name = "binding-mismatch")]
    BindingMismatch(GuestBindingIndex),
}

#[derive(ComponentType, Lower, Clone, Copy)]
#[component(record)]
pub(super) struct GuestLocation {
    line: u32,
    column: u32,
}

#[derive(ComponentType, Lower, Clone)]
#[component(variant)]
pub(super) enum GuestKernelError {
    #[component(name = "invalid")]
    Invalid(GuestLocation),
    #[component(name = "unsupported")]
    Unsupported(GuestLocation),
    #[component(name = "unknown-entry-point")]
    UnknownEntryPoint,
    #[component(name = "bad-constant")]
    BadConstant(String),
    #[component(name = "too-large")]
    TooLarge,
}

#[derive(ComponentType, Lift)]
#[component(record)]
pub(super) struct GuestDescriptor {
    pub(super) wgsl: String,
    #[component(name = "entry-point")]
    pub(super) entry_point: String,
    pub(super) constants: Vec<(String, f64)>,
}

#[derive(ComponentType, Lift)]
#[component(record)]
pub(super) struct GuestBinding {
    pub(super) group: u32,
    pub(super) binding: u32,
    pub(super) buffer: Resource<BufferHandle>,
    pub(super) offset: u64,
    pub(super) size: Option<u64>,
}

#[derive(ComponentType, Lift, Clone, Copy)]
#[component(record)]
pub(super) struct GuestWorkgroups {
    pub(super) x: u32,
    pub(super) y: u32,
    pub(super) z: u32,
}

impl From<GpuError> for GuestGpuError {
    fn from(error: GpuError) -> Self {
        match error {
            GpuError::OutOfRange => Self::OutOfRange,
            GpuError::Misaligned => Self::Misaligned,
            GpuError::InvalidSize => Self::InvalidSize,
            GpuError::OutOfMemory => Self::OutOfMemory,
            GpuError::UnknownInput => Self::UnknownInput,
            GpuError::Aliased => Self::Aliased,
            GpuError::BindingMismatch(index) => {
                Self::BindingMismatch(GuestBindingIndex { group: index.group, binding: index.binding })
            }
        }
    }
}

impl From<&Refusal> for GuestKernelError {
    fn from(refusal: &Refusal) -> Self {
        let location = refusal
            .location
            .map_or(GuestLocation { line: 0, column: 0 }, |at| GuestLocation { line: at.line, column: at.column });
        match &refusal.reason {
            RefusalReason::Invalid => Self::Invalid(location),
            RefusalReason::Unsupported => Self::Unsupported(location),
            RefusalReason::UnknownEntryPoint => Self::UnknownEntryPoint,
            RefusalReason::BadConstant(name) => Self::BadConstant(name.clone()),
            RefusalReason::TooLarge => Self::TooLarge,
        }
    }
}
