//! From the lowered form to a target's program: what comes before the body, and the statements without control flow.

use super::arithmetic::Arithmetic;
use super::elements::Elements;
use super::flow::Exits;
use super::operations::is_special;
use super::routine::Routine;
use super::target::{At, Control, Kind, Target};
use crate::exact::emulate::Steps;
use samebit_device::wgsl::lowered::{Binary, Block, Builtin, Lowered, Memory, Op, Ops, Stmt, Type, Value, Variable};
use std::collections::{BTreeMap, HashMap};

/// A kernel that breaks a promise of the lowered form, or uses what the exact profile does not admit.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the lowered kernel is malformed: {0}")]
pub(super) struct Malformed(pub(super) &'static str);

/// Walks a kernel.
pub(super) struct Emitter<'a, T: Target> {
    pub(super) target: T,
    pub(super) arithmetic: Arithmetic,
    pub(super) kernel: &'a Lowered,
    pub(super) elements: Elements,
    /// What each value of the kernel is.
    values: Vec<Option<T::V>>,
    variables: Vec<T::Variable>,
    /// Values that are known before the program runs.
    pub(super) constants: HashMap<T::V, u32>,
    /// Constants joined with the zero, by their bits.
    pub(super) hidden: HashMap<u32, T::V>,
    /// The zero that is loaded.
    pub(super) zero: T::V,
    pub(super) functions: BTreeMap<Routine, T::Function>,
    pub(super) exits: Exits<T>,
    /// Whether this invocation is one that was asked for, if there are others.
    pub(super) is_real: Option<T::V>,
}

/// Writes a whole kernel to a target, and gives the target back.
pub(super) fn emit<T: Target>(
    kernel: &Lowered,
    elements: Elements,
    arithmetic: Arithmetic,
    mut target: T,
) -> Result<T, Malformed> {
    let zero = target.control(Control::Zero);
    let exits = Exits::open(kernel, &mut target);
    let mut emitter = Emitter {
        target,
        arithmetic,
        kernel,
        elements,
        values: vec![None; kernel.values.len()],
        variables: Vec::new(),
        constants: HashMap::new(),
        hidden: HashMap::new(),
        zero,
        functions: BTreeMap::new(),
        exits,
        is_real: None,
    };
    emitter.start_padding();
    emitter.start_variables();
    emitter.start_workgroup();
    for (value, op) in &kernel.preamble {
        let result = emitter.op(*value, op)?;
        emitter.define(*value, result)?;
    }
    emitter.block(&kernel.body)?;
    emitter.end_budget();
    Ok(emitter.target)
}

