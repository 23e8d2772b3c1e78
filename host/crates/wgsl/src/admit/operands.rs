//! The values that operations and statements use.

use crate::lowered::{AtomicOp, Block, Op, Place, Stmt, Value};

/// Calls `each` with the operands of an operation.
pub(super) fn of_op(op: &Op, mut each: impl FnMut(Value)) {
    match op {
        Op::Constant(_) | Op::Builtin(_) | Op::Length(_) => {}
        Op::Unary(_, a) => each(*a),
        Op::Binary(_, a, b) => [*a, *b].into_iter().for_each(each),
        Op::Select { condition, accept, reject } => [*condition, *accept, *reject].into_iter().for_each(each),
        Op::Fma(a, b, c) => [*a, *b, *c].into_iter().for_each(each),
        Op::Clamp { index, last, .. } => [*index, *last].into_iter().for_each(each),
        Op::Math(_, args) => args.iter().copied().for_each(each),
    }
}

/// Calls `each` with the indices of a place.
pub(super) fn of_place(place: &Place, each: impl FnMut(Value)) {
    place.terms.iter().map(|term| term.index).for_each(each);
}

/// Calls `each` with the values that a statement uses itself, without those of the blocks inside it.
pub(super) fn of_stmt(stmt: &Stmt, mut each: impl FnMut(Value)) {
    match stmt {
        Stmt::Let(_, op) => of_op(op, each),
        Stmt::Set(_, value) => each(*value),
        Stmt::Load { place, .. } => of_place(place, each),
        Stmt::Store { place, values } => {
            of_place(place, &mut each);
            values.iter().copied().for_each(each);
        }
        Stmt::Atomic { op, place, operand, .. } => {
            of_place(place, &mut each);
            operand.iter().copied().for_each(&mut each);
            if let AtomicOp::CompareExchange(expected) = op {
                each(*expected);
            }
        }
        Stmt::If { condition, .. } => each(*condition),
        Stmt::Switch { selector, .. } => each(*selector),
        Stmt::Loop { break_if, .. } => break_if.iter().copied().for_each(each),
        Stmt::Get(..) | Stmt::Scope { .. } | Stmt::Leave(_) | Stmt::Continue(_) | Stmt::Barrier(_) => {}
    }
}

/// Calls `each` with the blocks directly inside a statement.
pub(super) fn blocks<'a>(stmt: &'a Stmt, mut each: impl FnMut(&'a Block)) {
    match stmt {
        Stmt::If { accept, reject, .. } => [accept, reject].into_iter().for_each(each),
        Stmt::Switch { cases, default, .. } => {
            cases.iter().for_each(|case| each(&case.body));
            each(default);
        }
        Stmt::Scope { body, .. } => each(body),
        Stmt::Loop { body, continuing, .. } => [body, continuing].into_iter().for_each(each),
        _ => {}
    }
}

/// Calls `each` with every statement of a block, also of the blocks inside, in the order of the text.
pub(super) fn visit<'a>(block: &'a Block, each: &mut dyn FnMut(&'a Stmt)) {
    let mut stack: Vec<std::slice::Iter<'a, Stmt>> = vec![block.iter()];
    while let Some(top) = stack.last_mut() {
        let Some(stmt) = top.next() else {
            stack.pop();
            continue;
        };
        each(stmt);
        let from = stack.len();
        blocks(stmt, |block| stack.push(block.iter()));
        stack[from..].reverse();
    }
}
