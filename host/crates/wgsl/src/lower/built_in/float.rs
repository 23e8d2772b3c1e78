//! Functions of floats, component by component.

use super::super::function::Lowerer;
use crate::lowered::{Binary, Unary, Value};
use naga::MathFunction;

impl Lowerer<'_> {
    /// A function of floats. There are as many arguments as validation saw to.
    pub(super) fn float_function(&mut self, function: MathFunction, args: &[Value]) -> Value {
        let builder = &mut self.builder;
        let (x, y, z) = match *args {
            [x] => (x, x, x),
            [x, y] => (x, y, y),
            [x, y, z, ..] => (x, y, z),
            [] => return builder.float(0.0),
        };
        match function {
            MathFunction::Abs => builder.unary(Unary::Abs, x),
            MathFunction::Min => builder.binary(Binary::FloatMin, x, y),
            MathFunction::Max => builder.binary(Binary::FloatMax, x, y),
            MathFunction::Clamp => self.float_clamp(x, y, z),
            MathFunction::Saturate => self.saturate(x),
            MathFunction::Radians => {
                let factor = builder.float(0.017_453_292);
                builder.binary(Binary::FloatMultiply, x, factor)
            }
            MathFunction::Degrees => {
                let factor = builder.float(57.295_78);
                builder.binary(Binary::FloatMultiply, x, factor)
            }
            MathFunction::Ceil => builder.unary(Unary::Ceil, x),
            MathFunction::Floor => builder.unary(Unary::Floor, x),
            MathFunction::Round => builder.unary(Unary::RoundEven, x),
            MathFunction::Trunc => builder.unary(Unary::Trunc, x),
            MathFunction::Fract => {
                let floor = builder.unary(Unary::Floor, x);
                builder.binary(Binary::FloatSubtract, x, floor)
            }
            MathFunction::Sign => self.float_sign(x),
            MathFunction::Fma => builder.fma(x, y, z),
            MathFunction::Mix => {
                let one = builder.float(1.0);
                let rest = builder.binary(Binary::FloatSubtract, one, z);
                let first = builder.binary(Binary::FloatMultiply, x, rest);
                builder.fma(y, z, first)
            }
            MathFunction::Step => {
                let (one, zero) = (builder.float(1.0), builder.float(0.0));
                let is_past = builder.binary(Binary::FloatLessEqual, x, y);
                builder.select(is_past, one, zero)
            }
            MathFunction::SmoothStep => self.smoothstep(x, y, z),
            MathFunction::InverseSqrt => {
                let one = builder.float(1.0);
                let root = builder.unary(Unary::Sqrt, x);
                builder.binary(Binary::FloatDivide, one, root)
            }
            // `sqrt`. Nothing else is valid for floats.
            _ => builder.unary(Unary::Sqrt, x),
        }
    }

    /// `min(max(x, low), high)`.
    pub(super) fn float_clamp(&mut self, x: Value, low: Value, high: Value) -> Value {
        let raised = self.builder.binary(Binary::FloatMax, x, low);
        self.builder.binary(Binary::FloatMin, raised, high)
    }

    /// `clamp(x, 0, 1)`.
    pub(super) fn saturate(&mut self, x: Value) -> Value {
        let (zero, one) = (self.builder.float(0.0), self.builder.float(1.0));
        self.float_clamp(x, zero, one)
    }

    /// 1, -1, or 0 for both zeros and NaN.
    fn float_sign(&mut self, x: Value) -> Value {
        let builder = &mut self.builder;
        let (zero, one, minus_one) = (builder.float(0.0), builder.float(1.0), builder.float(-1.0));
        let is_negative = builder.binary(Binary::FloatLess, x, zero);
        let is_positive = builder.binary(Binary::FloatLess, zero, x);
        let below = builder.select(is_negative, minus_one, zero);
        builder.select(is_positive, one, below)
    }

    /// `t * t * (3 - 2 * t)` where `t` is how far `x` is from `low` to `high`.
    fn smoothstep(&mut self, low: Value, high: Value, x: Value) -> Value {
        let builder = &mut self.builder;
        let above = builder.binary(Binary::FloatSubtract, x, low);
        let range = builder.binary(Binary::FloatSubtract, high, low);
        let quotient = builder.binary(Binary::FloatDivide, above, range);
        let t = self.saturate(quotient);
        let builder = &mut self.builder;
        let (minus_two, three) = (builder.float(-2.0), builder.float(3.0));
        let slope = builder.fma(minus_two, t, three);
        let square = builder.binary(Binary::FloatMultiply, t, t);
        builder.binary(Binary::FloatMultiply, square, slope)
    }
}