impl<T: Target> Emitter<'_, T> {
    pub(super) fn define(&mut self, value: Value, result: T::V) -> Result<(), Malformed> {
        let slot = self.values.get_mut(value.0 as usize);
        *slot.ok_or(Malformed("a value has no type"))? = Some(result);
        Ok(())
    }

    pub(super) fn get(&self, value: Value) -> Result<T::V, Malformed> {
        let slot = self.values.get(value.0 as usize).copied().flatten();
        slot.ok_or(Malformed("a value is used where it is not defined"))
    }

    /// A constant that no optimizer knows.
    pub(super) fn hidden(&mut self, bits: u32) -> T::V {
        match self.hidden.get(&bits) {
            Some(value) => *value,
            None if bits == 0 => self.zero,
            None => {
                let zero = self.zero;
                self.target.from(bits, Binary::Or, zero)
            }
        }
    }

    /// Variables start at zero. That of a float must not be known to be one.
    fn start_variables(&mut self) {
        for ty in &self.kernel.variables {
            let (kind, start) = match ty {
                Type::Bool => (Kind::Bool, self.target.boolean(false)),
                Type::Int => (Kind::Word, self.target.word(0)),
                Type::Float => (Kind::Word, self.zero),
            };
            let variable = self.target.variable(kind);
            self.target.set(variable, start);
            self.variables.push(variable);
        }
    }

    /// Workgroup memory starts at zero, by the hands of all invocations.
    fn start_workgroup(&mut self) {
        let words = self.kernel.workgroup_bytes / 4;
        if words == 0 {
            return;
        }
        let width = self.elements.width(Memory::Workgroup);
        let size: u32 = self.kernel.interface.workgroup_size.iter().product();
        let t = &mut self.target;
        let at = t.variable(Kind::Word);
        let first = t.builtin(Builtin::LocalIndex);
        t.set(at, first);
        t.begin_loop();
        let element = t.get(at);
        let is_inside = t.with(Binary::LessUnsigned, element, words.div_ceil(width));
        t.begin_if(is_inside);
        t.begin_else();
        t.leave();
        t.end_if();
        t.store(At { memory: Memory::Workgroup, element, word: 0 }, &vec![self.zero; width as usize]);
        t.begin_continuing();
        let next = t.with(Binary::Add, element, size);
        t.set(at, next);
        t.end_loop(None);
        t.barrier(false);
    }

    fn variable(&self, variable: Variable) -> Result<T::Variable, Malformed> {
        self.variables.get(variable.0 as usize).copied().ok_or(Malformed("it uses a variable that it does not have"))
    }

    fn op(&mut self, value: Value, op: &Op) -> Result<T::V, Malformed> {
        Ok(match op {
            Op::Constant(bits) => match self.kernel.type_of(value) {
                Type::Bool => self.target.boolean(*bits != 0),
                Type::Float if is_special(*bits) => {
                    let hidden = self.hidden(*bits);
                    self.hidden.insert(*bits, hidden);
                    hidden
                }
                Type::Float | Type::Int => self.bits(*bits),
            },
            Op::Builtin(builtin) => self.builtin(*builtin),
            Op::Length(buffer) => {
                let bytes = 4 * self.elements.width(Memory::Buffer(*buffer));
                let elements = self.target.elements(*buffer);
                self.target.with(Binary::Multiply, elements, bytes)
            }
            Op::Unary(op, a) => {
                let a = self.get(*a)?;
                self.unary(*op, a)
            }
            Op::Binary(op, a, b) => {
                let (a, b) = (self.get(*a)?, self.get(*b)?);
                self.binary(*op, a, b)
            }
            Op::Select { condition, accept, reject } => {
                let (condition, accept, reject) = (self.get(*condition)?, self.get(*accept)?, self.get(*reject)?);
                self.select(condition, accept, reject)
            }
            Op::Fma(a, b, c) => {
                let (a, b, c) = (self.get(*a)?, self.get(*b)?, self.get(*c)?);
                self.fma(a, b, c)
            }
            Op::Clamp { index, last, .. } => {
                let (index, last) = (self.get(*index)?, self.get(*last)?);
                self.target.umin(index, last)
            }
            Op::Math(function, args) => {
                let args = args.iter().map(|arg| self.get(*arg)).collect::<Result<Vec<_>, _>>()?;
                self.call(*function, &args)
            }
        })
    }

    pub(super) fn block(&mut self, block: &Block) -> Result<(), Malformed> {
        block.iter().try_for_each(|statement| self.statement(statement))
    }

    fn statement(&mut self, statement: &Stmt) -> Result<(), Malformed> {
        match statement {
            Stmt::Let(value, op) => {
                let result = self.op(*value, op)?;
                self.define(*value, result)
            }
            Stmt::Get(value, variable) => {
                let variable = self.variable(*variable)?;
                let result = self.target.get(variable);
                self.define(*value, result)
            }
            Stmt::Set(variable, value) => {
                let (variable, value) = (self.variable(*variable)?, self.get(*value)?);
                self.target.set(variable, value);
                Ok(())
            }
            Stmt::Load { first, count, place, .. } => self.load(*first, u32::from(*count), place),
            Stmt::Store { place, values } => {
                let values = values.iter().map(|value| self.get(*value)).collect::<Result<Vec<_>, _>>()?;
                self.store(place, &values)
            }
            Stmt::Atomic { result, op, place, operand } => self.atomic(*result, *op, place, *operand),
            Stmt::Barrier(_) => {
                let exchanges = self.elements.exchanges;
                self.target.barrier(exchanges);
                Ok(())
            }
            flow => self.flow(flow),
        }
    }
}
