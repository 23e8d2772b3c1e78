//! Memory, control flow and functions of a naga module.

use naga::{AtomicFunction, Barrier, Expression, Function, Handle, LocalVariable, Scalar, Span, Statement, Type};
use samebit_device::wgsl::lowered::{Array, AtomicOp, Binary, Builtin, Memory};

use super::body::Body;
use super::{Portable, Value, word_argument, word_result};
use crate::exact::target::{At, Control, Instructions, Kind, Target};

impl Portable {
    /// A pointer to a whole memory. What the kernel does not have is its control buffer, which nothing may reach: whoever
    /// asks breaks a promise of the lowered form, and reads a zero.
    fn root(&mut self, memory: Memory) -> Value {
        let globals = &self.globals;
        let variable = match memory {
            Memory::Array(Array(array)) => {
                if let Some(variable) = globals.arrays.get(array as usize).copied() {
                    return self.expression(Expression::LocalVariable(variable));
                }
                None
            }
            Memory::Buffer(buffer) => globals.buffers.get(buffer as usize).copied(),
            Memory::Workgroup => globals.workgroup,
        };
        let variable = variable.unwrap_or(globals.control);
        self.expression(Expression::GlobalVariable(variable))
    }

    fn element(&mut self, at: At<Value>) -> Value {
        let base = self.root(at.memory);
        self.expression(Expression::Access { base, index: at.element })
    }

    /// A pointer to one word.
    fn pointer(&mut self, at: At<Value>, word: u32) -> Value {
        let element = self.element(at);
        if self.globals.elements.width(at.memory) == 1 {
            return element;
        }
        self.expression(Expression::AccessIndex { base: element, index: word })
    }

    fn control_pointer(&mut self, word: Control) -> Value {
        let base = self.expression(Expression::GlobalVariable(self.globals.control));
        self.expression(Expression::AccessIndex { base, index: word as u32 })
    }

    fn read(&mut self, pointer: Value) -> Value {
        self.expression(Expression::Load { pointer })
    }

    /// The smaller or larger of what is there and a signed number, over and over until nobody else came in between: a word
    /// that is atomic without a sign has no such operation.
    fn signed_extreme(&mut self, op: Binary, pointer: Value, operand: Value) {
        self.begin_loop();
        let before = self.read(pointer);
        let after = self.binary(op, before, operand);
        let ty = self.exchange_result();
        let result = self.expression(Expression::AtomicResult { ty, comparison: true });
        self.body().push(Statement::Atomic {
            pointer,
            fun: AtomicFunction::Exchange { compare: Some(before) },
            value: after,
            result: Some(result),
        });
        let is_done = self.expression(Expression::AccessIndex { base: result, index: 1 });
        self.begin_continuing();
        self.end_loop(Some(is_done));
    }

    fn exchange_result(&mut self) -> Handle<Type> {
        let predeclared = naga::PredeclaredType::AtomicCompareExchangeWeakResult(Scalar::U32);
        self.module.generate_predeclared_type(predeclared)
    }
}

impl Target for Portable {
    type Variable = Handle<LocalVariable>;
    type Function = Handle<Function>;

    fn boolean(&mut self, value: bool) -> Value {
        self.body().boolean(value)
    }

    fn builtin(&mut self, builtin: Builtin) -> Value {
        self.built_in_value(builtin)
    }

    fn elements(&mut self, buffer: u32) -> Value {
        let root = self.root(Memory::Buffer(buffer));
        self.expression(Expression::ArrayLength(root))
    }

    fn fma(&mut self, a: Value, b: Value, c: Value) -> Value {
        self.float_math(naga::MathFunction::Fma, &[a, b, c])
    }

    fn variable(&mut self, kind: Kind) -> Handle<LocalVariable> {
        let ty = self.kind_type(kind);
        let variable = LocalVariable { name: None, ty, init: None };
        self.body().function.local_variables.append(variable, Span::UNDEFINED)
    }

    fn get(&mut self, variable: Handle<LocalVariable>) -> Value {
        let pointer = self.expression(Expression::LocalVariable(variable));
        self.read(pointer)
    }

    fn set(&mut self, variable: Handle<LocalVariable>, value: Value) {
        let pointer = self.expression(Expression::LocalVariable(variable));
        self.body().push(Statement::Store { pointer, value });
    }

    fn load(&mut self, at: At<Value>, count: u32) -> Vec<Value> {
        if count > 1 {
            let element = self.element(at);
            let base = self.read(element);
            let words = at.word..at.word + count;
            return words.map(|index| self.expression(Expression::AccessIndex { base, index })).collect();
        }
        let pointer = self.pointer(at, at.word);
        vec![self.read(pointer)]
    }

