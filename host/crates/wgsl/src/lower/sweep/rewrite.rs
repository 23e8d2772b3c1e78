//! Writes a kernel anew, without what is not marked.

use super::super::builder::Built;
use super::marks::Marks;
use crate::lowered::{Array, AtomicOp, Block, Case, Label, Memory, Op, Place, Stmt, Term, Type, Value, Variable};
use std::collections::BTreeMap;

/// Numbers of what has not been met yet.
const UNKNOWN: u32 = u32::MAX;

/// Writes a kernel anew.
pub(super) struct Rewriter<'a> {
    marks: &'a Marks,
    old_types: &'a [Type],
    types: Vec<Type>,
    values: Vec<u32>,
    variables: Vec<u32>,
    arrays: Vec<u32>,
    labels: BTreeMap<u32, u32>,
}

impl<'a> Rewriter<'a> {
    /// Writes anew what of `built` is marked.
    pub(super) fn new(built: &'a Built, marks: &'a Marks) -> Self {
        // Variables and arrays keep their order.
        let number = |marked: &[bool]| {
            let mut next = 0;
            let each = marked.iter().map(|&is_marked| {
                next += u32::from(is_marked);
                if is_marked { next - 1 } else { UNKNOWN }
            });
            each.collect()
        };
        Self {
            marks,
            old_types: &built.values,
            types: Vec::new(),
            values: vec![UNKNOWN; built.values.len()],
            variables: number(&marks.variables),
            arrays: number(&marks.arrays),
            labels: BTreeMap::new(),
        }
    }

    /// The kernel anew.
    pub(super) fn rewrite(mut self, built: &Built) -> Built {
        let mut preamble = Vec::new();
        for (value, op) in &built.preamble {
            if self.is_used(*value) {
                let op = self.op(op);
                preamble.push((self.define(*value), op));
            }
        }
        let body = self.block(&built.body);
        let kept = |marked: &[bool], index: usize| marked.get(index) == Some(&true);
        let variables = built.variables.iter().enumerate();
        let arrays = built.arrays.iter().enumerate();
        Built {
            preamble,
            body,
            variables: variables.filter(|(index, _)| kept(&self.marks.variables, *index)).map(|(_, ty)| *ty).collect(),
            arrays: arrays.filter(|(index, _)| kept(&self.marks.arrays, *index)).map(|(_, size)| *size).collect(),
            labels: u32::try_from(self.labels.len()).unwrap_or(u32::MAX),
            values: self.types,
        }
    }

    fn is_used(&self, value: Value) -> bool {
        self.marks.values[value.0 as usize]
    }

    fn define(&mut self, value: Value) -> Value {
        let number = u32::try_from(self.types.len()).unwrap_or(u32::MAX);
        self.types.push(self.old_types[value.0 as usize]);
        self.values[value.0 as usize] = number;
        Value(number)
    }

    fn value(&self, value: Value) -> Value {
        Value(self.values[value.0 as usize])
    }

    fn label(&mut self, label: Label) -> Label {
        let next = u32::try_from(self.labels.len()).unwrap_or(u32::MAX);
        Label(*self.labels.entry(label.0).or_insert(next))
    }

    fn op(&self, op: &Op) -> Op {
        let mut op = op.clone();
        op.replace(|operand| self.value(operand));
        op
    }

    fn place(&self, place: &Place) -> Place {
        let memory = match place.memory {
            Memory::Array(array) => Memory::Array(Array(self.arrays[array.0 as usize])),
            memory => memory,
        };
        let terms = place.terms.iter().map(|term| Term { index: self.value(term.index), stride: term.stride });
        Place { memory, constant: place.constant, terms: terms.collect(), at: place.at }
    }

    fn block(&mut self, block: &Block) -> Block {
        block.iter().filter_map(|statement| self.statement(statement)).collect()
    }

