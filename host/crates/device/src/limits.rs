//! The rest of the table in `wit/gpu.wit`: what concerns buffers and dispatches rather than a kernel's text.

pub use samebit_wgsl::limits::{STORAGE_BINDING_BYTES, UNIFORM_BINDING_BYTES};

/// Largest buffer.
pub const BUFFER_BYTES: u64 = 268_435_456;
/// What a binding's offset is a multiple of.
pub const BINDING_OFFSET_ALIGNMENT: u64 = 256;
/// Most workgroups along x, y and z each.
pub const WORKGROUPS: u32 = 65_535;
/// Kernels alive at once. One more is refused as too large: each costs the host memory that no limit of a job counts.
pub const KERNELS: usize = 1_024;
/// What a buffer counts as at least against the job's limit on GPU memory: no driver keeps track of one for less.
pub const BUFFER_CHARGE_BYTES: u64 = 4_096;
