//! Operations without memory, as expressions of naga.

use naga::{Expression, MathFunction, ScalarKind, UnaryOperator};
use samebit_device::wgsl::lowered::{Binary, Unary};

use super::{Portable, Value};
use crate::exact::target::Instructions;

impl Portable {
    fn math(&mut self, fun: MathFunction, args: &[Value]) -> Value {
        let mut args = args.iter().copied();
        let Some(arg) = args.next() else { return self.zero() };
        self.expression(Expression::Math { fun, arg, arg1: args.next(), arg2: args.next(), arg3: None })
    }

    pub(super) fn plain(&mut self, op: naga::BinaryOperator, left: Value, right: Value) -> Value {
        self.expression(Expression::Binary { op, left, right })
    }

    /// An operation of signed integers that gives one.
    fn signed(&mut self, op: naga::BinaryOperator, a: Value, b: Value) -> Value {
        let (left, right) = (self.bits_as(a, ScalarKind::Sint), self.bits_as(b, ScalarKind::Sint));
        let result = self.plain(op, left, right);
        self.bits_as(result, ScalarKind::Uint)
    }

    fn signed_math(&mut self, fun: MathFunction, a: Value, b: Value) -> Value {
        let args = [a, b].map(|value| self.bits_as(value, ScalarKind::Sint));
        let result = self.math(fun, &args);
        self.bits_as(result, ScalarKind::Uint)
    }

    fn compare_as(&mut self, kind: ScalarKind, op: naga::BinaryOperator, a: Value, b: Value) -> Value {
        let (left, right) = (self.bits_as(a, kind), self.bits_as(b, kind));
        self.plain(op, left, right)
    }

    fn float_binary(&mut self, op: naga::BinaryOperator, a: Value, b: Value) -> Value {
        let (left, right) = (self.float(a), self.float(b));
        let result = self.plain(op, left, right);
        self.sealed(result)
    }

    pub(super) fn float_math(&mut self, fun: MathFunction, args: &[Value]) -> Value {
        let args: Vec<_> = args.iter().map(|arg| self.float(*arg)).collect();
        let result = self.math(fun, &args);
        self.sealed(result)
    }

    fn wide_word(&mut self, word: Value) -> Value {
        self.convert(word, ScalarKind::Uint, 8)
    }
}

impl Instructions for Portable {
    type V = Value;
    type Double = Value;

    const MULTIPLIES_HIGH: bool = false;

    fn word(&mut self, bits: u32) -> Value {
        self.body().word(bits)
    }

    fn unary(&mut self, op: Unary, a: Value) -> Value {
        match op {
            Unary::Not => self.expression(Expression::Unary { op: UnaryOperator::LogicalNot, expr: a }),
            Unary::IntFromBool => {
                let (one, zero) = (self.word(1), self.word(0));
                self.select(a, one, zero)
            }
            Unary::CountOnes => self.math(MathFunction::CountOneBits, &[a]),
            Unary::LeadingZeros => self.math(MathFunction::CountLeadingZeros, &[a]),
            Unary::TrailingZeros => self.math(MathFunction::CountTrailingZeros, &[a]),
            Unary::ReverseBits => self.math(MathFunction::ReverseBits, &[a]),
            Unary::FloatFromSigned => {
                let signed = self.bits_as(a, ScalarKind::Sint);
                let float = self.convert(signed, ScalarKind::Float, 4);
                self.sealed(float)
            }
            Unary::FloatFromUnsigned => {
                let float = self.convert(a, ScalarKind::Float, 4);
                self.sealed(float)
            }
            Unary::SignedFromFloat => {
                let float = self.float(a);
                let signed = self.convert(float, ScalarKind::Sint, 4);
                self.bits_as(signed, ScalarKind::Uint)
            }
            Unary::UnsignedFromFloat => {
                let float = self.float(a);
                self.convert(float, ScalarKind::Uint, 4)
            }
            Unary::Sqrt => self.float_math(MathFunction::Sqrt, &[a]),
            Unary::Floor => self.float_math(MathFunction::Floor, &[a]),
            Unary::Ceil => self.float_math(MathFunction::Ceil, &[a]),
            Unary::Trunc => self.float_math(MathFunction::Trunc, &[a]),
            Unary::RoundEven => self.float_math(MathFunction::Round, &[a]),
            // Matters of bits, which have been done with integers.
            Unary::FloatFromBits | Unary::BitsFromFloat | Unary::Canonical | Unary::Negate | Unary::Abs => a,
        }
    }

