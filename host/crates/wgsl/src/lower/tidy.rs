//! Writes a lowered body once more, now that all of it is known: what was read or written before is not read again,
//! indices that conditions and loops keep inside are not clamped, branches that are never taken are left out, and those
//! that only choose between values are none.
//!
//! Bindings that no one writes hold the same for the whole dispatch, so what they hold at a known place is read once, at
//! the start.

mod assume;
mod counters;
mod straight;

use super::builder::{Builder, Built};
use crate::lowered::{At, Block, Case, Label, Memory, Op, Place, Stmt, Term, Type, Unary, Value, Variable};
use crate::{BindingKind, Interface};
use std::collections::BTreeMap;
use std::ops::Range;

/// Writes a kernel once more.
pub(super) fn tidy(built: Built, interface: &Interface) -> Built {
    let mut sets = Sets { all: Vec::new(), of_labels: BTreeMap::new() };
    sets.note(&built.body);
    let mut builder = Builder::new(interface.workgroup_size);
    builder.variables.clone_from(&built.variables);
    builder.arrays.clone_from(&built.arrays);
    builder.reserve_labels(built.labels);
    let known = built.variables.iter().map(|ty| Some(builder.zero(*ty))).collect();
    let mut tidy = Tidy {
        old: &built,
        interface,
        builder,
        sets,
        values: vec![Value(u32::MAX); built.values.len()],
        known,
        changed: Vec::new(),
        loaded: BTreeMap::new(),
        start: Vec::new(),
    };
    for (value, op) in &built.preamble {
        tidy.op(*value, op);
    }
    tidy.block(&built.body);
    let start = std::mem::take(&mut tidy.start);
    let mut tidied = tidy.builder.finish();
    tidied.body.splice(..0, start);
    tidied
}

/// Which variables are written where.
struct Sets {
    /// Each writing, in the order of the text.
    all: Vec<Variable>,
    /// Which writings are inside a scope, switch or loop.
    of_labels: BTreeMap<u32, Range<usize>>,
}

impl Sets {
    fn note(&mut self, block: &Block) {
        for statement in block {
            let start = self.all.len();
            match statement {
                Stmt::Set(variable, _) => self.all.push(*variable),
                Stmt::If { accept, reject, .. } => {
                    self.note(accept);
                    self.note(reject);
                }
                Stmt::Switch { label, cases, default, .. } => {
                    cases.iter().for_each(|case| self.note(&case.body));
                    self.note(default);
                    self.of_labels.insert(label.0, start..self.all.len());
                }
                Stmt::Scope { label, body } => {
                    self.note(body);
                    self.of_labels.insert(label.0, start..self.all.len());
                }
                Stmt::Loop { label, body, continuing, .. } => {
                    self.note(body);
                    self.note(continuing);
                    self.of_labels.insert(label.0, start..self.all.len());
                }
                _ => {}
            }
        }
    }

    fn inside(&self, label: Label) -> Vec<Variable> {
        self.of_labels.get(&label.0).map_or_else(Vec::new, |range| self.all[range.clone()].to_vec())
    }
}

/// A block that was written.
struct Inside {
    block: Block,
    /// Whether control does not reach its end.
    ends: bool,
    /// The variables that may hold something else after it.
    changed: Vec<Variable>,
}

struct Tidy<'a> {
    old: &'a Built,
    interface: &'a Interface,
    builder: Builder,
    sets: Sets,
    /// What each old value is now.
    values: Vec<Value>,
    /// What each variable holds, if that is known.
    known: Vec<Option<Value>>,
    /// What changed in `known`, and what it was before.
    changed: Vec<(Variable, Option<Value>)>,
    /// What bindings hold at known places: by binding and offset, as floats or not.
    loaded: BTreeMap<(u32, u32, bool), Value>,
    /// The loads of those.
    start: Block,
}

