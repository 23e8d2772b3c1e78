//! Branches that only choose between values, written as straight code: `a && b` and `a || b` are such, and so are small
//! assignments under an `if`.
//!
//! Operations are total and pure, so what was behind a condition may be computed anyway, where that costs less than a
//! branch. What others notice stays behind it: loads and stores, and clamps, since `samebit check` reports an index
//! that is too large.

use super::Tidy;
use crate::lowered::{Binary, Block, Op, Stmt, Unary, Value, Variable};
use std::collections::BTreeMap;

/// Most operations and reads of variables that are computed whether they are wanted or not.
const STEPS: usize = 8;

/// Most variables that a branch written as straight code sets.
const VARIABLES: usize = 2;

/// What each variable that a branch sets holds after one way through it, and after the other. The last one counts.
type Sets = BTreeMap<Variable, [Option<Value>; 2]>;

impl Tidy<'_> {
    /// Writes a branch whose ways are written already as straight code, if it may be. Where not, nothing is written.
    pub(super) fn straight(&mut self, condition: Value, accept: &Block, reject: &Block) -> bool {
        let Some(sets) = sets(accept, reject) else { return false };
        // Each operation is taken once more, since what was known of it may hold behind the condition only.
        let mut moved = BTreeMap::new();
        let now = |moved: &BTreeMap<Value, Value>, value: Value| moved.get(&value).copied().unwrap_or(value);
        for statement in accept.iter().chain(reject) {
            match statement {
                Stmt::Let(value, op) => {
                    let mut op = op.clone();
                    op.replace(|operand| now(&moved, operand));
                    moved.insert(*value, self.builder.pure(op));
                }
                Stmt::Get(value, variable) => drop(moved.insert(*value, self.current(*variable))),
                _ => {}
            }
        }
        // All are computed before one is set: they may be of what the other variable held.
        let mut chosen = Vec::with_capacity(sets.len());
        for (variable, ways) in sets {
            let [accept, reject] =
                ways.map(|value| value.map_or_else(|| self.current(variable), |value| now(&moved, value)));
            chosen.push((variable, self.builder.select(condition, accept, reject)));
        }
        for (variable, value) in chosen {
            self.set(variable, value);
        }
        true
    }
}

/// What the ways of a branch set, if they do little else.
fn sets(accept: &Block, reject: &Block) -> Option<Sets> {
    let mut sets = Sets::new();
    let mut steps = 0;
    for (way, block) in [accept, reject].into_iter().enumerate() {
        for statement in block {
            match statement {
                Stmt::Let(_, op) if is_cheap(op) => steps += 1,
                // A read after the variable was set is not there any more: it is known.
                Stmt::Get(_, variable) if sets.get(variable).is_none_or(|ways| ways[way].is_none()) => steps += 1,
                Stmt::Set(variable, value) => sets.entry(*variable).or_default()[way] = Some(*value),
                _ => return None,
            }
            if steps > STEPS || sets.len() > VARIABLES {
                return None;
            }
        }
    }
    Some(sets)
}

/// Whether an operation may be computed in vain: it is no longer than a branch, for several invocations at once.
fn is_cheap(op: &Op) -> bool {
    match op {
        Op::Builtin(_) | Op::Length(_) | Op::Select { .. } | Op::Fma(..) => true,
        Op::Unary(op, _) => !matches!(
            op,
            Unary::CountOnes | Unary::LeadingZeros | Unary::TrailingZeros | Unary::ReverseBits | Unary::Sqrt
        ),
        Op::Binary(op, ..) => !matches!(
            op,
            Binary::MultiplyHigh
                | Binary::DivideSigned
                | Binary::DivideUnsigned
                | Binary::RemainderSigned
                | Binary::RemainderUnsigned
                | Binary::FloatDivide
        ),
        // A constant needs its type, and is in the preamble.
        Op::Constant(_) | Op::Clamp { .. } | Op::Math(..) => false,
    }
}
