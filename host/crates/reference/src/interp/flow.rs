//! What statements use, define and contain.

use samebit_wgsl::lowered::{AtomicOp, Block, Place, Stmt, Value};

/// Looks at each value that a statement itself uses, but for a loop's condition.
pub(super) fn uses(statement: &Stmt, mut look: impl FnMut(Value)) {
    match statement {
        Stmt::Let(_, op) => op.operands(look),
        Stmt::Set(_, value) => look(*value),
        Stmt::Load { place, .. } => indices(place, look),
        Stmt::Store { place, values } => {
            indices(place, &mut look);
            values.iter().copied().for_each(look);
        }
        Stmt::Atomic { op, place, operand, .. } => {
            indices(place, &mut look);
            if let AtomicOp::CompareExchange(compare) = op {
                look(*compare);
            }
            operand.iter().copied().for_each(look);
        }
        Stmt::If { condition: value, .. } | Stmt::Switch { selector: value, .. } => look(*value),
        Stmt::Get(..)
        | Stmt::Scope { .. }
        | Stmt::Loop { .. }
        | Stmt::Leave(_)
        | Stmt::Continue(_)
        | Stmt::Barrier(_) => {}
    }
}

fn indices(place: &Place, look: impl FnMut(Value)) {
    place.terms.iter().map(|term| term.index).for_each(look);
}

/// Looks at each value that a statement itself defines.
pub(super) fn defines(statement: &Stmt, mut look: impl FnMut(Value)) {
    match statement {
        Stmt::Let(value, _) | Stmt::Get(value, _) | Stmt::Atomic { result: Some(value), .. } => look(*value),
        Stmt::Load { first, count, .. } => {
            (0..u32::from(*count)).map(|index| Value(first.0.saturating_add(index))).for_each(look);
        }
        _ => {}
    }
}

/// Looks at each block of a statement.
pub(super) fn blocks<'a>(statement: &'a Stmt, mut look: impl FnMut(&'a Block)) {
    match statement {
        Stmt::If { accept, reject, .. } => [accept, reject].into_iter().for_each(look),
        Stmt::Switch { cases, default, .. } => {
            cases.iter().for_each(|case| look(&case.body));
            look(default);
        }
        Stmt::Scope { body, .. } => look(body),
        Stmt::Loop { body, continuing, .. } => [body, continuing].into_iter().for_each(look),
        _ => {}
    }
}
