//! From a lowered kernel to a WebAssembly module.

mod address;
mod atomics;
mod budget;
mod collective;
mod compute;
mod control;
mod division;
mod emit;
mod flow;
mod function;
mod jumps;
mod kept;
mod layout;
mod load;
mod loops;
mod mask;
mod math;
mod module;
mod operand;
mod plan;
mod regions;
mod scalar;
mod shapes;
mod store;
mod switch;
mod uses;
mod variable;
mod vector;

#[cfg(test)]
mod tests;

use samebit_wgsl::lowered::Lowered;

/// A kernel as WebAssembly. The interface between it and whoever runs it:
///
/// - It imports `samebit` `memory`, a shared memory that holds everything.
/// - It exports `run(params: i32, scratch: i32, x: i32, y: i32, z: i32, count: i32) -> i32`, which runs `count`
///   workgroups, the first with the id (x, y, z), x moving fastest, and returns a [`Status`] as a number.
/// - `params` points to a parameter block (see [`params`]), `scratch` to `scratch_bytes` bytes that no other thread uses.
///   Both are multiples of 16. What is in the scratch area before does not matter, and what is there after neither.
#[derive(Clone, Debug)]
pub struct Code {
    /// The module.
    pub wasm: Vec<u8>,
    /// How much scratch memory a thread needs, in bytes.
    pub scratch_bytes: u32,
}

/// How a call of `run` ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// All workgroups are done.
    Done = 0,
    /// An invocation spent its budget of loop iterations.
    BudgetSpent = 1,
    /// The cancel word was seen.
    Cancelled = 2,
}

/// Offsets in the parameter block, in bytes. Each entry is a `u32`.
pub mod params {
    /// How many workgroups there are along x; y and z follow.
    pub const NUM_WORKGROUPS: u32 = 0;
    /// Not 0 if `run` should end soon: seen before each workgroup, and at least every 2²⁰ iterations of its loops.
    pub const CANCEL: u32 = 12;
    /// How many iterations of loops an invocation may begin in all, less than 2³¹.
    pub const LOOP_BUDGET: u32 = 16;
    /// Of each binding in the interface's order: the address of the bound range, and its length in bytes.
    pub const BINDINGS: u32 = 32;
    /// Bytes of one binding's entry.
    pub const BINDING_BYTES: u32 = 8;
}

/// Why a kernel has no code.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CodegenError {
    /// The kernel's memory of a workgroup does not fit.
    #[error("the kernel's workgroup needs {0} bytes of scratch memory")]
    Scratch(u64),
}

/// Generates the code of a kernel.
///
/// # Errors
/// If the kernel needs more scratch memory than a memory can have.
pub fn generate(kernel: &Lowered) -> Result<Code, CodegenError> {
    module::generate(kernel)
}
