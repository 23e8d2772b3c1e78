//! How often each value is used.

use super::flow::{Flow, Node};
use super::shapes::operands;
use samebit_wgsl::lowered::{AtomicOp, Lowered, Place, Stmt, Value};

/// Calls `used` for each value that a statement without blocks uses.
pub(super) fn of_stmt(stmt: &Stmt, mut used: impl FnMut(Value)) {
    let of_place = |place: &Place, used: &mut dyn FnMut(Value)| {
        for term in &place.terms {
            used(term.index);
        }
    };
    match stmt {
        Stmt::Let(_, op) => operands(op).into_iter().for_each(used),
        Stmt::Set(_, value) => used(*value),
        Stmt::Load { place, .. } => of_place(place, &mut used),
        Stmt::Store { place, values } => {
            of_place(place, &mut used);
            values.iter().copied().for_each(used);
        }
        Stmt::Atomic { op, place, operand, .. } => {
            of_place(place, &mut used);
            operand.iter().copied().for_each(&mut used);
            if let AtomicOp::CompareExchange(value) = op {
                used(*value);
            }
        }
        _ => {}
    }
}

/// Counts the uses of all values.
pub(super) fn count(kernel: &Lowered, flow: &Flow<'_>) -> Vec<u32> {
    let mut uses = vec![0u32; kernel.values.len()];
    let mut used = |value: Value| uses[value.0 as usize] += 1;
    for (_, op) in &kernel.preamble {
        operands(op).into_iter().for_each(&mut used);
    }
    for node in flow.blocks.iter().flat_map(|block| &block.nodes) {
        match node {
            Node::Plain(stmt) => of_stmt(stmt, &mut used),
            Node::If { condition: value, .. }
            | Node::Switch { selector: value, .. }
            | Node::Loop { break_if: Some(value), .. } => used(*value),
            _ => {}
        }
    }
    uses
}
