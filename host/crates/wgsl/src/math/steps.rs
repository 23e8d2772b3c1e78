//! Short names for operations, and the few steps that most sequences share.

use crate::lowered::{Binary, Ops, Unary};

/// The bit of the sign.
pub(super) const SIGN: u32 = 0x8000_0000;
/// The bits of the exponent, which are those of infinity.
pub(super) const INFINITY: u32 = 0x7f80_0000;
/// The bits of 1.0.
pub(super) const ONE: u32 = 0x3f80_0000;
/// 1.5 · 2²³. Adding it to a small number leaves the nearest integer, ties to even, in the lower bits.
pub(super) const ROUND: u32 = 0x4b40_0000;
/// [`ROUND`] plus [`BIAS`], for exponents that go to [`Steps::scale`].
pub(super) const ROUND_EXPONENT: u32 = ROUND + BIAS;
/// What [`Steps::scale`] wants exponents to be increased by: twice the bias of binary32.
pub(super) const BIAS: u32 = 254;
/// The one NaN.
pub(super) const NAN: u32 = crate::lowered::eval::NAN;

macro_rules! short {
    ($($(#[$doc:meta])* $name:ident = $op:ident;)*) => {
        $($(#[$doc])* #[inline(always)] fn $name(&mut self, a: Self::V, b: Self::V) -> Self::V {
            self.binary(Binary::$op, a, b)
        })*
    };
}

/// Short names for operations.
pub(super) trait Steps: Ops {
    short! {
        /// Float sum.
        add = FloatAdd;
        /// Float difference.
        sub = FloatSubtract;
        /// Float product.
        mul = FloatMultiply;
        /// Float quotient.
        div = FloatDivide;
        /// Float comparison; false for NaN.
        less = FloatLess;
        /// Float comparison; false for NaN.
        equal = FloatEqual;
        /// Integer sum.
        iadd = Add;
        /// Integer difference.
        isub = Subtract;
        /// Integer product.
        imul = Multiply;
        /// Upper half of the integer product.
        imul_high = MultiplyHigh;
        /// Bitwise.
        and = And;
        /// Bitwise.
        or = Or;
        /// Bitwise.
        xor = Xor;
        /// Signed minimum.
        imin = MinSigned;
        /// Signed maximum.
        imax = MaxSigned;
        /// Integer comparison.
        iequal = Equal;
        /// Unsigned comparison.
        uless = LessUnsigned;
        /// Logical.
        both = BoolAnd;
    }

    /// Shifts left by a constant.
    #[inline(always)]
    fn shl(&mut self, a: Self::V, by: u32) -> Self::V {
        let by = self.bits(by);
        self.binary(Binary::ShiftLeft, a, by)
    }

    /// Shifts right by a constant; zeros come in.
    #[inline(always)]
    fn shr(&mut self, a: Self::V, by: u32) -> Self::V {
        let by = self.bits(by);
        self.binary(Binary::ShiftRightUnsigned, a, by)
    }

    /// Shifts right by a constant; copies of the sign come in.
    #[inline(always)]
    fn sar(&mut self, a: Self::V, by: u32) -> Self::V {
        let by = self.bits(by);
        self.binary(Binary::ShiftRightSigned, a, by)
    }

    /// Bitwise with a constant.
    #[inline(always)]
    fn mask(&mut self, a: Self::V, mask: u32) -> Self::V {
        let mask = self.bits(mask);
        self.and(a, mask)
    }

    /// Integer sum with a constant.
    #[inline(always)]
    fn iadd_c(&mut self, a: Self::V, b: u32) -> Self::V {
        let b = self.bits(b);
        self.iadd(a, b)
    }

    /// The bits of a float.
    #[inline(always)]
    fn to_bits(&mut self, a: Self::V) -> Self::V {
        self.unary(Unary::BitsFromFloat, a)
    }

    /// The float of these bits.
    #[inline(always)]
    fn to_float(&mut self, a: Self::V) -> Self::V {
        self.unary(Unary::FloatFromBits, a)
    }

    /// The nearest float of a signed integer.
    #[inline(always)]
    fn convert(&mut self, a: Self::V) -> Self::V {
        self.unary(Unary::FloatFromSigned, a)
    }

    /// Without its sign.
    #[inline(always)]
    fn abs(&mut self, a: Self::V) -> Self::V {
        self.unary(Unary::Abs, a)
    }

    /// With the other sign.
    #[inline(always)]
    fn neg(&mut self, a: Self::V) -> Self::V {
        self.unary(Unary::Negate, a)
    }

    /// The sign bit of a float, as an integer.
    #[inline(always)]
    fn sign_of(&mut self, a: Self::V) -> Self::V {
        let bits = self.to_bits(a);
        self.mask(bits, SIGN)
    }

    /// A float whose sign is flipped where `sign` has the sign bit.
    #[inline(always)]
    fn flip(&mut self, a: Self::V, sign: Self::V) -> Self::V {
        let bits = self.to_bits(a);
        let bits = self.xor(bits, sign);
        self.to_float(bits)
    }

    /// The smaller of a float and a constant; NaN stays.
    #[inline(always)]
    fn at_most(&mut self, a: Self::V, limit: f32) -> Self::V {
        let limit = self.f(limit);
        let over = self.less(limit, a);
        self.select(over, limit, a)
    }

    /// The greater of a float and a constant; NaN stays.
    #[inline(always)]
    fn at_least(&mut self, a: Self::V, limit: f32) -> Self::V {
        let limit = self.f(limit);
        let under = self.less(a, limit);
        self.select(under, limit, a)
    }

    /// A polynomial by Horner's scheme, from bits, lowest degree first.
    #[inline(always)]
    fn horner(&mut self, x: Self::V, coefficients: &[u32]) -> Self::V {
        let mut rest = coefficients.iter().rev();
        let mut sum = self.bits(rest.next().copied().unwrap_or(0));
        for bits in rest {
            let coefficient = self.bits(*bits);
            sum = self.fma(sum, x, coefficient);
        }
        sum
    }

    /// The constant coefficient, and x times a polynomial of those with even and those with odd degree in between, so
    /// that two chains of operations can overlap.
    #[inline(always)]
    fn even_odd(&mut self, x: Self::V, x2: Self::V, [constant, even, odd]: [&[u32]; 3]) -> Self::V {
        let even = self.horner(x2, even);
        let odd = self.horner(x2, odd);
        let sum = self.fma(odd, x, even);
        let constant = self.bits(constant.first().copied().unwrap_or(0));
        self.fma(sum, x, constant)
    }

    /// A float times 2ⁿ, rounded once if the float is in [1/4, 4]. The lower nine bits of `n` are the exponent, from -160
    /// to 160, plus [`BIAS`]; above them may be what [`ROUND_EXPONENT`] leaves there.
    #[inline(always)]
    fn scale(&mut self, a: Self::V, n: Self::V) -> Self::V {
        // Two factors, since one would not reach; the first product is exact.
        let n = self.shl(n, 23);
        let half = self.shr(n, 1);
        let half = self.mask(half, 0xff80_0000);
        let rest = self.isub(n, half);
        let half = self.to_float(half);
        let rest = self.to_float(rest);
        let a = self.mul(a, half);
        self.mul(a, rest)
    }
}

impl<O: Ops> Steps for O {}