    fn binary(&mut self, op: Binary, a: Value, b: Value) -> Value {
        use naga::BinaryOperator as Op;
        match op {
            Binary::BoolAnd => self.plain(Op::LogicalAnd, a, b),
            Binary::BoolOr => self.plain(Op::LogicalOr, a, b),
            Binary::BoolEqual | Binary::Equal => self.plain(Op::Equal, a, b),
            Binary::Add => self.plain(Op::Add, a, b),
            Binary::Subtract => self.plain(Op::Subtract, a, b),
            Binary::Multiply => self.plain(Op::Multiply, a, b),
            Binary::DivideUnsigned => self.plain(Op::Divide, a, b),
            Binary::DivideSigned => self.signed(Op::Divide, a, b),
            Binary::And => self.plain(Op::And, a, b),
            Binary::Or => self.plain(Op::InclusiveOr, a, b),
            Binary::Xor => self.plain(Op::ExclusiveOr, a, b),
            Binary::ShiftLeft => self.plain(Op::ShiftLeft, a, b),
            Binary::ShiftRightUnsigned => self.plain(Op::ShiftRight, a, b),
            Binary::ShiftRightSigned => {
                let signed = self.bits_as(a, ScalarKind::Sint);
                let shifted = self.plain(Op::ShiftRight, signed, b);
                self.bits_as(shifted, ScalarKind::Uint)
            }
            Binary::MinSigned => self.signed_math(MathFunction::Min, a, b),
            Binary::MaxSigned => self.signed_math(MathFunction::Max, a, b),
            Binary::MinUnsigned => self.math(MathFunction::Min, &[a, b]),
            Binary::MaxUnsigned => self.math(MathFunction::Max, &[a, b]),
            Binary::LessSigned => self.compare_as(ScalarKind::Sint, Op::Less, a, b),
            Binary::LessUnsigned => self.plain(Op::Less, a, b),
            Binary::FloatAdd => self.float_binary(Op::Add, a, b),
            // Nobody knows that a sign is flipped here, and so that something may be subtracted from itself. It is hidden once it
            // is flipped: flipping a hidden sign of a hidden zero left neither hidden, for both are hidden by the same.
            Binary::FloatSubtract => {
                let sign = self.word(0x8000_0000);
                let opposite = self.plain(Op::ExclusiveOr, b, sign);
                let opposite = self.hide(opposite);
                self.float_binary(Op::Add, a, opposite)
            }
            Binary::FloatMultiply => self.float_binary(Op::Multiply, a, b),
            // Nor that something may be divided by itself, or compared with itself.
            Binary::FloatDivide => {
                let b = self.hide(b);
                self.float_binary(Op::Divide, a, b)
            }
            Binary::FloatEqual | Binary::FloatLessEqual => {
                let b = self.hide(b);
                let op = if op == Binary::FloatEqual { Op::Equal } else { Op::LessEqual };
                self.compare_as(ScalarKind::Float, op, a, b)
            }
            Binary::FloatLess => self.compare_as(ScalarKind::Float, Op::Less, a, b),
            // Written as other operations before they get here.
            Binary::MultiplyHigh
            | Binary::RemainderSigned
            | Binary::RemainderUnsigned
            | Binary::FloatMin
            | Binary::FloatMax => a,
        }
    }

    fn select(&mut self, condition: Value, accept: Value, reject: Value) -> Value {
        self.expression(Expression::Select { condition, accept, reject })
    }

    fn widen(&mut self, a: Value) -> Value {
        let float = self.float(a);
        self.convert(float, ScalarKind::Float, 8)
    }

    fn narrow(&mut self, a: Value) -> Value {
        let float = self.convert(a, ScalarKind::Float, 4);
        self.sealed(float)
    }

    fn double(&mut self, op: Binary, a: Value, b: Value) -> Value {
        let op = match op {
            Binary::FloatAdd => naga::BinaryOperator::Add,
            Binary::FloatSubtract => naga::BinaryOperator::Subtract,
            _ => naga::BinaryOperator::Multiply,
        };
        let result = self.plain(op, a, b);
        let bits = self.bits_as(result, ScalarKind::Uint);
        let zero = self.zero();
        let zero = self.wide_word(zero);
        let bits = self.plain(naga::BinaryOperator::InclusiveOr, bits, zero);
        self.float(bits)
    }

    fn split(&mut self, a: Value) -> [Value; 2] {
        let bits = self.bits_as(a, ScalarKind::Uint);
        let by = self.word(32);
        let upper = self.plain(naga::BinaryOperator::ShiftRight, bits, by);
        [bits, upper].map(|half| self.convert(half, ScalarKind::Uint, 4))
    }

    fn join(&mut self, [low, high]: [Value; 2]) -> Value {
        let (low, high) = (self.wide_word(low), self.wide_word(high));
        let by = self.word(32);
        let high = self.plain(naga::BinaryOperator::ShiftLeft, high, by);
        let bits = self.plain(naga::BinaryOperator::InclusiveOr, high, low);
        self.float(bits)
    }
}
