//! Short names for instructions, and the few steps that sequences share.

use super::super::target::Instructions;
use samebit_device::wgsl::lowered::{Binary, Unary};

/// The bit of the sign.
pub(super) const SIGN: u32 = 0x8000_0000;
/// The bits of the exponent, which are those of infinity.
pub(super) const INFINITY: u32 = 0x7f80_0000;
/// The one NaN.
pub(super) const NAN: u32 = samebit_device::wgsl::lowered::eval::NAN;

macro_rules! short {
    ($($(#[$doc:meta])* $name:ident = $op:ident;)*) => {
        $($(#[$doc])* fn $name(&mut self, a: Self::V, b: Self::V) -> Self::V {
            self.binary(Binary::$op, a, b)
        })*
    };
}

/// Short names for instructions.
pub(in super::super) trait Steps: Instructions {
    short! {
        /// Integer sum.
        add = Add;
        /// Integer difference.
        sub = Subtract;
        /// Integer product.
        mul = Multiply;
        /// Bitwise.
        and = And;
        /// Bitwise.
        or = Or;
        /// Bitwise.
        xor = Xor;
        /// Shifts left, by less than 32.
        shl = ShiftLeft;
        /// Shifts right, by less than 32; zeros come in.
        shr = ShiftRightUnsigned;
        /// Comparison.
        equal = Equal;
        /// Signed comparison.
        sless = LessSigned;
        /// Unsigned comparison.
        uless = LessUnsigned;
        /// Unsigned minimum.
        umin = MinUnsigned;
        /// Signed maximum.
        smax = MaxSigned;
        /// Unsigned quotient.
        udiv = DivideUnsigned;
        /// Logical.
        both = BoolAnd;
        /// Logical.
        either = BoolOr;
    }

    /// Logical.
    fn not(&mut self, a: Self::V) -> Self::V {
        self.unary(Unary::Not, a)
    }

    /// How many zeros lead.
    fn clz(&mut self, a: Self::V) -> Self::V {
        self.unary(Unary::LeadingZeros, a)
    }

    /// 1 or 0.
    fn int(&mut self, a: Self::V) -> Self::V {
        self.unary(Unary::IntFromBool, a)
    }

    /// An operation whose second operand is constant.
    fn with(&mut self, op: Binary, a: Self::V, b: u32) -> Self::V {
        let b = self.word(b);
        self.binary(op, a, b)
    }

    /// An operation whose first operand is constant.
    fn from(&mut self, a: u32, op: Binary, b: Self::V) -> Self::V {
        let a = self.word(a);
        self.binary(op, a, b)
    }

    /// Whether it is zero.
    fn is_zero(&mut self, a: Self::V) -> Self::V {
        self.with(Binary::Equal, a, 0)
    }

    /// 1 if it is not zero.
    fn some(&mut self, a: Self::V) -> Self::V {
        self.with(Binary::MinUnsigned, a, 1)
    }

    /// One of two constants.
    fn pick(&mut self, condition: Self::V, accept: u32, reject: u32) -> Self::V {
        let (accept, reject) = (self.word(accept), self.word(reject));
        self.select(condition, accept, reject)
    }

    /// A constant if the condition holds.
    fn choose(&mut self, condition: Self::V, accept: u32, reject: Self::V) -> Self::V {
        let accept = self.word(accept);
        self.select(condition, accept, reject)
    }

    /// The upper half of the unsigned product of 64 bits.
    fn mul_high(&mut self, a: Self::V, b: Self::V) -> Self::V {
        if Self::MULTIPLIES_HIGH {
            return self.binary(Binary::MultiplyHigh, a, b);
        }
        let (a_low, b_low) = (self.with(Binary::And, a, 0xffff), self.with(Binary::And, b, 0xffff));
        let (a_high, b_high) =
            (self.with(Binary::ShiftRightUnsigned, a, 16), self.with(Binary::ShiftRightUnsigned, b, 16));
        let low = self.mul(a_low, b_low);
        let low = self.with(Binary::ShiftRightUnsigned, low, 16);
        // Neither sum overflows: (2¹⁶ - 1)² + 2·(2¹⁶ - 1) is 2³² - 1.
        let cross = self.mul(a_high, b_low);
        let cross = self.add(cross, low);
        let cross_high = self.with(Binary::ShiftRightUnsigned, cross, 16);
        let cross_low = self.with(Binary::And, cross, 0xffff);
        let other = self.mul(a_low, b_high);
        let other = self.add(other, cross_low);
        let other = self.with(Binary::ShiftRightUnsigned, other, 16);
        let high = self.mul(a_high, b_high);
        let high = self.add(high, cross_high);
        self.add(high, other)
    }

    /// The bits of the exponent and fraction.
    fn magnitude(&mut self, a: Self::V) -> Self::V {
        self.with(Binary::And, a, !SIGN)
    }

    /// Whether a float is NaN, by its bits.
    fn is_nan(&mut self, a: Self::V) -> Self::V {
        let magnitude = self.magnitude(a);
        self.from(INFINITY, Binary::LessUnsigned, magnitude)
    }
}

impl<I: Instructions> Steps for I {}
