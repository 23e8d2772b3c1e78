//! Expressions: constants, composites, and what they are made of.

use super::data::{Data, Values};
use super::function::{Frame, Lowerer};
use crate::Refusal;
use crate::lowered::{Type, Value, eval};
use naga::{Expression, Handle, Literal, Span};

impl<'a> Lowerer<'a> {
    /// Evaluates an expression, whose operands are evaluated or constant.
    pub(super) fn evaluate(&mut self, frame: &mut Frame<'a>, handle: Handle<Expression>) -> Result<Data, Refusal> {
        let function = frame.function;
        let values = match &function.expressions[handle] {
            Expression::Literal(literal) => self.literal(*literal, frame.span(handle))?,
            Expression::Constant(constant) => {
                let constant = &self.types.module().constants[*constant];
                self.constant(constant.init)?
            }
            Expression::ZeroValue(ty) => {
                let inner = self.types.inner(*ty);
                self.zeros(inner)?
            }
            Expression::Compose { components, .. } => {
                let mut all = Vec::new();
                for component in components {
                    let part = self.values(frame, *component)?;
                    self.spend(part.len())?;
                    all.extend_from_slice(&part);
                }
                Values::new(all)
            }
            Expression::Access { base, index } => {
                let at = frame.at(handle);
                return self.access(frame, *base, *index, at);
            }
            Expression::AccessIndex { base, index } => {
                let at = frame.at(handle);
                return self.access_index(frame, *base, *index, at);
            }
            Expression::Splat { size, value } => {
                let value = self.scalar(frame, *value)?;
                Values::new(vec![value; *size as usize])
            }
            Expression::Swizzle { size, vector, pattern } => {
                let vector = self.values(frame, *vector)?;
                let component = |index: &naga::SwizzleComponent| vector.get(*index as usize).copied();
                Values::new(pattern.iter().take(*size as usize).filter_map(component).collect())
            }
            Expression::FunctionArgument(index) => {
                let argument = frame.arguments.get(*index as usize).cloned();
                return argument.ok_or_else(|| self.unsupported(frame.span(handle), "an argument is missing"));
            }
            Expression::GlobalVariable(global) => {
                let pointer = self.globals.get(global.index()).cloned().flatten();
                let missing = || self.unsupported(frame.span(handle), "a variable is missing");
                return pointer.map(Data::Pointer).ok_or_else(missing);
            }
            Expression::LocalVariable(local) => {
                let pointer = frame.locals.get(local.index()).cloned();
                let missing = || self.unsupported(frame.span(handle), "a variable is missing");
                return pointer.map(Data::Pointer).ok_or_else(missing);
            }
            Expression::Load { pointer } => {
                let inner = self.pointee(self.inner(frame, *pointer));
                let pointer = self.pointer(frame, *pointer)?;
                self.load(&pointer, &inner, frame.at(handle), false)?
            }
            Expression::Unary { op, expr } => {
                let inner = self.inner(frame, *expr);
                let values = self.values(frame, *expr)?;
                self.each_unary(*op, inner, &values)
            }
            Expression::Binary { op, left, right } => {
                let (left_inner, right_inner) = (self.inner(frame, *left), self.inner(frame, *right));
                let (left, right) = (self.values(frame, *left)?, self.values(frame, *right)?);
                self.any_binary(*op, left_inner, &left, right_inner, &right)
            }
            Expression::Select { condition, accept, reject } => {
                let condition = self.values(frame, *condition)?;
                let (accept, reject) = (self.values(frame, *accept)?, self.values(frame, *reject)?);
                self.spend(accept.len())?;
                let conditions = condition.iter().cycle();
                let each = conditions.zip(accept.iter().zip(reject.iter()));
                Values::new(each.map(|(&c, (&a, &r))| self.builder.select(c, a, r)).collect())
            }
            Expression::Relational { fun, argument } => {
                let values = self.values(frame, *argument)?;
                self.relational(*fun, &values, frame.span(handle))?
            }
            Expression::Math { fun, arg, arg1, arg2, arg3 } => {
                let inner = self.inner(frame, *arg);
                let mut args = Vec::with_capacity(4);
                for arg in [Some(*arg), *arg1, *arg2, *arg3].into_iter().flatten() {
                    args.push(self.values(frame, arg)?);
                }
                self.built_in(*fun, inner, &args, frame.span(handle))?
            }
            Expression::As { expr, kind, convert } => {
                let inner = self.inner(frame, *expr);
                let values = self.values(frame, *expr)?;
                self.convert(inner, &values, *kind, convert.is_some(), frame.span(handle))?
            }
            Expression::ArrayLength(pointer) => {
                let inner = self.pointee(self.inner(frame, *pointer));
                let pointer = self.pointer(frame, *pointer)?;
                let stride = self.types.parts(pointer.layout(), &inner).stride;
                Values::new(vec![self.count(&pointer, stride)])
            }
            _ => return Err(self.unsupported(frame.span(handle), "this expression is not supported")),
        };
        Ok(Data::Values(values))
    }

    /// A constant expression of the module.
    pub(super) fn constant(&mut self, handle: Handle<Expression>) -> Result<Values, Refusal> {
        if let Some(values) = self.constants.get(&handle.index()) {
            return Ok(values.clone());
        }
        let module = self.types.module();
        let span = module.global_expressions.get_span(handle);
        let values = match &module.global_expressions[handle] {
            Expression::Literal(literal) => self.literal(*literal, span)?,
            Expression::Constant(constant) => self.constant(module.constants[*constant].init)?,
            Expression::ZeroValue(ty) => self.zeros(self.types.inner(*ty))?,
            Expression::Compose { components, .. } => {
                let mut all = Vec::new();
                for component in components {
                    let part = self.constant(*component)?;
                    self.spend(part.len())?;
                    all.extend_from_slice(&part);
                }
                Values::new(all)
            }
            Expression::Splat { size, value } => {
                let value = self.constant(*value)?;
                Values::new(value.iter().copied().cycle().take(*size as usize).collect())
            }
            _ => return Err(self.unsupported(span, "this constant expression is not supported")),
        };
        self.constants.insert(handle.index(), values.clone());
        Ok(values)
    }

    fn literal(&mut self, literal: Literal, span: Span) -> Result<Values, Refusal> {
        let value: Value = match literal {
            Literal::F32(value) => self.builder.float(value),
            Literal::U32(value) => self.builder.int(value),
            Literal::I32(value) => self.builder.int(value.cast_unsigned()),
            Literal::Bool(value) => self.builder.bool(value),
            // What is never made concrete is never used.
            Literal::AbstractInt(_) => self.builder.int(0),
            Literal::AbstractFloat(_) => self.builder.constant(Type::Float, eval::NAN),
            _ => return Err(self.unsupported(span, "it has a number that is not of 32 bits")),
        };
        Ok(Values::new(vec![value]))
    }
}