    /// A statement, unless it is in vain.
    fn statement(&mut self, statement: &Stmt) -> Option<Stmt> {
        Some(match statement {
            Stmt::Let(value, op) => {
                let op = self.is_used(*value).then(|| self.op(op))?;
                Stmt::Let(self.define(*value), op)
            }
            Stmt::Get(value, variable) => {
                let variable = self.is_used(*value).then(|| Variable(self.variables[variable.0 as usize]))?;
                Stmt::Get(self.define(*value), variable)
            }
            Stmt::Set(variable, value) => {
                let is_read = self.marks.variables[variable.0 as usize];
                is_read.then(|| Stmt::Set(Variable(self.variables[variable.0 as usize]), self.value(*value)))?
            }
            Stmt::Load { first, count, place, is_uniform } => self.load(*first, *count, place, *is_uniform)?,
            Stmt::Store { place, .. } if !self.is_read(place) => return None,
            Stmt::Store { place, values } => {
                let values = values.iter().map(|value| self.value(*value)).collect();
                Stmt::Store { place: self.place(place), values }
            }
            Stmt::Atomic { result, op, place, operand } => {
                let result = result.filter(|result| self.is_used(*result));
                let op = match (*op, result) {
                    (AtomicOp::Load, None) => return None,
                    (AtomicOp::CompareExchange(compare), _) => AtomicOp::CompareExchange(self.value(compare)),
                    (op, _) => op,
                };
                let operand = operand.map(|operand| self.value(operand));
                let place = self.place(place);
                Stmt::Atomic { result: result.map(|result| self.define(result)), op, place, operand }
            }
            Stmt::If { condition, accept, reject } => {
                let condition = self.value(*condition);
                let (accept, reject) = (self.block(accept), self.block(reject));
                let is_vain = accept.is_empty() && reject.is_empty();
                (!is_vain).then_some(Stmt::If { condition, accept, reject })?
            }
            Stmt::Switch { label, selector, cases, default } => self.switch(*label, *selector, cases, default)?,
            Stmt::Scope { label, body } => {
                let label = self.label(*label);
                let body = self.block(body);
                (!body.is_empty()).then_some(Stmt::Scope { label, body })?
            }
            Stmt::Loop { label, body, continuing, break_if, at } => {
                let label = self.label(*label);
                let (body, continuing) = (self.block(body), self.block(continuing));
                let break_if = break_if.map(|condition| self.value(condition));
                Stmt::Loop { label, body, continuing, break_if, at: *at }
            }
            Stmt::Leave(label) => Stmt::Leave(self.label(*label)),
            Stmt::Continue(label) => Stmt::Continue(self.label(*label)),
            Stmt::Barrier(at) => Stmt::Barrier(*at),
        })
    }

    fn is_read(&self, place: &Place) -> bool {
        !matches!(place.memory, Memory::Array(array) if !self.marks.arrays[array.0 as usize])
    }

    /// A load of the words that are used, and of those between them.
    fn load(&mut self, first: Value, count: u8, place: &Place, is_uniform: bool) -> Option<Stmt> {
        let words: Vec<Value> = (0..u32::from(count)).map(|number| Value(first.0 + number)).collect();
        let start = words.iter().position(|&word| self.is_used(word))?;
        let end = words.iter().rposition(|&word| self.is_used(word))? + 1;
        let mut place = self.place(place);
        place.constant += 4 * u32::try_from(start).ok()?;
        let numbers: Vec<Value> = words[start..end].iter().map(|&word| self.define(word)).collect();
        Some(Stmt::Load { first: *numbers.first()?, count: u8::try_from(end - start).ok()?, place, is_uniform })
    }

    fn switch(&mut self, label: Label, selector: Value, cases: &[Case], default: &Block) -> Option<Stmt> {
        let (label, selector) = (self.label(label), self.value(selector));
        let each = cases.iter().map(|case| Case { values: case.values.clone(), body: self.block(&case.body) });
        let cases: Vec<Case> = each.collect();
        let default = self.block(default);
        let is_vain = default.is_empty() && cases.iter().all(|case| case.body.is_empty());
        (!is_vain).then_some(Stmt::Switch { label, selector, cases, default })
    }
}
