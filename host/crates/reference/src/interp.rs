//! A scalar interpreter of lowered kernels: slow, simple, and in any order.
//!
//! It shares nothing with the code generator but [`samebit_wgsl::lowered::eval`], so the two check one another. A kernel
//! is flattened into instructions ([`Program`]); each invocation is a program counter and a frame of registers, which
//! runs until it ends or waits at a barrier, and can be put aside in between. Which one runs next is the caller's
//! choice ([`Order`]): a kernel with one answer has the same with all of them.
//!
//! # Promises
//! - No kernel that `samebit_wgsl::lower` made panics, hangs or leaves its memory: loops spend their budget, work in all
//!   is bounded by [`Options::steps`], and what cannot be is an [`InterpError`].
//! - The same kernel, buffers, workgroups and options end the same way with the same bytes.
//! - An [`Observer`] sees every access to shared memory in the order in which it happens. Without one, none of it costs
//!   anything.
//!
//! # What it leaves out
//! Threads: one runs everything. Deciding what an access means: [`crate::check`] does.

mod compile;
mod flow;
mod liveness;
mod machine;
mod observer;
mod order;
mod program;
mod schedule;

pub use observer::{Access, AccessKind, Blind, Observer, Who};
pub use order::Order;
pub use program::Program;
pub(crate) use schedule::split;

use samebit_wgsl::lowered::{At, Lowered};

/// How a dispatch is run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Options {
    /// How many iterations of loops an invocation may begin in all: one more spends the budget.
    pub loop_iterations: u32,
    /// Who runs when.
    pub order: Order,
    /// How many steps the dispatch may take before it is [`Ended::Stopped`]. A step is an iteration of a loop, or one
    /// invocation going on; each is at most as long as the kernel's text makes it.
    pub steps: u64,
}

impl Default for Options {
    fn default() -> Self {
        Self { loop_iterations: 1 << 24, order: Order::InOrder, steps: u64::MAX }
    }
}

/// How a dispatch ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// All invocations are done.
    Done,
    /// This invocation spent its budget of loop iterations, in the loop at this place. The others were left as they
    /// were, so that buffers mean nothing.
    BudgetSpent(Who, At),
    /// [`Options::steps`] ran out, or the observer had seen enough. Buffers mean nothing.
    Stopped,
}

/// Why a dispatch has no end.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InterpError {
    /// The kernel breaks a promise of the lowered form.
    #[error("the lowered kernel is malformed: {0}")]
    Malformed(&'static str),
    /// Not what the kernel binds.
    #[error("binding {index} is bound to {size_bytes} bytes: the kernel takes {bindings} ranges, of whole words")]
    Buffers {
        /// The first binding, by its number in the interface, that is missing, unknown or of a bad size.
        index: usize,
        /// How many bytes are bound.
        size_bytes: usize,
        /// How many bindings the kernel has.
        bindings: usize,
    },
    /// A barrier that not all of the workgroup reach.
    #[error(
        "an invocation of workgroup {} waits at a barrier that invocation {} does not reach",
        waits.workgroup,
        other.local
    )]
    Divergence {
        /// One that waits.
        waits: Who,
        /// The barrier.
        barrier: At,
        /// One that ended, or waits at another barrier.
        other: Who,
    },
}

/// Runs one dispatch of a kernel over `workgroups`, with one range of bytes for each of its bindings.
///
/// # Errors
/// If the bytes are not what the kernel binds, or the kernel is not what lowering makes.
///
/// # Examples
/// ```
/// use samebit_reference::interp::{self, Ended, Options};
/// use samebit_wgsl::{Admission, Source, lower, parse};
///
/// let text = "@group(0) @binding(0) var<storage, read_write> data: array<u32>;
///             @compute @workgroup_size(2) fn main(@builtin(global_invocation_id) id: vec3u) { data[id.x] += id.x; }";
/// let kernel = parse(&Source { text, entry_point: "main", constants: &[] })?;
/// let lowered = lower(&kernel, text, Admission::Exact)?;
/// let mut buffers = [vec![0; 16]];
/// let ended = interp::run(&lowered, &mut buffers, [2, 1, 1], &Options::default())?;
/// assert_eq!(ended, Ended::Done);
/// assert_eq!(buffers[0], [0, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3, 0, 0, 0]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn run<B: AsMut<[u8]>>(
    kernel: &Lowered,
    buffers: &mut [B],
    workgroups: [u32; 3],
    options: &Options,
) -> Result<Ended, InterpError> {
    let program = Program::new(kernel)?;
    run_observed(&program, buffers, workgroups, options, &mut Blind)
}

/// Runs one dispatch as [`run`] does, under the eyes of an observer.
///
/// # Errors
/// As [`run`].
pub fn run_observed<B: AsMut<[u8]>, O: Observer>(
    program: &Program,
    buffers: &mut [B],
    workgroups: [u32; 3],
    options: &Options,
    observer: &mut O,
) -> Result<Ended, InterpError> {
    let mut buffers: Vec<&mut [u8]> = buffers.iter_mut().map(AsMut::as_mut).collect();
    program.check_buffers(&buffers)?;
    schedule::dispatch(program, &mut buffers, workgroups, options, observer)
}

#[cfg(test)]
mod tests;
