//! Operations of the lowered form, by instructions of the target or by what stands in for them.

use super::arithmetic::{Method, Operation};
use super::emitter::Emitter;
use super::emulate::{Steps, compare, convert, divide, fma, root, round};
use super::routine::Routine;
use super::target::Target;
use samebit_device::wgsl::lowered::{Binary, MathFunction, Ops, Unary};

/// The bits of 1.0.
const ONE: u32 = 0x3f80_0000;
/// The bits of -0.0, which changes no number that is added to it.
const MINUS_ZERO: u32 = 0x8000_0000;

impl<T: Target> Emitter<'_, T> {
    /// A float as an operand of a float instruction. Optimizers have rules for operations with zeros, infinities and NaN
    /// that are constant, and not all of those rules are right.
    fn operand(&mut self, value: T::V) -> T::V {
        match self.constants.get(&value) {
            Some(bits) if is_special(*bits) => self.hidden(*bits),
            _ => value,
        }
    }

    /// A word on its way between integers and floats. An optimizer may find out that a float which came from an integer is
    /// always a zero, as it may not of one that was loaded, and then has the same rules for it as for a constant. Or it
    /// sees that the integer came from a float, and leaves out both conversions for rounding, which keeps the sign of zero.
    fn veiled(&mut self, value: T::V) -> T::V {
        if self.constants.contains_key(&value) {
            return value;
        }
        let zero = self.zero;
        self.target.binary(Binary::Or, value, zero)
    }

    fn float_binary(&mut self, op: Binary, operation: Operation, a: T::V, b: T::V) -> T::V {
        if self.arithmetic.of(operation) == Method::Native {
            let (a, b) = (self.operand(a), self.operand(b));
            return self.target.binary(op, a, b);
        }
        match op {
            Binary::FloatMultiply => {
                let zero = self.bits(MINUS_ZERO);
                self.routine(Routine::Fma(Method::Integer), &[a, b, zero])
            }
            Binary::FloatDivide => self.routine(Routine::Divide(self.arithmetic.of(operation)), &[a, b]),
            _ => {
                let one = self.bits(ONE);
                let b = if op == Binary::FloatSubtract { self.unary(Unary::Negate, b) } else { b };
                self.routine(Routine::Fma(Method::Integer), &[a, one, b])
            }
        }
    }

    fn compare(&mut self, op: Binary, a: T::V, b: T::V) -> T::V {
        if self.arithmetic.of(Operation::Compare) == Method::Native {
            let (a, b) = (self.operand(a), self.operand(b));
            self.target.binary(op, a, b)
        } else {
            compare::integer(&mut self.target, op, a, b)
        }
    }

    fn extreme(&mut self, op: Binary, a: T::V, b: T::V) -> T::V {
        let second = match op {
            Binary::FloatMin => self.compare(Binary::FloatLess, b, a),
            _ => self.compare(Binary::FloatLess, a, b),
        };
        if self.constants.contains_key(&a) {
            // A constant NaN was made a plain one, so the comparison is false for it, and the second is wanted.
            let is_nan = self.constants.get(&a).is_some_and(|bits| f32::from_bits(*bits).is_nan());
            return if is_nan { b } else { self.target.select(second, b, a) };
        }
        compare::extreme(&mut self.target, second, a, b)
    }

    /// What divides like the divisor, but is neither zero nor, with a dividend that would overflow, -1.
    fn divisor(&mut self, op: Binary, a: T::V, b: T::V) -> T::V {
        let is_signed = matches!(op, Binary::DivideSigned | Binary::RemainderSigned);
        if self.constants.get(&b).is_some_and(|bits| *bits != 0 && !(is_signed && *bits == u32::MAX)) {
            return b;
        }
        let t = &mut self.target;
        let mut bad = t.is_zero(b);
        if is_signed {
            let least = t.with(Binary::Equal, a, 0x8000_0000);
            let minus = t.with(Binary::Equal, b, u32::MAX);
            let over = t.both(least, minus);
            bad = t.either(bad, over);
        }
        t.choose(bad, 1, b)
    }

    fn divide(&mut self, op: Binary, a: T::V, b: T::V) -> T::V {
        let b = self.divisor(op, a, b);
        let t = &mut self.target;
        match op {
            Binary::RemainderSigned | Binary::RemainderUnsigned => {
                let division =
                    if op == Binary::RemainderSigned { Binary::DivideSigned } else { Binary::DivideUnsigned };
                let quotient = t.binary(division, a, b);
                let product = t.mul(quotient, b);
                t.sub(a, product)
            }
            _ => t.binary(op, a, b),
        }
    }

    fn shift(&mut self, op: Binary, a: T::V, b: T::V) -> T::V {
        let is_small = self.constants.get(&b).is_some_and(|bits| *bits < 32);
        let by = if is_small { b } else { self.target.with(Binary::And, b, 31) };
        self.target.binary(op, a, by)
    }
}

/// Zeros, infinities and NaN.
pub(super) fn is_special(bits: u32) -> bool {
    let magnitude = bits & 0x7fff_ffff;
    magnitude == 0 || magnitude >= 0x7f80_0000
}

