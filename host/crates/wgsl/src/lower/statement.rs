//! Statements.

use super::bypass;
use super::data::{Data, Pointer, Values};
use super::function::{Exit, Frame, Lowerer, at};
use crate::Refusal;
use crate::lowered::{AtomicOp, Binary, Block, Case, Stmt, Type, Value};
use naga::{AtomicFunction, Expression, Handle, ScalarKind, Span, Statement, SwitchCase, SwitchValue, TypeInner};

impl<'a> Lowerer<'a> {
    /// Lowers a statement. True if what follows it is not reached.
    pub(super) fn statement(
        &mut self,
        frame: &mut Frame<'a>,
        statement: &'a Statement,
        span: Span,
    ) -> Result<bool, Refusal> {
        match statement {
            Statement::Emit(range) => {
                for handle in range.clone() {
                    let data = self.evaluate(frame, handle)?;
                    self.define(frame, handle, data)?;
                }
            }
            Statement::Block(block) => return self.block(frame, block),
            Statement::If { condition, accept, reject } => {
                let condition = self.scalar(frame, *condition)?;
                let accept = self.inside(frame, accept)?;
                let reject = self.inside(frame, reject)?;
                self.builder.push(Stmt::If { condition, accept, reject });
            }
            Statement::Switch { selector, cases } => self.switch(frame, *selector, cases, span)?,
            Statement::Loop { body, continuing, break_if } => {
                let label = self.builder.label();
                frame.breaks.push(label);
                frame.loops.push(label);
                let lowered_body = self.inside(frame, body)?;
                bypass::note(body, &mut frame.bypassed);
                let continuing = self.inside(frame, continuing)?;
                frame.breaks.pop();
                frame.loops.pop();
                let break_if = break_if.map(|condition| self.scalar(frame, condition)).transpose()?;
                self.builder.push(Stmt::Loop { label, body: lowered_body, continuing, break_if, at: at(span) });
            }
            Statement::Break => {
                let label = frame.breaks.last().copied();
                self.builder.push(Stmt::Leave(label.ok_or_else(|| self.unsupported(span, "it leaves nothing"))?));
                return Ok(true);
            }
            Statement::Continue => {
                let label = frame.loops.last().copied();
                self.builder.push(Stmt::Continue(label.ok_or_else(|| self.unsupported(span, "it continues nothing"))?));
                return Ok(true);
            }
            Statement::Return { value } => return self.return_(frame, *value).map(|()| true),
            Statement::ControlBarrier(_) | Statement::MemoryBarrier(_) => self.builder.push(Stmt::Barrier(at(span))),
            Statement::Store { pointer, value } => {
                let values = self.values(frame, *value)?;
                let inner = self.pointee(self.inner(frame, *pointer));
                let pointer = self.pointer(frame, *pointer)?;
                self.store(&pointer, &inner, &values, at(span))?;
            }
            Statement::Atomic { pointer, fun, value, result } => {
                self.atomic(frame, *pointer, *fun, *value, *result, span)?;
            }
            Statement::WorkGroupUniformLoad { pointer, result } => {
                let inner = self.pointee(self.inner(frame, *pointer));
                let pointer = self.pointer(frame, *pointer)?;
                self.builder.push(Stmt::Barrier(at(span)));
                let values = self.load(&pointer, &inner, at(span), true)?;
                self.builder.push(Stmt::Barrier(at(span)));
                self.define(frame, *result, Data::Values(values))?;
            }
            Statement::Call { function, arguments, result } => {
                let callee = &self.types.module().functions[*function];
                let arguments: Result<Vec<Data>, Refusal> =
                    arguments.iter().map(|argument| self.data(frame, *argument)).collect();
                let values = self.call(function.index(), callee, &self.info[*function], arguments?)?;
                if let Some(result) = result {
                    self.define(frame, *result, Data::Values(values))?;
                }
            }
            _ => return Err(self.unsupported(span, "this statement is not supported")),
        }
        Ok(false)
    }

    /// Lowers a block into one of its own.
    fn inside(&mut self, frame: &mut Frame<'a>, block: &'a naga::Block) -> Result<Block, Refusal> {
        self.builder.open();
        let done = self.block(frame, block);
        let block = self.builder.close();
        done.map(|_| block)
    }