impl Tidy<'_> {
    fn value(&self, value: Value) -> Value {
        self.values[value.0 as usize]
    }

    fn know(&mut self, variable: Variable, value: Option<Value>) {
        let known = &mut self.known[variable.0 as usize];
        if *known != value {
            self.changed.push((variable, *known));
            *known = value;
        }
    }

    /// Goes back to what was known when so much had changed.
    fn unlearn(&mut self, mark: usize) {
        for (variable, before) in self.changed.drain(mark..).rev() {
            self.known[variable.0 as usize] = before;
        }
    }

    /// Forgets what these variables hold.
    fn forget(&mut self, variables: Vec<Variable>) {
        for variable in variables {
            self.know(variable, None);
        }
    }

    /// Forgets what may have changed inside a scope or switch, wherever it was left: not all of it is in what changed up
    /// to its end.
    fn forget_inside(&mut self, label: Label) {
        self.forget(self.sets.inside(label));
    }

    fn op(&mut self, value: Value, op: &Op) {
        let new = if let Op::Constant(bits) = op {
            self.builder.constant(self.old.values[value.0 as usize], *bits)
        } else {
            let mut op = op.clone();
            op.replace(|operand| self.value(operand));
            self.builder.pure(op)
        };
        self.values[value.0 as usize] = new;
    }

    fn place(&self, place: &Place) -> Place {
        let mut constant = place.constant;
        let mut terms = Vec::with_capacity(place.terms.len());
        for term in &place.terms {
            let index = self.value(term.index);
            match self.builder.constant_of(index) {
                Some(index) => constant = constant.saturating_add(index.saturating_mul(term.stride)),
                None => terms.push(Term { index, stride: term.stride }),
            }
        }
        Place { memory: place.memory, constant, terms, at: place.at }
    }

    /// Writes a block into the current one. True if control does not reach its end.
    fn block(&mut self, block: &Block) -> bool {
        block.iter().any(|statement| self.statement(statement))
    }

    /// Writes a block into one of its own, and goes back to what was known before.
    fn inside(&mut self, block: &Block, assumed: Option<(Value, bool)>) -> Inside {
        let mark = self.changed.len();
        self.builder.open();
        if let Some((condition, holds)) = assumed {
            self.assume(condition, holds);
        }
        let ends = self.block(block);
        let changed = self.changed[mark..].iter().map(|(variable, _)| *variable).collect();
        self.unlearn(mark);
        Inside { block: self.builder.close(), ends, changed }
    }

    /// Writes a statement. True if control does not go on after it.
    fn statement(&mut self, statement: &Stmt) -> bool {
        match statement {
            Stmt::Let(value, op) => self.op(*value, op),
            Stmt::Get(value, variable) => self.values[value.0 as usize] = self.current(*variable),
            Stmt::Set(variable, value) => {
                let value = self.value(*value);
                self.set(*variable, value);
            }
            Stmt::Load { first, count, place, is_uniform } => self.load(*first, *count, place, *is_uniform),
            Stmt::Store { place, values } => {
                let values = values.iter().map(|value| self.value(*value)).collect();
                let place = self.place(place);
                self.builder.push(Stmt::Store { place, values });
            }
            Stmt::Atomic { result, op, place, operand } => {
                let op = match *op {
                    crate::lowered::AtomicOp::CompareExchange(compare) => {
                        crate::lowered::AtomicOp::CompareExchange(self.value(compare))
                    }
                    op => op,
                };
                let (place, operand) = (self.place(place), operand.map(|operand| self.value(operand)));
                let result = result.map(|result| self.fresh(result));
                self.builder.push(Stmt::Atomic { result, op, place, operand });
            }
            Stmt::If { condition, accept, reject } => return self.branch(self.value(*condition), accept, reject),
            Stmt::Switch { label, selector, cases, default } => {
                self.switch(*label, self.value(*selector), cases, default);
            }
            Stmt::Scope { label, body } => {
                let inside = self.inside(body, None);
                self.builder.push(Stmt::Scope { label: *label, body: inside.block });
                self.forget_inside(*label);
            }
            Stmt::Loop { label, body, continuing, break_if, at } => {
                self.repeated(*label, body, continuing, *break_if, *at);
            }
            Stmt::Leave(_) | Stmt::Continue(_) => {
                self.builder.push(statement.clone());
                return true;
            }
            Stmt::Barrier(_) => self.builder.push(statement.clone()),
        }
        false
    }

    /// A new value in the place of an old one.
    fn fresh(&mut self, old: Value) -> Value {
        let new = self.builder.value(self.old.values[old.0 as usize]);
        self.values[old.0 as usize] = new;
        new
    }

    /// What a variable holds.
    fn current(&mut self, variable: Variable) -> Value {
        let known = self.known[variable.0 as usize];
        let value = known.unwrap_or_else(|| self.builder.get(variable));
        self.know(variable, Some(value));
        value
    }

    fn set(&mut self, variable: Variable, value: Value) {
        if self.known[variable.0 as usize] != Some(value) {
            self.builder.set(variable, value);
            self.know(variable, Some(value));
        }
    }

    fn load(&mut self, first: Value, count: u8, place: &Place, is_uniform: bool) {
        let place = self.place(place);
        let olds = (0..u32::from(count)).map(|number| Value(first.0 + number));
        if let (Memory::Buffer(buffer), true) = (place.memory, place.terms.is_empty() && self.is_constant(place.memory))
        {
            for (old, offset) in olds.zip((place.constant..).step_by(4)) {
                self.load_at_start(old, buffer, offset, place.at);
            }
            return;
        }
        let news: Vec<Value> = olds.map(|old| self.fresh(old)).collect();
        if let Some(&first) = news.first() {
            self.builder.push(Stmt::Load { first, count, place, is_uniform });
        }
    }

    /// Whether nobody writes to a memory during a dispatch.
    fn is_constant(&self, memory: Memory) -> bool {
        let Memory::Buffer(buffer) = memory else { return false };
        let kind = self.interface.bindings.get(buffer as usize).map(|decl| decl.kind);
        matches!(kind, Some(BindingKind::Uniform | BindingKind::Storage { writable: false }))
    }

    /// A word that the whole dispatch shares.
    fn load_at_start(&mut self, old: Value, buffer: u32, offset: u32, at: At) {
        let ty = self.old.values[old.0 as usize];
        let key = (buffer, offset, ty == Type::Float);
        let new = match self.loaded.get(&key) {
            Some(new) => *new,
            None => {
                let new = self.builder.value(ty);
                let place = Place { memory: Memory::Buffer(buffer), constant: offset, terms: Vec::new(), at };
                self.start.push(Stmt::Load { first: new, count: 1, place, is_uniform: false });
                self.loaded.insert(key, new);
                new
            }
        };
        self.values[old.0 as usize] = new;
    }

    fn branch(&mut self, condition: Value, accept: &Block, reject: &Block) -> bool {
        if let Some(Op::Unary(Unary::Not, opposite)) = self.builder.op_of(condition) {
            // In the order of the text: accept comes first there.
            let opposite = *opposite;
            return self.two_ways(opposite, accept, reject, true);
        }
        self.two_ways(condition, accept, reject, false)
    }

    /// A branch on a condition or its opposite.
    fn two_ways(&mut self, condition: Value, first: &Block, second: &Block, is_opposite: bool) -> bool {
        if let Some(bits) = self.builder.constant_of(condition) {
            return self.block(if (bits != 0) == is_opposite { second } else { first });
        }
        let first = self.inside(first, Some((condition, !is_opposite)));
        let second = self.inside(second, Some((condition, is_opposite)));
        // What a `Continue` skips does not hold in the `continuing` block, so only where something is left.
        let leaves = |inside: &Inside| matches!(inside.block.last(), Some(Stmt::Leave(_)));
        let (first_leaves, second_leaves) = (leaves(&first), leaves(&second));
        let (accept, reject) = if is_opposite { (second.block, first.block) } else { (first.block, second.block) };
        if self.straight(condition, &accept, &reject) {
            return false;
        }
        self.builder.push(Stmt::If { condition, accept, reject });
        if !first.ends {
            self.forget(first.changed);
        }
        if !second.ends {
            self.forget(second.changed);
        }
        if first_leaves {
            self.assume(condition, is_opposite);
        }
        if second_leaves {
            self.assume(condition, !is_opposite);
        }
        first.ends && second.ends
    }

    fn switch(&mut self, label: Label, selector: Value, cases: &[Case], default: &Block) {
        if let Some(selector) = self.builder.constant_of(selector) {
            let chosen = cases.iter().find(|case| case.values.contains(&selector));
            let inside = self.inside(chosen.map_or(default, |case| &case.body), None);
            self.builder.push(Stmt::Scope { label, body: inside.block });
            return self.forget_inside(label);
        }
        let mut written = Vec::with_capacity(cases.len());
        for case in cases {
            let inside = self.inside(&case.body, None);
            written.push(Case { values: case.values.clone(), body: inside.block });
        }
        let inside = self.inside(default, None);
        self.builder.push(Stmt::Switch { label, selector, cases: written, default: inside.block });
        self.forget_inside(label);
    }

    fn repeated(&mut self, label: Label, body: &Block, continuing: &Block, break_if: Option<Value>, at: At) {
        let sets = self.sets.inside(label);
        let counters = counters::find(self, &sets, body, continuing);
        self.forget(sets);
        let mark = self.changed.len();
        self.builder.open();
        for variable in counters {
            // Read at once, so that what is known of it is known of all that follows.
            let value = self.builder.get(variable);
            self.builder.bound(value, i32::MAX.cast_unsigned());
            self.know(variable, Some(value));
        }
        let start = self.changed.len();
        if self.block(body) | continues(body, label) {
            // Where `continuing` starts, only some of the body may have run.
            self.unlearn(start);
            self.builder.forget();
        }
        self.builder.open();
        self.block(continuing);
        let break_if = break_if.map(|condition| self.value(condition));
        let continuing = self.builder.close();
        let body = self.builder.close();
        self.unlearn(mark);
        self.builder.push(Stmt::Loop { label, body, continuing, break_if, at });
    }
}

/// Whether a block continues the loop of this label.
fn continues(block: &Block, label: Label) -> bool {
    block.iter().any(|statement| match statement {
        Stmt::Continue(continued) => *continued == label,
        Stmt::If { accept, reject, .. } => continues(accept, label) || continues(reject, label),
        Stmt::Switch { cases, default, .. } => {
            cases.iter().any(|case| continues(&case.body, label)) || continues(default, label)
        }
        Stmt::Scope { body, .. } => continues(body, label),
        Stmt::Loop { body, continuing, .. } => continues(body, label) || continues(continuing, label),
        _ => false,
    })
}
