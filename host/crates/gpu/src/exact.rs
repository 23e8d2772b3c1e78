//! Exact programs on a GPU: lowered kernels, written so that no driver has a choice.
//!
//! WGSL and SPIR-V let a compiler contract, reassociate, flush and approximate. What comes out here leaves it none of
//! that. There are two ways ([`Way`]), which share everything but the last step:
//!
//! - A float is kept as its bits. Only the one operation that computes with it sees a float, and what comes out is bits
//!   again. So NaNs, loads, stores, selections and signs are matters of integers, which have one answer everywhere.
//! - *Portable* joins the bits of each float result with a zero that the program loads when it runs. The compiler cannot
//!   know that it is zero, so it cannot see two float operations next to each other, and has nothing to contract.
//! - *Vulkan* writes SPIR-V itself and forbids contraction of each operation by a decoration, which naga has no way to.
//! - Constants that optimizers have rules for (zeros, infinities, NaN) go through the zero in both.
//! - An operation that this device computes otherwise than [`eval`] says is replaced by a sequence of others, as its
//!   [`Arithmetic`] tells; `emulate` has the sequences.
//!
//! `emitter` walks the kernel and speaks to a `target::Target`, of which there is one for each way. Bounds, the start of memory
//! at zero, guards of divisions and budgets of loops are written out; nothing of it is left to wgpu.
//!
//! [`eval`]: samebit_device::wgsl::lowered::eval

mod access;
mod arithmetic;
pub(crate) mod control;
mod elements;
mod emitter;
mod emulate;
mod flow;
mod operations;
mod padding;
pub(crate) mod pipeline;
mod portable;
pub(crate) mod probe;
pub(crate) mod record;
mod routine;
mod target;
mod vulkan;

#[cfg(test)]
mod tests;

pub use arithmetic::{Arithmetic, Method, Operation};
pub use record::remembered;

/// How programs are written. To be raised whenever what comes out changes: what a device was found to do with other
/// programs says nothing of these.
pub(crate) const EMISSION: u32 = 4;

/// How a driver's optimizer is kept from what it might do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Way {
    /// Through wgpu's ordinary path, with a zero that nobody knows to be one. Works with every backend.
    Portable,
    /// With SPIR-V of our own, where contraction is forbidden operation by operation.
    Vulkan,
}

/// How a device is made to compute exactly.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Exactness {
    /// How the optimizer is kept out.
    pub way: Way,
    /// How each operation is computed.
    pub arithmetic: Arithmetic,
}

impl Exactness {
    /// What the driver has to offer for it.
    pub(crate) fn features(&self) -> wgpu::Features {
        let way = match self.way {
            Way::Portable => wgpu::Features::empty(),
            Way::Vulkan => wgpu::Features::PASSTHROUGH_SHADERS,
        };
        let doubles = match (self.arithmetic.needs_doubles(), self.way) {
            (false, _) => wgpu::Features::empty(),
            (true, Way::Vulkan) => wgpu::Features::SHADER_F64,
            // naga takes doubles apart only as integers of their size.
            (true, Way::Portable) => wgpu::Features::SHADER_F64 | wgpu::Features::SHADER_INT64,
        };
        way | doubles
    }
}
