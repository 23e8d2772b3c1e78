//! Float functions that naga evaluates itself, when their arguments are constant.
//!
//! For `sin`, `exp` and their kin it calls the C library of the machine, or the crate libm, as its build happens to have
//! it. These differ in the last bit, so the exact profile refuses such a call. What is folded is what is missing: a call
//! in the text for which the module has no expression.

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

/// Where calls of such functions start that a module still has.
pub(crate) fn left(module: &Module) -> BTreeSet<usize> {
    let functions = module.functions.iter().map(|(_, function)| function);
    let functions = functions.chain(module.entry_points.iter().map(|entry| &entry.function));
    let arenas = functions.map(|function| &function.expressions).chain([&module.global_expressions]);
    let mut left = BTreeSet::new();
    for arena in arenas {
        for (handle, expression) in arena.iter() {
            if let Expression::Math { fun, .. } = expression
                && FUNCTIONS.iter().any(|(_, known)| known == fun)
            {
                left.extend(arena.get_span(handle).to_range().map(|range| range.start));
            }
        }
    }
    left
}

/// The first call of such a function in `text` of which `module`, parsed from all of it, has nothing left.
pub(crate) fn by_parsing(text: &str, module: &Module) -> Option<usize> {
    let calls = scan::calls(text, &FUNCTIONS.map(|(name, _)| name));
    if calls.is_empty() {
        return None;
    }
    let left = left(module);
    calls.into_iter().find(|offset| !left.contains(offset))
}
