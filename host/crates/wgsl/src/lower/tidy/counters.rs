//! Loops that count upwards with a sign: their counter is never negative, if it was not at first.
//!
//! `for (var i = 0; i < n; i++)` is such a loop, as long as its body leaves `i` alone: what a guard keeps below a number
//! does not wrap when a small step is added.

use super::Tidy;
use crate::lowered::{Binary, Block, Op, Stmt, Unary, Value, Variable};
use std::collections::BTreeMap;

/// The largest number without a sign.
const POSITIVE: u32 = i32::MAX.cast_unsigned();

/// The variables that only count upwards from what they are now and never are negative where the loop's body starts.
pub(super) fn find(tidy: &Tidy<'_>, label_sets: &[Variable], body: &Block, continuing: &Block) -> Vec<Variable> {
    let Some(guard) = guard(body) else { return Vec::new() };
    let steps = steps(tidy, continuing);
    let is_counter = |variable: &Variable, step: u32| {
        let starts_above =
            tidy.known[variable.0 as usize].is_some_and(|start| tidy.builder.fact(start).max <= POSITIVE);
        let sets = label_sets.iter().filter(|set| *set == variable).count();
        // The largest number that the guard lets through, one more if it is strict.
        let limit = if tidy.values[guard.limit.0 as usize] == Value(u32::MAX) {
            POSITIVE
        } else {
            tidy.builder.fact(tidy.value(guard.limit)).max.min(POSITIVE)
        };
        let before = if guard.is_strict { step - 1 } else { step };
        starts_above
            && sets == 1
            && guard.counter == *variable
            && limit.checked_add(before).is_some_and(|next| next <= POSITIVE)
    };
    steps.into_iter().filter(|(variable, step)| is_counter(variable, *step)).map(|(variable, _)| variable).collect()
}

/// A condition at the start of a loop's body, without which it is left.
struct Guard {
    counter: Variable,
    limit: Value,
    /// Whether the counter is less, or may be the same.
    is_strict: bool,
}

/// The guard of a loop, if it has one.
fn guard(body: &Block) -> Option<Guard> {
    let mut ops = BTreeMap::new();
    let mut reads = BTreeMap::new();
    for statement in body {
        match statement {
            Stmt::Let(value, op) => drop(ops.insert(*value, op)),
            Stmt::Get(value, variable) => drop(reads.insert(*value, *variable)),
            Stmt::Load { .. } => {}
            Stmt::If { condition, accept, reject } => {
                let leaves = |block: &Block| matches!(block.last(), Some(Stmt::Leave(_)));
                let mut holds = if leaves(reject) {
                    true
                } else if leaves(accept) {
                    false
                } else {
                    return None;
                };
                let mut op = ops.get(condition)?;
                while let Op::Unary(Unary::Not, opposite) = op {
                    holds = !holds;
                    op = ops.get(opposite)?;
                }
                let Op::Binary(Binary::LessSigned, a, b) = op else { return None };
                let (counter, limit) = if holds { (a, b) } else { (b, a) };
                return Some(Guard { counter: *reads.get(counter)?, limit: *limit, is_strict: holds });
            }
            _ => return None,
        }
    }
    None
}

/// The variables to which `continuing` adds a positive constant.
fn steps(tidy: &Tidy<'_>, continuing: &Block) -> Vec<(Variable, u32)> {
    let mut sums = BTreeMap::new();
    let mut reads = BTreeMap::new();
    let mut steps = Vec::new();
    for statement in continuing {
        match statement {
            Stmt::Let(value, Op::Binary(Binary::Add, a, b)) => drop(sums.insert(*value, (*a, *b))),
            Stmt::Get(value, variable) => drop(reads.insert(*value, *variable)),
            Stmt::Set(variable, value) => {
                let Some((a, b)) = sums.get(value) else { continue };
                let is_step = tidy.values[b.0 as usize] != Value(u32::MAX);
                let step = is_step.then(|| tidy.builder.constant_of(tidy.value(*b))).flatten();
                if let Some(step) = step.filter(|step| (1..=POSITIVE).contains(step) && reads.get(a) == Some(variable))
                {
                    steps.push((*variable, step));
                }
            }
            _ => {}
        }
    }
    steps
}
