//! Reduction of angles: how many quarter turns, and what is left.

use super::steps::{INFINITY, ONE, ROUND, SIGN, Steps};
use crate::lowered::{Binary, Ops};

/// Bits of 2/π, rounded.
const TWO_OVER_PI: u32 = 0x3f22_f983;
/// Bits of -π/2, rounded.
const MINUS_HALF_PI_1: u32 = 0xbfc9_0fdb;
/// Bits of π/2 less the first, negated, rounded.
const HALF_PI_2: u32 = 0xb33b_bd2e;
/// Bits of what is still missing, rounded.
const HALF_PI_3: u32 = 0xa6f7_2ced;
/// Above this, the reduction is done in integers.
const FAR: f32 = 65536.0;
/// The bits of 2/π behind the point, after 32 zeros.
const DIGITS: [u32; 8] = [0, 0xa2f9_836e, 0x4e44_1529, 0xfc27_57d1, 0xf534_ddc0, 0xdb62_9599, 0x3c43_9041, 0xfe51_63ab];

/// An angle less quarter turns.
pub(super) struct Reduced<V> {
    /// What is left, at most a bit more than an eighth of a turn.
    pub(super) r: V,
    /// What `r` lacks, at most about half of its last bit.
    pub(super) low: V,
    /// How many quarter turns, in the lower two bits.
    pub(super) quarters: V,
}

/// Reduces an angle that is not negative. What is left of an infinite one is NaN.
pub(super) fn reduce<O: Ops>(o: &mut O, a: O::V) -> Reduced<O::V> {
    let round = o.bits(ROUND);
    let c = o.bits(TWO_OVER_PI);
    let t = o.fma(a, c, round);
    let n = o.sub(t, round);
    let c = o.bits(MINUS_HALF_PI_1);
    // Exact.
    let first = o.fma(n, c, a);
    let c = o.bits(HALF_PI_2);
    let d = o.mul(n, c);
    let minus_d = o.neg(d);
    let d_low = o.fma(n, c, minus_d);
    let r = o.sub(first, d);
    // Exact as well: `first` is a multiple of the last bit of `d`.
    let back = o.sub(first, r);
    let lost = o.sub(back, d);
    let c = o.bits(HALF_PI_3);
    let d_low = o.fma(n, c, d_low);
    let low = o.sub(lost, d_low);
    let quarters = o.to_bits(t);
    let far = o.f(FAR);
    let is_far = o.less(far, a);
    let [r, low, quarters] = o.rarely(is_far, [r, low, quarters], |o| reduce_far(o, a));
    Reduced { r, low, quarters }
}

/// The same for an angle above 2¹⁶, after Payne and Hanek: the product with those bits of 2/π that matter.
fn reduce_far<O: Ops>(o: &mut O, a: O::V) -> [O::V; 3] {
    let bits = o.to_bits(a);
    let mantissa = o.mask(bits, 0x007f_ffff);
    let implicit = o.bits(0x0080_0000);
    let mantissa = o.or(mantissa, implicit);
    let exponent = o.shr(bits, 23);
    // a = mantissa · 2^(exponent - 150). Bits of 2/π that contribute whole turns are left out.
    let skip = o.iadd_c(exponent, (-120_i32).cast_unsigned());
    let word = o.shr(skip, 5);
    let shift = o.mask(skip, 31);
    let [g0, g1, g2] = window(o, word, shift);
    // The fraction of a turn, in 64 bits.
    let carried = o.imul_high(mantissa, g2);
    let product = o.imul(mantissa, g1);
    let low = o.iadd(product, carried);
    let carry = o.uless(low, carried);
    let carry = o.unary(crate::lowered::Unary::IntFromBool, carry);
    let product = o.imul(mantissa, g0);
    let carried = o.imul_high(mantissa, g1);
    let high = o.iadd(product, carried);
    let high = o.iadd(high, carry);
    // Quarter turns, to the nearest.
    let quarters = o.iadd_c(high, 0x2000_0000);
    let quarters = o.shr(quarters, 30);
    let whole = o.shl(quarters, 30);
    let high = o.isub(high, whole);
    let negative = o.sar(high, 31);
    let high = o.xor(high, negative);
    let low = o.xor(low, negative);
    // 24, 24 and 13 bits, each of which is exact as a float.
    let part = o.shr(high, 5);
    let part = o.convert(part);
    let unit = o.bits(ONE - (25 << 23));
    let first = o.mul(part, unit);
    let part = o.mask(high, 31);
    let part = o.shl(part, 19);
    let more = o.shr(low, 13);
    let part = o.or(part, more);
    let part = o.convert(part);
    let unit = o.bits(ONE - (49 << 23));
    let second = o.mul(part, unit);
    let part = o.mask(low, 0x1fff);
    let part = o.convert(part);
    let unit = o.bits(ONE - (62 << 23));
    let third = o.mul(part, unit);
    let f = o.add(first, second);
    let back = o.sub(f, first);
    let lost = o.sub(second, back);
    let f_low = o.add(lost, third);
    // Times π/2.
    let c = o.bits(MINUS_HALF_PI_1 ^ SIGN);
    let r = o.mul(f, c);
    let minus_r = o.neg(r);
    let rest = o.fma(f, c, minus_r);
    let c_low = o.bits(HALF_PI_2);
    let rest = o.fma(f, c_low, rest);
    let rest = o.fma(f_low, c, rest);
    let sum = o.add(r, rest);
    let back = o.sub(sum, r);
    let rest = o.sub(rest, back);
    let r = sum;
    let sign = o.mask(negative, SIGN);
    let r = o.flip(r, sign);
    let rest = o.flip(rest, sign);
    let infinity = o.bits(INFINITY);
    let finite = o.less(a, infinity);
    let nan = o.bits(super::steps::NAN);
    let r = o.select(finite, r, nan);
    [r, rest, quarters]
}

/// Three words of [`DIGITS`], from a word and a bit in it on.
fn window<O: Ops>(o: &mut O, word: O::V, shift: O::V) -> [O::V; 3] {
    let mut words = [o.bits(0); 4];
    for (i, slot) in words.iter_mut().enumerate() {
        let mut chosen = o.bits(DIGITS[i]);
        for k in 1..5 {
            let index = o.bits(k);
            let here = o.iequal(word, index);
            let digits = o.bits(DIGITS[i + k as usize]);
            chosen = o.select(here, digits, chosen);
        }
        *slot = chosen;
    }
    let all = o.bits(31);
    let back = o.xor(shift, all);
    let mut join = |left: O::V, right: O::V| {
        let left = o.binary(Binary::ShiftLeft, left, shift);
        // In two steps, since 32 is no shift.
        let right = o.shr(right, 1);
        let right = o.binary(Binary::ShiftRightUnsigned, right, back);
        o.or(left, right)
    };
    [join(words[0], words[1]), join(words[1], words[2]), join(words[2], words[3])]
}
