//! Leaves out what nothing uses, and numbers what is left in the order in which it comes.
//!
//! Stores, atomics, barriers and loops stay: others see them, or they spend from the budget.

mod marks;
mod rewrite;

use super::builder::Built;
use marks::Marks;
use rewrite::Rewriter;

/// Passes over the kernel: each may make something else useless, and what three leave is no harm.
const PASSES: u32 = 3;

/// Leaves out what nothing uses.
pub(super) fn sweep(mut built: Built) -> Built {
    for _ in 0..PASSES {
        let size = built.values.len();
        let marks = Marks::of(&built);
        built = Rewriter::new(&built, &marks).rewrite(&built);
        if built.values.len() == size {
            break;
        }
    }
    built
}
