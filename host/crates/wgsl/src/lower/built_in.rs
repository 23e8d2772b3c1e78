//! Built-in functions: which sequence of operations each is. `docs/EXACT.md` writes them down.

mod float;
mod geometry;
mod integer;
mod packing;

use super::arithmetic::kind;
use super::data::Values;
use super::function::Lowerer;
use crate::Refusal;
use crate::lowered::{MathFunction as Fixed, Value};
use naga::{MathFunction, ScalarKind, Span, TypeInner};

impl Lowerer<'_> {
    /// A built-in function. `inner` is the type of its first argument.
    pub(super) fn built_in(
        &mut self,
        function: MathFunction,
        inner: &TypeInner,
        args: &[Values],
        span: Span,
    ) -> Result<Values, Refusal> {
        let kind = kind(inner);
        if let Some(fixed) = fixed(function) {
            return Ok(self.each(args, |lowerer, args| lowerer.builder.math(fixed, args)));
        }
        if let Some(values) = self.geometry(function, kind, inner, args) {
            return Ok(values);
        }
        if let Some(values) = self.packing(function, args) {
            return Ok(values);
        }
        match function {
            MathFunction::Modf | MathFunction::Frexp => return Ok(self.in_two(function, args)),
            MathFunction::Inverse | MathFunction::Outer => {
                return Err(self.unsupported(span, "this function is not part of WGSL"));
            }
            _ => {}
        }
        let is_known = args.iter().all(|arg| !arg.is_empty());
        if !is_known {
            return Err(self.unsupported(span, "an argument has no value"));
        }
        Ok(self.each(args, |lowerer, args| match kind {
            ScalarKind::Float | ScalarKind::AbstractFloat => lowerer.float_function(function, args),
            _ => lowerer.int_function(function, kind == ScalarKind::Sint, args),
        }))
    }

    /// A function of each component; what is a scalar goes with each component of the others.
    fn each(&mut self, args: &[Values], mut function: impl FnMut(&mut Self, &[Value]) -> Value) -> Values {
        let count = args.iter().map(|arg| arg.len()).max().unwrap_or(0);
        let component = |index: usize| -> Vec<Value> {
            args.iter().filter_map(|arg| arg.get(if arg.len() == 1 { 0 } else { index })).copied().collect()
        };
        Values::new((0..count).map(|index| function(self, &component(index))).collect())
    }

    /// Functions that give a structure of two: the first of each component, then the second of each.
    fn in_two(&mut self, function: MathFunction, args: &[Values]) -> Values {
        let values: &[Value] = args.first().map_or(&[], |values| values);
        let builder = &mut self.builder;
        let (mut first, mut second) = (Vec::new(), Vec::new());
        for &value in values {
            if function == MathFunction::Frexp {
                first.push(builder.math(Fixed::FrexpFract, &[value]));
                second.push(builder.math(Fixed::FrexpExp, &[value]));
            } else {
                let whole = builder.unary(crate::lowered::Unary::Trunc, value);
                first.push(builder.binary(crate::lowered::Binary::FloatSubtract, value, whole));
                second.push(whole);
            }
        }
        first.append(&mut second);
        Values::new(first)
    }
}

/// The functions of each component that are longer sequences.
fn fixed(function: MathFunction) -> Option<Fixed> {
    Some(match function {
        MathFunction::Cos => Fixed::Cos,
        MathFunction::Cosh => Fixed::Cosh,
        MathFunction::Sin => Fixed::Sin,
        MathFunction::Sinh => Fixed::Sinh,
        MathFunction::Tan => Fixed::Tan,
        MathFunction::Tanh => Fixed::Tanh,
        MathFunction::Acos => Fixed::Acos,
        MathFunction::Asin => Fixed::Asin,
        MathFunction::Atan => Fixed::Atan,
        MathFunction::Atan2 => Fixed::Atan2,
        MathFunction::Asinh => Fixed::Asinh,
        MathFunction::Acosh => Fixed::Acosh,
        MathFunction::Atanh => Fixed::Atanh,
        MathFunction::Ldexp => Fixed::Ldexp,
        MathFunction::Exp => Fixed::Exp,
        MathFunction::Exp2 => Fixed::Exp2,
        MathFunction::Log => Fixed::Log,
        MathFunction::Log2 => Fixed::Log2,
        MathFunction::Pow => Fixed::Pow,
        MathFunction::QuantizeToF16 => Fixed::QuantizeToF16,
        _ => return None,
    })
}