    fn return_(&mut self, frame: &mut Frame<'a>, value: Option<Handle<Expression>>) -> Result<(), Refusal> {
        let values = value.map(|value| self.values(frame, value)).transpose()?;
        match &mut frame.exit {
            Exit::Tail(returned) => *returned = values,
            Exit::Leave(label, Pointer::Variables(first)) => {
                let (label, first) = (*label, *first);
                for (index, value) in (0..).zip(values.iter().flat_map(|values| values.iter())) {
                    self.builder.set(crate::lowered::Variable(first + index), *value);
                }
                self.builder.push(Stmt::Leave(label));
            }
            Exit::Leave(..) => {}
        }
        Ok(())
    }

    fn switch(
        &mut self,
        frame: &mut Frame<'a>,
        selector: Handle<Expression>,
        cases: &'a [SwitchCase],
        span: Span,
    ) -> Result<(), Refusal> {
        let selector = self.scalar(frame, selector)?;
        let label = self.builder.label();
        frame.breaks.push(label);
        let mut lowered = Vec::new();
        let mut default = Vec::new();
        let mut values = Vec::new();
        let mut is_default = false;
        for case in cases {
            match case.value {
                SwitchValue::I32(value) => values.push(value.cast_unsigned()),
                SwitchValue::U32(value) => values.push(value),
                SwitchValue::Default => is_default = true,
            }
            if case.fall_through {
                if !case.body.is_empty() {
                    return Err(self.unsupported(span, "a case continues with the next"));
                }
                continue;
            }
            let body = self.inside(frame, &case.body)?;
            let values = std::mem::take(&mut values);
            // What the default has in its list needs no mention.
            if std::mem::take(&mut is_default) {
                default = body;
            } else {
                lowered.push(Case { values, body });
            }
        }
        frame.breaks.pop();
        self.builder.push(Stmt::Switch { label, selector, cases: lowered, default });
        Ok(())
    }

    fn atomic(
        &mut self,
        frame: &mut Frame<'a>,
        pointer: Handle<Expression>,
        function: AtomicFunction,
        value: Handle<Expression>,
        result: Option<Handle<Expression>>,
        span: Span,
    ) -> Result<(), Refusal> {
        let inner = self.pointee(self.inner(frame, pointer));
        let is_signed = matches!(&*inner, TypeInner::Atomic(scalar) if scalar.kind == ScalarKind::Sint);
        let operand = self.scalar(frame, value)?;
        let pointer = self.pointer(frame, pointer)?;
        let (op, compare) = match function {
            AtomicFunction::Add => (AtomicOp::Add, None),
            AtomicFunction::Subtract => (AtomicOp::Subtract, None),
            AtomicFunction::And => (AtomicOp::And, None),
            AtomicFunction::ExclusiveOr => (AtomicOp::Xor, None),
            AtomicFunction::InclusiveOr => (AtomicOp::Or, None),
            AtomicFunction::Min if is_signed => (AtomicOp::MinSigned, None),
            AtomicFunction::Max if is_signed => (AtomicOp::MaxSigned, None),
            AtomicFunction::Min => (AtomicOp::MinUnsigned, None),
            AtomicFunction::Max => (AtomicOp::MaxUnsigned, None),
            AtomicFunction::Exchange { compare: None } => (AtomicOp::Exchange, None),
            AtomicFunction::Exchange { compare: Some(compare) } => {
                let compare = self.scalar(frame, compare)?;
                (AtomicOp::CompareExchange(compare), Some(compare))
            }
        };
        let Some(place) = pointer.place(0, at(span)) else {
            return Err(self.unsupported(span, "an atomic is not in memory"));
        };
        let old: Value = self.builder.value(Type::Int);
        self.builder.push(Stmt::Atomic { result: result.map(|_| old), op, place, operand: Some(operand) });
        if let Some(result) = result {
            let mut values = vec![old];
            if let Some(compare) = compare {
                values.push(self.builder.binary(Binary::Equal, old, compare));
            }
            self.define(frame, result, Data::Values(Values::new(values)))?;
        }
        Ok(())
    }
}