    fn store(&mut self, at: At<Value>, values: &[Value]) {
        let width = self.globals.elements.width(at.memory);
        if width > 1 && values.len() == width as usize {
            let ty = self.globals.vectors[usize::from(width == 4)];
            let pointer = self.element(at);
            let value = self.expression(Expression::Compose { ty, components: values.to_vec() });
            self.body().push(Statement::Store { pointer, value });
            return;
        }
        for (word, value) in (at.word..).zip(values) {
            let pointer = self.pointer(at, word);
            self.body().push(Statement::Store { pointer, value: *value });
        }
    }

    fn atomic(&mut self, op: AtomicOp, at: At<Value>, operand: Option<Value>) -> Option<Value> {
        let pointer = self.pointer(at, at.word);
        let (Some(value), true) = (operand, op != AtomicOp::Load) else { return Some(self.read(pointer)) };
        let fun = match op {
            AtomicOp::Add => AtomicFunction::Add,
            AtomicOp::Subtract => AtomicFunction::Subtract,
            AtomicOp::MinUnsigned => AtomicFunction::Min,
            AtomicOp::MaxUnsigned => AtomicFunction::Max,
            AtomicOp::And => AtomicFunction::And,
            AtomicOp::Or => AtomicFunction::InclusiveOr,
            AtomicOp::Xor => AtomicFunction::ExclusiveOr,
            AtomicOp::MinSigned | AtomicOp::MaxSigned => {
                let op = if op == AtomicOp::MinSigned { Binary::MinSigned } else { Binary::MaxSigned };
                self.signed_extreme(op, pointer, value);
                return None;
            }
            // Exchanges do not get here.
            AtomicOp::Load | AtomicOp::Store | AtomicOp::Exchange | AtomicOp::CompareExchange(_) => {
                self.body().push(Statement::Store { pointer, value });
                return None;
            }
        };
        let result = self.expression(Expression::AtomicResult { ty: self.types.word, comparison: false });
        self.body().push(Statement::Atomic { pointer, fun, value, result: Some(result) });
        Some(result)
    }

    fn control(&mut self, word: Control) -> Value {
        let pointer = self.control_pointer(word);
        let value = self.read(pointer);
        if word == Control::Zero {
            self.body().zero = value;
        }
        value
    }

    fn set_control(&mut self, word: Control, value: Value) {
        let pointer = self.control_pointer(word);
        self.body().push(Statement::Store { pointer, value });
    }

    fn barrier(&mut self, buffers: bool) {
        let storage = if buffers { Barrier::STORAGE } else { Barrier::empty() };
        self.body().push(Statement::ControlBarrier(Barrier::WORK_GROUP | storage));
    }

    fn begin_if(&mut self, condition: Value) {
        self.body().begin_if(condition);
    }

    fn begin_else(&mut self) {
        self.body().begin_else();
    }

    fn end_if(&mut self) {
        self.body().end(None);
    }

    fn begin_loop(&mut self) {
        self.body().begin_loop();
    }

    fn begin_continuing(&mut self) {
        self.body().begin_continuing();
    }

    fn end_loop(&mut self, break_if: Option<Value>) {
        self.body().end(break_if);
    }

    fn begin_switch(&mut self, selector: Value, cases: &[&[u32]]) {
        self.body().begin_switch(selector, cases);
    }

    fn begin_case(&mut self) {
        self.body().begin_case();
    }

    fn end_switch(&mut self) {
        self.body().end(None);
    }

    fn leave(&mut self) {
        self.body().push(Statement::Break);
    }

    fn go_on(&mut self) {
        self.body().push(Statement::Continue);
    }

    fn begin_function(&mut self, params: usize) -> Vec<Value> {
        let ty = self.types.word;
        let mut body = Body::default();
        body.function.arguments = (0..params).map(|_| word_argument(ty)).collect();
        body.function.result = Some(word_result(ty));
        let values: Vec<_> =
            (0..params).map(|index| body.expression(Expression::FunctionArgument(index as u32))).collect();
        body.zero = values.last().copied().unwrap_or(body.zero);
        self.bodies.push(body);
        values
    }

    fn end_function(&mut self, result: Value) -> Handle<Function> {
        self.body().push(Statement::Return { value: Some(result) });
        let function = self.bodies.pop().unwrap_or_default().finish();
        self.module.functions.append(function, Span::UNDEFINED)
    }

    fn call(&mut self, function: Handle<Function>, args: &[Value]) -> Value {
        let result = self.expression(Expression::CallResult(function));
        self.body().push(Statement::Call { function, arguments: args.to_vec(), result: Some(result) });
        result
    }
}