impl<T: Target> Ops for Emitter<'_, T> {
    type V = T::V;

    fn bits(&mut self, bits: u32) -> T::V {
        let value = self.target.word(bits);
        self.constants.insert(value, bits);
        value
    }

    fn unary(&mut self, op: Unary, a: T::V) -> T::V {
        let native = |operation| self.arithmetic.of(operation) == Method::Native;
        match op {
            Unary::FloatFromBits => self.veiled(a),
            Unary::BitsFromFloat => a,
            Unary::Negate => self.target.with(Binary::Xor, a, 0x8000_0000),
            Unary::Abs => self.target.magnitude(a),
            Unary::Canonical => {
                let nan = self.target.is_nan(a);
                self.target.choose(nan, samebit_device::wgsl::lowered::eval::NAN, a)
            }
            Unary::Sqrt if native(Operation::Sqrt) => {
                let a = self.operand(a);
                self.target.unary(op, a)
            }
            Unary::Sqrt => self.routine(Routine::Sqrt(self.arithmetic.of(Operation::Sqrt)), &[a]),
            Unary::Floor | Unary::Ceil | Unary::Trunc | Unary::RoundEven if native(Operation::Round) => {
                let a = self.operand(a);
                self.target.unary(op, a)
            }
            Unary::Floor | Unary::Ceil | Unary::Trunc | Unary::RoundEven => round::integer(&mut self.target, op, a),
            Unary::SignedFromFloat | Unary::UnsignedFromFloat if native(Operation::ToInteger) => {
                convert::native(&mut self.target, op, a)
            }
            Unary::SignedFromFloat => convert::to_signed(&mut self.target, a),
            Unary::UnsignedFromFloat => convert::to_unsigned(&mut self.target, a),
            Unary::FloatFromSigned | Unary::FloatFromUnsigned => {
                let float = match op {
                    _ if native(Operation::FromInteger) => {
                        let a = self.veiled(a);
                        self.target.unary(op, a)
                    }
                    Unary::FloatFromSigned => convert::from_signed(&mut self.target, a),
                    _ => convert::from_unsigned(&mut self.target, a),
                };
                self.veiled(float)
            }
            _ => self.target.unary(op, a),
        }
    }

    fn binary(&mut self, op: Binary, a: T::V, b: T::V) -> T::V {
        match op {
            Binary::FloatAdd | Binary::FloatSubtract => self.float_binary(op, Operation::Add, a, b),
            Binary::FloatMultiply => self.float_binary(op, Operation::Multiply, a, b),
            Binary::FloatDivide => self.float_binary(op, Operation::Divide, a, b),
            Binary::FloatMin | Binary::FloatMax => self.extreme(op, a, b),
            Binary::FloatEqual | Binary::FloatLess | Binary::FloatLessEqual => self.compare(op, a, b),
            Binary::DivideSigned | Binary::DivideUnsigned | Binary::RemainderSigned | Binary::RemainderUnsigned => {
                self.divide(op, a, b)
            }
            Binary::ShiftLeft | Binary::ShiftRightSigned | Binary::ShiftRightUnsigned => self.shift(op, a, b),
            Binary::MultiplyHigh => self.target.mul_high(a, b),
            _ => self.target.binary(op, a, b),
        }
    }

    fn select(&mut self, condition: T::V, accept: T::V, reject: T::V) -> T::V {
        // Mesa makes a conversion of a choice between a zero and 1.0 or -1.0, and mistakes the sign of the zero.
        let (accept, reject) = if self.constants.contains_key(&accept) && self.constants.contains_key(&reject) {
            (self.operand(accept), self.operand(reject))
        } else {
            (accept, reject)
        };
        self.target.select(condition, accept, reject)
    }

    fn fma(&mut self, a: T::V, b: T::V, c: T::V) -> T::V {
        match self.arithmetic.of(Operation::Fma) {
            Method::Native => {
                let [a, b, c] = [a, b, c].map(|value| self.operand(value));
                self.target.fma(a, b, c)
            }
            method => self.routine(Routine::Fma(method), &[a, b, c]),
        }
    }

    fn rarely<const N: usize>(
        &mut self,
        condition: T::V,
        usual: [T::V; N],
        rare: impl FnOnce(&mut Self) -> [T::V; N],
    ) -> [T::V; N] {
        let variables = usual.map(|value| {
            let variable = self.target.variable(super::target::Kind::Word);
            self.target.set(variable, value);
            variable
        });
        self.target.begin_if(condition);
        let values = rare(self);
        for (variable, value) in variables.iter().zip(values) {
            self.target.set(*variable, value);
        }
        self.target.begin_else();
        self.target.end_if();
        variables.map(|variable| self.target.get(variable))
    }

    fn call(&mut self, function: MathFunction, args: &[T::V]) -> T::V {
        self.routine(Routine::Math(function), args)
    }
}

/// What a routine computes.
pub(super) fn compute<T: Target>(emitter: &mut Emitter<'_, T>, routine: Routine, args: &[T::V]) -> T::V {
    let target = &mut emitter.target;
    match (routine, args) {
        (Routine::Math(function), args) => samebit_device::wgsl::math::sequence(emitter, function, args),
        (Routine::Fma(Method::Double), [a, b, c]) => fma::double(target, *a, *b, *c),
        (Routine::Fma(_), [a, b, c]) => fma::integer(target, *a, *b, *c),
        (Routine::Divide(Method::Corrected), [a, b]) => divide::corrected(target, *a, *b),
        (Routine::Divide(_), [a, b]) => divide::integer(target, *a, *b),
        (Routine::Sqrt(Method::Corrected), [a]) => root::corrected(target, *a),
        (Routine::Sqrt(_), [a]) => root::integer(target, *a),
        // Nobody calls one with other operands.
        (Routine::Fma(_) | Routine::Divide(_) | Routine::Sqrt(_), _) => target.word(0),
    }
}
