//! How much a kernel keeps at hand across its branches and loops: what a compiler takes time for beyond the mere size.
//!
//! A compiler that wants values in registers asks for each value, at each place where control comes together, which one
//! it is there. Loops are the worst: they are met before their end is known. So each value counts once for every branch
//! between its definition and its last use, and [`LOOP`] times for every loop and barrier. Variables count from the
//! beginning, where they are zero.

use super::builder::Built;
use crate::lowered::{AtomicOp, Block, Op, Place, Stmt, Value, Variable};

/// A loop, or a barrier, around which invocations are run in turn, compared with a branch.
const LOOP: u64 = 16;

/// The sum of what values and variables count.
pub(super) fn spans(built: &Built) -> u64 {
    let mut spans = Spans {
        here: 0,
        first: vec![u64::MAX; built.values.len()],
        last: vec![0; built.values.len()],
        variables: vec![0; built.variables.len()],
        loops: Vec::new(),
    };
    for (value, op) in &built.preamble {
        // Constants are written where they are used.
        if !matches!(op, Op::Constant(_)) {
            spans.define(*value);
        }
    }
    spans.block(&built.body);
    let values = spans.first.iter().zip(&spans.last).map(|(first, last)| last.saturating_sub(*first));
    values.chain(spans.variables.iter().copied()).fold(0, u64::saturating_add)
}

/// A loop that is being walked through.
struct Open {
    start: u64,
    /// What comes from outside, and so is needed up to the end: the next iteration needs it again.
    values: Vec<Value>,
    variables: Vec<Variable>,
}

struct Spans {
    /// How many branches and loops there were so far, weighted.
    here: u64,
    /// Where each value was defined; the largest number for those that do not count.
    first: Vec<u64>,
    last: Vec<u64>,
    variables: Vec<u64>,
    loops: Vec<Open>,
}

impl Spans {
    fn define(&mut self, value: Value) {
        self.first[value.0 as usize] = self.here;
    }

    fn value(&mut self, value: Value) {
        let index = value.0 as usize;
        if self.last[index] < self.here {
            self.last[index] = self.here;
            let outermost = self.loops.partition_point(|open| open.start < self.first[index]);
            if let Some(open) = self.loops.get_mut(outermost) {
                open.values.push(value);
            }
        }
    }

    fn variable(&mut self, variable: Variable) {
        let last = &mut self.variables[variable.0 as usize];
        if *last < self.here {
            *last = self.here;
            if let Some(open) = self.loops.first_mut() {
                open.variables.push(variable);
            }
        }
    }

    fn place(&mut self, place: &Place) {
        place.terms.iter().for_each(|term| self.value(term.index));
    }

    fn block(&mut self, block: &Block) {
        block.iter().for_each(|statement| self.statement(statement));
    }

    fn statement(&mut self, statement: &Stmt) {
        match statement {
            Stmt::Let(value, op) => {
                op.operands(|operand| self.value(operand));
                self.define(*value);
            }
            Stmt::Get(value, variable) => {
                self.variable(*variable);
                self.define(*value);
            }
            Stmt::Set(variable, value) => {
                self.value(*value);
                self.variable(*variable);
            }
            Stmt::Load { first, count, place, .. } => {
                self.place(place);
                (0..u32::from(*count)).for_each(|number| self.define(Value(first.0 + number)));
            }
            Stmt::Store { place, values } => {
                self.place(place);
                values.iter().for_each(|value| self.value(*value));
            }
            Stmt::Atomic { result, op, place, operand } => {
                self.place(place);
                operand.iter().for_each(|value| self.value(*value));
                if let AtomicOp::CompareExchange(compare) = op {
                    self.value(*compare);
                }
                result.iter().for_each(|value| self.define(*value));
            }
            Stmt::If { condition, accept, reject } => {
                self.value(*condition);
                self.here += 1;
                self.block(accept);
                self.block(reject);
            }
            Stmt::Switch { selector, cases, default, .. } => {
                self.value(*selector);
                for case in cases {
                    self.here += 1 + case.values.len() as u64;
                    self.block(&case.body);
                }
                self.here += 1;
                self.block(default);
            }
            Stmt::Scope { body, .. } => {
                self.here += 1;
                self.block(body);
            }
            Stmt::Loop { body, continuing, break_if, .. } => {
                self.loops.push(Open { start: self.here, values: Vec::new(), variables: Vec::new() });
                self.here += LOOP;
                self.block(body);
                self.block(continuing);
                break_if.iter().for_each(|value| self.value(*value));
                self.end();
            }
            Stmt::Leave(_) | Stmt::Continue(_) => {}
            Stmt::Barrier(_) => self.here += LOOP,
        }
    }

    /// Ends a loop.
    fn end(&mut self) {
        let Some(open) = self.loops.pop() else { return };
        for value in open.values {
            self.last[value.0 as usize] = self.here;
        }
        for variable in open.variables {
            self.variables[variable.0 as usize] = self.here;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lowered::{At, Builtin, Label, Type};

    fn count(values: u32, variables: usize, body: Block) -> u64 {
        let preamble = vec![(Value(0), Op::Builtin(Builtin::WorkgroupId(0))), (Value(1), Op::Constant(7))];
        let variables = vec![Type::Int; variables];
        let values = vec![Type::Int; values as usize];
        spans(&Built { values, preamble, variables, arrays: Vec::new(), body, labels: 9 })
    }

    fn repeat(label: u32, body: Block) -> Stmt {
        Stmt::Loop { label: Label(label), body, continuing: Vec::new(), break_if: None, at: At::UNKNOWN }
    }

    fn branch(accept: Block) -> Stmt {
        Stmt::If { condition: Value(1), accept, reject: Vec::new() }
    }

    fn copy(to: u32, from: u32) -> Stmt {
        Stmt::Let(Value(to), Op::Unary(crate::lowered::Unary::CountOnes, Value(from)))
    }

    #[test]
    fn a_value_counts_up_to_its_last_use_and_a_constant_never() {
        assert_eq!(count(5, 0, vec![copy(2, 0), branch(vec![]), copy(3, 2), branch(vec![]), copy(4, 1)]), 1);
    }

    #[test]
    fn what_comes_from_outside_a_loop_counts_to_its_end() {
        let body = vec![copy(2, 0), branch(vec![]), copy(3, 2), branch(vec![])];
        // The value outside: 16 for the loop and 2 for its branches; the value inside: one branch.
        assert_eq!(count(4, 0, vec![repeat(0, body.clone())]), 19);
        assert_eq!(count(4, 0, vec![repeat(0, vec![repeat(1, body), branch(vec![])])]), 16 + 19 + 1);
    }

    #[test]
    fn variables_count_from_the_beginning_and_barriers_as_loops() {
        let set = Stmt::Set(Variable(0), Value(1));
        assert_eq!(count(2, 1, vec![Stmt::Barrier(At::UNKNOWN), branch(vec![]), set.clone(), branch(vec![])]), 17);
        assert_eq!(count(2, 1, vec![repeat(0, vec![set, branch(vec![])])]), 17);
    }
}
