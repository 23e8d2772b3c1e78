//! Finds what a kernel may not do, by running it: data races, indices out of range, memory that nobody wrote, loops that
//! do not end, and answers that depend on the order.
//!
//! A [`Checker`] runs a dispatch once in order on the interpreter with shadow memory (`shadow`), which knows for each
//! word who accessed it since the last barrier, and who of another workgroup did at all. Then it runs it again in other
//! orders, and compares what is left in the buffers. What it finds has the places in the text and the invocations, and
//! becomes a [`Report`], for programs and for people.
//!
//! # Promises
//! - No false alarm on a race: two invocations really accessed the same word, at least one really wrote, and nothing
//!   orders them. What an execution does not do is not found: check with inputs that matter.
//! - A report is the same every time: orders are seeded, and nothing depends on time or addresses.
//! - Memory in proportion: 40 bytes for each word that is accessed of a buffer that the kernel may write, at most
//!   [`Options::shadow_bytes`]; past that, words go unchecked, and the report says so.
//!
//! # What it leaves out
//! Races between dispatches: they run one after the other. `workgroupBarrier` and `storageBarrier` are one in the exact
//! profile, so neither is missed where the other stands.

mod device;
mod found;
mod orders;
mod render;
mod report;
mod shadow;
mod source;
mod watch;

pub use device::CheckingDevice;
pub use report::{
    Action, BindingName, BudgetUse, Detail, Difference, Finding, Invocation, KernelReport, LoopUse, Place, Region,
    Report, Severity, Side, Work,
};
pub use source::Origin;

use std::sync::Arc;

use samebit_wgsl::lowered::Lowered;

use crate::interp::{self, Ended, InterpError, Order, Program};
use found::Found;
use watch::Watch;

/// How thorough a check is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Options {
    /// How many iterations of loops an invocation may begin in a dispatch.
    pub loop_iterations: u32,
    /// How many random orders to compare, besides the reversed one and one that interleaves invocations. If 0, no other
    /// order is run at all.
    pub orders: u32,
    /// Most shadow memory, in bytes.
    pub shadow_bytes: u64,
}

impl Default for Options {
    fn default() -> Self {
        Self { loop_iterations: 1 << 24, orders: 4, shadow_bytes: 2 << 30 }
    }
}

/// What a check is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// Which run of the dispatch this is, from 0: the first is the one with shadow memory.
    pub run: u32,
    /// How many runs there will be.
    pub runs: u32,
    /// Workgroups of this run that have begun.
    pub workgroups_begun: u64,
    /// Workgroups of the dispatch.
    pub workgroups: u64,
}

/// Is told now and then how far a check has come. False stops it.
pub type Watcher<'a> = &'a (dyn Fn(Progress) -> bool + Sync);

/// Checks dispatches of one kernel.
///
/// # Examples
/// ```
/// use std::sync::Arc;
/// use samebit_reference::check::{Checker, Options, Origin};
/// use samebit_wgsl::{Admission, Source, lower, parse};
///
/// let text = "@group(0) @binding(0) var<storage, read_write> data: array<u32>;
///             @compute @workgroup_size(2) fn main(@builtin(local_invocation_index) i: u32) { data[0] = i; }";
/// let kernel = parse(&Source { text, entry_point: "main", constants: &[] })?;
/// let lowered = Arc::new(lower(&kernel, text, Admission::Exact)?);
/// let mut checker = Checker::new(lowered, Origin::new("race.wgsl", &kernel, text))?;
/// checker.dispatch(&mut [vec![0; 4]], [1, 1, 1], &Options::default(), &|_| true)?;
/// let report = checker.report();
/// assert_eq!(report.findings.len(), 2, "a race, and an answer that depends on the order");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Checker {
    kernel: Arc<Lowered>,
    observed: Program,
    plain: Program,
    source: Origin,
    found: Found,
}

impl Checker {
    /// A checker of a kernel.
    ///
    /// # Errors
    /// If the kernel is not what lowering makes.
    pub fn new(kernel: Arc<Lowered>, origin: Origin) -> Result<Self, InterpError> {
        Ok(Self {
            observed: Program::observed(&kernel)?,
            plain: Program::new(&kernel)?,
            source: origin,
            found: Found::default(),
            kernel,
        })
    }

    /// Runs a dispatch in all orders. Afterwards the buffers hold what the first leaves.
    ///
    /// # Errors
    /// If the buffers are not what the kernel binds.
    pub fn dispatch(
        &mut self,
        buffers: &mut [Vec<u8>],
        workgroups: [u32; 3],
        options: &Options,
        watcher: Watcher<'_>,
    ) -> Result<Ended, InterpError> {
        let before = orders::Before::new(&self.kernel, buffers, options);
        let progress = orders::progress(0, workgroups, options);
        let mut watch = Watch::new(self, workgroups, options, watcher, progress);
        let run = interp::Options { order: Order::InOrder, ..orders::run_options(options) };
        let ended = interp::run_observed(&self.observed, buffers, workgroups, &run, &mut watch);
        let seen = watch.finish();
        self.found.dispatches += 1;
        self.found.add(seen);
        match ended {
            Ok(Ended::Done) => {
                let ended = orders::compare(self, &before, buffers, workgroups, options, watcher)?;
                self.found.is_stopped |= ended == Ended::Stopped;
                Ok(ended)
            }
            Ok(Ended::BudgetSpent(who, at)) => {
                self.found.budget_spent(&self.source, &self.kernel, workgroups, who, at, options.loop_iterations);
                Ok(Ended::BudgetSpent(who, at))
            }
            Ok(Ended::Stopped) => {
                self.found.is_stopped = true;
                Ok(Ended::Stopped)
            }
            Err(InterpError::Divergence { waits, barrier, other }) => {
                self.found.divergence(&self.source, &self.kernel, workgroups, (waits, barrier, other));
                Ok(Ended::Stopped)
            }
            Err(error) => Err(error),
        }
    }

    /// What was found so far.
    pub fn report(&self) -> KernelReport {
        self.found.report(&self.source, &self.kernel)
    }
}

#[cfg(test)]
mod tests;
