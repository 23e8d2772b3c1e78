//! What of a lowered kernel is admitted: barriers that the whole workgroup reaches, and atomics whose order cannot show.
//!
//! The analyses see the kernel flat: no functions, pointers or composites are left. Both err on the safe side, and both
//! take time about linear in the size of an ordinary kernel. What would take more than [`WORK`] steps is refused as too
//! large, which is deterministic, as a clock would not be.

mod atomics;
mod cells;
mod flow;
mod graph;
mod modified;
mod operands;
mod regions;
#[cfg(test)]
mod tests;
mod uniformity;

use crate::lowered::{At, Lowered};
use crate::{Admission, Kernel, Refusal, RefusalReason, text};

/// Most steps of one analysis. A kernel of a thousand lines takes some ten thousand.
const WORK: u64 = 1 << 24;

/// Refuses a kernel that is not admitted. `text` is what it was parsed from.
pub(crate) fn check(kernel: &Lowered, text: &str, admission: Admission) -> Result<(), Refusal> {
    uniformity::check(kernel, text)?;
    match admission {
        Admission::Exact => atomics::check(kernel, text),
        Admission::Native => Ok(()),
    }
}

/// Refuses a kernel whose constants are not the same on all machines.
pub(crate) fn check_constants(kernel: &Kernel, text: &str, admission: Admission) -> Result<(), Refusal> {
    let Some(offset) = kernel.folded().filter(|_| admission == Admission::Exact) else { return Ok(()) };
    let what = "this function of constants is evaluated before the kernel runs, which machines do differently";
    let todo = "write the value as a number, or pass a `var` to the function";
    Err(Refusal::at(RefusalReason::Unsupported, text, offset, what, todo))
}

/// A refusal of what is at `at`.
fn refusal(reason: RefusalReason, source: &str, at: At, what: &str, todo: &str) -> Refusal {
    match offset(at) {
        Some(offset) => Refusal::at(reason, source, offset, what, todo),
        None => Refusal::nowhere(reason, what, todo),
    }
}

/// ` at 3:7`, or nothing if the place is not known.
fn place(source: &str, at: At) -> String {
    offset(at).map_or(String::new(), |offset| format!(" at {}", text::location(source, offset)))
}

fn offset(at: At) -> Option<usize> {
    usize::try_from(at.0).ok().filter(|_| at != At::UNKNOWN)
}

/// Counts steps.
#[derive(Debug, Default)]
struct Work(u64);

impl Work {
    /// Takes as many steps, or refuses to go on.
    fn take(&mut self, steps: usize) -> Result<(), Refusal> {
        self.0 = self.0.saturating_add(u64::try_from(steps).unwrap_or(u64::MAX));
        if self.0 <= WORK {
            return Ok(());
        }
        let what = "its control flow is too large to analyze: too many variables over too many branches and loops";
        Err(Refusal::nowhere(RefusalReason::TooLarge, what, "split it into several kernels"))
    }
}
