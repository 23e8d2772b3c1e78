//! Many values at once, so that the compiler uses vectors.

use samebit_wgsl::lowered::{Binary, MathFunction, Ops, Unary, eval};
use samebit_wgsl::math::sequence;
use std::array::from_fn;

/// How many.
pub(super) const LANES: usize = 16;

/// Computes on bits, [`LANES`] values at a time.
pub(super) struct Wide;

/// Not `array::from_fn`, which the compiler does not always inline.
#[inline(always)]
fn each(f: impl Fn(usize) -> u32) -> [u32; LANES] {
    let mut all = [0; LANES];
    for (i, slot) in all.iter_mut().enumerate() {
        *slot = f(i);
    }
    all
}

/// Decides which operation it is once for all values.
macro_rules! hoist {
    ($kind:ident, $op:ident, |$i:ident, $known:ident| $value:expr, $($variant:ident)*) => {
        match $op {
            $($kind::$variant => {
                let $known = $kind::$variant;
                each(#[inline(always)] |$i| $value)
            })*
        }
    };
}

impl Ops for Wide {
    type V = [u32; LANES];

    #[inline(always)]
    fn bits(&mut self, bits: u32) -> Self::V {
        [bits; LANES]
    }

    #[inline(always)]
    fn unary(&mut self, op: Unary, a: Self::V) -> Self::V {
        hoist!(Unary, op, |i, op| eval::unary(op, a[i]), Not IntFromBool CountOnes LeadingZeros TrailingZeros ReverseBits FloatFromSigned FloatFromUnsigned FloatFromBits SignedFromFloat UnsignedFromFloat BitsFromFloat Canonical Negate Abs Sqrt Floor Ceil Trunc RoundEven)
    }

    #[inline(always)]
    fn binary(&mut self, op: Binary, a: Self::V, b: Self::V) -> Self::V {
        hoist!(Binary, op, |i, op| eval::binary(op, a[i], b[i]), BoolAnd BoolOr BoolEqual Add Subtract Multiply MultiplyHigh DivideSigned DivideUnsigned RemainderSigned RemainderUnsigned And Or Xor ShiftLeft ShiftRightUnsigned ShiftRightSigned MinSigned MaxSigned MinUnsigned MaxUnsigned Equal LessSigned LessUnsigned FloatAdd FloatSubtract FloatMultiply FloatDivide FloatMin FloatMax FloatEqual FloatLess FloatLessEqual)
    }

    #[inline(always)]
    fn select(&mut self, condition: Self::V, accept: Self::V, reject: Self::V) -> Self::V {
        each(|i| if condition[i] == 0 { reject[i] } else { accept[i] })
    }

    #[inline(always)]
    fn fma(&mut self, a: Self::V, b: Self::V, c: Self::V) -> Self::V {
        each(|i| eval::fma(a[i], b[i], c[i]))
    }

    fn rarely<const N: usize>(
        &mut self,
        condition: Self::V,
        usual: [Self::V; N],
        rare: impl FnOnce(&mut Self) -> [Self::V; N],
    ) -> [Self::V; N] {
        if condition == [0; LANES] {
            return usual;
        }
        let rare = rare(self);
        from_fn(|i| self.select(condition, rare[i], usual[i]))
    }

    fn call(&mut self, function: MathFunction, args: &[Self::V]) -> Self::V {
        sequence(self, function, args)
    }
}
