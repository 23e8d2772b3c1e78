//! Float functions that naga evaluates itself, when their arguments are constant.
//!
//! For `sin`, `exp` and their kin it calls the C library of the machine, or the crate libm, as its build happens to have
//! it. These differ in the last bit, so the exact profile refuses such a call. What is folded is what is missing: a call
//! in the text for which the module has no expression.
//!
//! `min` and `max` it evaluates with the machine's own instruction, and of two zeros of different signs machines take
//! either. Such a call is refused as well, unless its text shows that not both can be zeros of floats.

mod extremes;

use crate::scan;
use naga::{Expression, MathFunction, Module};
use std::collections::BTreeSet;

/// The functions that have no one answer on all machines. The others that naga evaluates are exact.
const FUNCTIONS: [(&str, MathFunction); 18] = [
    ("acos", MathFunction::Acos),
    ("acosh", MathFunction::Acosh),
    ("asin", MathFunction::Asin),
    ("asinh", MathFunction::Asinh),
    ("atan", MathFunction::Atan),
    ("atan2", MathFunction::Atan2),
    ("atanh", MathFunction::Atanh),
    ("cos", MathFunction::Cos),
    ("cosh", MathFunction::Cosh),
    ("exp", MathFunction::Exp),
    ("exp2", MathFunction::Exp2),
    ("log", MathFunction::Log),
    ("log2", MathFunction::Log2),
    ("pow", MathFunction::Pow),
    ("sin", MathFunction::Sin),
    ("sinh", MathFunction::Sinh),
    ("tan", MathFunction::Tan),
    ("tanh", MathFunction::Tanh),
];

/// What has one answer on all machines but for zeros.
const EXTREMES: [(&str, MathFunction); 2] = [("max", MathFunction::Max), ("min", MathFunction::Min)];

/// Where calls of such functions start that a module still has.
pub(crate) fn left(module: &Module) -> BTreeSet<usize> {
    let functions = module.functions.iter().map(|(_, function)| function);
    let functions = functions.chain(module.entry_points.iter().map(|entry| &entry.function));
    let arenas = functions.map(|function| &function.expressions).chain([&module.global_expressions]);
    let mut left = BTreeSet::new();
    for arena in arenas {
        for (handle, expression) in arena.iter() {
            if let Expression::Math { fun, .. } = expression
                && FUNCTIONS.iter().chain(&EXTREMES).any(|(_, known)| known == fun)
            {
                left.extend(arena.get_span(handle).to_range().map(|range| range.start));
            }
        }
    }
    left
}

/// The calls of such functions in `text` of which `module`, parsed from all of it, has nothing left, and which have no
/// one answer.
pub(crate) fn by_parsing(text: &str, module: &Module) -> Option<usize> {
    let functions = scan::calls(text, &FUNCTIONS.map(|(name, _)| name));
    let extremes = scan::calls(text, &EXTREMES.map(|(name, _)| name));
    if functions.is_empty() && extremes.is_empty() {
        return None;
    }
    let left = left(module);
    let is_folded = |offset: &usize| !left.contains(offset);
    let function = functions.into_iter().find(is_folded);
    function.or_else(|| extremes.into_iter().find(|offset| is_folded(offset) && extremes::may_differ(text, *offset)))
}

/// The first call that `before` has left and `after` has not, and which has no one answer.
pub(crate) fn by_resolving(text: &str, before: &BTreeSet<usize>, after: &BTreeSet<usize>) -> Option<usize> {
    let extremes = scan::calls(text, &EXTREMES.map(|(name, _)| name));
    let differs = |offset: &usize| !extremes.contains(offset) || extremes::may_differ(text, *offset);
    before.difference(after).copied().find(differs)
}
