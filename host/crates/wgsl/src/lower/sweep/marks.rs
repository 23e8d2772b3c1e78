//! What is used, directly or by something that is.

use super::super::builder::Built;
use crate::lowered::{AtomicOp, Block, Memory, Op, Place, Stmt, Value};

/// What is used.
#[derive(Debug)]
pub(super) struct Marks {
    /// Values.
    pub(super) values: Vec<bool>,
    /// Variables that something reads.
    pub(super) variables: Vec<bool>,
    /// Arrays that something reads.
    pub(super) arrays: Vec<bool>,
}

/// What a value comes from.
#[derive(Clone, Copy, Default)]
enum Source<'a> {
    #[default]
    Nothing,
    Op(&'a Op),
    Variable(usize),
    Place(&'a Place),
}

/// What was found, and what is still to be followed.
struct Marker<'a> {
    marks: Marks,
    sources: Vec<Source<'a>>,
    /// What is written to each variable.
    written: Vec<Vec<Value>>,
    /// What is stored to each array, and at which indices.
    stored: Vec<Vec<Value>>,
    open: Vec<Value>,
}

impl Marks {
    /// Marks what is used in a kernel.
    pub(super) fn of(built: &Built) -> Self {
        let marks = Self {
            values: vec![false; built.values.len()],
            variables: vec![false; built.variables.len()],
            arrays: vec![false; built.arrays.len()],
        };
        let mut marker = Marker {
            marks,
            sources: vec![Source::Nothing; built.values.len()],
            written: vec![Vec::new(); built.variables.len()],
            stored: vec![Vec::new(); built.arrays.len()],
            open: Vec::new(),
        };
        for (value, op) in &built.preamble {
            marker.sources[value.0 as usize] = Source::Op(op);
        }
        marker.block(&built.body);
        marker.follow();
        marker.marks
    }
}

impl<'a> Marker<'a> {
    fn follow(&mut self) {
        while let Some(value) = self.open.pop() {
            if std::mem::replace(&mut self.marks.values[value.0 as usize], true) {
                continue;
            }
            match self.sources[value.0 as usize] {
                Source::Nothing => {}
                Source::Op(op) => op.operands(|operand| self.open.push(operand)),
                Source::Variable(variable) => {
                    if !std::mem::replace(&mut self.marks.variables[variable], true) {
                        self.open.append(&mut self.written[variable]);
                    }
                }
                Source::Place(place) => {
                    self.open.extend(place.terms.iter().map(|term| term.index));
                    if let Memory::Array(array) = place.memory {
                        let array = array.0 as usize;
                        if !std::mem::replace(&mut self.marks.arrays[array], true) {
                            self.open.append(&mut self.stored[array]);
                        }
                    }
                }
            }
        }
    }

    fn block(&mut self, block: &'a Block) {
        for statement in block {
            self.statement(statement);
        }
    }

    fn statement(&mut self, statement: &'a Stmt) {
        match statement {
            Stmt::Let(value, op) => self.sources[value.0 as usize] = Source::Op(op),
            Stmt::Get(value, variable) => self.sources[value.0 as usize] = Source::Variable(variable.0 as usize),
            Stmt::Set(variable, value) => self.written[variable.0 as usize].push(*value),
            Stmt::Load { first, count, place, .. } => {
                for number in 0..u32::from(*count) {
                    self.sources[(first.0 + number) as usize] = Source::Place(place);
                }
            }
            Stmt::Store { place, values } => {
                let indices = place.terms.iter().map(|term| term.index);
                let used = match place.memory {
                    Memory::Array(array) => &mut self.stored[array.0 as usize],
                    _ => &mut self.open,
                };
                used.extend(values.iter().copied().chain(indices));
            }
            Stmt::Atomic { result: Some(result), op: AtomicOp::Load, place, .. } => {
                self.sources[result.0 as usize] = Source::Place(place);
            }
            Stmt::Atomic { op, place, operand, .. } => {
                self.open.extend(*operand);
                self.open.extend(place.terms.iter().map(|term| term.index));
                if let AtomicOp::CompareExchange(compare) = op {
                    self.open.push(*compare);
                }
            }
            Stmt::If { condition, accept, reject } => {
                self.open.push(*condition);
                self.block(accept);
                self.block(reject);
            }
            Stmt::Switch { selector, cases, default, .. } => {
                self.open.push(*selector);
                cases.iter().for_each(|case| self.block(&case.body));
                self.block(default);
            }
            Stmt::Scope { body, .. } => self.block(body),
            Stmt::Loop { body, continuing, break_if, .. } => {
                self.block(body);
                self.block(continuing);
                self.open.extend(*break_if);
            }
            Stmt::Leave(_) | Stmt::Continue(_) | Stmt::Barrier(_) => {}
        }
    }
}
